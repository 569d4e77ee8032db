//! What is measured: the cases, as data.

use std::fmt;

use clap::ValueEnum;

/// Where packets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(super) enum Device {
    /// Takes packets as a card with UDP segmentation does and drops them (an ifb device)
    Null,
    /// Loopback, to a sink that lets the kernel join packets
    Lo,
    /// Loopback, to a sink that takes them one by one
    LoPlain,
    /// A pair of devices without UDP segmentation, to a sink in another network namespace
    Veth,
}

impl Device {
    pub(super) const ALL: [Self; 4] = [Self::Null, Self::Lo, Self::LoPlain, Self::Veth];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Lo => "lo",
            Self::LoPlain => "lo-plain",
            Self::Veth => "veth",
        }
    }

    /// Whether the sink lets the kernel join packets.
    pub(super) const fn joins_received(self) -> bool {
        matches!(self, Self::Lo | Self::Veth)
    }

    /// Whether someone is there to receive.
    pub(super) const fn has_sink(self) -> bool {
        !matches!(self, Self::Null)
    }
}

/// How packets are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suite {
    Gcm,
    /// What WebRtcTransports agree on with clients that leave it to them.
    Gcm256,
    Cm,
    None,
}

impl Suite {
    /// As the processes' options have it.
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Gcm => "gcm",
            Self::Gcm256 => "gcm256",
            Self::Cm => "cm",
            Self::None => "none",
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gcm => "AEAD_AES_128_GCM",
            Self::Gcm256 => "AEAD_AES_256_GCM",
            Self::Cm => "AES_CM_128_HMAC_SHA1_80",
            Self::None => "none",
        }
    }

    pub(super) const fn is_gcm(self) -> bool {
        matches!(self, Self::Gcm | Self::Gcm256)
    }

    /// What protection adds to a packet, in bytes.
    pub(super) const fn tag_len(self) -> u64 {
        match self {
            Self::Gcm | Self::Gcm256 => 16,
            Self::Cm => 10,
            Self::None => 0,
        }
    }
}

/// What packets leave through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Via {
    Plain,
    WebRtc,
    WebRtcServer,
    /// The same with a transport-wide number in each packet. Nobody sends feedback to it.
    WebRtcServerTwcc,
    /// The same, with subscribers that send it, as browsers do.
    WebRtcServerFeedback,
}

impl Via {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PlainTransport",
            Self::WebRtc => "WebRtcTransport",
            Self::WebRtcServer => "WebRtcTransport of a WebRtcServer",
            Self::WebRtcServerTwcc => "WebRtcTransport of a WebRtcServer, transport-wide numbers",
            Self::WebRtcServerFeedback => "WebRtcTransport of a WebRtcServer, transport-wide feedback",
        }
    }

    /// As the processes' options have it.
    pub(super) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["--via", "plain"],
            Self::WebRtc => &["--via", "webrtc"],
            Self::WebRtcServer => &["--via", "webrtc-server"],
            Self::WebRtcServerTwcc | Self::WebRtcServerFeedback => &["--via", "webrtc-server", "--twcc"],
        }
    }

    pub(super) const fn is_webrtc(self) -> bool {
        !matches!(self, Self::Plain)
    }

    /// Whether packets carry a transport-wide number.
    pub(super) const fn is_numbered(self) -> bool {
        matches!(self, Self::WebRtcServerTwcc | Self::WebRtcServerFeedback)
    }

    /// Whether clients answer these numbers with feedback.
    pub(super) const fn has_feedback(self) -> bool {
        matches!(self, Self::WebRtcServerFeedback)
    }

    /// What its header extensions add to a packet, in bytes: a block of one element (RFC 8285 §4.2) for the number.
    pub(super) const fn extensions_len(self) -> u64 {
        if self.is_numbered() { 8 } else { 0 }
    }
}

/// A stream that a publisher sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stream {
    /// Of a packet, in bytes.
    pub(super) payload_len: u16,
    /// Packets that leave together: a frame.
    pub(super) burst: u16,
    /// As in life. A rate that is asked for stretches or shrinks all streams alike.
    pub(super) frames_per_s: f64,
}

impl Stream {
    fn packets_per_s(&self) -> f64 {
        f64::from(self.burst) * self.frames_per_s
    }
}

/// Who publishes what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    pub(super) name: &'static str,
    pub(super) publishers: u16,
    /// Whether those who get everything are the publishers, who don't get what is their own.
    pub(super) is_meeting: bool,
    pub(super) video: Option<Stream>,
    pub(super) audio: Option<Stream>,
    /// Packets that all Consumers together get per second at most while cost is measured.
    forwarded_per_s_max: f64,
}

/// What fills a good third of a core for the dearest subject, so that it isn't overloaded on a busy machine.
const FORWARDED_PER_S: f64 = 40_000.0;

/// For many streams, whose cost is of interest at their own pace: up to three quarters of a core.
const FORWARDED_PER_S_OF_MANY: f64 = 100_000.0;

