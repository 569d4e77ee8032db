//! Many threads at once: nothing hangs, nothing is left over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futures_executor::block_on;
use mafalda_api::prelude::*;

use crate::fake::Fake;
use crate::rig::{capabilities, opus, producer_options, transport_options};

async fn room(manager: &WorkerManager, closed: &Arc<AtomicUsize>, shared: &Router) {
    let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
    let router = worker.create_router(RouterOptions::new(vec![opus()])).await.unwrap();
    let transport = router.create_webrtc_transport(transport_options()).await.unwrap();
    let other = shared.create_webrtc_transport(transport_options()).await.unwrap();
    let producer = transport.produce(producer_options()).await.unwrap();
    let consumer = transport.consume(ConsumerOptions::new(producer.id(), capabilities())).await.unwrap();
    producer.pause().await.unwrap();
    let count = |closed: &Arc<AtomicUsize>| {
        let closed = Arc::clone(closed);
        move || {
            closed.fetch_add(1, Ordering::Relaxed);
        }
    };
    let own = producer.clone();
    consumer.on_close(count(closed)).detach();
    consumer.on_producer_close(move || drop(own)).detach();
    producer.on_close(count(closed)).detach();
    other.on_close(Box::new(count(closed))).detach();
    drop(transport);
    producer.close();
    drop((worker, router));
}

#[test]
fn rooms_come_and_go_on_many_threads() {
    const THREADS: usize = 4;
    const ROOMS: usize = 25;
    let fake = Fake::default();
    let (manager, futures) = WorkerManager::from_backend(Arc::new(fake.clone()));
    let beside = futures.map(|future| thread::spawn(move || block_on(future)));
    let closed = Arc::new(AtomicUsize::new(0));
    let shared = block_on(async {
        let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        worker.create_router(RouterOptions::new(vec![opus()])).await.unwrap()
    });
    let seen = Arc::new(AtomicUsize::new(0));
    let handler = shared.on_new_transport({
        let seen = Arc::clone(&seen);
        move |transport| {
            let _kept = transport.router().clone();
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..ROOMS).for_each(|_| block_on(room(&manager, &closed, &shared))));
        }
    });
    drop((manager, shared, handler));
    beside.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(fake.count(), 0);
    assert_eq!(seen.load(Ordering::Relaxed), THREADS * ROOMS);
    assert_eq!(closed.load(Ordering::Relaxed), 3 * THREADS * ROOMS);
}
