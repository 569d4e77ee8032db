//! Events as a stream.

use mafalda_api::prelude::*;
use mafalda_api::subscription::{EVENTS_MAX, Observed};
use mafalda_api::waist::{CloseCause, Event};

use crate::rig::Rig;

#[test]
fn a_stream_tells_the_objects_events_and_its_children_and_ends_with_it() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let mut events = transport.events();
    let producer = rig.producer_on(&transport);
    let mut of_producer = producer.events();
    rig.run(producer.pause()).unwrap();
    transport.close();

    let Some(Observed::Event(Event::Appeared(state))) = rig.run(events.next()) else { panic!("a Producer") };
    assert_eq!(state.id(), producer.id().into());
    let id = transport.id().into();
    assert_eq!(
        rig.run(events.next()),
        Some(Observed::Event(Event::Closed { id, cause: CloseCause::Requested }))
    );
    assert_eq!(rig.run(events.next()), None);

    let id = producer.id();
    assert_eq!(rig.run(of_producer.next()), Some(Observed::Event(Event::ProducerPaused { id })));
    let (id, cause) = (id.into(), CloseCause::TransportClosed);
    assert_eq!(rig.run(of_producer.next()), Some(Observed::Event(Event::Closed { id, cause })));
    assert_eq!(rig.run(of_producer.next()), None);
    assert_eq!(rig.run(producer.events().next()), None, "there is nothing to come");
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed_and_where() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let producer = rig.producer_on(&transport);
    let id = producer.id();
    let mut events = producer.events();
    for _ in 0..EVENTS_MAX + 3 {
        rig.fake.happen(Event::ProducerPaused { id });
    }
    rig.settle();
    let paused = Some(Observed::Event(Event::ProducerPaused { id }));
    assert_eq!(rig.run(events.next()), paused);
    rig.fake.happen(Event::ProducerResumed { id });
    rig.settle();
    for _ in 1..EVENTS_MAX {
        assert_eq!(rig.run(events.next()), paused);
    }
    assert_eq!(rig.run(events.next()), Some(Observed::Lagged { missed: 3 }));
    assert_eq!(rig.run(events.next()), Some(Observed::Event(Event::ProducerResumed { id })));

    for _ in 0..EVENTS_MAX + 5 {
        rig.fake.happen(Event::ProducerPaused { id });
    }
    rig.fake.close(id, CloseCause::Requested);
    rig.settle();
    for _ in 0..EVENTS_MAX {
        assert_eq!(rig.run(events.next()), paused);
    }
    assert_eq!(rig.run(events.next()), Some(Observed::Lagged { missed: 5 }));
    let cause = CloseCause::Requested;
    assert_eq!(rig.run(events.next()), Some(Observed::Event(Event::Closed { id: id.into(), cause })));
    assert_eq!(rig.run(events.next()), None);
}

#[test]
fn the_managers_stream_tells_everything() {
    let mut rig = Rig::new();
    let mut events = rig.manager.events();
    let worker = rig.worker();
    let id = worker.id().into();
    drop(worker);
    rig.settle();
    let Some(Observed::Event(Event::Appeared(state))) = rig.run(events.next()) else { panic!("a Worker") };
    assert_eq!(state.id(), id);
    assert_eq!(
        rig.run(events.next()),
        Some(Observed::Event(Event::Closed { id, cause: CloseCause::Requested }))
    );
    let (mut pool, ..) = rig.without_manager();
    assert_eq!(pool.run_until(events.next()), None);
}
