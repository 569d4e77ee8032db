//! A first look at packets that an application hands over: what is none is refused right there.

use crate::error::NotificationError;
use crate::waist::{Ingress, PACKET_BYTES_MAX};

/// Bytes of the header that every RTP packet has (RFC 3550 §5.1).
const RTP_HEADER_LEN: usize = 12;
/// Bytes of the header that every RTCP packet has (RFC 3550 §6.4.1).
const RTCP_HEADER_LEN: usize = 4;

/// An RTP packet to be handed over.
pub(crate) fn rtp(packet: Vec<u8>) -> Result<Ingress, NotificationError> {
    check(&packet, RTP_HEADER_LEN)?;
    if is_rtcp(&packet) {
        return Err(NotificationError::Malformed("it is RTCP, not RTP"));
    }
    Ok(Ingress::Rtp(packet))
}

/// An RTCP packet, compound or not, to be handed over.
pub(crate) fn rtcp(packet: Vec<u8>) -> Result<Ingress, NotificationError> {
    check(&packet, RTCP_HEADER_LEN)?;
    if !is_rtcp(&packet) {
        return Err(NotificationError::Malformed("it is RTP, not RTCP"));
    }
    Ok(Ingress::Rtcp(packet))
}

fn check(packet: &[u8], header_len: usize) -> Result<(), NotificationError> {
    if packet.len() > PACKET_BYTES_MAX {
        return Err(NotificationError::TooLarge { len: packet.len(), max: PACKET_BYTES_MAX });
    }
    if packet.len() < header_len {
        return Err(NotificationError::Malformed("it is shorter than its header"));
    }
    // The two highest bits are the version of both protocols.
    match packet.first() {
        Some(first) if first >> 6 == 2 => Ok(()),
        _ => Err(NotificationError::Malformed("its version is not 2")),
    }
}

/// RFC 5761 §4: what tells both apart where they come together.
fn is_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|second| matches!(second, 192..=223))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(second: u8, len: usize) -> Vec<u8> {
        let mut packet = vec![0; len];
        (packet[0], packet[1]) = (0x80, second);
        packet
    }

    #[test]
    fn each_goes_its_own_way() {
        assert_eq!(rtp(packet(100, 12)), Ok(Ingress::Rtp(packet(100, 12))));
        assert_eq!(rtcp(packet(201, 8)), Ok(Ingress::Rtcp(packet(201, 8))));
        assert!(matches!(rtp(packet(201, 12)), Err(NotificationError::Malformed(_))));
        assert!(matches!(rtcp(packet(100, 12)), Err(NotificationError::Malformed(_))));
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        assert!(matches!(rtp(packet(100, 11)), Err(NotificationError::Malformed(_))));
        assert!(matches!(rtcp(packet(201, 3)), Err(NotificationError::Malformed(_))));
        assert!(matches!(rtp(Vec::new()), Err(NotificationError::Malformed(_))));
        assert!(matches!(rtp(vec![0x40; 12]), Err(NotificationError::Malformed(_))));
        let max = PACKET_BYTES_MAX;
        assert!(rtp(packet(100, max)).is_ok());
        assert_eq!(rtp(packet(100, max + 1)), Err(NotificationError::TooLarge { len: max + 1, max }));
    }
}
