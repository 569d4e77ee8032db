//! AudioLevelObservers: creation, whom they listen to, what they tell, end.

use std::collections::HashSet;
use std::num::NonZeroU16;

use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, closed, on_each_backend};
use crate::scene::{self, Scene};
use crate::talker::Talker;

on_each_backend! {
    a_created_observer_is_in_its_router,
    a_threshold_above_zero_is_refused,
    it_pauses_and_resumes,
    producers_are_added_and_removed,
    what_it_cannot_hear_is_refused,
    a_producer_that_closes_is_no_longer_heard,
    the_loudest_are_told_and_silence_once,
    a_paused_observer_hears_nothing,
    a_paused_producer_is_not_heard,
    closing_leaves_the_router,
    a_closing_router_is_told,
    a_closing_worker_is_told,
    dropping_the_last_handle_closes,
    weak_handles_and_ids_find_it,
}

async fn router(manager: &WorkerManager) -> Router {
    scene::router(&scene::worker(manager).await).await
}

/// Tells often.
fn options(max_entries: u16) -> AudioLevelObserverOptions {
    let mut options = AudioLevelObserverOptions::default();
    options.max_entries = NonZeroU16::new(max_entries).expect("not zero");
    options.interval = 250;
    options
}

async fn create(router: &Router, options: AudioLevelObserverOptions) -> AudioLevelObserver {
    router.create_audio_level_observer(options).await.expect("an AudioLevelObserver")
}

async fn add(observer: &AudioLevelObserver, producer: &Producer) {
    observer.add_producer(RtpObserverAddProducerOptions::new(producer.id())).await.expect("it is added");
}

async fn a_created_observer_is_in_its_router(manager: &WorkerManager) {
    let defaults = AudioLevelObserverOptions::default();
    assert_eq!((defaults.max_entries.get(), defaults.threshold, defaults.interval), (1, -80, 1000));
    let router = router(manager).await;
    let (send, created) = calls();
    let _handler = router.on_new_rtp_observer(move |observer| {
        assert!(matches!(observer, NewRtpObserver::AudioLevel(_)));
        send.send(observer.id()).expect("the body waits");
    });
    let mut options = options(2);
    options.labels.insert("room", "7");
    options.app_data = AppData::new(1_u32);
    let observer = create(&router, options).await;
    assert_eq!(created.next(), observer.id());
    assert_eq!((observer.router().id(), observer.paused(), observer.closed()), (router.id(), false, false));
    assert_eq!(
        (observer.labels().get("room"), observer.app_data().downcast_ref()),
        (Some("7"), Some(&1_u32))
    );
    let dump = router.dump().await.expect("a dump");
    assert_eq!(dump.rtp_observer_ids, HashSet::from([observer.id()]));
    assert!(dump.map_producer_id_observer_ids.is_empty());
}

async fn a_threshold_above_zero_is_refused(manager: &WorkerManager) {
    let router = router(manager).await;
    let with = |threshold| {
        let mut options = options(1);
        options.threshold = threshold;
        options
    };
    let error = router.create_audio_level_observer(with(1)).await.expect_err("it is wrong");
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    assert!(router.dump().await.expect("a dump").rtp_observer_ids.is_empty());
    create(&router, with(0)).await;
    create(&router, with(-127)).await;
}

async fn it_pauses_and_resumes(manager: &WorkerManager) {
    let observer = create(&router(manager).await, options(1)).await;
    let (send, told) = calls();
    let (pause, resume) = (send.clone(), send);
    let _handlers = [
        observer.on_pause(Box::new(move || pause.send("paused").expect("the body waits"))),
        observer.on_resume(Box::new(move || resume.send("resumed").expect("the body waits"))),
    ];
    observer.pause().await.expect("paused");
    assert!(observer.paused());
    observer.pause().await.expect("twice is no error");
    observer.resume().await.expect("resumed");
    assert!(!observer.paused());
    assert_eq!([told.next(), told.next()], ["paused", "resumed"]);
}

