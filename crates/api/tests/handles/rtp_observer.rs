//! RtpObservers: what their callbacks are given, and that nothing of it is lost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mafalda_api::prelude::*;
use mafalda_api::waist::{Event, ObjectState, Volume};

use crate::rig::{Lines, Rig};

const SAME_EPOCH: u64 = 1;

fn observer_on(rig: &mut Rig, router: &Router) -> AudioLevelObserver {
    rig.run(router.create_audio_level_observer(AudioLevelObserverOptions::default())).unwrap()
}

#[test]
fn a_producer_that_has_closed_meanwhile_is_left_out() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let observer = observer_on(&mut rig, &transport.router().clone());
    let (here, gone) = (rig.producer_on(&transport), rig.producer_on(&transport));
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = Lines::default();
    let tell = Arc::clone(&told);
    let _handlers = [
        observer.on_volumes(move |them| {
            let them: Vec<_> = them.iter().map(|it| (it.producer.id(), it.volume)).collect();
            tell.lock().unwrap().push(them);
        }),
        observer.on_add_producer(Box::new({
            let add = lines.adder("added");
            move |_| add()
        })),
    ];
    let id = observer.id();
    let volume = |producer: &Producer, volume| Volume { producer: producer.id(), volume };
    let (first, second) = (volume(&gone, -1), volume(&here, -2));
    gone.close();
    rig.fake.happen(Event::RtpObserverProducerAdded { id, producer: gone.id() });
    rig.fake.pass(Event::Volumes { id, volumes: vec![first, second] });
    rig.fake.pass(Event::Volumes { id, volumes: vec![first] });
    rig.fake.happen(Event::RtpObserverProducerAdded { id, producer: here.id() });
    rig.settle();
    assert_eq!(*told.lock().unwrap(), [[(here.id(), -2)]]);
    assert_eq!(lines.take(), ["added"]);
}

#[test]
fn a_full_queue_keeps_each_producer_that_was_added() {
    const PRODUCERS: usize = 1500;
    let mut rig = Rig::without_callbacks();
    let transport = rig.transport();
    let observer = observer_on(&mut rig, &transport.router().clone());
    let count = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let [added, spoken] = count.clone();
    let _handlers = [
        observer.on_add_producer(Box::new(move |_| {
            added.fetch_add(1, Ordering::Relaxed);
        })),
        observer.on_silence(move || {
            spoken.fetch_add(1, Ordering::Relaxed);
        }),
    ];
    let id = observer.id();
    let producers: Vec<Producer> = (0..PRODUCERS).map(|_| rig.producer_on(&transport)).collect();
    for producer in &producers {
        rig.fake.happen(Event::RtpObserverProducerAdded { id, producer: producer.id() });
        rig.fake.pass(Event::Silence { id });
    }
    rig.settle();
    rig.start_callbacks();
    rig.settle();
    let [added, spoken] = count.map(|it| it.load(Ordering::Relaxed));
    assert_eq!(added, PRODUCERS);
    assert!(spoken <= 1024, "{spoken}: what passes by has a bound of its own");
}

#[test]
fn a_snapshot_tells_who_was_added_and_what_was_paused() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let router = transport.router().clone();
    let observer = observer_on(&mut rig, &router);
    let producer = rig.producer_on(&transport);
    let lines = Lines::default();
    let (add, remove) = (lines.adder("added"), lines.adder("removed"));
    let _handlers = [
        observer.on_add_producer(Box::new(move |_| add())),
        observer.on_remove_producer(Box::new(move |_| remove())),
        observer.on_pause(Box::new(lines.adder("paused"))),
        observer.on_resume(Box::new(lines.adder("resumed"))),
        observer.on_router_close(Box::new(lines.adder("router closed"))),
    ];
    let (id, producer) = (observer.id(), producer.id());
    let change = |rig: &mut Rig, events: &[Event]| {
        rig.fake.skip_to(SAME_EPOCH, |objects| {
            let state: &mut ObjectState = objects.get_mut(&id.into()).unwrap();
            events.iter().for_each(|event| state.apply(event));
        });
        rig.settle();
    };
    let added = Event::RtpObserverProducerAdded { id, producer };
    change(&mut rig, &[added, Event::RtpObserverPaused { id }]);
    assert!(observer.paused());
    assert_eq!(lines.take(), ["paused", "added"]);
    let removed = Event::RtpObserverProducerRemoved { id, producer };
    change(&mut rig, &[removed, Event::RtpObserverResumed { id }]);
    assert_eq!(lines.take(), ["resumed", "removed"]);
    rig.fake.skip_to(SAME_EPOCH, |objects| {
        objects.retain(|it, _| *it != id.into() && *it != router.id().into());
    });
    rig.settle();
    assert_eq!(lines.take(), ["router closed"]);
    assert!(observer.closed());
}
