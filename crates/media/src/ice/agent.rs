//! The agent of one WebRTC transport: a machine without I/O.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use thiserror::Error;

use super::credentials::{Credentials, Password, UsernameFragment};
use super::keyring::{Keyring, Refusal};
use super::paths::Paths;
use crate::stun::{self, Class, RESPONSE_LEN_MAX};
use crate::{Now, SocketId, Tuple};

/// The shortest consent timeout: clients check every 4 to 6 s (RFC 7675 §5.1), so one check may get lost.
pub const CONSENT_TIMEOUT_MIN: Duration = Duration::from_secs(10);

/// The longest consent timeout: after this a client that fell silent has no use for its place.
pub const CONSENT_TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// What can be set on an agent.
#[derive(Clone, Copy, Debug)]
pub struct IceConfig {
    /// How long after the last check the peer counts as connected; `None`: for ever.
    ///
    /// Taken into the range from [`CONSENT_TIMEOUT_MIN`] to [`CONSENT_TIMEOUT_MAX`].
    pub consent_timeout: Option<Duration>,
}

impl Default for IceConfig {
    /// 30 s, the time of RFC 7675 §5.1.
    fn default() -> Self {
        Self { consent_timeout: Some(Duration::from_secs(30)) }
    }
}

/// How far the agent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IceState {
    /// No valid check has come yet.
    New,
    /// There is a valid tuple, and the peer has nominated none.
    Connected,
    /// The peer has nominated a tuple.
    Completed,
    /// There is no valid tuple any more. A new check leads back.
    Disconnected,
}

/// What has changed, for the owner of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IceEvent {
    /// Packets may come from this tuple.
    TupleAdded(Tuple),
    /// Packets from this tuple are to be dropped; if it is a TCP connection, it is to be closed.
    TupleRemoved(Tuple),
    /// Packets to the peer go to this tuple.
    SelectedTupleChanged(Tuple),
    /// The state is another. Without a tuple left there is no selected one either.
    StateChanged(IceState),
    /// The peer has used the credentials of the last restart: checks for this fragment are refused from now on.
    CredentialsRetired(UsernameFragment),
}

/// Why a message gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum StunDrop {
    /// An indication or a response: we don't ask, and there is nothing to say.
    #[error("not a request")]
    NotRequest,
    /// The buffer for the answer is smaller than [`RESPONSE_LEN_MAX`].
    #[error("no room for the answer")]
    NoRoom,
}

/// An ICE-lite agent, always controlled.
///
/// Feed it with [`handle`](Self::handle), [`on_media`](Self::on_media), [`remove_socket`](Self::remove_socket) and
/// [`handle_timeout`](Self::handle_timeout), and take all events after each: there is no queue of them, they are the
/// difference between what was reported and what is. So they need no bound, and who comes late sees the latest only.
#[derive(Debug)]
pub struct IceLite {
    config: IceConfig,
    keyring: Keyring,
    state: IceState,
    paths: Paths,
    /// The greatest NOMINATION since the last restart or disconnection; 0, which no peer sends, if there was none.
    nomination: u32,
    consent_deadline: Option<Instant>,
    reported: Reported,
}

/// What the owner knows from events.
#[derive(Debug)]
struct Reported {
    tuples: Vec<Tuple>,
    selected: Option<Tuple>,
    state: IceState,
}

impl IceLite {
    /// An agent with credentials from `rng`, which has to be seeded from the operating system.
    #[must_use]
    pub fn new(config: IceConfig, rng: &mut StdRng) -> Self {
        let clamp = |timeout: Duration| timeout.clamp(CONSENT_TIMEOUT_MIN, CONSENT_TIMEOUT_MAX);
        Self {
            config: IceConfig { consent_timeout: config.consent_timeout.map(clamp) },
            keyring: Keyring::new(rng),
            state: IceState::New,
            paths: Paths::new(),
            nomination: 0,
            consent_deadline: None,
            reported: Reported { tuples: Vec::new(), selected: None, state: IceState::New },
        }
    }

    /// What the peer has to know.
    #[must_use]
    pub fn local(&self) -> &Credentials {
        self.keyring.current()
    }

    /// The names by which checks are let in: the present one, and since a restart for a while the one before.
    pub fn username_fragments(&self) -> impl Iterator<Item = UsernameFragment> {
        self.keyring.username_fragments()
    }

    /// How far the agent has come.
    #[must_use]
    pub fn state(&self) -> IceState {
        self.state
    }

    /// Where packets to the peer go.
    #[must_use]
    pub fn selected(&self) -> Option<Tuple> {
        self.paths.selected()
    }

    /// Brings near where packets to the peer go.
    pub(crate) fn warm(&self) {
        self.paths.warm();
    }

    /// The valid tuples, the newest first, at most `TUPLES_MAX` of `paths`.
    pub fn tuples(&self) -> impl Iterator<Item = Tuple> {
        self.paths.iter()
    }

    /// Whether packets from `tuple` are the peer's. RTCP needs no more; for RTP and DTLS see [`Self::on_media`].
    #[must_use]
    pub fn is_valid(&self, tuple: Tuple) -> bool {
        self.paths.contains(tuple)
    }

    /// RTP or DTLS came from `tuple`: false if it is to be dropped, else `tuple` is the selected one now.
    ///
    /// A peer that sends on another valid path than the nominated one has its reasons, and may not get what is sent to the
    /// old one any more.
    #[inline]
    pub fn on_media(&mut self, tuple: Tuple) -> bool {
        self.paths.selected() == Some(tuple) || self.paths.select(tuple)
    }

