//! What a browser would say of its media, from what a Router says it can do, and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mafalda_api::types::data_structures::{DtlsFingerprint, DtlsParameters, DtlsRole};
use mafalda_api::types::rtp_parameters::{
    MediaKind, MimeType, RtcpFeedback, RtcpParameters, RtpCapabilities, RtpCapabilitiesFinalized,
    RtpCodecCapability, RtpCodecCapabilityFinalized, RtpCodecParameters, RtpCodecParametersParametersValue,
    RtpEncodingParameters, RtpEncodingParametersRtx, RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
    RtpParameters,
};
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_media::dtls::{Certificate, Fingerprint, FingerprintAlgorithm};
use mafalda_media::rtp::extension::{ExtensionKind, ExtensionMask, Label};
use mafalda_media::srtp::{SrtpKeys, SrtpProfile};
use rand::Rng;
use rand::rngs::StdRng;

use crate::client::{ReceiveTrack, SendTrack};
use crate::media::{Codec, Shape};

/// Why a stream can't be sent or received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NegotiationError {
    /// The server doesn't carry it.
    #[error("the server doesn't carry {0}")]
    NoCodec(Codec),
    /// The server's key isn't one of its suite.
    #[error("the server's SRTP key is no key of its suite: {0}")]
    Key(String),
    /// What the server said of a Consumer lacks something.
    #[error("the server's parameters of a Consumer have no {0}")]
    Incomplete(&'static str),
}

/// Names that a publisher chooses for a stream.
#[derive(Clone, Debug)]
pub(crate) struct StreamNames {
    pub(crate) stream: u32,
    pub(crate) ssrc: u32,
    pub(crate) rtx_ssrc: u32,
    pub(crate) mid: Label,
    pub(crate) cname: String,
}

/// Which of a browser's habits are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// Transport-wide numbers, and feedback about them.
    pub transport_cc: bool,
    /// Video packets that are missing are asked for again.
    pub nack: bool,
}

impl Habits {
    /// Whether an endpoint with them says that it can do that. Browsers don't repair audio.
    fn has(self, feedback: RtcpFeedback, kind: MediaKind) -> bool {
        match feedback {
            RtcpFeedback::TransportCc => self.transport_cc,
            RtcpFeedback::Nack => self.nack && kind == MediaKind::Video,
            RtcpFeedback::GoogRemb => false,
            _ => true,
        }
    }
}

/// What a subscriber can do: all that the Router can.
pub(crate) fn receive_capabilities(router: &RtpCapabilitiesFinalized, habits: Habits) -> RtpCapabilities {
    RtpCapabilities {
        codecs: router.codecs.iter().map(|codec| open(codec, habits)).collect(),
        header_extensions: router
            .header_extensions
            .iter()
            .filter(|it| habits.transport_cc || it.uri != RtpHeaderExtensionUri::TransportWideCcDraft01)
            .copied()
            .collect(),
    }
}

fn open(codec: &RtpCodecCapabilityFinalized, habits: Habits) -> RtpCodecCapability {
    let kept = |all: &[RtcpFeedback], kind| {
        all.iter().copied().filter(|feedback| habits.has(*feedback, kind)).collect()
    };
    match codec {
        RtpCodecCapabilityFinalized::Audio {
            mime_type,
            preferred_payload_type,
            clock_rate,
            channels,
            parameters,
            rtcp_feedback,
        } => RtpCodecCapability::Audio {
            mime_type: *mime_type,
            preferred_payload_type: Some(*preferred_payload_type),
            clock_rate: *clock_rate,
            channels: *channels,
            parameters: parameters.clone(),
            rtcp_feedback: kept(rtcp_feedback, MediaKind::Audio),
        },
        RtpCodecCapabilityFinalized::Video {
            mime_type,
            preferred_payload_type,
            clock_rate,
            parameters,
            rtcp_feedback,
        } => RtpCodecCapability::Video {
            mime_type: *mime_type,
            preferred_payload_type: Some(*preferred_payload_type),
            clock_rate: *clock_rate,
            parameters: parameters.clone(),
            rtcp_feedback: kept(rtcp_feedback, MediaKind::Video),
        },
    }
}

