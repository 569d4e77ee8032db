//! Events that change nothing: to those who are there, and counted where there are too many.

use std::sync::{Arc, Mutex};

use mafalda_api::consumer::ConsumerTraceEventData;
use mafalda_api::prelude::*;
use mafalda_api::producer::ProducerTraceEventData;
use mafalda_api::subscription::Observed;
use mafalda_api::transport::TransportTraceEventData;
use mafalda_api::types::data_structures::{BweTraceInfo, SsrcTraceInfo, TraceEventDirection};
use mafalda_api::waist::{CloseCause, Event};

use crate::rig::Rig;

/// Passing events that wait for callbacks.
const PASSING_MAX: usize = 1024;

fn pli(id: ProducerId, ssrc: u32) -> Event {
    let direction = TraceEventDirection::Out;
    let trace = ProducerTraceEventData::Pli { timestamp: 1, direction, info: SsrcTraceInfo { ssrc } };
    Event::ProducerTraced { id, trace: Arc::new(trace) }
}

fn ssrcs(producer: &Producer) -> Arc<Mutex<Vec<u32>>> {
    let seen = Arc::<Mutex<Vec<u32>>>::default();
    let told = Arc::clone(&seen);
    producer
        .on_trace(move |trace| match trace {
            ProducerTraceEventData::Pli { info, .. } => told.lock().unwrap().push(info.ssrc),
            other => panic!("{other:?}"),
        })
        .detach();
    seen
}

#[test]
fn each_kind_of_object_calls_back_for_its_own_traces() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let consumer = rig.consumer_of(&producer, &transport);
    let seen = ssrcs(&producer);
    let told = Arc::<Mutex<Vec<String>>>::default();
    let of_consumer = Arc::clone(&told);
    consumer.on_trace(move |trace| of_consumer.lock().unwrap().push(format!("{trace:?}"))).detach();
    let of_transport = Arc::clone(&told);
    transport
        .on_trace(Arc::new(move |trace| of_transport.lock().unwrap().push(format!("{trace:?}"))))
        .detach();

    rig.fake.pass(pli(producer.id(), 5));
    let nack = ConsumerTraceEventData::Nack { timestamp: 7, direction: TraceEventDirection::In };
    rig.fake.pass(Event::ConsumerTraced { id: consumer.id(), trace: Arc::new(nack.clone()) });
    let info = BweTraceInfo { desired_bitrate: 4, min_bitrate: 1, max_bitrate: 3, available_bitrate: 2 };
    let bwe = TransportTraceEventData::Bwe { timestamp: 8, direction: TraceEventDirection::Out, info };
    rig.fake.pass(Event::TransportTraced { id: transport.id(), trace: Arc::new(bwe.clone()) });
    rig.settle();
    assert_eq!(*seen.lock().unwrap(), [5]);
    assert_eq!(*told.lock().unwrap(), [format!("{nack:?}"), format!("{bwe:?}")]);
    assert_eq!(rig.manager.missed_events(), 0);
}

#[test]
fn they_come_in_their_place_among_what_changes_and_leave_the_position_alone() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let id = producer.id();
    let mut events = producer.events();
    rig.fake.pass(pli(id, 1));
    rig.fake.happen(Event::ProducerPaused { id });
    rig.fake.pass(pli(id, 2));
    rig.settle();
    for event in [pli(id, 1), Event::ProducerPaused { id }, pli(id, 2)] {
        assert!(event.is_passing() != matches!(event, Event::ProducerPaused { .. }));
        assert_eq!(rig.run(events.next()), Some(Observed::Event(event)));
    }
    // A call waits for the position of its answer: if one that passed had moved it, this would return too early or never.
    rig.run(producer.pause()).unwrap();
    assert!(producer.paused());
}

#[test]
fn what_passes_at_an_object_that_is_gone_or_unknown_reaches_nobody() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let (id, seen) = (producer.id(), ssrcs(&producer));
    let mut all = rig.manager.events();
    rig.fake.pass(pli(ProducerId::new(), 1));
    rig.fake.close(id, CloseCause::Requested);
    rig.fake.pass(pli(id, 2));
    rig.settle();
    assert!(seen.lock().unwrap().is_empty());
    let cause = CloseCause::Requested;
    assert_eq!(rig.run(all.next()), Some(Observed::Event(Event::Closed { id: id.into(), cause })));
    rig.fake.happen(Event::Detached { id: transport.id().into() });
    let id = transport.id().into();
    assert_eq!(rig.run(all.next()), Some(Observed::Event(Event::Detached { id })));
}

#[test]
fn a_full_queue_leaves_them_out_counts_them_and_keeps_what_changes() {
    let mut rig = Rig::without_callbacks();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let (id, seen) = (producer.id(), ssrcs(&producer));
    let paused = Arc::<Mutex<u32>>::default();
    let counted = Arc::clone(&paused);
    producer.on_pause(move || *counted.lock().unwrap() += 1).detach();
    for ssrc in 0..PASSING_MAX as u32 + 7 {
        rig.fake.pass(pli(id, ssrc));
    }
    for _ in 0..3 {
        rig.fake.happen(Event::ProducerPaused { id });
    }
    rig.settle();
    assert_eq!(rig.manager.missed_events(), 7);
    rig.start_callbacks();
    rig.settle();
    assert!(seen.lock().unwrap().iter().copied().eq(0..PASSING_MAX as u32), "the first ones, in order");
    assert_eq!(*paused.lock().unwrap(), 3, "what only passes by doesn't make changes merge");

    // There is room again.
    rig.fake.pass(pli(id, 9));
    rig.settle();
    assert_eq!(seen.lock().unwrap().last(), Some(&9));
    assert_eq!(rig.manager.missed_events(), 7);
}

#[test]
fn what_the_backend_left_out_is_counted_and_told_in_its_place() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let id = producer.id();
    let mut all = rig.manager.events();
    rig.fake.pass(pli(id, 1));
    rig.fake.miss(40);
    rig.fake.pass(pli(id, 2));
    rig.fake.miss(2);
    rig.settle();
    assert_eq!(rig.manager.missed_events(), 42);
    assert_eq!(rig.run(all.next()), Some(Observed::Event(pli(id, 1))));
    assert_eq!(rig.run(all.next()), Some(Observed::Lagged { missed: 40 }));
    assert_eq!(rig.run(all.next()), Some(Observed::Event(pli(id, 2))));
    assert_eq!(rig.run(all.next()), Some(Observed::Lagged { missed: 2 }));
}

#[test]
fn trace_data_has_mediasoups_json() {
    let direction = TraceEventDirection::In;
    let nack = ConsumerTraceEventData::Nack { timestamp: 7, direction };
    assert_eq!(
        serde_json::to_value(nack).unwrap(),
        serde_json::json!({ "type": "nack", "timestamp": 7, "direction": "in" })
    );
    let Event::ProducerTraced { trace, .. } = pli(ProducerId::new(), 3) else { unreachable!() };
    assert_eq!(
        serde_json::to_value(&*trace).unwrap(),
        serde_json::json!({ "type": "pli", "timestamp": 1, "direction": "out", "info": { "ssrc": 3 } })
    );
    use mafalda_api::producer::ProducerTraceEventType::{KeyFrame, SR};
    assert_eq!(serde_json::to_value([KeyFrame, SR]).unwrap(), serde_json::json!(["keyframe", "sr"]));
}
