use mafalda_api::types::data_structures::{
    DtlsFingerprint, DtlsRole, IceCandidate, IceCandidateTcpType, IceCandidateType, IceParameters, Protocol,
};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpHeaderExtensionUri, RtpParameters};
use proptest::prelude::*;

use super::*;

const OBS: &str = include_str!("../../tests/offers/obs-publish.sdp");
const GSTREAMER: &str = include_str!("../../tests/offers/gstreamer-publish.sdp");
const FIREFOX: &str = include_str!("../../tests/offers/firefox-publish.sdp");
const AIORTC: &str = include_str!("../../tests/offers/aiortc-watch.sdp");
const CHROMIUM: &str = include_str!("../../tests/offers/chromium-publish.sdp");
const SIMULCAST: &str = include_str!("../../tests/offers/chromium-simulcast.sdp");
const ALL: [&str; 6] = [OBS, GSTREAMER, FIREFOX, AIORTC, CHROMIUM, SIMULCAST];

fn offer(text: &str) -> Offer {
    Offer::parse(text).unwrap()
}

fn content(offer: &Offer, section: usize) -> &Content {
    offer.sections[section].content.as_ref().unwrap()
}

/// Codecs as `payload type name`.
fn codecs(content: &Content) -> Vec<String> {
    let codecs = content.codecs.iter();
    codecs.map(|codec| format!("{} {}", codec.payload_type(), codec.mime_type().as_str())).collect()
}

fn ids(content: &Content) -> Vec<(u16, &'static str)> {
    let short = |uri: RtpHeaderExtensionUri| uri.as_str().rsplit([':', '/']).next().unwrap();
    content.header_extensions.iter().map(|(it, _)| (it.id, short(it.uri))).collect()
}

/// SSRC and that of retransmissions.
fn ssrcs(content: &Content) -> Option<(u32, Option<u32>)> {
    let encoding = content.encoding.as_ref()?;
    Some((encoding.ssrc?, encoding.rtx.map(|rtx| rtx.ssrc)))
}

#[test]
fn obs_says_what_all_share_once() {
    let offer = offer(OBS);
    assert_eq!(offer.transport.ice.username_fragment, "gQ7d");
    assert_eq!(offer.transport.dtls_parameters.role, DtlsRole::Client);
    assert_eq!(offer.transport.dtls_parameters.fingerprints.len(), 1);
    let (audio, video) = (content(&offer, 0), content(&offer, 1));
    assert_eq!((audio.kind, audio.direction), (MediaKind::Audio, Direction::SendOnly));
    assert_eq!(codecs(audio), ["111 audio/opus"]);
    let fmtp = serde_json::to_value(audio.codecs[0].parameters()).unwrap();
    assert_eq!((&fmtp["sprop-stereo"], &fmtp["minptime"]), (&1.into(), &10.into()));
    assert_eq!(codecs(video), ["96 video/H264", "97 video/rtx"]);
    let fmtp = serde_json::to_value(video.codecs[0].parameters()).unwrap();
    assert_eq!(fmtp["profile-level-id"], "42e01f");
    assert_eq!(ssrcs(video), Some((3_185_672_202, None)));
    assert_eq!(video.cname.as_deref(), Some("obs-cname-3c1f"));
    assert_eq!(video.msid.as_deref(), Some("obs-stream-77aa obs-stream-77aa-video"));
}

#[test]
fn a_profile_of_digits_alone_stays_text() {
    let offer = offer(&OBS.replace("42e01f", "420032"));
    let fmtp = serde_json::to_value(content(&offer, 1).codecs[0].parameters()).unwrap();
    assert_eq!(fmtp["profile-level-id"], "420032");
}

#[test]
fn what_a_line_repeats_counts_once_and_parameters_have_an_end() {
    let again = OBS.replace("SAVPF 96 97", &format!("SAVPF {}97", "96 ".repeat(1000)));
    assert_eq!(codecs(content(&offer(&again), 1)), codecs(content(&offer(OBS), 1)));
    let many: String = (0..100).map(|number| format!("p{number}=1;")).collect();
    let long = OBS.replace("fmtp:96 ", &format!("fmtp:96 {many}"));
    assert_eq!(content(&offer(&long), 1).codecs[0].parameters().iter().count(), 64);
}

