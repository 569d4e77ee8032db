use std::num::{NonZeroU8, NonZeroU32};

use mafalda_api::ortc::generate_router_rtp_capabilities;
use mafalda_api::types::rtp_parameters::{MimeTypeAudio, MimeTypeVideo, RtpCodecParametersParameters};

use super::*;
use crate::target::router_codecs;

const ALL: Habits = Habits { transport_cc: true, nack: true };
const NONE: Habits = Habits { transport_cc: false, nack: false };

fn router() -> RtpCapabilitiesFinalized {
    generate_router_rtp_capabilities(router_codecs()).unwrap()
}

fn names() -> StreamNames {
    StreamNames { stream: 1, ssrc: 100, rtx_ssrc: 101, mid: Label::new(b"v0").unwrap(), cname: "me".into() }
}

fn shape(codec: Codec) -> Shape {
    Shape::new(codec, if codec == Codec::Opus { 32_000 } else { 500_000 }, 30).unwrap()
}

#[test]
fn a_router_takes_what_publishers_say_and_the_stream_is_the_same() {
    for codec in Codec::ALL {
        let (parameters, track) = send_parameters(&router(), shape(codec), &names(), ALL).unwrap();
        assert_eq!(parameters.codecs[0].payload_type(), track.payload_type);
        assert_eq!(track.rtx.is_some(), codec != Codec::Opus);
        assert_eq!(parameters.codecs.len(), if codec == Codec::Opus { 1 } else { 2 });
        assert_eq!(parameters.encodings[0].rtx.map(|rtx| rtx.ssrc), track.rtx.map(|(ssrc, _)| ssrc));
        assert!(track.extensions.contains(ExtensionKind::TransportCc));
        mafalda_api::ortc::get_producer_rtp_parameters_mapping(&parameters, &router(), 0).unwrap();
    }
}

#[test]
fn habits_that_are_not_wanted_are_not_said() {
    let (parameters, track) = send_parameters(&router(), shape(Codec::Vp8), &names(), NONE).unwrap();
    assert_eq!((track.rtx, track.extensions.contains(ExtensionKind::TransportCc)), (None, false));
    let feedback = parameters.codecs[0].rtcp_feedback();
    assert!(!feedback.contains(&RtcpFeedback::Nack) && feedback.contains(&RtcpFeedback::NackPli));
    let capabilities = receive_capabilities(&router(), NONE);
    assert!(!capabilities.header_extensions.iter().any(|it| it.uri.as_str().contains("transport-wide")));
    for codec in &capabilities.codecs {
        assert!(!codec.rtcp_feedback().contains(&RtcpFeedback::TransportCc));
    }
    assert_eq!(capabilities.codecs.len(), router().codecs.len());
}

#[test]
fn a_codec_that_the_server_lacks_is_told() {
    let opus = RtpCodecCapability::Audio {
        mime_type: MimeTypeAudio::Opus,
        preferred_payload_type: None,
        clock_rate: NonZeroU32::new(48_000).unwrap(),
        channels: NonZeroU8::new(2).unwrap(),
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: vec![],
    };
    let router = generate_router_rtp_capabilities(vec![opus]).unwrap();
    let refused = send_parameters(&router, shape(Codec::Vp9), &names(), ALL).unwrap_err();
    assert_eq!(refused, NegotiationError::NoCodec(Codec::Vp9));
}

#[test]
fn a_consumers_stream_is_read_from_its_parameters() {
    let (mut parameters, _) = send_parameters(&router(), shape(Codec::Vp8), &names(), ALL).unwrap();
    let (track, transport_cc) = receive_track(&parameters, 7, Codec::Vp8).unwrap();
    assert_eq!((track.stream, track.ssrc, track.rtx_ssrc, track.nack), (7, 100, Some(101), true));
    assert_eq!(transport_cc, Some(ExtensionKind::TransportCc.router_id()));
    let other = receive_track(&parameters, 7, Codec::H264).unwrap_err();
    assert_eq!(other, NegotiationError::Incomplete("codec"));
    parameters.encodings[0].ssrc = None;
    let none = receive_track(&parameters, 7, Codec::Vp8).unwrap_err();
    assert_eq!(none, NegotiationError::Incomplete("SSRC"));
    assert_eq!(parameters.codecs[0].mime_type(), MimeType::Video(MimeTypeVideo::Vp8));
}

#[test]
fn fingerprints_come_over_and_the_strongest_decides() {
    let certificate = Certificate::generate().unwrap();
    let own = dtls_parameters(&certificate);
    assert_eq!(own.role, DtlsRole::Client);
    assert_eq!(fingerprints(&own), [certificate.fingerprint(FingerprintAlgorithm::Sha256)]);
    let weak = DtlsFingerprint::Sha1 { value: [1; 20] };
    let both = DtlsParameters { fingerprints: vec![weak, own.fingerprints[0]], ..own };
    assert_eq!(fingerprints(&both)[0].algorithm(), FingerprintAlgorithm::Sha256);
}
