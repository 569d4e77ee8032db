//! Trace events: told of what they are asked for, of nothing else, and of so much in a turn.

use std::time::Duration;

use mafalda_api::consumer::{ConsumerTraceEventData, ConsumerTraceEventType};
use mafalda_api::producer::{ProducerTraceEventData, ProducerTraceEventType};
use mafalda_api::types::data_structures::{RtpPacketTraceInfo, SsrcTraceInfo, TraceEventDirection};
use mafalda_api::types::rtp_parameters::{RtcpFeedback, RtpCodecParameters};
use mafalda_api::waist::{
    DumpConsumer, DumpProducer, EnableConsumerTraceEvents, EnableProducerTraceEvents,
    EnableTransportTraceEvents, Event, PauseProducer, Reply, RequestKeyFrame,
};

use super::super::turn::TRACES_PER_TURN_MAX;
use super::super::*;
use super::peer::{Packet, Peer};
use super::stage::{Stage, VP8, VP8_RTX, audio, video};
use crate::rtcp::{FirEntry, SenderInfo};

/// A publisher with VP8, and who gets it.
struct Scene {
    stage: Stage,
    sender: Peer,
    receiver: Peer,
    producer: ProducerId,
    consumer: ConsumerId,
}

impl Scene {
    fn new() -> Self {
        let mut stage = Stage::new();
        let (sender, receiver) = (stage.peer(), stage.peer());
        let producer = stage.produce(&sender, video("0", Some(1000)));
        let consumer = stage.consume(&receiver, producer, true);
        stage.sent.clear();
        stage.events.clear();
        Self { stage, sender, receiver, producer, consumer }
    }

    fn trace_producer(&mut self, types: &[ProducerTraceEventType]) {
        let types = types.to_vec();
        self.stage.call(EnableProducerTraceEvents { id: self.producer, types }).unwrap();
    }

    fn trace_consumer(&mut self, types: &[ConsumerTraceEventType]) {
        let types = types.to_vec();
        self.stage.call(EnableConsumerTraceEvents { id: self.consumer, types }).unwrap();
    }

    fn send(&mut self, packets: &[Packet]) {
        self.stage.datagrams(self.sender.send(packets));
    }

    fn of_producer(&mut self) -> Vec<ProducerTraceEventData> {
        let events = self.stage.events.iter().filter_map(|event| match event {
            Event::ProducerTraced { id, trace } if *id == self.producer => Some((**trace).clone()),
            _ => None,
        });
        let events = events.collect();
        self.stage.events.retain(|event| !matches!(event, Event::ProducerTraced { .. }));
        events
    }

    fn of_consumer(&mut self) -> Vec<ConsumerTraceEventData> {
        let events = self.stage.events.iter().filter_map(|event| match event {
            Event::ConsumerTraced { id, trace } if *id == self.consumer => Some((**trace).clone()),
            _ => None,
        });
        let events = events.collect();
        self.stage.events.retain(|event| !matches!(event, Event::ConsumerTraced { .. }));
        events
    }

    fn now(&self) -> u64 {
        self.stage.now.unix.as_millis() as u64
    }

    /// The SSRC under which the Consumer sends.
    fn ssrc(&mut self) -> u32 {
        let dump = self.stage.call(DumpConsumer { id: self.consumer }).unwrap();
        let Reply::ConsumerDump(dump) = dump else { panic!("{dump:?}") };
        dump.rtp_streams[0].params.ssrc
    }
}

#[test]
fn nothing_is_told_that_was_not_asked_for() {
    let mut scene = Scene::new();
    let ssrc = scene.ssrc();
    scene.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 2)]);
    let pli = scene.receiver.feedback(|writer| writer.pli(1, ssrc));
    scene.stage.datagrams([pli]);
    scene.trace_producer(&[ProducerTraceEventType::SR]);
    scene.trace_consumer(&[ConsumerTraceEventType::Fir]);
    scene.send(&[Packet::key_frame(1000, 3), Packet::frame(1000, 9)]);
    let (pli, nack) = (
        scene.receiver.feedback(|writer| writer.pli(1, ssrc)),
        scene.receiver.feedback(|writer| writer.nack(1, ssrc, &[7]).map(drop)),
    );
    scene.stage.datagrams([pli, nack]);
    scene.stage.ms(2000);
    assert!(scene.of_producer().is_empty() && scene.of_consumer().is_empty());
    assert_eq!(scene.stage.missed, 0);
}

