//! The credentials that let a check in, before and after a restart (RFC 8445 §9).

use rand::rngs::StdRng;

use super::credentials::{Credentials, Password, UsernameFragment};
use crate::stun::{self, ErrorCode};

/// The present credentials, and those from before the last restart until the peer uses the new ones.
#[derive(Debug)]
pub(super) struct Keyring {
    current: Credentials,
    previous: Option<Previous>,
}

#[derive(Debug)]
struct Previous {
    credentials: Credentials,
    /// The peer has used the new ones; this is only here until it is reported.
    retired: bool,
}

/// A request that knew a password; the answer is signed with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authentic {
    pub(super) password: Password,
    /// Of the present credentials, not of those from before a restart.
    pub(super) current: bool,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) error: ErrorCode,
    /// What the answer is signed with, if the sender has proved itself.
    pub(super) password: Option<Password>,
}

impl Keyring {
    pub(super) fn new(rng: &mut StdRng) -> Self {
        Self { current: Credentials::random(rng), previous: None }
    }

    pub(super) fn current(&self) -> &Credentials {
        &self.current
    }

    /// The names by which checks are let in.
    pub(super) fn username_fragments(&self) -> impl Iterator<Item = UsernameFragment> {
        let previous = self.previous.as_ref().map(|previous| previous.credentials.username_fragment);
        [Some(self.current.username_fragment), previous].into_iter().flatten()
    }

    /// Whether a request is good. Form goes before authenticity and that before role, as with mediasoup.
    pub(super) fn check(&self, request: &stun::Message<'_>) -> Result<Authentic, Refusal> {
        if !is_well_formed(request) {
            return Err(Refusal { error: ErrorCode::BadRequest, password: None });
        }
        let authentic =
            self.authenticate(request).ok_or(Refusal { error: ErrorCode::Unauthorized, password: None })?;
        let refuse = |error| Err(Refusal { error, password: Some(authentic.password) });
        if request.unknown_attributes().len() > 0 {
            return refuse(ErrorCode::UnknownAttribute);
        }
        if request.ice_controlled().is_some() {
            return refuse(ErrorCode::RoleConflict);
        }
        Ok(authentic)
    }

    /// The peer has used the present credentials: the others are refused from now on.
    pub(super) fn retire_previous(&mut self) {
        if let Some(previous) = &mut self.previous {
            previous.retired = true;
        }
    }

    /// New credentials; the present ones become the previous, and the fragment of those before is returned.
    pub(super) fn renew(&mut self, rng: &mut StdRng) -> Option<UsernameFragment> {
        let credentials = std::mem::replace(&mut self.current, Credentials::random(rng));
        let older = self.previous.replace(Previous { credentials, retired: false })?;
        Some(older.credentials.username_fragment)
    }

    /// Others in the place of the present credentials, which nobody knows yet.
    pub(super) fn redraw(&mut self, rng: &mut StdRng) {
        self.current = Credentials::random(rng);
    }

    /// The fragment of retired credentials, once.
    pub(super) fn take_retired(&mut self) -> Option<UsernameFragment> {
        let retired = self.previous.take_if(|previous| previous.retired)?;
        Some(retired.credentials.username_fragment)
    }

    fn authenticate(&self, request: &stun::Message<'_>) -> Option<Authentic> {
        let fragment = request.local_username_fragment()?;
        let is_for = |credentials: &Credentials| credentials.username_fragment.as_bytes() == fragment;
        let current = is_for(&self.current);
        let credentials = if current {
            self.current
        } else {
            let previous = self.previous.as_ref().filter(|previous| !previous.retired)?;
            Some(previous.credentials).filter(is_for)?
        };
        let password = credentials.password;
        request.is_signed_with(password.as_bytes()).then_some(Authentic { password, current })
    }
}

/// A Binding request with all that ICE wants in it: RFC 8445 §7.1, RFC 8489 §9.1.3.
fn is_well_formed(request: &stun::Message<'_>) -> bool {
    request.method() == stun::BINDING
        && request.has_fingerprint()
        && request.priority().is_some()
        && request.username().is_some()
        && request.is_signed()
}