#[test]
fn gstreamer_has_sections_without_a_port_in_the_bundle() {
    let offer = offer(GSTREAMER);
    let (video, audio) = (content(&offer, 0), content(&offer, 1));
    assert_eq!(offer.sections[1].mid.as_deref(), Some("audio1"));
    assert_eq!(codecs(video), ["96 video/VP8", "98 video/rtx"]);
    assert_eq!(ssrcs(video), Some((1_763_904_450, Some(3_024_661_277))));
    assert_eq!(codecs(audio), ["97 audio/opus"]);
    assert_eq!(ids(audio), [(1, "draft-holmer-rmcat-transport-wide-cc-extensions-01")]);
}

#[test]
fn opus_without_its_channels_is_opus() {
    let with = offer(GSTREAMER);
    assert_eq!(offer(&GSTREAMER.replace("OPUS/48000/2", "OPUS/48000")), with);
    assert_ne!(offer(&GSTREAMER.replace("OPUS/48000/2", "OPUS/48000/1")), with);
}

#[test]
fn firefox_gives_extensions_a_direction() {
    let offer = offer(FIREFOX);
    let (audio, video) = (content(&offer, 0), content(&offer, 1));
    assert_eq!(codecs(audio)[..4], ["109 audio/opus", "9 audio/G722", "0 audio/PCMU", "8 audio/PCMA"]);
    assert_eq!(codecs(video)[..3], ["120 video/VP8", "124 video/rtx", "121 video/VP9"]);
    assert_eq!(ssrcs(video), Some((1_200_000_001, Some(1_200_000_002))), "whatever order they come in");
    let delay = video.header_extensions.iter().find(|(it, _)| it.uri == RtpHeaderExtensionUri::PlayoutDelay);
    assert_eq!(delay.map(|(it, direction)| (it.id, *direction)), Some((6, Direction::RecvOnly)));
}

#[test]
fn aiortc_has_three_fingerprints() {
    let offer = offer(AIORTC);
    assert_eq!(offer.transport.dtls_parameters.fingerprints.len(), 3);
    assert!(content(&offer, 1).direction.receives() && !content(&offer, 1).direction.sends());
}

#[test]
fn chromium_numbers_two_streams_ahead_and_a_simulcast_not_at_all() {
    let plain = offer(CHROMIUM);
    let video = content(&plain, 1);
    assert_eq!(codecs(video)[..2], ["96 video/VP8", "97 video/rtx"]);
    assert!(matches!(ssrcs(video), Some((_, Some(_)))), "{:?}", ssrcs(video));
    assert!(ids(video).iter().any(|(_, name)| *name == "mid"));
    let simulcast = offer(SIMULCAST);
    assert_eq!(ssrcs(content(&simulcast, 0)), None);
}

/// One change to an offer, and what is said of it.
#[test]
fn what_is_wrong_is_said() {
    let attribute = |name, value: &str| SdpError::Attribute { name, value: value.into() };
    for (from, to, error) in [
        ("a=group:BUNDLE 0 1\r\n", "", SdpError::NotBundled),
        ("a=ice-ufrag:gQ7d\r\n", "", SdpError::NoIceCredentials),
        ("a=ice-ufrag:gQ7d", "a=ice-ufrag:gQ7", SdpError::NoIceCredentials),
        ("a=ice-ufrag:gQ7d", "a=ice-ufrag:g Q7d", SdpError::NoIceCredentials),
        ("a=ice-pwd:0V", "a=ice-pwd:0V\r\na=ice-pwd:0V", SdpError::TwoIceCredentials),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", SdpError::NoFingerprint),
        ("a=setup:actpass", "a=setup:holdconn", SdpError::HoldConnection),
        ("a=setup:actpass", "a=setup:maybe", attribute("setup", "maybe")),
        ("a=setup:actpass", "a=ice-lite\r\na=setup:actpass", SdpError::BothIceLite),
        ("a=mid:1", "a=mid:0", SdpError::SameMid("0".into())),
        ("a=mid:1", "a=mid:a name that is too long", attribute("mid", "a name that is too long")),
        ("111 opus/48000/2", "111 opus/much/2", attribute("rtpmap", "opus/much/2")),
        ("111 opus/48000/2", "111 opus/48000/0", attribute("rtpmap", "opus/48000/0")),
        ("SAVPF 111", "SAVPF 128", attribute("rtpmap", "128")),
        ("a=ssrc:3185672202 cname", "a=ssrc:x cname", attribute("ssrc", "x cname:obs-cname-3c1f")),
        (
            "a=rtcp-mux",
            "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtcp-mux",
            attribute("extmap", "0 urn:ietf:params:rtp-hdrext:sdes:mid"),
        ),
    ] {
        let text = OBS.replacen(from, to, 1);
        assert_ne!(text, OBS, "{from}");
        assert_eq!(Offer::parse(&text).unwrap_err(), error, "{to}");
    }
    assert_eq!(
        Offer::parse("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n").unwrap_err(),
        SdpError::NoSections
    );
    for text in ["", "nonsense", "{}", "v=1\r\n"] {
        assert!(Offer::parse(text).unwrap_err().is_unreadable(), "{text}");
    }
    assert!(!SdpError::NotBundled.is_unreadable());
}