/// The most that is published as one stream: one or ten Consumers are not worth more packets than a publisher has.
const PUBLISHED_PER_S_MAX: f64 = 8_000.0;

/// Opus: a packet each 20 ms.
const AUDIO: Stream = Stream { payload_len: 100, burst: 1, frames_per_s: 50.0 };

/// Half a megabit per second.
const SMALL_VIDEO: Stream = Stream { payload_len: 1000, burst: 2, frames_per_s: 30.0 };

impl Load {
    /// Video of one publisher, packets so many at a time.
    pub(super) const fn bursts(burst: u16) -> Self {
        let frames_per_s = PUBLISHED_PER_S_MAX / burst as f64;
        Self {
            name: "video",
            publishers: 1,
            is_meeting: false,
            video: Some(Stream { payload_len: 1200, burst, frames_per_s }),
            audio: None,
            forwarded_per_s_max: FORWARDED_PER_S,
        }
    }

    /// 30 people who all see and hear each other.
    pub(super) const MEETING: Self = Self {
        name: "meeting",
        publishers: 30,
        is_meeting: true,
        video: Some(SMALL_VIDEO),
        audio: Some(AUDIO),
        forwarded_per_s_max: FORWARDED_PER_S_OF_MANY,
    };

    /// Ten who speak.
    pub(super) const VOICES: Self = Self {
        name: "audio",
        publishers: 10,
        is_meeting: false,
        video: None,
        audio: Some(AUDIO),
        forwarded_per_s_max: FORWARDED_PER_S_OF_MANY,
    };

    /// What a publisher sends, by the name that the processes' options have for it.
    pub(super) fn streams(&self) -> impl Iterator<Item = (&'static str, Stream)> {
        [("video", self.video), ("audio", self.audio)]
            .into_iter()
            .filter_map(|(name, stream)| Some((name, stream?)))
    }

    /// The most packets that leave together.
    pub(super) fn burst(&self) -> u16 {
        self.streams().map(|(_, stream)| stream.burst).max().unwrap_or(0)
    }

    /// What all publish together, as in life.
    fn packets_per_s(&self) -> f64 {
        let of_one: f64 = self.streams().map(|(_, stream)| stream.packets_per_s()).sum();
        of_one * f64::from(self.publishers)
    }

    /// The payload of a packet, in bytes, on average.
    pub(super) fn payload_len(&self) -> f64 {
        let bytes = |(_, stream): (_, Stream)| f64::from(stream.payload_len) * stream.packets_per_s();
        self.streams().map(bytes).sum::<f64>() * f64::from(self.publishers) / self.packets_per_s()
    }
}

/// Publishers and destinations, each of which has a Transport and gets all streams.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Case {
    pub(super) via: Via,
    pub(super) suite: Suite,
    pub(super) load: Load,
    pub(super) destinations: u16,
    /// Whether the highest rate is looked for too, which takes longer than everything else.
    pub(super) has_capacity: bool,
}

impl Case {
    const fn new(suite: Suite, destinations: u16, burst: u16) -> Self {
        Self { via: Via::Plain, suite, load: Load::bursts(burst), destinations, has_capacity: false }
    }

    /// Through WebRtcTransports, which agree on their suite themselves.
    const fn webrtc(via: Via, destinations: u16, burst: u16) -> Self {
        Self { via, ..Self::new(Suite::Gcm256, destinations, burst) }
    }

    /// Of many publishers, as a server for browsers has them.
    const fn of_many(load: Load, destinations: u16) -> Self {
        Self { load, ..Self::webrtc(Via::WebRtcServer, destinations, 1) }
    }

    const fn with_capacity(self) -> Self {
        Self { has_capacity: true, ..self }
    }

    /// The search for the highest rate is left out, but for frames.
    fn quick(self) -> Self {
        Self { has_capacity: self.has_capacity && self.load.burst() == 16, ..self }
    }

    /// How many destinations a published packet goes to.
    pub(super) fn fan_out(&self) -> u16 {
        self.destinations - u16::from(self.load.is_meeting)
    }

    /// How many Consumers there are.
    pub(super) fn consumers(&self) -> usize {
        usize::from(self.fan_out()) * usize::from(self.load.publishers) * self.load.streams().count()
    }

    /// Packets per second that are published while cost is measured.
    pub(super) fn rate(&self) -> f64 {
        (self.load.forwarded_per_s_max / f64::from(self.fan_out())).min(self.load.packets_per_s())
    }

    /// Whether the bare forwarder can stand for it: it knows one stream.
    pub(super) fn is_of_one_stream(&self) -> bool {
        self.load.publishers == 1 && self.load.streams().count() == 1
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (via, suite) = (self.via.name(), self.suite.name());
        write!(f, "{} of {}, {via}, {suite}, ", self.load.name, self.load.publishers)?;
        write!(f, "{} Consumers, burst {}", self.consumers(), self.load.burst())
    }
}

