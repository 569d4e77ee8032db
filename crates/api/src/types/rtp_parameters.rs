//! RTP words: codecs, header extensions, feedback and encodings, as capabilities (what an endpoint can do) and as
//! parameters (what a Producer sends or a Consumer receives).

mod capability;
mod codec;
mod feedback;
mod format_parameters;
mod header_extension;
mod mime_type;

use serde::{Deserialize, Serialize};

use super::scalability_modes::ScalabilityMode;

pub use capability::{
    RtpCapabilities, RtpCapabilitiesFinalized, RtpCodecCapability, RtpCodecCapabilityFinalized,
};
pub use codec::RtpCodecParameters;
pub use feedback::{RtcpFeedback, RtcpFeedbackFromTypeParameterError};
pub use format_parameters::{RtpCodecParametersParameters, RtpCodecParametersParametersValue};
pub use header_extension::{
    RtpHeaderExtension, RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
    RtpHeaderExtensionUriParseError,
};
pub use mime_type::{MimeType, MimeTypeAudio, MimeTypeVideo, ParseMimeTypeError};

/// Audio or video.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Audio.
    Audio,
    /// Video.
    Video,
}

/// What a Producer sends, or what a Consumer's client receives.
///
/// A Producer has one encoding per RTP stream: several for simulcast, each told apart by `ssrc` or by `rid`. A Consumer
/// has one encoding, whatever the Producer sends, but for a Consumer that pipes all streams on.
#[derive(Debug, Default, Clone, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpParameters {
    /// MID (RFC 9143), by which packets find their Producer before their SSRC is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// Media and RTX codecs; the first media codec is the one in use unless an encoding says otherwise.
    pub codecs: Vec<RtpCodecParameters>,
    /// Header extensions in use. Default none.
    #[serde(default)]
    pub header_extensions: Vec<RtpHeaderExtensionParameters>,
    /// RTP streams. Default none, which a Producer takes as one encoding known by its MID.
    #[serde(default)]
    pub encodings: Vec<RtpEncodingParameters>,
    /// RTCP settings.
    #[serde(default)]
    pub rtcp: RtcpParameters,
    /// MediaStream and track that the sender names (RFC 8830).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msid: Option<String>,
}

/// The RTX stream of an encoding (RFC 4588).
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
pub struct RtpEncodingParametersRtx {
    /// SSRC of the RTX stream.
    pub ssrc: u32,
}

/// One RTP stream and, if there is one, its RTX stream.
#[derive(Debug, Default, Clone, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpEncodingParameters {
    /// SSRC, if known ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssrc: Option<u32>,
    /// RID (RFC 8852), unique among the encodings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rid: Option<String>,
    /// Payload type of the codec that this stream uses; the first media codec if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec_payload_type: Option<u8>,
    /// RTX stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtx: Option<RtpEncodingParametersRtx>,
    /// The stream may fall silent (Opus DTX, screen sharing): silence is then no sign of a dead sender. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtx: Option<bool>,
    /// Layers in the stream.
    #[serde(default, skip_serializing_if = "ScalabilityMode::is_none")]
    pub scalability_mode: ScalabilityMode,
    /// Most bits per second that the sender uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<u64>,
}

/// RTCP settings.
#[derive(Debug, Clone, Eq, PartialEq, Ord, PartialOrd, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RtcpParameters {
    /// CNAME (RFC 3550 section 6.5.1), one per transport; streams that share it can be synchronized.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cname: Option<String>,
    /// Reduced-size RTCP (RFC 5506), which is what the server always sends. Default true.
    pub reduced_size: bool,
}

impl Default for RtcpParameters {
    fn default() -> Self {
        Self { cname: None, reduced_size: true }
    }
}
