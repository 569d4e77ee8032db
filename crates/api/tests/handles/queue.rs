//! The bounded queue of callbacks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mafalda_api::prelude::*;
use mafalda_api::producer::ProducerScore;
use mafalda_api::waist::{CloseCause, Event};

use crate::rig::{Lines, Rig};

fn score(id: ProducerId, encoding_idx: u32) -> Event {
    Event::ProducerScoreChanged {
        id,
        score: vec![ProducerScore { encoding_idx, ssrc: 1, rid: None, score: 1 }],
    }
}

#[test]
fn callbacks_run_in_the_order_of_events_and_of_registration() {
    let mut rig = Rig::new();
    let transport = rig.transport();
    let (a, b) = (rig.producer_on(&transport), rig.producer_on(&transport));
    let lines = Lines::default();
    for i in 0..3 {
        a.on_pause(lines.adder(&format!("a{i}"))).detach();
    }
    b.on_pause(lines.adder("b")).detach();
    b.on_resume(lines.adder("b resumed")).detach();
    for event in [
        Event::ProducerPaused { id: b.id() },
        Event::ProducerPaused { id: a.id() },
        Event::ProducerResumed { id: b.id() },
    ] {
        rig.fake.happen(event);
    }
    rig.settle();
    assert_eq!(lines.take(), ["b", "a0", "a1", "a2", "b resumed"]);
}

#[test]
fn a_full_queue_merges_changes_keeps_the_last_and_never_loses_an_end() {
    const EVENTS: u32 = 5000;
    let mut rig = Rig::without_callbacks();
    let transport = rig.transport();
    let producers = [rig.producer_on(&transport), rig.producer_on(&transport)];
    let scores: Arc<Mutex<Vec<Vec<u32>>>> = Arc::new(Mutex::new(vec![Vec::new(); 2]));
    let closed = Arc::new(AtomicUsize::new(0));
    for (at, producer) in producers.iter().enumerate() {
        let scores = Arc::clone(&scores);
        producer.on_score(move |score| scores.lock().unwrap()[at].push(score[0].encoding_idx)).detach();
        let closed = Arc::clone(&closed);
        producer
            .on_close(move || {
                closed.fetch_add(1, Ordering::Relaxed);
            })
            .detach();
    }
    for number in 0..EVENTS {
        producers.iter().for_each(|producer| rig.fake.happen(score(producer.id(), number)));
    }
    rig.fake.close(producers[0].id(), CloseCause::Requested);
    rig.settle();
    assert_eq!(producers[1].score()[0].encoding_idx, EVENTS - 1, "the mirror is right meanwhile");
    rig.fake.close(producers[1].id(), CloseCause::Requested);
    rig.settle();
    assert_eq!(closed.load(Ordering::Relaxed), 0);

    rig.start_callbacks();
    rig.settle();
    assert_eq!(closed.load(Ordering::Relaxed), 2);
    for seen in scores.lock().unwrap().iter() {
        assert!(seen.len() <= 1024, "{} callbacks waited", seen.len());
        assert!(seen.is_sorted());
        assert_eq!(seen.last(), Some(&(EVENTS - 1)));
    }

    // What was merged does not stand in the way of what comes.
    let next = rig.producer_on(&transport);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    next.on_score(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    })
    .detach();
    for number in 0..10 {
        rig.fake.happen(score(next.id(), number));
    }
    rig.settle();
    assert_eq!(count.load(Ordering::Relaxed), 10);
}
