//! What the payload types of a Producer mean, and what they are called in its Router.

use mafalda_api::ortc::RtpMapping;
use mafalda_api::types::rtp_parameters::{
    MimeType, RtcpFeedback, RtpCodecParameters, RtpCodecParametersParametersValue, RtpParameters,
};

use crate::codec::Codec;

/// One media codec of a Producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// In the Producer's packets.
    pub(crate) payload_type: u8,
    /// In the Router, and so in all Consumers' packets.
    pub(crate) mapped: u8,
    pub(crate) codec: Codec,
    pub(crate) clock_rate: u32,
    /// For dumps and statistics.
    pub(crate) mime_type: MimeType,
    /// The payload type of its retransmissions in the Producer's packets.
    pub(crate) rtx: Option<u8>,
    pub(crate) nack: bool,
    pub(crate) pli: bool,
    pub(crate) fir: bool,
}

/// The media codecs of a Producer, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Formats {
    formats: Vec<Format>,
    /// Whether one of them is RED.
    red: bool,
    /// Whether one of them repairs itself by what its sender puts in for that (`useinbandfec`, RFC 7587 §6.1).
    in_band_fec: bool,
}

impl Formats {
    pub(crate) fn new(parameters: &RtpParameters, mapping: &RtpMapping) -> Self {
        let media = parameters.codecs.iter().filter(|codec| !codec.is_rtx());
        let formats: Vec<Format> = media.filter_map(|codec| format(codec, parameters, mapping)).collect();
        let in_band_fec = parameters.codecs.iter().any(uses_in_band_fec);
        Self { in_band_fec, red: formats.iter().any(|format| format.codec == Codec::Red), formats }
    }

    /// The codec that is named first: what the stream is, until a packet says otherwise.
    pub(crate) fn first(&self) -> Option<&Format> {
        self.formats.first()
    }

    /// The codec of a media packet.
    pub(crate) fn media(&self, payload_type: u8) -> Option<&Format> {
        self.formats.iter().find(|format| format.payload_type == payload_type)
    }

    /// Whether the sender puts the more in for repair the more is lost.
    pub(crate) fn use_in_band_fec(&self) -> bool {
        self.in_band_fec
    }

    /// Whether a media packet is RED.
    #[inline]
    pub(crate) fn is_red(&self, payload_type: u8) -> bool {
        self.red && self.media(payload_type).is_some_and(|format| format.codec == Codec::Red)
    }

    /// What the Router calls a codec that RED holds.
    pub(crate) fn held(&self, payload_type: u8) -> Option<u8> {
        self.media(payload_type).filter(|format| format.codec != Codec::Red).map(|format| format.mapped)
    }

    /// The codec of a payload type of the Router.
    pub(crate) fn mapped(&self, payload_type: u8) -> Option<&Format> {
        self.formats.iter().find(|format| format.mapped == payload_type)
    }

    /// The codec that a retransmission's payload type is associated with.
    pub(crate) fn of_rtx(&self, payload_type: u8) -> Option<&Format> {
        self.formats.iter().find(|format| format.rtx == Some(payload_type))
    }
}

fn format(codec: &RtpCodecParameters, parameters: &RtpParameters, mapping: &RtpMapping) -> Option<Format> {
    let payload_type = codec.payload_type();
    let mapped = mapping.codecs.iter().find(|it| it.payload_type == payload_type)?.mapped_payload_type;
    let rtx = parameters.codecs.iter().find(|it| it.is_rtx() && apt(it) == Some(payload_type.into()));
    let has = |feedback| codec.rtcp_feedback().contains(&feedback);
    Some(Format {
        payload_type,
        mapped,
        codec: Codec::from_mime_type(codec.mime_type().as_str()),
        clock_rate: codec.clock_rate().get(),
        mime_type: codec.mime_type(),
        rtx: rtx.map(RtpCodecParameters::payload_type),
        nack: has(RtcpFeedback::Nack),
        pli: has(RtcpFeedback::NackPli),
        fir: has(RtcpFeedback::CcmFir),
    })
}

fn uses_in_band_fec(codec: &RtpCodecParameters) -> bool {
    use RtpCodecParametersParametersValue::{Number, String};
    Codec::from_mime_type(codec.mime_type().as_str()) == Codec::Opus
        && match codec.parameters().get("useinbandfec") {
            Some(Number(flag)) => *flag == 1,
            Some(String(flag)) => flag == "1",
            None => false,
        }
}

/// The payload type that an RTX codec is associated with (RFC 4588 §8.6).
pub(crate) fn apt(codec: &RtpCodecParameters) -> Option<u32> {
    match codec.parameters().get("apt")? {
        RtpCodecParametersParametersValue::Number(apt) => Some(*apt),
        RtpCodecParametersParametersValue::String(_) => None,
    }
}