/// The cases that carry targets: 100 Consumers under GCM.
const HEADLINES: [Case; 3] = [
    Case::new(Suite::Gcm, 100, 16).with_capacity(),
    Case::new(Suite::Gcm, 100, 4).with_capacity(),
    Case::new(Suite::Gcm, 100, 1).with_capacity(),
];

/// All Consumers on one socket, as a server for browsers has them.
const SHARED: [Case; 3] = [
    Case::webrtc(Via::WebRtcServer, 100, 16).with_capacity(),
    Case::webrtc(Via::WebRtcServer, 100, 4).with_capacity(),
    Case::webrtc(Via::WebRtcServer, 100, 1).with_capacity(),
];

/// One thing changed at a time.
const VARIATIONS: [Case; 13] = [
    Case::new(Suite::Gcm, 1, 16),
    Case::new(Suite::Gcm, 10, 16),
    Case::new(Suite::Gcm, 400, 16),
    Case::new(Suite::Gcm, 400, 1),
    Case::new(Suite::Cm, 100, 16),
    Case::new(Suite::Cm, 100, 1),
    Case::new(Suite::None, 100, 16),
    Case::new(Suite::None, 100, 1),
    Case::webrtc(Via::WebRtc, 100, 16),
    Case::webrtc(Via::WebRtcServerTwcc, 100, 16),
    Case::webrtc(Via::WebRtcServerTwcc, 100, 4),
    Case::webrtc(Via::WebRtcServerTwcc, 100, 1),
    Case::webrtc(Via::WebRtcServer, 400, 16),
];

/// Many streams.
const MANY: [Case; 2] = [Case::of_many(Load::MEETING, 30), Case::of_many(Load::VOICES, 300)];

/// Where packets arrive: what the null device's headlines cost there, and how late they are.
const RECEIVED: [Case; 2] = [
    Case::webrtc(Via::WebRtcServer, 100, 16).with_capacity(),
    Case::webrtc(Via::WebRtcServer, 100, 1).with_capacity(),
];

/// The same between the two, and with a socket each.
const RECEIVED_MORE: [Case; 2] =
    [Case::webrtc(Via::WebRtcServer, 100, 4).with_capacity(), Case::new(Suite::Gcm, 100, 16).with_capacity()];

/// With somebody who receives and answers: on a device that drops packets nobody can.
const ANSWERED: [Case; 3] = [
    Case::webrtc(Via::WebRtcServerFeedback, 100, 16),
    Case::webrtc(Via::WebRtcServerFeedback, 100, 4),
    Case::webrtc(Via::WebRtcServerFeedback, 100, 1),
];

/// The cases of a device.
pub(super) fn cases(device: Device, quick: bool) -> Vec<Case> {
    match (device, quick) {
        (Device::Null, true) => [HEADLINES, SHARED].concat().into_iter().map(Case::quick).collect(),
        (Device::Null, false) => [HEADLINES.as_slice(), &SHARED, &VARIATIONS, &MANY].concat(),
        (_, true) => RECEIVED[..1].to_vec(),
        (Device::Lo, false) => [RECEIVED.as_slice(), &RECEIVED_MORE, &ANSWERED].concat(),
        (_, false) => RECEIVED.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_the_same_for_everyone_and_bounded() {
        assert_eq!(Case::new(Suite::Gcm, 100, 16).rate(), 400.0);
        assert_eq!(Case::new(Suite::Gcm, 1, 16).rate(), 8_000.0);
    }

    #[test]
    fn in_a_meeting_everybody_gets_what_the_others_publish() {
        let meeting = Case::of_many(Load::MEETING, 30);
        assert_eq!((meeting.fan_out(), meeting.consumers()), (29, 30 * 29 * 2));
        assert_eq!(meeting.rate(), 30.0 * (50.0 + 60.0));
        assert_eq!(meeting.load.payload_len(), (50.0 * 100.0 + 60.0 * 1000.0) / 110.0);
        assert!(!meeting.is_of_one_stream());
        let voices = Case::of_many(Load::VOICES, 300);
        assert_eq!((voices.fan_out(), voices.consumers()), (300, 3000));
        assert!(voices.rate() < voices.load.packets_per_s());
    }

    #[test]
    fn a_case_is_there_once() {
        for device in Device::ALL {
            let cases = cases(device, false);
            for (index, case) in cases.iter().enumerate() {
                let same = |other: &Case| {
                    (other.via, other.suite, other.destinations, other.load)
                        == (case.via, case.suite, case.destinations, case.load)
                };
                assert!(!cases[..index].iter().any(same), "{case:?}");
            }
        }
    }

    #[test]
    fn the_quick_cases_are_of_the_full_ones() {
        for device in Device::ALL {
            let all: Vec<Case> = cases(device, false).into_iter().map(Case::quick).collect();
            assert!(cases(device, true).into_iter().all(|case| all.contains(&case.quick())));
        }
    }
}
