//! Trace events: what is told of packets that really go through, and who can't be traced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mafalda_api::consumer::{ConsumerTraceEventData, ConsumerTraceEventType};
use mafalda_api::prelude::*;
use mafalda_api::producer::{ProducerTraceEventData, ProducerTraceEventType};
use mafalda_api::subscription::Observed;
use mafalda_api::transport::TransportTraceEventType;
use mafalda_api::types::data_structures::TraceEventDirection;
use mafalda_api::waist::{ErrorCode, Event};
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::line::{Line, SSRC};
use crate::parameters;
use crate::scene::Scene;

on_each_backend! {
    what_is_traced_is_told_in_dumps,
    packets_are_traced_on_their_way_through,
    feedback_is_traced,
    traces_are_told_in_the_stream_of_events_too,
    each_packet_is_told_or_counted,
    nothing_is_traced_any_more_when_that_is_taken_back,
    what_is_closed_cannot_be_traced,
}

const PRODUCER_TYPES: [ProducerTraceEventType; 6] = [
    ProducerTraceEventType::Rtp,
    ProducerTraceEventType::KeyFrame,
    ProducerTraceEventType::Nack,
    ProducerTraceEventType::Pli,
    ProducerTraceEventType::Fir,
    ProducerTraceEventType::SR,
];
const CONSUMER_TYPES: [ConsumerTraceEventType; 5] = [
    ConsumerTraceEventType::Rtp,
    ConsumerTraceEventType::KeyFrame,
    ConsumerTraceEventType::Nack,
    ConsumerTraceEventType::Pli,
    ConsumerTraceEventType::Fir,
];
async fn what_is_traced_is_told_in_dumps(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    line.producer.enable_trace_event(PRODUCER_TYPES.into()).await.expect("traced");
    line.consumer.enable_trace_event(CONSUMER_TYPES.into()).await.expect("traced");
    let types = vec![TransportTraceEventType::Bwe, TransportTraceEventType::Probation];
    line.output.enable_trace_event(types).await.expect("traced");
    assert_eq!(line.producer.dump().await.expect("a dump").trace_event_types, PRODUCER_TYPES);
    assert_eq!(line.consumer.dump().await.expect("a dump").trace_event_types, CONSUMER_TYPES);
    let dump = line.output.dump().await.expect("a dump");
    assert_eq!(dump.trace_event_types, [TransportTraceEventType::Probation, TransportTraceEventType::Bwe]);
    line.producer.enable_trace_event(Vec::new()).await.expect("not traced");
    assert!(line.producer.dump().await.expect("a dump").trace_event_types.is_empty());
    line.consumer.enable_trace_event(vec![ConsumerTraceEventType::Fir]).await.expect("traced");
    let dump = line.consumer.dump().await.expect("a dump");
    assert_eq!(dump.trace_event_types, [ConsumerTraceEventType::Fir], "the last call counts");

    let scene = Scene::new(manager).await;
    scene.first.enable_trace_event(vec![TransportTraceEventType::Bwe]).await.expect("traced");
    let dump = scene.first.dump().await.expect("a dump");
    assert_eq!(dump.trace_event_types, [TransportTraceEventType::Bwe]);
}

async fn packets_are_traced_on_their_way_through(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    let (send, came) = calls();
    line.producer.on_trace(move |trace| send.send(trace.clone()).expect("the body waits")).detach();
    let (send, left) = calls();
    line.consumer.on_trace(move |trace| send.send(trace.clone()).expect("the body waits")).detach();
    let types = vec![ProducerTraceEventType::Rtp, ProducerTraceEventType::KeyFrame];
    line.producer.enable_trace_event(types).await.expect("traced");
    line.consumer.enable_trace_event(vec![ConsumerTraceEventType::Rtp]).await.expect("traced");
    line.send(7, true);
    line.send(8, false);
    let ProducerTraceEventData::KeyFrame { direction: TraceEventDirection::In, info, timestamp } =
        came.next()
    else {
        panic!("the first one begins a key frame")
    };
    assert_eq!((info.ssrc, info.sequence_number, info.timestamp, info.size), (SSRC, 7, 21_000, 19));
    assert!(info.is_key_frame && !info.is_rtx && info.payload_type == 112 && info.payload_size == 7);
    assert!(timestamp > 1_700_000_000_000, "milliseconds since 1970");
    let ProducerTraceEventData::Rtp { info, .. } = came.next() else { panic!("the second one doesn't") };
    assert_eq!((info.sequence_number, info.is_key_frame), (8, false));
    for (key_frame, timestamp) in [(true, 21_000), (false, 24_000)] {
        let ConsumerTraceEventData::Rtp { direction, info, .. } = left.next() else {
            panic!("key frames were not asked for")
        };
        assert_eq!((direction, info.ssrc), (TraceEventDirection::Out, line.ssrc()));
        assert_eq!((info.is_key_frame, info.timestamp, info.payload_type), (key_frame, timestamp, 101));
        assert_eq!(info.mid.as_deref(), line.consumer.rtp_parameters().mid.as_deref());
    }
    assert!(came.is_empty() && left.is_empty());
    assert_eq!(manager.missed_events(), 0);
}

