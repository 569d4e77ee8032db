//! What sound has of its own: RED, silence, repair in the stream itself.

use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::types::rtp_parameters::{RtpCapabilities, RtpParameters};
use mafalda_api::waist::{Consume, UpdateMediaCodecs};
use serde_json::{Value, json};

use super::super::*;
use super::peer::{Packet, Peer, Received};
use super::stage::Stage;

/// In the Router.
const ROUTER_OPUS: u8 = 100;
const ROUTER_RED: u8 = 101;
/// In what the sender sends.
const SENT_OPUS: u8 = 96;
const SENT_RED: u8 = 45;
const SSRC: u32 = 1000;

fn parsed<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn opus(payload_type: u8, in_band_fec: u8) -> Value {
    json!({
        "kind": "audio", "mimeType": "audio/opus", "clockRate": 48000, "channels": 2,
        "payloadType": payload_type, "preferredPayloadType": payload_type,
        "parameters": { "useinbandfec": in_band_fec },
        "rtcpFeedback": [{ "type": "nack" }, { "type": "transport-cc" }],
    })
}

fn red(payload_type: u8, held: u8) -> Value {
    json!({
        "kind": "audio", "mimeType": "audio/red", "clockRate": 48000, "channels": 2,
        "payloadType": payload_type, "preferredPayloadType": payload_type,
        "parameters": { format!("{held}/{held}"): "" },
        "rtcpFeedback": [{ "type": "nack" }],
    })
}

/// A Router that knows RED, and somebody who sends it.
struct Scene {
    stage: Stage,
    sender: Peer,
    producer: ProducerId,
}

impl Scene {
    fn new() -> Self {
        Self::sending(&json!([red(SENT_RED, SENT_OPUS), opus(SENT_OPUS, 0)]))
    }

    fn sending(codecs: &Value) -> Self {
        let mut stage = Stage::new();
        let media_codecs = parsed(json!([opus(ROUTER_OPUS, 1), red(ROUTER_RED, ROUTER_OPUS)]));
        stage.call(UpdateMediaCodecs { id: stage.router, media_codecs }).unwrap();
        let sender = stage.peer();
        let parameters: RtpParameters =
            parsed(json!({ "mid": "0", "codecs": codecs, "encodings": [{ "ssrc": SSRC }] }));
        let producer = stage.produce(&sender, parameters);
        Self { stage, sender, producer }
    }

    /// Somebody who receives, and can ask for packets again.
    fn receiver(&mut self, codecs: &Value) -> (Peer, ConsumerId) {
        self.receiver_with(codecs, |_| {})
    }

    fn receiver_with(&mut self, codecs: &Value, change: impl FnOnce(&mut Consume)) -> (Peer, ConsumerId) {
        let receiver = self.stage.peer();
        let rtp_capabilities: RtpCapabilities = parsed(json!({ "codecs": codecs }));
        let mut command = Consume {
            id: ConsumerId::new(),
            transport: receiver.id,
            producer: self.producer,
            rtp_capabilities,
            paused: false,
            mid: None,
            enable_rtx: Some(true),
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        };
        change(&mut command);
        let id = command.id;
        self.stage.call(command).unwrap();
        (receiver, id)
    }

    fn send(&mut self, packets: &[Packet]) {
        let datagrams = self.sender.send(packets);
        self.stage.datagrams(datagrams);
    }

    fn received(&mut self, receiver: &mut Peer) -> Vec<Received> {
        let sent = self.stage.take_sent(receiver);
        receiver.media(sent)
    }

    /// Asks for all of these again: they come as they were.
    fn repeats(&mut self, receiver: &mut Peer, packets: &[Received]) {
        self.stage.ms(200);
        self.stage.take_sent(receiver);
        let indices: Vec<u64> = packets.iter().map(|packet| packet.index).collect();
        let nack = receiver.nack(packets[0].ssrc, &indices);
        self.stage.datagrams([nack]);
        // The stage sees to it that they are the same bytes under the same number.
        assert_eq!(self.stage.take_sent(receiver).len(), packets.len());
    }
}