#[test]
fn sections_have_an_end() {
    let head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 ";
    let digest = vec!["00"; 32].join(":");
    let ice = "\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n";
    let section = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n";
    let of = |sections| format!("{head}{digest}{ice}{}", section.repeat(sections));
    assert_eq!(offer(&of(SECTIONS_MAX)).sections.len(), SECTIONS_MAX);
    let refused = Offer::parse(&of(SECTIONS_MAX + 1)).unwrap_err();
    assert_eq!(refused, SdpError::TooManySections { max: SECTIONS_MAX });
}

#[test]
fn sections_that_can_not_be_talked_about_say_why() {
    for (from, to, why) in [
        ("m=video 54609", "m=text 54609", "neither audio nor video"),
        ("m=video 54609", "m=video 0", "switched off by its port"),
        ("m=video 54609 UDP/TLS/RTP/SAVPF", "m=video 54609 RTP/AVP", "not over DTLS-SRTP with feedback"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0", "outside of the bundle"),
        (
            "obs-stream-77aa-video\r\na=rtcp-mux\r\na=rtpmap",
            "obs-stream-77aa-video\r\na=rtpmap",
            "without `a=rtcp-mux`",
        ),
    ] {
        let text = OBS.replacen(from, to, 1);
        assert_ne!(text, OBS, "{from}");
        let offer = offer(&text);
        assert!(offer.sections[0].content.is_ok(), "{why}");
        assert_eq!(offer.sections[1].content.as_ref().unwrap_err(), &why);
    }
}

#[test]
fn a_passive_client_makes_us_begin() {
    let offer = offer(&OBS.replace("setup:actpass", "setup:passive"));
    assert_eq!(offer.transport.dtls_parameters.role, DtlsRole::Server);
    let text = answer(&offer, &local(offer.transport.dtls_parameters.role));
    assert!(text.contains("a=setup:active\r\n"), "{text}");
}

fn local(remote_role: DtlsRole) -> LocalTransport {
    let candidate = |protocol, port| IceCandidate {
        foundation: "udpcandidate".into(),
        priority: 1_076_558_079,
        address: "192.0.2.1".into(),
        protocol,
        port,
        r#type: IceCandidateType::Host,
        tcp_type: (protocol == Protocol::Tcp).then_some(IceCandidateTcpType::Passive),
    };
    LocalTransport {
        ice_parameters: IceParameters {
            username_fragment: "ours".into(),
            password: "ourpasswordourpassword".into(),
            ice_lite: Some(true),
        },
        ice_candidates: vec![candidate(Protocol::Udp, 44_444), candidate(Protocol::Tcp, 44_445)],
        fingerprints: vec![
            DtlsFingerprint::Sha1 { value: [1; 20] },
            DtlsFingerprint::Sha256 { value: [0xab; 32] },
        ],
        remote_role,
    }
}

/// Takes each section's codecs as they are.
fn answer(offer: &Offer, transport: &LocalTransport) -> String {
    let take = |section: &Section| match &section.content {
        Ok(content) => Outcome::Receives(RtpParameters {
            mid: section.mid.clone(),
            codecs: content.codecs.clone(),
            header_extensions: content.header_extensions.iter().map(|(it, _)| it.clone()).collect(),
            ..RtpParameters::default()
        }),
        Err(_) => Outcome::Rejected,
    };
    let sections = offer.sections.iter().map(|section| (section, take(section))).collect();
    Answer { session_id: u64::MAX, transport, sections }.to_text()
}

#[test]
fn an_answer_says_all_of_the_transport_in_each_section() {
    let offer = offer(&OBS.replace("m=video 54609", "m=video 0"));
    let text = answer(&offer, &local(DtlsRole::Client));
    let expected = [
        "v=0",
        "o=- 9223372036854775807 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE 0",
        "a=msid-semantic:WMS *",
        "a=ice-ufrag:ours",
        "a=ice-pwd:ourpasswordourpassword",
        "a=setup:passive",
        &format!("a=fingerprint:sha-256 {}", ["AB"; 32].join(":")),
        "m=audio 44444 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 192.0.2.1",
        "a=mid:0",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=ice-ufrag:ours",
        "a=ice-pwd:ourpasswordourpassword",
        "a=setup:passive",
        &format!("a=fingerprint:sha-256 {}", ["AB"; 32].join(":")),
        "a=candidate:udpcandidate 1 udp 1076558079 192.0.2.1 44444 typ host",
        "a=candidate:udpcandidate 1 tcp 1076558079 192.0.2.1 44445 typ host tcptype passive",
        "a=end-of-candidates",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 maxaveragebitrate=96000;minptime=10;sprop-stereo=1;stereo=1;useinbandfec=1",
        "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 0.0.0.0",
        "a=mid:1",
        "a=inactive",
        "",
    ];
    assert_eq!(text.split("\r\n").collect::<Vec<_>>(), expected);
}

/// What is written of codecs and extensions is read as the same again.
#[test]
fn codecs_and_extensions_survive_being_written() {
    for text in ALL {
        let first = offer(text);
        let written = answer(&first, &local(DtlsRole::Client)).replace("a=ice-lite\r\n", "");
        let second = offer(&written);
        for (before, after) in first.sections.iter().zip(&second.sections) {
            let (Ok(before), Ok(after)) = (&before.content, &after.content) else { continue };
            assert_eq!(before.codecs, after.codecs);
            let ids = |content: &Content| {
                content.header_extensions.iter().map(|(it, _)| it.clone()).collect::<Vec<_>>()
            };
            assert_eq!(ids(before), ids(after));
        }
    }
}

#[test]
fn what_we_send_has_names_and_numbers() {
    let offer = offer(AIORTC);
    let transport = local(DtlsRole::Client);
    let rtp_parameters: RtpParameters = serde_json::from_value(serde_json::json!({
        "mid": "1",
        "codecs": [{"mimeType": "video/VP8", "payloadType": 97, "clockRate": 90000}],
        "encodings": [{"ssrc": 5, "rtx": {"ssrc": 6}}],
        "rtcp": {"cname": "source"},
    }))
    .unwrap();
    let sends = Outcome::Sends { rtp_parameters, stream: "somebody".into(), track: "camera".into() };
    let sections = vec![(&offer.sections[0], Outcome::Rejected), (&offer.sections[1], sends)];
    let text = Answer { session_id: 7, transport: &transport, sections }.to_text();
    for line in [
        "a=group:BUNDLE 1",
        "a=sendonly",
        "a=msid:somebody camera",
        "a=ssrc-group:FID 5 6",
        "a=ssrc:5 cname:source",
        "a=ssrc:6 cname:source",
        "a=ssrc:6 msid:somebody camera",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} is not in {text}");
    }
}