async fn feedback_is_traced(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    let (send, came) = calls();
    line.consumer.on_trace(move |trace| send.send(trace.clone()).expect("the body waits")).detach();
    let types = vec![ConsumerTraceEventType::Nack, ConsumerTraceEventType::Pli, ConsumerTraceEventType::Fir];
    line.consumer.enable_trace_event(types).await.expect("traced");
    let (send, asked) = calls();
    line.producer.on_trace(move |trace| send.send(trace.clone()).expect("the body waits")).detach();
    line.producer.enable_trace_event(vec![ProducerTraceEventType::SR]).await.expect("traced");

    line.answer(1, 205, &[0, 1, 0, 0]);
    line.answer(1, 206, &[]);
    let entry = [&line.ssrc().to_be_bytes()[..], &[1, 0, 0, 0]].concat();
    line.answer(4, 206, &entry);
    assert!(matches!(came.next(), ConsumerTraceEventData::Nack { direction: TraceEventDirection::In, .. }));
    let ConsumerTraceEventData::Pli { info, .. } = came.next() else { panic!("a PLI") };
    assert_eq!(info.ssrc, line.ssrc());
    let ConsumerTraceEventData::Fir { info, .. } = came.next() else { panic!("a FIR") };
    assert_eq!(info.ssrc, line.ssrc());

    // A sender report (RFC 3550 §6.4.1), once the peer is known by its media.
    line.send(1, true);
    let mut report = vec![0x80, 200, 0, 6];
    for word in [SSRC, 0xaaaa_0001, 0xbbbb_0002, 77, 3, 30] {
        report.extend(word.to_be_bytes());
    }
    line.source.send_to(&report, ("127.0.0.1", line.input.tuple().local_port())).expect("it is taken");
    let ProducerTraceEventData::Sr { info, direction, .. } = asked.next() else { panic!("a report") };
    assert_eq!((direction, info.ssrc, info.ntp_sec), (TraceEventDirection::In, SSRC, 0xaaaa_0001));
    assert_eq!((info.ntp_frac, info.rtp_ts), (0xbbbb_0002, 77));
    assert_eq!((info.packet_count, info.octet_count), (3, 30));
}

async fn traces_are_told_in_the_stream_of_events_too(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    let mut events = line.producer.events();
    line.producer.enable_trace_event(vec![ProducerTraceEventType::KeyFrame]).await.expect("traced");
    line.send(1, true);
    loop {
        // The first packet changes the score, too.
        match events.next().await.expect("the Producer is there") {
            Observed::Event(Event::ProducerTraced { id, trace }) => {
                assert_eq!(id, line.producer.id());
                assert!(matches!(*trace, ProducerTraceEventData::KeyFrame { .. }));
                return;
            }
            Observed::Event(Event::ProducerScoreChanged { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn each_packet_is_told_or_counted(manager: &WorkerManager) {
    // More than a turn tells, of one packet; the Producer's own is one more.
    const CONSUMERS: usize = 700;
    let line = Line::new(manager).await;
    let told = Arc::new(AtomicUsize::new(0));
    let mut consumers = Vec::new();
    for _ in 0..CONSUMERS {
        let options = ConsumerOptions::new(line.producer.id(), parameters::client_capabilities());
        let consumer = line.output.consume(options).await.expect("a Consumer");
        consumer.enable_trace_event(vec![ConsumerTraceEventType::Rtp]).await.expect("traced");
        let told = Arc::clone(&told);
        consumer
            .on_trace(move |_| {
                told.fetch_add(1, Ordering::Relaxed);
            })
            .detach();
        consumers.push(consumer);
    }
    line.send(1, true);
    let all = || told.load(Ordering::Relaxed) + usize::try_from(manager.missed_events()).expect("a number");
    while all() < CONSUMERS {
        std::thread::yield_now();
    }
    line.producer.dump().await.expect("a dump");
    assert_eq!(all(), CONSUMERS);
    assert!(told.load(Ordering::Relaxed) > 0);
}

async fn nothing_is_traced_any_more_when_that_is_taken_back(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    let (send, came) = calls();
    line.producer.on_trace(move |trace| send.send(trace.clone()).expect("the body waits")).detach();
    line.producer.enable_trace_event(vec![ProducerTraceEventType::Rtp]).await.expect("traced");
    line.send(1, true);
    came.next();
    line.producer.enable_trace_event(Vec::new()).await.expect("not traced");
    line.send(2, false);
    line.producer.enable_trace_event(vec![ProducerTraceEventType::KeyFrame]).await.expect("traced");
    line.send(3, false);
    line.send(4, true);
    let ProducerTraceEventData::KeyFrame { info, .. } = came.next() else { panic!("a key frame") };
    assert_eq!(info.sequence_number, 4);
}

async fn what_is_closed_cannot_be_traced(manager: &WorkerManager) {
    let line = Line::new(manager).await;
    line.consumer.close();
    let refusal = line.consumer.enable_trace_event(Vec::new()).await.expect_err("closed");
    assert_eq!(refusal.code(), ErrorCode::NotFound);
    line.producer.close();
    let refusal = line.producer.enable_trace_event(Vec::new()).await.expect_err("closed");
    assert_eq!(refusal.code(), ErrorCode::NotFound);
    line.input.close();
    let refusal = line.input.enable_trace_event(Vec::new()).await.expect_err("closed");
    assert_eq!(refusal.code(), ErrorCode::NotFound);
}