/// What a publisher says of a stream, and the stream.
///
/// # Errors
/// When the Router doesn't carry the codec.
pub(crate) fn send_parameters(
    router: &RtpCapabilitiesFinalized,
    shape: Shape,
    names: &StreamNames,
    habits: Habits,
) -> Result<(RtpParameters, SendTrack), NegotiationError> {
    let codec = shape.codec();
    let wanted = codec.mime_type();
    let media =
        router.codecs.iter().find(|it| it.mime_type() == wanted).ok_or(NegotiationError::NoCodec(codec))?;
    let payload_type = media.preferred_payload_type();
    let rtx = router.codecs.iter().find(|it| it.is_rtx() && apt(it) == Some(u32::from(payload_type)));
    let rtx = rtx.filter(|_| habits.nack && codec.kind() == MediaKind::Video);
    let extensions = extensions(codec.kind(), habits);
    let parameters = RtpParameters {
        mid: Some(names.mid.to_string()),
        codecs: [Some(media), rtx].into_iter().flatten().map(|it| in_use(it, habits)).collect(),
        header_extensions: extensions
            .iter()
            .map(|(uri, kind)| RtpHeaderExtensionParameters {
                uri: *uri,
                id: kind.router_id().into(),
                encrypt: false,
            })
            .collect(),
        encodings: vec![RtpEncodingParameters {
            ssrc: Some(names.ssrc),
            rtx: rtx.map(|_| RtpEncodingParametersRtx { ssrc: names.rtx_ssrc }),
            ..RtpEncodingParameters::default()
        }],
        rtcp: RtcpParameters { cname: Some(names.cname.clone()), ..RtcpParameters::default() },
        msid: None,
    };
    let track = SendTrack {
        stream: names.stream,
        shape,
        ssrc: names.ssrc,
        payload_type,
        rtx: rtx.map(|rtx| (names.rtx_ssrc, rtx.preferred_payload_type())),
        mid: names.mid,
        extensions: extensions.iter().map(|(_, kind)| *kind).collect::<ExtensionMask>(),
        spoil_every: None,
    };
    Ok((parameters, track))
}

/// The extensions that a publisher sends, under the Router's own ids.
fn extensions(kind: MediaKind, habits: Habits) -> Vec<(RtpHeaderExtensionUri, ExtensionKind)> {
    let mut extensions = vec![(RtpHeaderExtensionUri::Mid, ExtensionKind::Mid)];
    if kind == MediaKind::Video {
        extensions.push((RtpHeaderExtensionUri::AbsSendTime, ExtensionKind::AbsSendTime));
    }
    if habits.transport_cc {
        extensions.push((RtpHeaderExtensionUri::TransportWideCcDraft01, ExtensionKind::TransportCc));
    }
    extensions
}

fn in_use(codec: &RtpCodecCapabilityFinalized, habits: Habits) -> RtpCodecParameters {
    match open(codec, habits) {
        RtpCodecCapability::Audio { mime_type, clock_rate, channels, parameters, rtcp_feedback, .. } => {
            RtpCodecParameters::Audio {
                mime_type,
                payload_type: codec.preferred_payload_type(),
                clock_rate,
                channels,
                parameters,
                rtcp_feedback,
            }
        }
        RtpCodecCapability::Video { mime_type, clock_rate, parameters, rtcp_feedback, .. } => {
            RtpCodecParameters::Video {
                mime_type,
                payload_type: codec.preferred_payload_type(),
                clock_rate,
                parameters,
                rtcp_feedback,
            }
        }
    }
}

/// The payload type that an RTX codec repairs (RFC 4588 §8.6).
fn apt(codec: &RtpCodecCapabilityFinalized) -> Option<u32> {
    match codec.parameters().get("apt")? {
        RtpCodecParametersParametersValue::Number(number) => Some(*number),
        RtpCodecParametersParametersValue::String(text) => text.parse().ok(),
    }
}