fn sent(index: u64, payload_type: u8, payload: Vec<u8>) -> Packet {
    Packet { payload_type, payload, ..Packet::sound(SSRC, index) }
}

fn voice(index: u64) -> Vec<u8> {
    vec![0x78, index as u8, 0x55, 0x66]
}

/// Frames under one payload type, the last of them the newest (RFC 2198 §3).
fn in_red(payload_type: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let (newest, older) = frames.split_last().unwrap();
    let mut payload = Vec::new();
    for frame in older {
        payload.extend([0x80 | payload_type, 0x0f, 0x00, frame.len() as u8]);
    }
    payload.push(payload_type);
    frames.iter().take(older.len()).chain([newest]).for_each(|frame| payload.extend(frame));
    payload
}

fn payloads(received: &[Received]) -> Vec<(u8, Vec<u8>)> {
    received.iter().map(|packet| (packet.payload_type, packet.payload.clone())).collect()
}

fn have_no_gap(received: &[Received]) -> bool {
    received.windows(2).all(|pair| pair[0].index + 1 == pair[1].index)
}

#[test]
fn red_comes_in_the_receivers_payload_types_or_as_its_newest_frame() {
    let mut scene = Scene::new();
    let (mut knows, _) = scene.receiver(&json!([opus(ROUTER_OPUS, 1), red(ROUTER_RED, ROUTER_OPUS)]));
    let (mut lacks, _) = scene.receiver(&json!([opus(ROUTER_OPUS, 1)]));
    let own_numbers = json!([opus(109, 1), red(63, 109)]);
    let (mut numbers, _) = scene.receiver_with(&own_numbers, |it| it.remote_numbers = true);
    let frames: Vec<Vec<u8>> = (0..4).map(voice).collect();
    scene.send(&[
        sent(1, SENT_RED, in_red(SENT_OPUS, &frames[1..2])),
        sent(2, SENT_RED, in_red(SENT_OPUS, &frames[1..3])),
        // Opus may come in between.
        sent(3, SENT_OPUS, frames[3].clone()),
        sent(4, SENT_RED, in_red(SENT_OPUS, &frames)),
    ]);
    for (receiver, opus, red) in [(&mut knows, ROUTER_OPUS, ROUTER_RED), (&mut numbers, 109, 63)] {
        let received = scene.received(receiver);
        let expected = vec![
            (red, in_red(opus, &frames[1..2])),
            (red, in_red(opus, &frames[1..3])),
            (opus, frames[3].clone()),
            (red, in_red(opus, &frames)),
        ];
        assert_eq!(payloads(&received), expected);
        scene.repeats(receiver, &received);
    }
    let received = scene.received(&mut lacks);
    let newest = [1, 2, 3, 3].map(|at: usize| (ROUTER_OPUS, frames[at].clone()));
    assert_eq!(payloads(&received), newest);
    assert!(have_no_gap(&received));
    scene.repeats(&mut lacks, &received);
}

#[test]
fn red_that_makes_no_sense_is_dropped_and_counted() {
    let mut scene = Scene::new();
    let (mut receiver, _) = scene.receiver(&json!([opus(ROUTER_OPUS, 1), red(ROUTER_RED, ROUTER_OPUS)]));
    let whole = in_red(SENT_OPUS, &[voice(1), voice(2)]);
    let foreign = in_red(SENT_OPUS + 1, &[voice(1), voice(2)]);
    let nested = in_red(SENT_RED, &[voice(1), voice(2)]);
    let cut = whole[..5].to_vec();
    scene.send(&[
        sent(1, SENT_RED, whole.clone()),
        sent(2, SENT_RED, cut),
        sent(3, SENT_RED, foreign),
        sent(4, SENT_RED, nested),
        sent(5, SENT_RED, Vec::new()),
        sent(6, SENT_RED, whole),
    ]);
    assert_eq!(scene.received(&mut receiver).len(), 2);
    let drops = scene.stage.worker.drops();
    assert_eq!((drops.get(DropReason::MalformedRed), drops.total()), (3, 3), "padding is no error");
}