async fn producers_are_added_and_removed(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let observers = [create(&scene.router, options(1)).await, create(&scene.router, options(1)).await];
    let (send, told) = calls();
    let (added, removed) = (send.clone(), send.clone());
    let id = audio.id();
    let _handlers = [
        observers[0].on_pause(Box::new(move || send.send(("paused", id)).expect("the body waits"))),
        observers[0].on_add_producer(Box::new(move |producer| {
            added.send(("added", producer.id())).expect("the body waits");
        })),
        observers[0].on_remove_producer(Box::new(move |producer| {
            removed.send(("removed", producer.id())).expect("the body waits");
        })),
    ];
    for observer in &observers {
        add(observer, &audio).await;
    }
    add(&observers[0], &audio).await;
    let dump = scene.router.dump().await.expect("a dump");
    let ids = observers.each_ref().map(|observer| observer.id());
    assert_eq!(dump.map_producer_id_observer_ids[&audio.id()], HashSet::from(ids));
    observers[0].remove_producer(audio.id()).await.expect("it is removed");
    observers[0].remove_producer(audio.id()).await.expect("twice is no error");
    observers[0].remove_producer(ProducerId::new()).await.expect("nor is what was never there");
    let dump = scene.router.dump().await.expect("a dump");
    assert_eq!(dump.map_producer_id_observer_ids[&audio.id()], HashSet::from([ids[1]]));
    observers[1].close();
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.map_producer_id_observer_ids[&audio.id()].is_empty());
    observers[0].pause().await.expect("paused");
    let all = [told.next(), told.next(), told.next()];
    assert_eq!(all, [("added", id), ("removed", id), ("paused", id)], "each is told once");
}

async fn what_it_cannot_hear_is_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let observer = create(&scene.router, options(1)).await;
    let refusal = async |producer: ProducerId| {
        let options = RtpObserverAddProducerOptions::new(producer);
        observer.add_producer(options).await.expect_err("it can't be heard")
    };
    let unknown = ProducerId::new();
    let error = refusal(unknown).await;
    let subject = Some(unknown.into());
    assert!(matches!(&error, RequestError::NotFound { subject: it, .. } if *it == subject), "{error:?}");
    let error = refusal(scene.video().await.id()).await;
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(error.to_string().contains("not an audio Producer"), "{error}");
    // One of another Router.
    let elsewhere = Scene::new(manager).await;
    let error = refusal(elsewhere.audio().await.id()).await;
    assert_eq!(error.code(), ErrorCode::NotFound, "{error}");
    // So many may listen to one Producer.
    let audio = scene.audio().await;
    let mut others = Vec::new();
    for _ in 0..16 {
        let other = create(&scene.router, options(1)).await;
        add(&other, &audio).await;
        others.push(other);
    }
    let error = refusal(audio.id()).await;
    assert_eq!(error.code(), ErrorCode::Overloaded, "{error}");
    others.pop();
    add(&observer, &audio).await;
}

async fn a_producer_that_closes_is_no_longer_heard(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let observer = create(&scene.router, options(1)).await;
    add(&observer, &audio).await;
    let (send, told) = calls();
    let pause = send.clone();
    let _handler = observer.on_pause(Box::new(move || pause.send("paused").expect("the body waits")));
    let _handler =
        observer.on_remove_producer(Box::new(move |_| send.send("removed").expect("the body waits")));
    audio.close();
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.map_producer_id_observer_ids.is_empty());
    // Its name is free: one that comes next is not listened to.
    let next = scene.audio().await;
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.map_producer_id_observer_ids[&next.id()].is_empty());
    observer.pause().await.expect("paused");
    assert_eq!(told.next(), "paused", "its end was told by itself");
}

async fn the_loudest_are_told_and_silence_once(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(2)).await;
    let (send, told) = calls();
    let (volumes, silence) = (send.clone(), send);
    let _handlers = [
        observer.on_volumes(move |them| {
            let them: Vec<_> = them.iter().map(|it| (it.producer.id(), it.volume)).collect();
            volumes.send(them).expect("the body waits");
        }),
        observer.on_silence(move || silence.send(Vec::new()).expect("the body waits")),
    ];
    let mut talkers = Vec::new();
    for _ in 0..4 {
        let talker = Talker::new(&router).await;
        add(&observer, &talker.producer).await;
        talkers.push(talker);
    }
    // The last is too quiet, the third not loud enough to be one of two. An interval may end in between: then there are enough
    // packets of all on one side at least.
    for _ in 0..30 {
        for (talker, level) in talkers.iter_mut().zip([-30, -5, -40, -81]) {
            talker.speak(level, 1);
        }
    }
    let [loud, louder] = [(talkers[0].producer.id(), -30), (talkers[1].producer.id(), -5)];
    while told.next() != [louder, loud] {}
    while !told.next().is_empty() {}
    // Silence is told once: what is told next is a voice.
    talkers[3].speak(-1, 30);
    assert_eq!(told.next(), [(talkers[3].producer.id(), -1)]);
}