#[test]
fn packets_of_a_producer_are_told_as_they_came() {
    let mut scene = Scene::new();
    scene.trace_producer(&[ProducerTraceEventType::Rtp]);
    let packet = Packet { transport_cc: Some(77), mid: Some("0"), ..Packet::key_frame(1000, 5) };
    let len = packet.payload.len();
    scene.send(&[packet]);
    let (timestamp, direction) = (scene.now(), TraceEventDirection::In);
    let info = RtpPacketTraceInfo {
        payload_type: VP8,
        sequence_number: 5,
        timestamp: 15_000,
        marker: true,
        ssrc: 1000,
        is_key_frame: true,
        // The fixed header, and extensions of two and three bytes in whole words (RFC 8285 §4.2).
        size: (12 + 4 + 8 + len) as u32,
        payload_size: len as u32,
        spatial_layer: 0,
        temporal_layer: 0,
        mid: Some("0".into()),
        rid: None,
        rrid: None,
        wide_sequence_number: Some(77),
        is_rtx: false,
    };
    assert_eq!(scene.of_producer(), [ProducerTraceEventData::Rtp { timestamp, direction, info }]);
}

#[test]
fn a_key_frame_is_told_as_such_where_that_is_asked_for_and_not_twice() {
    let mut scene = Scene::new();
    scene.trace_producer(&[ProducerTraceEventType::KeyFrame]);
    scene.trace_consumer(&[ConsumerTraceEventType::KeyFrame, ConsumerTraceEventType::Rtp]);
    scene.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 2)]);
    let of_producer = scene.of_producer();
    assert!(
        matches!(&of_producer[..], [ProducerTraceEventData::KeyFrame { info, .. }] if info.is_key_frame),
        "{of_producer:?}"
    );
    let of_consumer = scene.of_consumer();
    assert!(
        matches!(
            &of_consumer[..],
            [ConsumerTraceEventData::KeyFrame { info: key, .. }, ConsumerTraceEventData::Rtp { info, .. }]
                if key.is_key_frame && !info.is_key_frame
        ),
        "{of_consumer:?}"
    );
}

#[test]
fn sound_has_no_key_frames() {
    let mut stage = Stage::new();
    let (sender, receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, audio("0", Some(1000)));
    let consumer = stage.consume(&receiver, producer, false);
    let mut scene = Scene { stage, sender, receiver, producer, consumer };
    scene.trace_consumer(&[ConsumerTraceEventType::KeyFrame, ConsumerTraceEventType::Rtp]);
    scene.send(&[Packet::sound(1000, 1)]);
    let told = scene.of_consumer();
    assert!(
        matches!(&told[..], [ConsumerTraceEventData::Rtp { info, .. }] if !info.is_key_frame),
        "{told:?}"
    );
}

#[test]
fn packets_of_a_consumer_are_told_as_they_leave_and_leave_again() {
    let mut scene = Scene::new();
    let ssrc = scene.ssrc();
    scene.trace_consumer(&[ConsumerTraceEventType::Rtp, ConsumerTraceEventType::Nack]);
    scene.send(&[Packet::key_frame(1000, 1)]);
    let sent = scene.stage.take_sent(&scene.receiver);
    let received = scene.receiver.media(sent);
    let told = scene.of_consumer();
    let [ConsumerTraceEventData::Rtp { timestamp, direction: TraceEventDirection::Out, info }] = &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*timestamp, scene.now());
    assert_eq!((info.ssrc, info.payload_type, info.is_rtx), (ssrc, VP8, false));
    assert_eq!(info.sequence_number, received[0].index as u16);
    assert_eq!(info.wide_sequence_number, received[0].transport_cc);
    assert_eq!(info.payload_size as usize, received[0].payload.len());
    assert_eq!(info.mid.as_deref(), Some("0"), "the Consumer's own");
    assert!(info.size > info.payload_size + 12 && info.is_key_frame);

    scene.stage.ms(150);
    let nack = scene.receiver.nack(ssrc, &[received[0].index]);
    scene.stage.datagrams([nack]);
    let told = scene.of_consumer();
    let [
        ConsumerTraceEventData::Nack { direction: TraceEventDirection::In, .. },
        ConsumerTraceEventData::Rtp { info: again, .. },
    ] = &told[..]
    else {
        panic!("{told:?}")
    };
    let sent = scene.stage.take_sent(&scene.receiver);
    let received = scene.receiver.media(sent);
    assert!(again.is_rtx && again.is_key_frame && again.ssrc == received[0].ssrc);
    assert_eq!(
        (again.payload_type, again.sequence_number),
        (received[0].payload_type, received[0].index as u16)
    );
    assert_eq!(again.payload_size, info.payload_size + 2, "with the number that it had (RFC 4588 §4)");
    assert_eq!(again.timestamp, info.timestamp);
}