#[test]
fn who_ignores_silence_gets_none_and_sees_no_gap() {
    let mut scene = Scene::new();
    let codecs = json!([opus(ROUTER_OPUS, 1), red(ROUTER_RED, ROUTER_OPUS)]);
    let (mut ignores, _) = scene.receiver_with(&codecs, |it| it.ignore_dtx = true);
    let (mut listens, _) = scene.receiver(&codecs);
    let silence = vec![0x78];
    let packets = [
        sent(1, SENT_OPUS, voice(1)),
        sent(2, SENT_OPUS, silence.clone()),
        sent(3, SENT_RED, in_red(SENT_OPUS, &[voice(1), silence])),
        sent(4, SENT_RED, in_red(SENT_OPUS, &[vec![0x78], voice(4)])),
        sent(5, SENT_OPUS, voice(5)),
    ];
    scene.send(&packets);
    let received = scene.received(&mut ignores);
    let newest: Vec<u8> = received.iter().map(|packet| packet.payload[packet.payload.len() - 3]).collect();
    assert_eq!(newest, [1, 4, 5]);
    assert!(have_no_gap(&received));
    scene.repeats(&mut ignores, &received);
    assert_eq!(scene.received(&mut listens).len(), packets.len());
}

/// The receiver has lost so much of what it was to get.
fn report_loss(scene: &mut Scene, receiver: &mut Peer, last: &Received, fraction_lost: u8) {
    let block = crate::rtcp::ReportBlock {
        ssrc: last.ssrc,
        fraction_lost,
        cumulative_lost: 1,
        highest_sequence: last.index as u32,
        jitter: 0,
        last_sr: 0,
        delay_since_last_sr: 0,
    };
    let report = receiver.feedback(|writer| writer.receiver_report(1, &[block]).map(drop));
    scene.stage.datagrams([report]);
}

/// What the sender is told of its loss, when two receivers have lost a tenth and a third.
fn told(in_band_fec: u8) -> Vec<(u32, u8, i32)> {
    let mut scene = Scene::sending(&json!([opus(SENT_OPUS, in_band_fec)]));
    let receivers = [opus(ROUTER_OPUS, 1), opus(ROUTER_OPUS, 1)].map(|opus| scene.receiver(&json!([opus])).0);
    let mut losses = Vec::new();
    // One of twenty is lost on the sender's own way.
    let packets: Vec<Packet> = (1..22)
        .filter(|index| *index != 5)
        .map(|index| Packet { payload_type: SENT_OPUS, ..Packet::sound(SSRC, index) })
        .collect();
    scene.send(&packets);
    for (mut receiver, fraction_lost) in receivers.into_iter().zip([25, 85]) {
        let last = scene.received(&mut receiver).pop().unwrap();
        report_loss(&mut scene, &mut receiver, &last, fraction_lost);
    }
    scene.stage.take_sent(&scene.sender);
    scene.stage.ms(2000);
    let reports = scene.stage.take_sent(&scene.sender);
    losses.extend(scene.sender.losses(reports));
    losses.truncate(1);
    losses
}

#[test]
fn who_repairs_in_the_stream_itself_hears_of_the_worst_loss() {
    // Of 21 packets one: 12 of 256.
    assert_eq!(told(0), [(SSRC, 12, 1)]);
    assert_eq!(told(1), [(SSRC, 85, 1)], "what was lost in all is that of the own way");
}

#[test]
fn a_paused_receivers_loss_is_nobodys() {
    let mut scene = Scene::sending(&json!([opus(SENT_OPUS, 1)]));
    let (mut receiver, consumer) = scene.receiver(&json!([opus(ROUTER_OPUS, 1)]));
    scene.send(&[Packet { payload_type: SENT_OPUS, ..Packet::sound(SSRC, 1) }]);
    let last = scene.received(&mut receiver).pop().unwrap();
    report_loss(&mut scene, &mut receiver, &last, 85);
    scene.stage.call(mafalda_api::waist::PauseConsumer { id: consumer }).unwrap();
    scene.stage.take_sent(&scene.sender);
    scene.stage.ms(2000);
    let reports = scene.stage.take_sent(&scene.sender);
    assert_eq!(scene.sender.losses(reports)[0], (SSRC, 0, 0));
}
