//! What a camera or microphone and its encoder would make: a frame at a time, key frames when asked.

use rand::rngs::StdRng;

use super::codec::Place;
use super::{Codec, Marker, Shape};

/// A packet that was made, in so few words that it can be made again for a retransmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketPlan {
    /// Its number in the stream, from 0.
    pub(crate) number: u64,
    /// When its frame began, in ticks of the RTP clock since the stream began.
    pub(crate) ticks: u64,
    /// When it was first sent, in nanoseconds since the run began.
    pub(crate) sent_ns: u64,
    /// Bytes of its payload.
    pub(crate) len: u16,
    place: Place,
}

/// Makes frames.
#[derive(Debug)]
pub(crate) struct Source {
    stream: u32,
    shape: Shape,
    frames: u32,
    packets: u64,
    key_wanted: bool,
    rng: StdRng,
}

impl Source {
    /// A source, whose stream number stands in all markers.
    pub(crate) fn new(stream: u32, shape: Shape, rng: StdRng) -> Self {
        Self { stream, shape, frames: 0, packets: 0, key_wanted: true, rng }
    }

    pub(crate) fn set_shape(&mut self, shape: Shape) {
        self.shape = shape;
    }

    /// How many packets were made.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// Makes the next frame a key frame.
    pub(crate) fn want_key_frame(&mut self) {
        self.key_wanted = true;
    }

    /// The packets of the next frame.
    pub(crate) fn frame(&mut self, sent_ns: u64) -> impl Iterator<Item = PacketPlan> + use<> {
        let codec = self.shape.codec();
        let key = std::mem::take(&mut self.key_wanted) && codec != Codec::Opus;
        let split = self.shape.frame(key, &mut self.rng);
        let (frame, number) = (self.frames, self.packets);
        let ticks = u64::from(frame) * u64::from(codec.clock_rate()) / u64::from(self.shape.fps());
        self.frames = frame.wrapping_add(1);
        self.packets += split.count as u64;
        (0..split.count).map(move |index| PacketPlan {
            number: number + index as u64,
            ticks,
            sent_ns,
            len: split.len(index) as u16,
            place: Place { frame, key, first: index == 0, last: index + 1 == split.count },
        })
    }

    /// Writes a packet's payload to the beginning of `out` and gives its length; the same bytes for the same plan, always.
    pub(crate) fn write(&self, plan: &PacketPlan, out: &mut [u8]) -> usize {
        let len = usize::from(plan.len);
        let Some(payload) = out.get_mut(..len) else { return 0 };
        let header = self.shape.codec().write_header(plan.place, payload);
        let marker = Marker { stream: self.stream, number: plan.number, sent_ns: plan.sent_ns };
        if let Some(body) = payload.get_mut(header..) {
            marker.write(body);
        }
        len
    }

    /// The RTP marker bit: the end of a video frame (RFC 7741 §4.1 and the like), for Opus the begin of a talk spurt.
    pub(crate) fn marker_bit(&self, plan: &PacketPlan) -> bool {
        if self.shape.codec() == Codec::Opus { plan.number == 0 } else { plan.place.last }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn source(codec: Codec) -> Source {
        Source::new(9, Shape::new(codec, 600_000, 30).unwrap(), StdRng::seed_from_u64(1))
    }

    #[test]
    fn packets_are_numbered_and_can_be_made_again() {
        for codec in Codec::ALL {
            let bitrate = if codec == Codec::Opus { 32_000 } else { 600_000 };
            let mut source =
                Source::new(9, Shape::new(codec, bitrate, 30).unwrap(), StdRng::seed_from_u64(1));
            let plans: Vec<PacketPlan> =
                (0..20_u64).flat_map(|frame| source.frame(frame * 33).collect::<Vec<_>>()).collect();
            assert_eq!(source.packets(), plans.len() as u64);
            for (number, plan) in plans.iter().enumerate() {
                let mut payload = [0; 1200];
                let len = source.write(plan, &mut payload);
                let marker = Marker::read(&payload[..len]).unwrap();
                assert_eq!(marker, Marker { stream: 9, number: number as u64, sent_ns: plan.sent_ns });
                let mut again = [1; 1200];
                source.write(plan, &mut again);
                assert_eq!(again[..len], payload[..len]);
            }
        }
    }

    #[test]
    fn the_first_frame_and_each_that_was_asked_for_is_a_key_frame() {
        let mut source = source(Codec::Vp8);
        let keys: Vec<bool> = (0..6)
            .map(|frame| {
                if frame == 3 {
                    source.want_key_frame();
                }
                source.frame(0).all(|plan| plan.place.key)
            })
            .collect();
        assert_eq!(keys, [true, false, false, true, false, false]);
    }

    #[test]
    fn a_frame_ends_with_its_marker_bit_and_shares_one_timestamp() {
        let mut source = source(Codec::H264);
        source.frame(0).for_each(drop);
        let plans: Vec<PacketPlan> = source.frame(0).collect();
        assert!(plans.iter().all(|plan| plan.ticks == 3000));
        let bits: Vec<bool> = plans.iter().map(|plan| source.marker_bit(plan)).collect();
        assert!(bits.len() > 1 && bits.last() == Some(&true) && !bits[..bits.len() - 1].contains(&true));
    }
}
