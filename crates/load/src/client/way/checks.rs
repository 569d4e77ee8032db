//! The controlling side of ICE towards one address (RFC 8445, RFC 7675): checks that nominate at once, then consent.
//!
//! A server that is ICE-lite sends no checks of its own, so there is nothing here that answers any, and no choice between
//! candidates: the caller has chosen.

use std::time::{Duration, Instant};

use mafalda_api::types::data_structures::IceParameters;
use mafalda_media::stun::{self, AttributeType, Class, Message, NoRoom, TransactionId, Writer};
use rand::RngExt;
use rand::rngs::StdRng;

/// The wait before the first repetition of a check that was not answered; it doubles.
const REPEAT_FIRST: Duration = Duration::from_millis(50);

/// The longest such wait (RFC 8445 §14.3 begins with it; on a path to a server that has said its address less is enough).
const REPEAT_MAX: Duration = Duration::from_millis(500);

/// How long the first answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Time between two checks of consent, before a random factor of 0.8 to 1.2 (RFC 7675 §5.1).
const CONSENT_INTERVAL: Duration = Duration::from_secs(5);

/// Without an answer for so long nothing may be sent (RFC 7675 §5.1).
const CONSENT_MAX: Duration = Duration::from_secs(30);

/// Priority of the peer-reflexive candidate that a check would discover (RFC 8445 §5.1.2.1): type 110, highest local
/// preference, component 1.
const PRIORITY: u32 = (110 << 24) | (65_535 << 8) | 255;

/// Our username fragment, the part behind the colon. A server that is ICE-lite never checks us, so it tells nobody apart.
const OWN_FRAGMENT: &str = "load";

/// Longest check: header, USERNAME of 508 bytes at the most, and five attributes.
pub(super) const CHECK_LEN_MAX: usize = 640;

/// Checks towards one address.
#[derive(Debug)]
pub(super) struct Checks {
    username: Vec<u8>,
    password: Vec<u8>,
    tie_breaker: u64,
    transaction: TransactionId,
    begun: Instant,
    due: Instant,
    wait: Duration,
    answered: Option<Instant>,
    rng: StdRng,
}

impl Checks {
    pub(super) fn new(server: &IceParameters, now: Instant, mut rng: StdRng) -> Self {
        Self {
            username: format!("{}:{OWN_FRAGMENT}", server.username_fragment).into_bytes(),
            password: server.password.clone().into_bytes(),
            tie_breaker: rng.random(),
            transaction: TransactionId(rng.random()),
            begun: now,
            due: now,
            wait: REPEAT_FIRST,
            answered: None,
            rng,
        }
    }

    /// Whether the server has ever answered.
    pub(super) fn is_reachable(&self) -> bool {
        self.answered.is_some()
    }

    /// Whether it is too late for an answer.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let (since, patience) = self.answered.map_or((self.begun, PATIENCE), |at| (at, CONSENT_MAX));
        now.saturating_duration_since(since) >= patience
    }

    pub(super) fn timeout(&self) -> Instant {
        self.due
    }

    /// Writes a check if one is due, and says how long it is.
    pub(super) fn poll(&mut self, now: Instant, out: &mut [u8]) -> Option<usize> {
        if now < self.due {
            return None;
        }
        self.due = now + self.wait;
        self.wait = (self.wait * 2).min(REPEAT_MAX);
        self.write(out).ok()
    }

    fn write(&self, out: &mut [u8]) -> Result<usize, NoRoom> {
        let mut writer = Writer::new(Class::Request, stun::BINDING, self.transaction, out)?;
        writer.attribute(AttributeType::USERNAME, &self.username)?;
        writer.attribute(AttributeType::ICE_CONTROLLING, &self.tie_breaker.to_be_bytes())?;
        writer.attribute(AttributeType::USE_CANDIDATE, &[])?;
        writer.attribute(AttributeType::PRIORITY, &PRIORITY.to_be_bytes())?;
        writer.finish(Some(&self.password))
    }

    /// Takes an answer; whether it was one to the current check.
    pub(super) fn handle(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let Ok(message) = Message::parse(datagram) else { return false };
        let good = message.class() == Class::Success
            && message.transaction() == self.transaction
            && message.is_signed_with(&self.password);
        if good {
            self.answered = Some(now);
            self.transaction = TransactionId(self.rng.random());
            self.wait = REPEAT_FIRST;
            self.due = now + CONSENT_INTERVAL.mul_f64(self.rng.random_range(0.8..1.2));
        }
        good
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn checks(now: Instant) -> Checks {
        let server = IceParameters {
            username_fragment: "abcd".into(),
            password: "secret".into(),
            ice_lite: Some(true),
        };
        Checks::new(&server, now, StdRng::seed_from_u64(1))
    }

    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    fn start() -> Instant {
        Instant::now()
    }

    fn answer(check: &[u8], password: &[u8]) -> Vec<u8> {
        let mut out = [0; 256];
        let request = Message::parse(check).unwrap();
        let len = request.write_success(([127, 0, 0, 1], 9).into(), password, &mut out).unwrap();
        out[..len].to_vec()
    }

    #[test]
    fn a_check_says_what_a_controlling_agent_says() {
        let now = start();
        let mut out = [0; CHECK_LEN_MAX];
        let len = checks(now).poll(now, &mut out).unwrap();
        let check = Message::parse(&out[..len]).unwrap();
        assert_eq!(check.username(), Some(&b"abcd:load"[..]));
        assert!(check.use_candidate() && check.ice_controlling().is_some() && check.priority().is_some());
        assert!(check.is_signed_with(b"secret") && check.has_fingerprint());
    }

    #[test]
    fn it_repeats_until_it_is_answered_and_asks_for_consent_from_then_on() {
        let now = start();
        let mut checks = checks(now);
        let mut out = [0; CHECK_LEN_MAX];
        let mut waits = Vec::new();
        let mut at = now;
        for _ in 0..6 {
            assert!(checks.poll(at, &mut out).is_some());
            assert!(checks.poll(at, &mut out).is_none());
            waits.push((checks.timeout() - at).as_millis());
            at = checks.timeout();
        }
        assert_eq!(waits, [50, 100, 200, 400, 500, 500]);
        let len = checks.poll(at, &mut out).unwrap();
        assert!(!checks.handle(at, &answer(&out[..len], b"wrong")) && !checks.is_reachable());
        let good = answer(&out[..len], b"secret");
        assert!(checks.handle(at, &good) && checks.is_reachable());
        assert!(!checks.handle(at, &good), "an answer counts once");
        let wait = (checks.timeout() - at).as_millis();
        assert!((4000..=6000).contains(&wait), "{wait}");
    }

    #[test]
    fn patience_ends() {
        let now = start();
        let mut checks = checks(now);
        let mut out = [0; CHECK_LEN_MAX];
        assert!(!checks.is_over(now + Duration::from_millis(9999)) && checks.is_over(now + PATIENCE));
        let len = checks.poll(now, &mut out).unwrap();
        checks.handle(now, &answer(&out[..len], b"secret"));
        assert!(!checks.is_over(now + Duration::from_secs(29)) && checks.is_over(now + CONSENT_MAX));
    }
}