/// A peer that came over the WebSocket can call its source and its parameters whatever it likes.
#[test]
fn nobody_speaks_for_us_through_a_name() {
    let offer = offer(AIORTC);
    let transport = local(DtlsRole::Client);
    let rtp_parameters: RtpParameters = serde_json::from_value(serde_json::json!({
        "mid": "1",
        "codecs": [{
            "mimeType": "video/VP8", "payloadType": 97, "clockRate": 90000,
            "parameters": {"a\r\na=evil": 1, "b": "x\na=evil", "c": "x;d=1", "e": "good", "f": 2},
        }],
        "encodings": [{"ssrc": 5}],
        "rtcp": {"cname": "me\r\na=evil:"},
    }))
    .unwrap();
    let sends = Outcome::Sends { rtp_parameters, stream: "somebody".into(), track: "camera".into() };
    let sections = vec![(&offer.sections[0], Outcome::Rejected), (&offer.sections[1], sends)];
    let text = Answer { session_id: 7, transport: &transport, sections }.to_text();
    assert!(!text.contains("evil"), "{text}");
    assert!(
        text.contains("a=fmtp:97 e=good;f=2\r\n") && text.contains("a=ssrc:5 cname:somebody\r\n"),
        "{text}"
    );
}

const FRAGMENT: &str = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
     a=candidate:1387637174 1 udp 2122260223 192.0.2.7 61764 typ host generation 0 ufrag EsAw\r\n\
     a=candidate:3471623853 1 udp 2122194687 host-5.local 61765 typ host\r\na=end-of-candidates\r\n";

