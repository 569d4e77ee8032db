//! The part of mediasoup's parameters that this client needs, as they stand in JSON.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webrtc::peer_connection::MediaEngine;

/// The codecs that this client speaks, in lower case.
const CODECS: [&str; 3] = ["audio/opus", "video/vp8", "video/rtx"];

/// The header extensions that it speaks: those that an SFU needs of every client.
const EXTENSIONS: [&str; 2] = [
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
];

/// A Transport as the gateway tells of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transport {
    pub(crate) id: String,
    pub(crate) ice_parameters: IceParameters,
    pub(crate) ice_candidates: Vec<IceCandidate>,
    pub(crate) dtls_parameters: DtlsParameters,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IceParameters {
    pub(crate) username_fragment: String,
    pub(crate) password: String,
    pub(crate) ice_lite: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct IceCandidate {
    pub(crate) foundation: String,
    pub(crate) priority: u32,
    pub(crate) address: String,
    pub(crate) protocol: String,
    pub(crate) port: u16,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DtlsParameters {
    pub(crate) role: String,
    pub(crate) fingerprints: Vec<Fingerprint>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fingerprint {
    pub(crate) algorithm: String,
    pub(crate) value: String,
}

/// How a stream is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RtpParameters {
    pub(crate) mid: String,
    pub(crate) codecs: Vec<Codec>,
    pub(crate) header_extensions: Vec<HeaderExtension>,
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) rtcp: Rtcp,
}

/// A codec of a stream, or of what an endpoint is capable of: there it stands with a preferred payload type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Codec {
    pub(crate) mime_type: String,
    #[serde(alias = "preferredPayloadType")]
    pub(crate) payload_type: u8,
    pub(crate) clock_rate: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) channels: Option<u16>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) rtcp_feedback: Vec<Feedback>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Feedback {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) parameter: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeaderExtension {
    pub(crate) uri: String,
    pub(crate) id: u8,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Encoding {
    pub(crate) ssrc: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rtx: Option<Rtx>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Rtx {
    pub(crate) ssrc: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rtcp {
    pub(crate) cname: String,
}

/// What the room's Router and this client have in common.
#[derive(Debug, Clone)]
pub(crate) struct Capabilities {
    codecs: Vec<Codec>,
    /// As the Router said it.
    json: Value,
}

impl Capabilities {
    /// Leaves of a Router's capabilities what this client speaks.
    pub(crate) fn of_router(mut router: Value) -> Result<Self> {
        keep(&mut router, "codecs", "mimeType", &CODECS)?;
        keep(&mut router, "headerExtensions", "uri", &EXTENSIONS)?;
        let all: Vec<Codec> = serde_json::from_value(router["codecs"].clone())?;
        let vp8 = all.iter().find(|codec| codec.is("video/vp8")).context("the room carries no VP8")?;
        let apt = Value::from(vp8.payload_type);
        let repairs_other =
            |codec: &Codec| codec.is("video/rtx") && codec.parameters.get("apt") != Some(&apt);
        let codecs: Vec<Codec> = all.iter().filter(|codec| !repairs_other(codec)).cloned().collect();
        router["codecs"]
            .as_array_mut()
            .context("codecs are a list")?
            .retain(|json| codecs.iter().any(|codec| json["preferredPayloadType"] == codec.payload_type));
        Ok(Self { codecs, json: router })
    }

    /// What the gateway is told when this client wants to receive.
    pub(crate) fn to_json(&self) -> &Value {
        &self.json
    }

    /// The codecs of a kind, the one for media before the one for repairs.
    pub(crate) fn codecs(&self, kind: &str) -> Vec<Codec> {
        self.codecs.iter().filter(|codec| codec.kind() == kind).cloned().collect()
    }

    /// The payload type of a codec.
    pub(crate) fn payload_type(&self, mime_type: &str) -> Result<u8> {
        let codec = self.codecs.iter().find(|codec| codec.is(mime_type));
        codec.map(|codec| codec.payload_type).with_context(|| format!("the room carries no {mime_type}"))
    }

    /// The same for webrtc-rs, with the payload types of the Router.
    pub(crate) fn media_engine(&self) -> Result<MediaEngine> {
        let mut engine = MediaEngine::default();
        for codec in &self.codecs {
            engine.register_codec(codec.to_rtc(), RtpCodecKind::from(codec.kind()))?;
        }
        for uri in EXTENSIONS {
            for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
                let extension = RTCRtpHeaderExtensionCapability { uri: uri.to_owned() };
                engine.register_header_extension(extension, kind, None)?;
            }
        }
        Ok(engine)
    }
}

impl Codec {
    pub(crate) fn is(&self, mime_type: &str) -> bool {
        self.mime_type.eq_ignore_ascii_case(mime_type)
    }

    /// `audio` or `video`.
    fn kind(&self) -> &str {
        self.mime_type.split('/').next().unwrap_or_default()
    }

    /// The parameters as an SDP writes them behind `a=fmtp:N `.
    pub(crate) fn format_parameters(&self) -> String {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pairs: Vec<_> =
            self.parameters.iter().map(|(key, value)| format!("{key}={}", text(value))).collect();
        pairs.join(";")
    }

    pub(crate) fn to_rtc(&self) -> RTCRtpCodecParameters {
        let feedback = |feedback: &Feedback| RTCPFeedback {
            typ: feedback.kind.clone(),
            parameter: feedback.parameter.clone(),
        };
        RTCRtpCodecParameters {
            rtp_codec: RTCRtpCodec {
                mime_type: self.mime_type.clone(),
                clock_rate: self.clock_rate,
                channels: self.channels.unwrap_or_default(),
                sdp_fmtp_line: self.format_parameters(),
                rtcp_feedback: self.rtcp_feedback.iter().map(feedback).collect(),
            },
            payload_type: self.payload_type,
        }
    }
}

/// Leaves of the list `list` those whose `key` is among `wanted`.
fn keep(json: &mut Value, list: &str, key: &str, wanted: &[&str]) -> Result<()> {
    let list = json[list].as_array_mut().with_context(|| format!("{list} are no list"))?;
    list.retain(|item| item[key].as_str().is_some_and(|text| wanted.contains(&text.to_lowercase().as_str())));
    Ok(())
}
