//! One media section of an offer.

use mafalda_api::types::rtp_parameters::{
    MediaKind, RtpCodecParameters, RtpEncodingParameters, RtpEncodingParametersRtx,
    RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
};
use rtc_sdp::MediaDescription;
use rtc_sdp::description::common::Attribute;

use super::attribute::{has, unreadable, values};
use super::{SdpError, codec};

/// Protocols of media over DTLS-SRTP; offers may name any of them, whatever carries it in the end (RFC 9429 §5.1.2).
const PROTOCOLS: [&str; 4] =
    ["UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVP"];

/// Most bytes of a `mid`: what fits an element of a one-byte header extension (RFC 8285 §4.2).
const MID_LEN_MAX: usize = 16;

/// Which way media goes, as a description says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// From who writes it.
    SendOnly,
    /// To who writes it.
    RecvOnly,
    /// Not at all.
    Inactive,
}

impl Direction {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "sendrecv" => Self::SendRecv,
            "sendonly" => Self::SendOnly,
            "recvonly" => Self::RecvOnly,
            "inactive" => Self::Inactive,
            _ => return None,
        })
    }

    /// Its attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether who writes it sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether who writes it receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// A media section.
#[derive(Clone, PartialEq, Debug)]
pub struct Section {
    /// Its name; absent in offers without a bundle.
    pub mid: Option<String>,
    /// Its `m=` line, for the answer.
    pub media: Media,
    /// Audio or video over DTLS-SRTP that is on offer; `Err` says why not.
    pub content: Result<Content, &'static str>,
}

/// What an answer repeats of an `m=` line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Media {
    /// `audio`, `video`, `application` …
    pub name: String,
    /// What it goes over.
    pub protocol: Vec<String>,
    /// Payload types, or whatever the protocol has.
    pub formats: Vec<String>,
}

/// What a client offers in a section.
#[derive(Clone, PartialEq, Debug)]
pub struct Content {
    /// Audio or video.
    pub kind: MediaKind,
    /// Which way.
    pub direction: Direction,
    /// Codecs that are known, the client's favorite first.
    pub codecs: Vec<RtpCodecParameters>,
    /// Header extensions that are known, each with the direction that it is offered for.
    pub header_extensions: Vec<(RtpHeaderExtensionParameters, Direction)>,
    /// SSRC and that of its retransmissions, where the client says them ahead.
    pub encoding: Option<RtpEncodingParameters>,
    /// The client's name for the source.
    pub cname: Option<String>,
    /// The client's name for stream and track.
    pub msid: Option<String>,
}

impl Section {
    /// `bundled`: the sections that share the transport; `None` if there is no such group.
    pub(super) fn read(
        description: &MediaDescription,
        shared: &[Attribute],
        bundled: Option<&[&str]>,
    ) -> Result<Self, SdpError> {
        let own = &description.attributes;
        let mid = values(own, "mid").next();
        if mid.is_some_and(|mid| !is_mid(mid)) {
            return Err(unreadable("mid", mid.unwrap_or_default()));
        }
        let name = &description.media_name;
        let media =
            Media { name: name.media.clone(), protocol: name.protos.clone(), formats: name.formats.clone() };
        let content = match kind(description, mid, bundled) {
            Ok(kind) => Ok(Content::read(kind, description, shared)?),
            Err(why) => Err(why),
        };
        Ok(Self { mid: mid.map(str::to_owned), media, content })
    }
}

/// A token (RFC 8866 §9) that packets have room for.
fn is_mid(mid: &str) -> bool {
    (1..=MID_LEN_MAX).contains(&mid.len()) && mid.bytes().all(|c| c.is_ascii_graphic())
}