#[test]
fn a_fragment_tells_credentials_and_candidates() {
    let fragment = Fragment::parse(FRAGMENT).unwrap();
    let ice = fragment.ice.unwrap();
    assert_eq!((ice.username_fragment.as_str(), ice.password.as_str()), ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1"));
    assert_eq!((fragment.candidates, fragment.end_of_candidates), (2, true));
    let empty = Fragment::parse("").unwrap();
    assert_eq!(empty, Fragment { ice: None, candidates: 0, end_of_candidates: false });
    assert!(Fragment::parse(&FRAGMENT.replace("\r\n", "\n")).is_ok());
}

#[test]
fn what_is_wrong_with_a_fragment_is_said() {
    let candidate = |value: &str| SdpError::Attribute { name: "candidate", value: value.into() };
    for (text, error) in [
        ("hello", SdpError::Line { line: 1 }),
        ("a=mid:0\nv=0", SdpError::Line { line: 2 }),
        ("a=ice-ufrag:EsAw", SdpError::NoIceCredentials),
        ("a=ice-ufrag:EsAw\na=ice-ufrag:other", SdpError::TwoIceCredentials),
        ("a=candidate:", candidate("")),
        ("a=candidate:1 1 udp 1 h x typ host", candidate("1 1 udp 1 h x typ host")),
        ("a=candidate:1 1 udp 1 h 1 kind host", candidate("1 1 udp 1 h 1 kind host")),
        ("a=candidate:1 0 udp 1 h 1 typ host", candidate("1 0 udp 1 h 1 typ host")),
        ("a=candidate:_ 1 udp 1 h 1 typ host", candidate("_ 1 udp 1 h 1 typ host")),
    ] {
        assert_eq!(Fragment::parse(text).unwrap_err(), error, "{text}");
    }
    let many = |count| Fragment::parse(&"a=candidate:1 1 udp 1 h 1 typ host\n".repeat(count));
    assert_eq!(many(CANDIDATES_MAX).unwrap().candidates, CANDIDATES_MAX);
    let refused = many(CANDIDATES_MAX + 1).unwrap_err();
    assert_eq!(refused, SdpError::TooManyCandidates { max: CANDIDATES_MAX });
}

#[test]
fn a_fragment_of_ours_is_one() {
    let offer = offer(OBS);
    let sections: Vec<_> = offer.sections.iter().collect();
    let text = write_fragment(&local(DtlsRole::Client), &sections);
    assert!(
        text.starts_with(
            "a=ice-lite\r\na=group:BUNDLE 0 1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
        )
    );
    let fragment = Fragment::parse(&text).unwrap();
    assert_eq!(fragment.ice.unwrap().username_fragment, "ours");
    assert_eq!((fragment.candidates, fragment.end_of_candidates), (2, true));
}

proptest! {
    /// Nothing that a client sends brings the parsers down.
    #[test]
    fn offers_of_any_shape_are_read_or_refused(
        which in 0..ALL.len(),
        at in any::<prop::sample::Index>(),
        len in 0usize..40,
        other in "\\PC{0,20}",
    ) {
        let text: Vec<char> = ALL[which].chars().collect();
        let at = at.index(text.len());
        let end = (at + len).min(text.len());
        let changed: String = text[..at].iter().copied().chain(other.chars()).chain(text[end..].iter().copied()).collect();
        if let Ok(offer) = Offer::parse(&changed) {
            let written = answer(&offer, &local(offer.transport.dtls_parameters.role));
            prop_assert!(written.starts_with("v=0\r\n"));
        }
        let _ = Fragment::parse(&changed);
    }
}
