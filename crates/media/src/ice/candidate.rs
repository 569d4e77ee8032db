//! What an ICE-lite agent offers: the numbers of its host candidates (RFC 8445 §5.1.2).
//!
//! Only the numbers: addresses and ports are known where the sockets are.

/// Local preference of the first listening address.
///
/// Below half of the range, so that [`PREFERRED_BONUS`] and 100 further addresses fit around it.
pub const LOCAL_PREFERENCE_FIRST: u16 = 10_000;

/// How much less each further listening address is preferred: room for the bonus of ten of them.
pub const LOCAL_PREFERENCE_STEP: u16 = 100;

/// What the preferred protocol gets: ten steps, so that it wins over the order of up to ten addresses.
pub const PREFERRED_BONUS: u16 = 1_000;

/// How much lower than its announced address the internal address of a socket is, when both are offered.
///
/// Less than a step of the local preference, so that it stays behind its own announced address and ahead of the next.
pub const INTERNAL_MALUS: u32 = 1_000;

/// Type preference of our host candidates. RFC 8445 §5.1.2.2 recommends 126; mediasoup's value is kept, so
/// that a client orders its pairs as it does there.
const TYPE_PREFERENCE: u32 = 64;

/// RTP and RTCP share the one component (RFC 8445 §4).
const COMPONENT: u32 = 1;

/// The protocol of a candidate; with TCP the client opens the connection (RFC 6544, `passive`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Datagrams.
    Udp,
    /// Packets framed on a byte stream.
    Tcp,
}

/// The local preference of the `index`th listening address, whose protocol is `preferred` or not.
///
/// From the 101st on they are all alike.
#[must_use]
pub fn local_preference(index: usize, preferred: bool) -> u16 {
    let below = u16::try_from(index).unwrap_or(u16::MAX).saturating_mul(LOCAL_PREFERENCE_STEP);
    let bonus = if preferred { PREFERRED_BONUS } else { 0 };
    LOCAL_PREFERENCE_FIRST.saturating_sub(below) + bonus
}

/// The priority of a candidate, by the formula of RFC 8445 §5.1.2.1.
#[must_use]
pub fn priority(local_preference: u16) -> u32 {
    (TYPE_PREFERENCE << 24) + (u32::from(local_preference) << 8) + (256 - COMPONENT)
}

/// The priority of a socket's own address, when it is offered beside the announced one of `local_preference`.
#[must_use]
pub fn internal_priority(local_preference: u16) -> u32 {
    priority(local_preference) - INTERNAL_MALUS
}

/// The foundation of a candidate (RFC 8445 §5.1.1.3): the same for all candidates of one protocol.
#[must_use]
pub fn foundation(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "udpcandidate",
        Protocol::Tcp => "tcpcandidate",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_preferred_in_their_order() {
        assert_eq!(local_preference(0, false), 10_000);
        assert_eq!(local_preference(1, false), 9_900);
        assert_eq!(local_preference(1, true), 10_900);
        assert_eq!(local_preference(100, false), 0);
        assert_eq!(local_preference(usize::MAX, true), 1_000);
    }

    #[test]
    fn priorities_follow_the_formula() {
        assert_eq!(priority(10_000), 0x4000_0000 + 10_000 * 256 + 255);
        assert_eq!(priority(10_000), 1_076_302_079);
        assert_eq!(internal_priority(10_000), 1_076_301_079);
    }

    #[test]
    fn an_internal_address_stays_between_its_own_and_the_next() {
        let (first, second) = (local_preference(0, false), local_preference(1, false));
        assert!(priority(first) > internal_priority(first));
        assert!(internal_priority(first) > priority(second));
        assert!(internal_priority(0) > 0);
    }

    #[test]
    fn the_preferred_protocol_wins_over_the_order() {
        assert!(priority(local_preference(9, true)) > priority(local_preference(0, false)));
    }

    #[test]
    fn foundations_differ_by_protocol() {
        assert_eq!(foundation(Protocol::Udp), "udpcandidate");
        assert_ne!(foundation(Protocol::Udp), foundation(Protocol::Tcp));
    }
}
