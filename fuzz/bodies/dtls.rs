//! DTLS: whatever a stranger throws into a handshake, in any of its states, nothing breaks, little is stored, and nobody but
//! the genuine peer ever becomes the one that we are connected with.
//!
//! The first byte chooses our role (its lowest bit) and how many genuine flights pass before the stranger speaks (the next
//! three). The rest is what the stranger sends: datagrams, each behind its length in two bytes.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use mafalda_media::Now;
use mafalda_media::dtls::{Certificate, DropReason, Dtls, DtlsOutput, Role};

/// More than any handshake has.
const DATAGRAMS_MAX: usize = 64;

/// Turns after the stranger has spoken: enough for each repetition and for the end of the 30 s.
const TURNS_MAX: usize = 64;

static OURS: LazyLock<Certificate> =
    LazyLock::new(|| Certificate::generate().expect("randomness is at hand"));
static THEIRS: LazyLock<Certificate> =
    LazyLock::new(|| Certificate::generate().expect("randomness is at hand"));

/// Plays what `data` describes; panics when a promise is broken.
pub fn run(data: &[u8]) {
    let Some((choice, datagrams)) = data.split_first() else { return };
    let role = if choice & 1 == 0 { Role::Client } else { Role::Server };
    let mut play = Play::new(role);
    for _ in 0..(choice >> 1) & 7 {
        play.exchange();
    }
    for datagram in split(datagrams).take(DATAGRAMS_MAX) {
        play.intrude(datagram);
    }
    for _ in 0..TURNS_MAX {
        play.exchange();
        play.wait();
    }
    assert!(play.ours.is_settled(), "after 30 s a handshake is over, well or ill");
}

fn split(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = data.split_first_chunk::<2>()?;
        let (datagram, left) = rest.split_at(rest.len().min(usize::from(u16::from_be_bytes(*length))));
        data = left;
        Some(datagram)
    })
}

struct Play {
    now: Now,
    ours: End,
    theirs: End,
}

impl Play {
    fn new(role: Role) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time needs some origin")]
        let now = Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        let other = if role == Role::Client { Role::Server } else { Role::Client };
        Self {
            now,
            ours: End::new(Dtls::new(&OURS, role, now)),
            theirs: End::new(Dtls::new(&THEIRS, other, now)),
        }
    }

    /// Carries what either end has to say to the other.
    fn exchange(&mut self) {
        for packet in self.ours.drain(THEIRS.der()) {
            let _ = self.theirs.dtls.handle(self.now, &packet);
        }
        for packet in self.theirs.drain(OURS.der()) {
            let _ = self.ours.dtls.handle(self.now, &packet);
        }
    }

    fn intrude(&mut self, datagram: &[u8]) {
        let verdict = self.ours.dtls.handle(self.now, datagram);
        if self.ours.ended && !datagram.is_empty() {
            assert!(matches!(verdict, Err(DropReason::Ended | DropReason::Malformed)));
        }
        for packet in self.ours.drain(THEIRS.der()) {
            let _ = self.theirs.dtls.handle(self.now, &packet);
        }
    }

    /// Goes to the next timeout.
    fn wait(&mut self) {
        let timeouts = [self.ours.dtls.timeout(), self.theirs.dtls.timeout()];
        let Some(next) = timeouts.into_iter().flatten().min() else { return };
        self.now = self.now.after(next.saturating_duration_since(self.now.at));
        self.ours.dtls.handle_timeout(self.now);
        self.theirs.dtls.handle_timeout(self.now);
    }
}

struct End {
    dtls: Dtls,
    connected: bool,
    ended: bool,
}

impl End {
    fn new(dtls: Dtls) -> Self {
        Self { dtls, connected: false, ended: false }
    }

    fn is_settled(&self) -> bool {
        self.connected || self.ended
    }

    /// What is to be sent; `peer` is the only certificate that may come out.
    fn drain(&mut self, peer: &[u8]) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut out = [0; 1200];
        while let Some(output) = self.dtls.poll(&mut out) {
            assert!(!self.ended, "nothing comes after the end");
            match output {
                DtlsOutput::Packet(length) => packets.push(out.get(..length).expect("it fits").to_vec()),
                DtlsOutput::Connected(connected) => {
                    assert!(!self.connected, "a connection is made once");
                    assert_eq!(connected.peer_certificate, peer, "a stranger took the peer's place");
                    self.connected = true;
                }
                DtlsOutput::ApplicationData(_) => panic!("nobody sent data"),
                DtlsOutput::Closed | DtlsOutput::Failed(_) => self.ended = true,
            }
        }
        packets
    }
}