/// The stream that a Consumer brings, and the id of transport-wide numbers in its packets.
///
/// # Errors
/// When the parameters lack what every Consumer has.
pub(crate) fn receive_track(
    parameters: &RtpParameters,
    stream: u32,
    codec: Codec,
) -> Result<(ReceiveTrack, Option<u8>), NegotiationError> {
    let encoding = parameters.encodings.first().ok_or(NegotiationError::Incomplete("encoding"))?;
    let media = parameters
        .codecs
        .iter()
        .find(|it| it.mime_type() == codec.mime_type())
        .ok_or(NegotiationError::Incomplete("codec"))?;
    let is_video = matches!(media.mime_type(), MimeType::Video(_));
    let track = ReceiveTrack {
        stream,
        codec,
        ssrc: encoding.ssrc.ok_or(NegotiationError::Incomplete("SSRC"))?,
        rtx_ssrc: encoding.rtx.map(|rtx| rtx.ssrc),
        nack: is_video && media.rtcp_feedback().contains(&RtcpFeedback::Nack),
    };
    let transport_cc = parameters
        .header_extensions
        .iter()
        .find(|it| it.uri == RtpHeaderExtensionUri::TransportWideCcDraft01);
    Ok((track, transport_cc.and_then(|it| u8::try_from(it.id).ok())))
}

/// What a client says of its certificate. It begins the handshake.
pub(crate) fn dtls_parameters(certificate: &Certificate) -> DtlsParameters {
    let fingerprint = certificate.fingerprint(FingerprintAlgorithm::Sha256);
    let mut value = [0; 32];
    value.iter_mut().zip(fingerprint.digest()).for_each(|(to, from)| *to = *from);
    DtlsParameters { role: DtlsRole::Client, fingerprints: vec![DtlsFingerprint::Sha256 { value }] }
}

/// What the server says of its own, the strongest first.
pub(crate) fn fingerprints(parameters: &DtlsParameters) -> Vec<Fingerprint> {
    let mut known: Vec<(usize, Fingerprint)> =
        parameters.fingerprints.iter().filter_map(fingerprint).collect();
    known.sort_by_key(|(len, _)| std::cmp::Reverse(*len));
    known.into_iter().map(|(_, fingerprint)| fingerprint).collect()
}

fn fingerprint(signaled: &DtlsFingerprint) -> Option<(usize, Fingerprint)> {
    let (algorithm, digest): (_, &[u8]) = match signaled {
        DtlsFingerprint::Sha1 { value } => (FingerprintAlgorithm::Sha1, value),
        DtlsFingerprint::Sha224 { value } => (FingerprintAlgorithm::Sha224, value),
        DtlsFingerprint::Sha256 { value } => (FingerprintAlgorithm::Sha256, value),
        DtlsFingerprint::Sha384 { value } => (FingerprintAlgorithm::Sha384, value),
        DtlsFingerprint::Sha512 { value } => (FingerprintAlgorithm::Sha512, value),
    };
    Fingerprint::new(algorithm, digest).map(|fingerprint| (digest.len(), fingerprint))
}

/// A key for what a client sends.
pub(crate) fn draw_srtp_parameters(suite: SrtpCryptoSuite, rng: &mut StdRng) -> SrtpParameters {
    let profile = profile(suite);
    let mut bytes = vec![0; profile.key_len() + profile.salt_len()];
    rng.fill_bytes(&mut bytes);
    SrtpParameters { crypto_suite: suite, key_base64: BASE64.encode(bytes) }
}

/// A key that was told in text: master key, then master salt (RFC 4568 §6.1).
///
/// # Errors
/// [`NegotiationError::Key`].
pub(crate) fn srtp_keys(parameters: &SrtpParameters) -> Result<SrtpKeys, NegotiationError> {
    let profile = profile(parameters.crypto_suite);
    let bytes = BASE64.decode(&parameters.key_base64).map_err(|it| NegotiationError::Key(it.to_string()))?;
    let (key, salt) = bytes.split_at(profile.key_len().min(bytes.len()));
    SrtpKeys::new(profile, key, salt).map_err(|error| NegotiationError::Key(error.to_string()))
}

fn profile(suite: SrtpCryptoSuite) -> SrtpProfile {
    match suite {
        SrtpCryptoSuite::AeadAes256Gcm => SrtpProfile::AeadAes256Gcm,
        SrtpCryptoSuite::AeadAes128Gcm => SrtpProfile::AeadAes128Gcm,
        SrtpCryptoSuite::AesCm128HmacSha180 => SrtpProfile::Aes128CmSha1_80,
        SrtpCryptoSuite::AesCm128HmacSha132 => SrtpProfile::Aes128CmSha1_32,
    }
}

#[cfg(test)]
mod tests;
