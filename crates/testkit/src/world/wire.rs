//! Watches what the Workers send: under SRTP the same index with the same key must be the same packet, byte for byte, for ever
//! (RFC 3711 §9.1, RFC 7714 §8.4). It can't see keys, so it takes each Transport to have one.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use mafalda_api::id::TransportId;

#[derive(Debug, Default)]
pub(super) struct Wire {
    media: HashMap<(TransportId, u32), Stream>,
    control: HashMap<TransportId, Control>,
}

/// SRTCP of one Transport.
#[derive(Debug)]
struct Control {
    /// Bytes behind the index.
    tag: usize,
    /// The last index of each sender.
    indices: HashMap<u32, u32>,
}

/// One SSRC.
#[derive(Debug, Default)]
struct Stream {
    highest: Option<u64>,
    packets: HashMap<u64, u64>,
}

impl Wire {
    /// Looks at a datagram.
    ///
    /// # Panics
    /// When it breaks the rule.
    pub(super) fn check(&mut self, transport: TransportId, datagram: &[u8]) {
        let [first, second, third, fourth, ..] = *datagram else { return };
        // RFC 7983: media; RFC 5761 §4: which of both kinds.
        if !(128..192).contains(&first) {
            return;
        }
        if (192..224).contains(&second) {
            self.check_control(transport, datagram);
        } else {
            let ssrc = word(datagram, 8);
            let stream = self.media.entry((transport, ssrc)).or_default();
            stream.check(ssrc, u16::from_be_bytes([third, fourth]), datagram);
        }
    }

    fn check_control(&mut self, transport: TransportId, datagram: &[u8]) {
        let control = self.control.entry(transport).or_insert_with(|| Control::new(datagram));
        let ssrc = word(datagram, 4);
        let index = word(datagram, datagram.len() - control.tag - 4);
        let earlier = control.indices.insert(ssrc, index);
        assert!(index & 0x8000_0000 != 0, "SRTCP of {ssrc} is not encrypted");
        assert!(
            earlier.is_none_or(|earlier| earlier < index),
            "SRTCP of {ssrc}: index {index:x} after {earlier:x?}"
        );
    }
}

impl Control {
    /// Finds out where the index lies: at the end, or before a tag of 10 or 4 bytes (RFC 3711 §3.4, RFC 7714 §9.2). In the first
    /// packet of all it is 0 or 1, with the flag for encryption.
    fn new(datagram: &[u8]) -> Self {
        let is_index =
            |tag: &usize| matches!(word(datagram, datagram.len() - tag - 4), 0x8000_0000 | 0x8000_0001);
        let tag = [0, 10, 4].into_iter().find(is_index).expect("an SRTCP index begins with 0 or 1");
        Self { tag, indices: HashMap::new() }
    }
}

impl Stream {
    fn check(&mut self, ssrc: u32, sequence: u16, datagram: &[u8]) {
        let index = self.index_of(sequence);
        self.highest = self.highest.max(Some(index));
        let mut hasher = DefaultHasher::new();
        datagram.hash(&mut hasher);
        let hash = hasher.finish();
        let earlier = *self.packets.entry(index).or_insert(hash);
        assert_eq!(earlier, hash, "two different packets of SSRC {ssrc} with the index {index}");
    }

    /// The index nearest to the highest so far (RFC 3711 §3.3.1).
    fn index_of(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else { return u64::from(sequence) };
        let ahead = sequence.wrapping_sub(highest as u16) as i16;
        highest.saturating_add_signed(i64::from(ahead))
    }
}

fn word(datagram: &[u8], at: usize) -> u32 {
    let word = datagram.get(at..at + 4).expect("SRTP is longer than that");
    u32::from_be_bytes(word.try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, payload: u8) -> Vec<u8> {
        let mut packet = vec![0x80, 96];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0, 0, 0, 7, payload]);
        packet
    }

    #[test]
    fn the_same_packet_may_come_again_and_a_sequence_number_after_a_rollover() {
        let mut wire = Wire::default();
        let transport = TransportId::new();
        for (sequence, payload) in [(65_535, 1), (0, 2), (65_535, 1), (30_000, 3), (60_000, 4), (0, 5)] {
            wire.check(transport, &packet(sequence, payload));
        }
        wire.check(TransportId::new(), &packet(65_535, 9));
    }

    #[test]
    #[should_panic(expected = "two different packets of SSRC 7 with the index 5")]
    fn another_packet_with_the_same_index_is_noticed() {
        let mut wire = Wire::default();
        let transport = TransportId::new();
        wire.check(transport, &packet(5, 1));
        wire.check(transport, &packet(5, 2));
    }
}
