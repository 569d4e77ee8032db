//! The header extensions that the engine knows, and the Router's ids for them.

/// A header extension with a meaning to the engine. Its number is its id in the Router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExtensionKind {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid` (RFC 8843 §15): the media section of the stream.
    Mid = 1,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id` (RFC 8852 §4.1): the encoding of a simulcast.
    RtpStreamId = 2,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id` (RFC 8852 §4.2): the encoding that an RTX stream repairs.
    RepairedRtpStreamId = 3,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`: when the packet left, 24 bits.
    AbsSendTime = 4,
    /// `draft-holmer-rmcat-transport-wide-cc-extensions-01`: a number over all packets of a Transport.
    TransportCc = 5,
    /// `urn:ietf:params:rtp-hdrext:ssrc-audio-level` (RFC 6464): how loud the packet is.
    AudioLevel = 6,
    /// `urn:3gpp:video-orientation` (3GPP TS 26.114 §7.4.5): how the picture must be turned.
    VideoOrientation = 8,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time`: when the frame was captured.
    AbsCaptureTime = 9,
    /// `http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`: bounds for the receiver's jitter buffer.
    PlayoutDelay = 10,
}

impl ExtensionKind {
    /// All kinds, in the order of their ids.
    pub const ALL: [Self; 9] = [
        Self::Mid,
        Self::RtpStreamId,
        Self::RepairedRtpStreamId,
        Self::AbsSendTime,
        Self::TransportCc,
        Self::AudioLevel,
        Self::VideoOrientation,
        Self::AbsCaptureTime,
        Self::PlayoutDelay,
    ];

    /// The id under which the Router sends it, the same for every receiver. Fits the one-byte form (1..=14).
    #[must_use]
    pub const fn router_id(self) -> u8 {
        self as u8
    }

    /// Most bytes that its value takes when it is sent.
    #[must_use]
    pub const fn value_len_max(self) -> usize {
        match self {
            Self::Mid | Self::RtpStreamId | Self::RepairedRtpStreamId => super::LABEL_MAX,
            Self::AbsSendTime | Self::PlayoutDelay => 3,
            Self::TransportCc => 2,
            Self::AudioLevel | Self::VideoOrientation => 1,
            Self::AbsCaptureTime => 16,
        }
    }
}
