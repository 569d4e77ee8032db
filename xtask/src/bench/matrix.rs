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
}

impl Via {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PlainTransport",
            Self::WebRtc => "WebRtcTransport",
            Self::WebRtcServer => "WebRtcTransport of a WebRtcServer",
            Self::WebRtcServerTwcc => "WebRtcTransport of a WebRtcServer, transport-wide numbers",
        }
    }

    /// As the processes' options have it.
    pub(super) const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["--via", "plain"],
            Self::WebRtc => &["--via", "webrtc"],
            Self::WebRtcServer => &["--via", "webrtc-server"],
            Self::WebRtcServerTwcc => &["--via", "webrtc-server", "--twcc"],
        }
    }

    pub(super) const fn is_webrtc(self) -> bool {
        !matches!(self, Self::Plain)
    }

    /// Whether packets carry a transport-wide number.
    pub(super) const fn is_numbered(self) -> bool {
        matches!(self, Self::WebRtcServerTwcc)
    }

    /// What its header extensions add to a packet, in bytes: a block of one element (RFC 8285 §4.2) for the number.
    pub(super) const fn extensions_len(self) -> u64 {
        if self.is_numbered() { 8 } else { 0 }
    }
}

/// One publisher, so many Consumers, packets so many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) via: Via,
    pub(super) suite: Suite,
    pub(super) consumers: u16,
    pub(super) burst: u16,
    /// Whether the highest rate is looked for too, which takes longer than everything else.
    pub(super) has_capacity: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { via, suite, consumers, burst, .. } = self;
        write!(f, "{}, {}, {consumers} Consumers, burst {burst}", via.name(), suite.name())
    }
}

/// Packets that all Consumers together get per second while cost is measured: what fills a good third of a core for the dearest
/// subject, so that it isn't overloaded on a busy machine.
const FORWARDED_PER_S: f64 = 40_000.0;

/// The most that is published: one or ten Consumers are not worth more packets than a publisher has.
const PUBLISHED_PER_S_MAX: f64 = 8_000.0;

impl Case {
    const fn new(suite: Suite, consumers: u16, burst: u16) -> Self {
        Self { via: Via::Plain, suite, consumers, burst, has_capacity: false }
    }

    /// Through WebRtcTransports, which agree on their suite themselves.
    const fn webrtc(via: Via, consumers: u16, burst: u16) -> Self {
        Self { via, ..Self::new(Suite::Gcm256, consumers, burst) }
    }

    const fn with_capacity(self) -> Self {
        Self { has_capacity: true, ..self }
    }

    /// The search for the highest rate is left out, but for frames.
    fn quick(self) -> Self {
        Self { has_capacity: self.has_capacity && self.burst == 16, ..self }
    }

    /// Packets per second that are published while cost is measured.
    pub(super) fn rate(&self) -> f64 {
        (FORWARDED_PER_S / f64::from(self.consumers)).min(PUBLISHED_PER_S_MAX)
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
const VARIATIONS: [Case; 12] = [
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
    Case::webrtc(Via::WebRtcServerTwcc, 100, 1),
    Case::webrtc(Via::WebRtcServer, 400, 16),
];

/// With somebody who receives: cost, capacity and delay at both ends of the scale.
const RECEIVED: [Case; 2] =
    [Case::new(Suite::Gcm, 100, 16).with_capacity(), Case::new(Suite::Gcm, 100, 1).with_capacity()];

/// The cases of a device.
pub(super) fn cases(device: Device, quick: bool) -> Vec<Case> {
    match (device, quick) {
        (Device::Null, true) => [HEADLINES, SHARED].concat().into_iter().map(Case::quick).collect(),
        (Device::Null, false) => [HEADLINES.as_slice(), &SHARED, &VARIATIONS].concat(),
        (_, true) => RECEIVED[..1].to_vec(),
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
    fn a_case_is_there_once() {
        for device in Device::ALL {
            let cases = cases(device, false);
            for (index, case) in cases.iter().enumerate() {
                let same = |other: &Case| {
                    (other.via, other.suite, other.consumers, other.burst)
                        == (case.via, case.suite, case.consumers, case.burst)
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