/// Audio or video; `Err` says why the section is none that can be talked about.
fn kind(
    description: &MediaDescription,
    mid: Option<&str>,
    bundled: Option<&[&str]>,
) -> Result<MediaKind, &'static str> {
    let name = &description.media_name;
    let kind = match name.media.as_str() {
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        _ => return Err("neither audio nor video"),
    };
    if !PROTOCOLS.contains(&name.protos.join("/").as_str()) {
        return Err("not over DTLS-SRTP with feedback");
    }
    // RFC 9143 §6: port 0 is a refusal, but for sections that are there in the bundle only.
    if name.port.value == 0 && !has(&description.attributes, "bundle-only") {
        return Err("switched off by its port");
    }
    if !bundled.is_none_or(|bundled| mid.is_some_and(|mid| bundled.contains(&mid))) {
        return Err("outside of the bundle");
    }
    if !has(&description.attributes, "rtcp-mux") {
        return Err("without `a=rtcp-mux`");
    }
    Ok(kind)
}

impl Content {
    fn read(kind: MediaKind, description: &MediaDescription, shared: &[Attribute]) -> Result<Self, SdpError> {
        let own = &description.attributes;
        let name = &description.media_name;
        let direction = own.iter().chain(shared).find_map(|attribute| Direction::parse(&attribute.key));
        Ok(Self {
            kind,
            // RFC 8866 §6.7: that is what silence means.
            direction: direction.unwrap_or(Direction::SendRecv),
            codecs: codec::read(&name.media, &name.formats, own)?,
            header_extensions: header_extensions(own, shared)?,
            encoding: encoding(own)?,
            cname: cname(own),
            msid: values(own, "msid").next().map(str::to_owned),
        })
    }
}

/// RFC 8285 §5: `a=extmap:ID[/direction] URI [attributes]`, in the section or for all.
fn header_extensions(
    own: &[Attribute],
    shared: &[Attribute],
) -> Result<Vec<(RtpHeaderExtensionParameters, Direction)>, SdpError> {
    let mut known = Vec::new();
    for value in values(own, "extmap").chain(values(shared, "extmap")) {
        let bad = || unreadable("extmap", value);
        let mut fields = value.split_ascii_whitespace();
        let (Some(number), Some(uri)) = (fields.next(), fields.next()) else { return Err(bad()) };
        let (id, direction) = match number.split_once('/') {
            Some((id, direction)) => (id, Direction::parse(direction).ok_or_else(bad)?),
            None => (number, Direction::SendRecv),
        };
        let id: u16 = id.parse().ok().filter(|id| *id != 0).ok_or_else(bad)?;
        match uri.parse() {
            Ok(RtpHeaderExtensionUri::Unsupported) | Err(_) => {}
            Ok(uri) => known.push((RtpHeaderExtensionParameters { uri, id, encrypt: false }, direction)),
        }
    }
    Ok(known)
}

/// The first stream that is named (RFC 5576), with that of its retransmissions (RFC 4588 §8.7).
fn encoding(attributes: &[Attribute]) -> Result<Option<RtpEncodingParameters>, SdpError> {
    let mut pairs = Vec::new();
    for value in values(attributes, "ssrc-group") {
        if let Some(pair) = value.strip_prefix("FID ") {
            let mut ssrcs = pair.split_ascii_whitespace().map(|ssrc| number("ssrc-group", value, ssrc));
            if let (Some(media), Some(rtx)) = (ssrcs.next().transpose()?, ssrcs.next().transpose()?) {
                pairs.push((media, rtx));
            }
        }
    }
    for value in values(attributes, "ssrc") {
        let ssrc = number("ssrc", value, value.split_ascii_whitespace().next().unwrap_or_default())?;
        if pairs.iter().any(|(_, rtx)| *rtx == ssrc) {
            continue;
        }
        let rtx = pairs.iter().find(|(media, _)| *media == ssrc).map(|(_, rtx)| *rtx);
        let rtx = rtx.map(|ssrc| RtpEncodingParametersRtx { ssrc });
        return Ok(Some(RtpEncodingParameters { ssrc: Some(ssrc), rtx, ..RtpEncodingParameters::default() }));
    }
    Ok(None)
}

fn number(name: &'static str, value: &str, ssrc: &str) -> Result<u32, SdpError> {
    ssrc.parse().map_err(|_| unreadable(name, value))
}

fn cname(attributes: &[Attribute]) -> Option<String> {
    let cname = |value: &str| value.split_once(" cname:").map(|(_, cname)| cname.to_owned());
    values(attributes, "ssrc").find_map(cname).filter(|cname| !cname.is_empty())
}