#[test]
fn a_retransmission_is_told_as_what_it_carries() {
    let mut scene = Scene::new();
    scene.trace_producer(&[ProducerTraceEventType::Rtp, ProducerTraceEventType::Nack]);
    scene.send(&[Packet::key_frame(1000, 1), Packet::frame(1000, 3)]);
    scene.of_producer();
    scene.stage.ms(50);
    let asked = scene.of_producer();
    assert!(
        matches!(asked[..], [ProducerTraceEventData::Nack { direction: TraceEventDirection::Out, .. }, ..]),
        "{asked:?}"
    );
    let lost = Packet::frame(1000, 2);
    let payload = [&2_u16.to_be_bytes()[..], &lost.payload].concat();
    let rtx = Packet { ssrc: 1001, payload_type: VP8_RTX, payload, ..lost };
    scene.send(&[rtx]);
    let told = scene.of_producer();
    let [ProducerTraceEventData::Rtp { info, .. }] = &told[..] else { panic!("{told:?}") };
    assert!(info.is_rtx && info.ssrc == 1000 && info.payload_type == VP8 && info.sequence_number == 2);
    assert_eq!(
        (info.payload_size as usize, info.size as usize),
        (lost.payload.len(), 12 + lost.payload.len())
    );
}

#[test]
fn feedback_of_and_to_endpoints_is_told() {
    use ConsumerTraceEventData as C;
    use ProducerTraceEventData as P;
    let mut scene = Scene::new();
    let ssrc = scene.ssrc();
    scene.trace_consumer(&[ConsumerTraceEventType::Pli, ConsumerTraceEventType::Fir]);
    scene.trace_producer(&[ProducerTraceEventType::Pli, ProducerTraceEventType::SR]);
    scene.send(&[Packet::key_frame(1000, 1)]);
    scene.stage.ms(1500);
    let pli = scene.receiver.feedback(|writer| writer.pli(1, ssrc));
    let fir = scene.receiver.feedback(|writer| writer.fir(1, &[FirEntry { ssrc, sequence: 1 }]).map(drop));
    let report = SenderInfo {
        ssrc: 1000,
        ntp: 0x0123_4567_89ab_cdef,
        rtp_timestamp: 42,
        packet_count: 1,
        octet_count: 10,
    };
    let sr = scene.sender.feedback(|writer| writer.sender_report(&report, &[]).map(drop));
    scene.stage.datagrams([pli, fir, sr]);
    let (timestamp, direction, info) = (scene.now(), TraceEventDirection::In, SsrcTraceInfo { ssrc });
    assert_eq!(
        scene.of_consumer(),
        [C::Pli { timestamp, direction, info }, C::Fir { timestamp, direction, info }]
    );
    let told = scene.of_producer();
    let [P::Pli { direction: TraceEventDirection::Out, info: of, .. }, P::Sr { info, direction, .. }] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!((of.ssrc, *direction), (1000, TraceEventDirection::In));
    assert_eq!((info.ssrc, info.ntp_sec, info.ntp_frac), (1000, 0x0123_4567, 0x89ab_cdef));
    assert_eq!((info.rtp_ts, info.packet_count, info.octet_count), (42, 1, 10));
}

#[test]
fn without_pli_a_fir_is_told() {
    let mut parameters = video("0", Some(1000));
    if let RtpCodecParameters::Video { rtcp_feedback, .. } = &mut parameters.codecs[0] {
        rtcp_feedback.retain(|feedback| *feedback != RtcpFeedback::NackPli);
    }
    let mut stage = Stage::new();
    let (sender, receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, parameters);
    let consumer = stage.consume(&receiver, producer, true);
    let mut scene = Scene { stage, sender, receiver, producer, consumer };
    scene.trace_producer(&[ProducerTraceEventType::Fir, ProducerTraceEventType::Pli]);
    scene.send(&[Packet::frame(1000, 1)]);
    scene.stage.call(RequestKeyFrame { id: scene.consumer }).unwrap();
    scene.stage.ms(1500);
    let told = scene.of_producer();
    assert!(!told.is_empty(), "its Consumer waits for a key frame");
    for trace in told {
        let ProducerTraceEventData::Fir { direction, info, .. } = trace else { panic!("{trace:?}") };
        assert_eq!((direction, info.ssrc), (TraceEventDirection::Out, 1000));
    }
}