    /// Answers a message from `tuple`: writes the response into `out`, which goes back to `tuple`, and returns its length.
    ///
    /// `out` has to have [`RESPONSE_LEN_MAX`] bytes.
    ///
    /// # Errors
    /// [`StunDrop`] if there is nothing to answer; then nothing has changed.
    pub fn handle(
        &mut self,
        now: Now,
        tuple: Tuple,
        request: &stun::Message<'_>,
        out: &mut [u8],
    ) -> Result<usize, StunDrop> {
        if request.class() != Class::Request {
            return Err(StunDrop::NotRequest);
        }
        if out.len() < RESPONSE_LEN_MAX {
            return Err(StunDrop::NoRoom);
        }
        let written = match self.keyring.check(request) {
            Ok(authentic) => {
                self.accept(now, tuple, request, authentic.current);
                request.write_success(tuple.remote, authentic.password.as_bytes(), out)
            }
            Err(Refusal { error, password }) => {
                request.write_error(error, password.as_ref().map(Password::as_bytes), out)
            }
        };
        written.map_err(|stun::NoRoom| StunDrop::NoRoom)
    }

    /// A socket is gone, such as a TCP connection that was closed: its tuples are not valid any more.
    pub fn remove_socket(&mut self, socket: SocketId) {
        let had_tuples = !self.paths.is_empty();
        self.paths.remove_socket(socket);
        if had_tuples && self.paths.is_empty() {
            self.disconnect();
        }
    }

    /// Makes new credentials, for the peer to restart with (RFC 8445 §9). Its paths and all behind them go on.
    ///
    /// The old credentials stay valid until the first check with the new ones, and are then reported by
    /// [`IceEvent::CredentialsRetired`]. A restart that comes before that check ends the older ones at once: their
    /// fragment is returned, or it is that of an event which nobody has taken.
    #[must_use = "a fragment that is returned is valid no more"]
    pub fn restart(&mut self, now: Now, rng: &mut StdRng) -> Option<UsernameFragment> {
        let older = self.keyring.renew(rng);
        self.nomination = 0;
        if self.consent_deadline.is_some() {
            self.restart_consent(now);
        }
        older
    }

    /// Draws the present credentials anew, for an owner who can't use them. They must not have been told to anybody.
    pub fn redraw(&mut self, rng: &mut StdRng) {
        self.keyring.redraw(rng);
    }

    /// When [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn timeout(&self) -> Option<Instant> {
        self.consent_deadline
    }

    /// Time has passed: without a check for the consent timeout, the peer is gone (RFC 7675 §5.1).
    pub fn handle_timeout(&mut self, now: Now) {
        if self.consent_deadline.is_some_and(|deadline| deadline <= now.at) {
            self.disconnect();
        }
    }

    /// The next thing that has changed and wasn't reported yet.
    pub fn poll_event(&mut self) -> Option<IceEvent> {
        self.poll_tuples()
            .or_else(|| self.poll_selected())
            .or_else(|| self.poll_state())
            .or_else(|| self.keyring.take_retired().map(IceEvent::CredentialsRetired))
    }

    fn accept(&mut self, now: Now, tuple: Tuple, request: &stun::Message<'_>, current: bool) {
        if current {
            self.keyring.retire_previous();
        }
        self.paths.add(tuple);
        if self.nominates(request) {
            self.paths.select(tuple);
            self.state = IceState::Completed;
        } else if matches!(self.state, IceState::New | IceState::Disconnected) {
            self.paths.select(tuple);
            self.state = IceState::Connected;
        }
        self.restart_consent(now);
    }

    /// A peer that numbers its nominations is taken by their order, any other by their arrival.
    fn nominates(&mut self, request: &stun::Message<'_>) -> bool {
        match request.nomination() {
            Some(nomination) if nomination > self.nomination => {
                self.nomination = nomination;
                true
            }
            Some(_) => false,
            None => request.use_candidate(),
        }
    }

    fn restart_consent(&mut self, now: Now) {
        self.consent_deadline = self.config.consent_timeout.map(|timeout| now.at + timeout);
    }

    fn disconnect(&mut self) {
        self.paths.clear();
        self.nomination = 0;
        self.consent_deadline = None;
        self.state = IceState::Disconnected;
    }

    fn poll_tuples(&mut self) -> Option<IceEvent> {
        let (paths, reported) = (&self.paths, &mut self.reported.tuples);
        if let Some(index) = reported.iter().position(|&tuple| !paths.contains(tuple)) {
            return Some(IceEvent::TupleRemoved(reported.remove(index)));
        }
        let added = paths.iter().rev().find(|tuple| !reported.contains(tuple))?;
        // One, and seldom another: room for no more than those.
        reported.reserve_exact(1);
        reported.push(added);
        Some(IceEvent::TupleAdded(added))
    }

    fn poll_selected(&mut self) -> Option<IceEvent> {
        let selected = self.paths.selected();
        let before = std::mem::replace(&mut self.reported.selected, selected);
        if before == selected { None } else { selected.map(IceEvent::SelectedTupleChanged) }
    }

    fn poll_state(&mut self) -> Option<IceEvent> {
        let before = std::mem::replace(&mut self.reported.state, self.state);
        (before != self.state).then_some(IceEvent::StateChanged(self.state))
    }
}

#[cfg(test)]
mod tests;
