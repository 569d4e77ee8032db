//! What a camera and an encoder would make: a frame at a time, key frames when asked.

use std::time::Duration;

use super::codec::Place;
use super::{Codec, Content};

/// How much a source makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// Time from frame to frame.
    pub interval: Duration,
    /// Packets of a frame; a key frame has twice as many.
    pub packets: u16,
    /// Frames from one key frame to the next; `None`: key frames only when asked.
    pub key_interval: Option<u32>,
}

impl SourceSettings {
    /// About what a browser sends: 50 Opus packets per second, or 30 frames of two packets with key frames on request only.
    #[must_use]
    pub fn usual(codec: Codec) -> Self {
        match codec {
            Codec::Opus => Self { interval: Duration::from_millis(20), packets: 1, key_interval: None },
            _ => Self { interval: Duration::from_millis(33), packets: 2, key_interval: None },
        }
    }
}

/// One packet of media, still without an RTP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPacket {
    /// What it is.
    pub content: Content,
    /// The RTP payload.
    pub payload: Vec<u8>,
    /// The RTP marker: the frame's last.
    pub marker: bool,
    /// Ticks of the RTP clock since the first frame.
    pub ticks: u64,
}

/// Makes frames.
#[derive(Debug)]
pub struct Source {
    codec: Codec,
    settings: SourceSettings,
    id: u32,
    frames: u32,
    packets: u64,
    key_wanted: bool,
}

impl Source {
    /// A source; its id comes back in every [`Content`].
    #[must_use]
    pub fn new(codec: Codec, id: u32, settings: SourceSettings) -> Self {
        Self { codec, settings, id, frames: 0, packets: 0, key_wanted: true }
    }

    /// What it pretends.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How much it makes.
    #[must_use]
    pub fn settings(&self) -> SourceSettings {
        self.settings
    }

    /// How many packets it has made.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Makes the next frame a key frame.
    pub fn want_key_frame(&mut self) {
        self.key_wanted = true;
    }

    /// The next frame.
    pub fn frame(&mut self) -> Vec<MediaPacket> {
        let periodic =
            self.settings.key_interval.is_some_and(|frames| self.frames.is_multiple_of(frames.max(1)));
        let key = self.codec != Codec::Opus && (self.key_wanted || periodic);
        self.key_wanted = false;
        let packets = self.settings.packets.max(1) * if key { 2 } else { 1 };
        let ticks = self.codec.ticks(self.settings.interval * self.frames);
        let frame = self.frames;
        self.frames += 1;
        (0..packets)
            .map(|at| self.packet(Place { frame, key, first: at == 0, last: at + 1 == packets }, ticks))
            .collect()
    }

    fn packet(&mut self, place: Place, ticks: u64) -> MediaPacket {
        let content = Content::new(self.id, self.packets, place);
        self.packets += 1;
        let mut payload = Vec::with_capacity(1100);
        self.codec.write_header(place, &mut payload);
        content.write(&mut payload);
        MediaPacket { content, payload, marker: place.last && self.codec != Codec::Opus, ticks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_whole_and_a_wanted_key_frame_comes_next() {
        for codec in Codec::VIDEO {
            let mut source = Source::new(codec, 9, SourceSettings::usual(codec));
            let frames: Vec<_> = (0..4)
                .map(|number| {
                    if number == 2 {
                        source.want_key_frame();
                    }
                    source.frame()
                })
                .collect();
            let keys: Vec<_> = frames.iter().map(|frame| frame[0].content.key).collect();
            assert_eq!(keys, [true, false, true, false]);
            let packets: Vec<_> = frames.concat();
            for (number, packet) in packets.iter().enumerate() {
                assert_eq!(Content::read(&packet.payload), Ok(packet.content), "{codec:?}");
                assert_eq!(packet.content.number, number as u64);
                assert!(packet.payload.len() < 1100);
            }
            assert_eq!(packets.iter().filter(|packet| packet.marker).count(), 4);
        }
    }
}
