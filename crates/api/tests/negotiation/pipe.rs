use mafalda_api::ortc::{
    ConsumerNegotiation, ConsumerStreams, generate_router_rtp_capabilities, get_consumer_rtp_parameters,
    get_pipe_consumer_rtp_parameters,
};
use mafalda_api::types::rtp_parameters::{RtcpFeedback, RtpCodecParameters, RtpParameters};
use serde_json::{json, to_value};

use crate::fixture::{
    consumable, endpoint_of, negotiation, parsed, produced, simulcast_producer, usual_router,
};

const SSRCS: [u32; 2] = [500, 502];

fn piped(enable_rtx: bool) -> RtpParameters {
    get_pipe_consumer_rtp_parameters(&consumable(&simulcast_producer()), enable_rtx, &SSRCS)
}

#[test]
fn a_pipe_carries_all_streams_and_nothing_of_one_hop() {
    assert_eq!(
        to_value(piped(false)).unwrap(),
        json!({
            "codecs": [
                { "mimeType": "video/VP8", "payloadType": 101, "clockRate": 90000, "parameters": { "x-start": 1000 },
                  "rtcpFeedback": [
                    { "type": "nack", "parameter": "pli" },
                    { "type": "ccm", "parameter": "fir" },
                ] },
            ],
            "headerExtensions": [
                { "uri": "urn:3gpp:video-orientation", "id": 8, "encrypt": false },
                { "uri": "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", "id": 10, "encrypt": false },
            ],
            "encodings": [
                { "ssrc": 500, "scalabilityMode": "L1T3", "maxBitrate": 111_111 },
                { "ssrc": 502, "scalabilityMode": "L1T3", "maxBitrate": 555_555, "dtx": true },
            ],
            "rtcp": { "cname": "camera", "reducedSize": true },
            "msid": "stream track",
        })
    );
}

#[test]
fn with_rtx_packets_are_asked_for_and_sent_again() {
    let piped = piped(true);
    let payload_types: Vec<u8> = piped.codecs.iter().map(RtpCodecParameters::payload_type).collect();
    assert_eq!(payload_types, [101, 102]);
    let feedback = piped.codecs[0].rtcp_feedback();
    assert_eq!(feedback, [RtcpFeedback::Nack, RtcpFeedback::NackPli, RtcpFeedback::CcmFir]);
    let rtx: Vec<_> = piped.encodings.iter().map(|it| it.rtx.map(|rtx| rtx.ssrc)).collect();
    assert_eq!(rtx, [Some(501), Some(503)]);
    // Sound has no RTX of its own: there is nothing to announce.
    let audio: RtpParameters = parsed(json!({
        "codecs": [{ "mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2 }],
        "encodings": [{ "ssrc": 1 }],
    }));
    let piped = get_pipe_consumer_rtp_parameters(&consumable(&audio), true, &SSRCS);
    assert_eq!((piped.codecs.len(), piped.encodings.len(), piped.encodings[0].rtx), (1, 1, None));
}

/// The other Router offers the same as the first: its clients can't tell where a stream comes from.
#[test]
fn what_went_through_a_pipe_is_consumable_as_before() {
    for enable_rtx in [false, true] {
        let before = consumable(&simulcast_producer());
        let (mapping, mut after) = produced(&piped(enable_rtx), &usual_router());
        for (encoding, mapped) in after.encodings.iter_mut().zip(&before.encodings) {
            encoding.ssrc = mapped.ssrc;
        }
        assert_eq!(after, before);
        assert!(mapping.codecs.iter().all(|codec| codec.payload_type == codec.mapped_payload_type));
    }
}

#[test]
fn an_endpoint_can_have_all_streams_too() {
    let remote = endpoint_of(&usual_router());
    let all =
        ConsumerNegotiation { streams: ConsumerStreams::All(&SSRCS), mid: None, ..negotiation(&remote) };
    let consumer = get_consumer_rtp_parameters(&consumable(&simulcast_producer()), all).unwrap();
    let ssrcs: Vec<_> = consumer.encodings.iter().map(|it| (it.ssrc, it.rtx.map(|rtx| rtx.ssrc))).collect();
    assert_eq!(ssrcs, [(Some(500), Some(501)), (Some(502), Some(503))]);
    assert_eq!(consumer.mid, None);
    let opus = generate_router_rtp_capabilities(parsed(json!([
        { "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2 }
    ])));
    let deaf = endpoint_of(&opus.unwrap());
    let none = ConsumerNegotiation { streams: ConsumerStreams::All(&SSRCS), ..negotiation(&deaf) };
    assert!(get_consumer_rtp_parameters(&consumable(&simulcast_producer()), none).is_err());
}