async fn a_paused_observer_hears_nothing(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(1)).await;
    let mut talker = Talker::new(&router).await;
    add(&observer, &talker.producer).await;
    let (send, told) = calls();
    let (volumes, silence) = (send.clone(), send.clone());
    let _handlers = [
        observer.on_volumes(move |them| volumes.send(them[0].volume).expect("the body waits")),
        observer.on_silence(move || silence.send(1).expect("the body waits")),
        observer.on_pause(Box::new(move || send.send(2).expect("the body waits"))),
    ];
    talker.speak(-10, 30);
    assert_eq!(told.next(), -10);
    observer.pause().await.expect("paused");
    // Silence is told at once, if it was not yet.
    let mut last = [told.next(), told.next()];
    while last != [1, 2] {
        last = [last[1], told.next()];
    }
    talker.speak(-10, 30);
    talker.arrived().await;
    observer.resume().await.expect("resumed");
    talker.speak(-20, 30);
    assert_eq!(told.next(), -20, "what came in between doesn't count");
}

async fn a_paused_producer_is_not_heard(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(2)).await;
    let (mut muted, mut other) = (Talker::new(&router).await, Talker::new(&router).await);
    add(&observer, &muted.producer).await;
    add(&observer, &other.producer).await;
    let (send, told) = calls();
    let _handler = observer.on_volumes(move |them| {
        let them: Vec<_> = them.iter().map(|it| (it.producer.id(), it.volume)).collect();
        send.send(them).expect("the body waits");
    });
    muted.speak(-6, 9);
    muted.arrived().await;
    muted.producer.pause().await.expect("paused");
    muted.speak(-5, 30);
    other.speak(-50, 30);
    assert_eq!(told.next(), [(other.producer.id(), -50)]);
    muted.arrived().await;
    muted.producer.resume().await.expect("resumed");
    muted.speak(-7, 30);
    let resumed = (muted.producer.id(), -7);
    while told.next() != [resumed] {}
}

async fn closing_leaves_the_router(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(1)).await;
    let (send, closed) = calls();
    observer.on_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    observer.close();
    closed.next();
    assert!(observer.closed());
    assert!(router.dump().await.expect("a dump").rtp_observer_ids.is_empty());
    assert_eq!(observer.pause().await.expect_err("closed").code(), ErrorCode::NotFound);
    assert_eq!(observer.resume().await.expect_err("closed").code(), ErrorCode::NotFound);
    assert_eq!(
        observer.remove_producer(ProducerId::new()).await.expect_err("closed").code(),
        ErrorCode::NotFound
    );
    assert!(manager.find_audio_level_observer(observer.id()).is_none());
}

async fn a_closing_router_is_told(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(1)).await;
    let (send, closed) = calls();
    let by_router = send.clone();
    observer.on_router_close(Box::new(move || by_router.send("router").expect("the body waits"))).detach();
    observer.on_close(Box::new(move || send.send("observer").expect("the body waits"))).detach();
    router.close();
    assert_eq!([closed.next(), closed.next()], ["router", "observer"]);
    assert!(observer.closed());
}

async fn a_closing_worker_is_told(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(1)).await;
    let (send, closed) = calls();
    observer.on_router_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    router.worker().close();
    closed.next();
    closed!(observer);
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let observer = create(&scene.router, options(1)).await;
    add(&observer, &audio).await;
    let (send, closed) = calls();
    observer.on_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    drop(observer);
    closed.next();
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.rtp_observer_ids.is_empty() && dump.map_producer_id_observer_ids[&audio.id()].is_empty());
}

async fn weak_handles_and_ids_find_it(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router, options(1)).await;
    let weak = observer.downgrade();
    assert_eq!(weak.upgrade().map(|it| it.id()), Some(observer.id()));
    assert!(manager.find_audio_level_observer(observer.id()).is_some_and(|found| found.is_owner()));
    assert!(manager.find_audio_level_observer(RtpObserverId::new()).is_none());
    drop(observer);
    assert!(weak.upgrade().is_none());
}