#[test]
fn what_is_traced_can_be_changed_is_dumped_and_follows_the_transport() {
    let mut scene = Scene::new();
    scene.trace_producer(&[ProducerTraceEventType::SR, ProducerTraceEventType::Rtp]);
    scene.trace_consumer(&[ConsumerTraceEventType::Nack, ConsumerTraceEventType::Nack]);
    let Reply::ProducerDump(dump) = scene.stage.call(DumpProducer { id: scene.producer }).unwrap() else {
        panic!("not a Producer's dump")
    };
    assert_eq!(dump.trace_event_types, [ProducerTraceEventType::Rtp, ProducerTraceEventType::SR]);
    let Reply::ConsumerDump(dump) = scene.stage.call(DumpConsumer { id: scene.consumer }).unwrap() else {
        panic!("not a Consumer's dump")
    };
    assert_eq!(dump.trace_event_types, [ConsumerTraceEventType::Nack]);

    // Its row leaves the table, and comes back.
    scene.trace_consumer(&[ConsumerTraceEventType::Rtp]);
    let (now, router) = (scene.stage.now, scene.stage.router);
    let taken = scene.stage.worker.take_transport(now, scene.receiver.id).unwrap();
    scene.stage.worker.put_transport(now, router, taken).map_err(|(failure, _)| failure).unwrap();
    scene.stage.drain();
    scene.send(&[Packet::key_frame(1000, 1)]);
    assert_eq!((scene.of_producer().len(), scene.of_consumer().len()), (1, 1));

    scene.trace_producer(&[]);
    scene.trace_consumer(&[]);
    scene.send(&[Packet::frame(1000, 2)]);
    assert!(scene.of_producer().is_empty() && scene.of_consumer().is_empty());
}

#[test]
fn a_paused_producer_has_nothing_to_tell() {
    let mut scene = Scene::new();
    scene.trace_producer(&[ProducerTraceEventType::Rtp]);
    scene.stage.call(PauseProducer { id: scene.producer }).unwrap();
    scene.send(&[Packet::key_frame(1000, 1)]);
    assert!(scene.of_producer().is_empty());
}

#[test]
fn objects_that_are_not_there_cannot_be_traced() {
    let mut stage = Stage::new();
    let gone = |failure: Failure| assert_eq!(failure.code, mafalda_api::waist::ErrorCode::NotFound);
    gone(stage.call(EnableTransportTraceEvents { id: TransportId::new(), types: vec![] }).unwrap_err());
    gone(stage.call(EnableProducerTraceEvents { id: ProducerId::new(), types: vec![] }).unwrap_err());
    gone(stage.call(EnableConsumerTraceEvents { id: ConsumerId::new(), types: vec![] }).unwrap_err());
}

#[test]
fn a_turn_tells_so_many_and_counts_the_rest() {
    let mut scene = Scene::new();
    scene.trace_producer(&[ProducerTraceEventType::Rtp]);
    scene.trace_consumer(&[ConsumerTraceEventType::Rtp]);
    scene.send(&[Packet::key_frame(1000, 1)]);
    scene.stage.events.clear();
    let count = |scene: &mut Scene| scene.of_producer().len() + scene.of_consumer().len();
    // Each packet is told twice.
    let half = TRACES_PER_TURN_MAX as u64 / 2;
    let frames = |from: u64, count: u64| (from..from + count).map(|index| Packet::frame(1000, index));
    let packets: Vec<Packet> = frames(2, half + 20).collect();
    scene.stage.now = scene.stage.now.after(Duration::from_millis(10));
    // More than one batch holds: they are inputs of one turn.
    for packets in packets.chunks(64) {
        scene.send(packets);
    }
    assert_eq!(count(&mut scene), TRACES_PER_TURN_MAX);
    assert_eq!(scene.stage.missed, 40);
    assert_eq!(scene.stage.take_sent(&scene.receiver).len(), packets.len() + 1, "media go on");

    scene.stage.now = scene.stage.now.after(Duration::from_millis(10));
    scene.send(&frames(half + 22, 3).collect::<Vec<_>>());
    assert_eq!((count(&mut scene), scene.stage.missed), (6, 40), "the next turn has its own");
}
