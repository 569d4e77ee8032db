use mafalda_api::ortc::generate_router_rtp_capabilities;

use super::*;
use crate::codec::media_codecs;

const OBS: &str = include_str!("../../../tests/offers/obs-publish.sdp");
const GSTREAMER: &str = include_str!("../../../tests/offers/gstreamer-publish.sdp");
const FIREFOX: &str = include_str!("../../../tests/offers/firefox-publish.sdp");
const AIORTC: &str = include_str!("../../../tests/offers/aiortc-watch.sdp");
const CHROMIUM: &str = include_str!("../../../tests/offers/chromium-publish.sdp");
const SIMULCAST: &str = include_str!("../../../tests/offers/chromium-simulcast.sdp");

/// What is planned for a section, against a room as it is by default.
fn planned(offer: &str, section: usize) -> Result<RtpParameters, &'static str> {
    let router = generate_router_rtp_capabilities(media_codecs()).unwrap();
    let offer = Offer::parse(offer).unwrap();
    plan(&offer.sections[section], &router).map(|(_, parameters)| parameters)
}

fn codecs(parameters: &RtpParameters) -> Vec<(u8, String)> {
    let codecs = parameters.codecs.iter();
    codecs.map(|codec| (codec.payload_type(), codec.mime_type().as_str().to_owned())).collect()
}

fn feedback(parameters: &RtpParameters) -> &[RtcpFeedback] {
    parameters.codecs[0].rtcp_feedback()
}

#[test]
fn the_clients_favorite_is_taken_with_its_retransmissions() {
    for (offer, section, expected) in [
        (OBS, 1, vec![(96, "video/H264".into()), (97, "video/rtx".into())]),
        (GSTREAMER, 0, vec![(96, "video/VP8".into()), (98, "video/rtx".into())]),
        (GSTREAMER, 1, vec![(97, "audio/opus".into())]),
        (FIREFOX, 0, vec![(109, "audio/opus".into())]),
        (FIREFOX, 1, vec![(120, "video/VP8".into()), (124, "video/rtx".into())]),
        (CHROMIUM, 1, vec![(96, "video/VP8".into()), (97, "video/rtx".into())]),
    ] {
        let parameters = planned(offer, section).unwrap();
        assert_eq!(codecs(&parameters), expected);
        assert_eq!(parameters.encodings.len(), 1);
    }
}

#[test]
fn a_codec_that_the_room_lacks_is_passed_over() {
    let unknown = OBS.replace("96 H264/90000", "96 H265/90000");
    assert_eq!(planned(&unknown, 1).unwrap_err(), "no codec in common");
    let second = FIREFOX.replace("120 VP8/90000", "120 VP7/90000");
    assert_eq!(codecs(&planned(&second, 1).unwrap()), [(121, "video/VP9".into()), (125, "video/rtx".into())]);
}

#[test]
fn one_way_of_estimating_bandwidth_is_agreed() {
    let chromium = planned(CHROMIUM, 1).unwrap();
    assert!(feedback(&chromium).contains(&RtcpFeedback::TransportCc));
    assert!(!feedback(&chromium).contains(&RtcpFeedback::GoogRemb));
    let obs = planned(OBS, 1).unwrap();
    assert_eq!(feedback(&obs), [RtcpFeedback::Nack, RtcpFeedback::NackPli], "it stamps no packet");
    let stamped = OBS.replace(
        "a=rtpmap:96",
        "a=extmap:3 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\na=rtpmap:96",
    );
    assert!(feedback(&planned(&stamped, 1).unwrap()).contains(&RtcpFeedback::GoogRemb));
}

#[test]
fn extensions_that_the_client_only_reads_are_not_awaited() {
    let firefox = planned(FIREFOX, 1).unwrap();
    let uris: Vec<_> = firefox.header_extensions.iter().map(|it| (it.id, it.uri)).collect();
    use RtpHeaderExtensionUri::{AbsSendTime, Mid, TransportWideCcDraft01};
    assert_eq!(uris, [(3, Mid), (4, AbsSendTime), (7, TransportWideCcDraft01)]);
}

#[test]
fn a_stream_is_known_by_its_ssrc_or_by_its_section() {
    let obs = planned(OBS, 1).unwrap();
    assert_eq!(obs.encodings[0].ssrc, Some(3_185_672_202));
    assert_eq!(obs.rtcp.cname.as_deref(), Some("obs-cname-3c1f"));
    let simulcast = planned(SIMULCAST, 0).unwrap();
    assert!(simulcast.encodings.is_empty() && simulcast.mid.is_some());
    let neither = OBS.replace("a=ssrc:3185672202", "a=x-ssrc:3185672202");
    assert_eq!(
        planned(&neither, 1).unwrap_err(),
        "neither an SSRC nor a MID in the packets tells which they are"
    );
}

#[test]
fn who_only_receives_publishes_nothing() {
    assert_eq!(planned(AIORTC, 0).unwrap_err(), "nothing would be sent");
}
