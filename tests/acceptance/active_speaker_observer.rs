//! ActiveSpeakerObservers: creation, whom they listen to, what they tell, end.

use std::collections::HashSet;

use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{Calls, calls, closed, on_each_backend};
use crate::scene::{self, Scene};
use crate::talker::Talker;

on_each_backend! {
    a_created_observer_is_in_its_router,
    it_pauses_and_resumes,
    producers_are_added_and_removed,
    what_it_cannot_hear_is_refused,
    who_is_alone_is_dominant_in_silence,
    who_speaks_takes_over,
    who_follows_the_dominant_one_is_told,
    a_paused_observer_hears_nothing,
    closing_leaves_the_router,
    a_closing_router_is_told,
    a_closing_worker_is_told,
    dropping_the_last_handle_closes,
    weak_handles_and_ids_find_it,
}

/// So quiet that it is noise, and as loud as speech.
const NOISE: i8 = -110;
const SPEECH: i8 = -20;

async fn router(manager: &WorkerManager) -> Router {
    scene::router(&scene::worker(manager).await).await
}

/// Decides often.
fn options() -> ActiveSpeakerObserverOptions {
    let mut options = ActiveSpeakerObserverOptions::default();
    options.interval = 100;
    options
}

async fn create(router: &Router) -> ActiveSpeakerObserver {
    router.create_active_speaker_observer(options()).await.expect("an ActiveSpeakerObserver")
}

async fn add(observer: &ActiveSpeakerObserver, producer: &Producer) {
    observer.add_producer(RtpObserverAddProducerOptions::new(producer.id())).await.expect("it is added");
}

/// What it tells.
fn dominant(observer: &ActiveSpeakerObserver) -> Calls<ProducerId> {
    let (send, told) = calls();
    let tell = move |it: &ActiveSpeakerObserverDominantSpeaker| {
        send.send(it.producer.id()).expect("the body waits");
    };
    observer.on_dominant_speaker(tell).detach();
    told
}

async fn a_created_observer_is_in_its_router(manager: &WorkerManager) {
    assert_eq!(ActiveSpeakerObserverOptions::default().interval, 300);
    let router = router(manager).await;
    let (send, created) = calls();
    let _handler = router.on_new_rtp_observer(move |observer| {
        assert!(matches!(observer, NewRtpObserver::ActiveSpeaker(_)));
        send.send(observer.id()).expect("the body waits");
    });
    let mut options = options();
    options.labels.insert("room", "7");
    options.app_data = AppData::new(1_u32);
    let observer = router.create_active_speaker_observer(options).await.expect("an ActiveSpeakerObserver");
    assert_eq!(created.next(), observer.id());
    assert_eq!((observer.router().id(), observer.paused(), observer.closed()), (router.id(), false, false));
    assert_eq!(
        (observer.labels().get("room"), observer.app_data().downcast_ref()),
        (Some("7"), Some(&1_u32))
    );
    assert!(observer.dominant_speaker().is_none());
    let dump = router.dump().await.expect("a dump");
    assert_eq!(dump.rtp_observer_ids, HashSet::from([observer.id()]));
    assert!(dump.map_producer_id_observer_ids.is_empty());
}

async fn it_pauses_and_resumes(manager: &WorkerManager) {
    let observer = create(&router(manager).await).await;
    let (send, told) = calls();
    let (pause, resume) = (send.clone(), send);
    let _handlers = [
        observer.on_pause(Box::new(move || pause.send("paused").expect("the body waits"))),
        observer.on_resume(Box::new(move || resume.send("resumed").expect("the body waits"))),
    ];
    observer.pause().await.expect("paused");
    assert!(observer.paused());
    observer.resume().await.expect("resumed");
    observer.resume().await.expect("twice is no error");
    assert!(!observer.paused());
    observer.pause().await.expect("paused");
    assert_eq!([told.next(), told.next(), told.next()], ["paused", "resumed", "paused"]);
}

async fn producers_are_added_and_removed(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let observer = create(&scene.router).await;
    let (send, told) = calls();
    let (added, removed) = (send.clone(), send);
    let _handlers = [
        observer.on_add_producer(Box::new(move |producer| {
            added.send(("added", producer.id())).expect("the body waits");
        })),
        observer.on_remove_producer(Box::new(move |producer| {
            removed.send(("removed", producer.id())).expect("the body waits");
        })),
    ];
    add(&observer, &audio).await;
    add(&observer, &audio).await;
    let dump = scene.router.dump().await.expect("a dump");
    assert_eq!(dump.map_producer_id_observer_ids[&audio.id()], HashSet::from([observer.id()]));
    observer.remove_producer(audio.id()).await.expect("it is removed");
    observer.remove_producer(ProducerId::new()).await.expect("what was never there is no error");
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.map_producer_id_observer_ids[&audio.id()].is_empty());
    assert_eq!([told.next(), told.next()], [("added", audio.id()), ("removed", audio.id())]);
}

async fn what_it_cannot_hear_is_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let observer = create(&scene.router).await;
    let video = scene.video().await;
    for (producer, code) in [(ProducerId::new(), ErrorCode::NotFound), (video.id(), ErrorCode::Unsupported)] {
        let options = RtpObserverAddProducerOptions::new(producer);
        let error = observer.add_producer(options).await.expect_err("it can't be heard");
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(&producer.to_string()), "{error}");
    }
}

async fn who_is_alone_is_dominant_in_silence(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let observer = create(&scene.router).await;
    let told = dominant(&observer);
    add(&observer, &audio).await;
    assert_eq!(told.next(), audio.id());
    assert_eq!(observer.dominant_speaker().map(|it| it.id()), Some(audio.id()));
    observer.remove_producer(audio.id()).await.expect("it is removed");
    assert!(observer.dominant_speaker().is_none(), "nobody is left");
}

async fn who_speaks_takes_over(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router).await;
    let told = dominant(&observer);
    let (mut one, mut other) = (Talker::new(&router).await, Talker::new(&router).await);
    let ids = [one.producer.id(), other.producer.id()];
    add(&observer, &one.producer).await;
    assert_eq!(told.next(), ids[0]);
    add(&observer, &other.producer).await;
    // What is always there is noise: to be speech, it must be louder than something.
    one.speak(NOISE, 50);
    other.speak(NOISE, 50);
    assert_eq!(other.speak_until(SPEECH, &told).await, ids[1]);
    other.speak(NOISE, 50);
    assert_eq!(one.speak_until(SPEECH, &told).await, ids[0]);
    assert_eq!(observer.dominant_speaker().map(|it| it.id()), Some(ids[0]));
}

async fn who_follows_the_dominant_one_is_told(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let observer = create(&scene.router).await;
    let told = dominant(&observer);
    let (first, second) = (scene.audio().await, Talker::new(&scene.router).await);
    add(&observer, &first).await;
    assert_eq!(told.next(), first.id());
    add(&observer, &second.producer).await;
    first.close();
    assert_eq!(told.next(), second.producer.id());
}

async fn a_paused_observer_hears_nothing(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router).await;
    let told = dominant(&observer);
    let (one, mut other) = (Talker::new(&router).await, Talker::new(&router).await);
    add(&observer, &one.producer).await;
    assert_eq!(told.next(), one.producer.id());
    add(&observer, &other.producer).await;
    other.speak(NOISE, 50);
    other.arrived().await;
    observer.pause().await.expect("paused");
    observer.remove_producer(one.producer.id()).await.expect("it is removed");
    other.speak(SPEECH, 50);
    other.arrived().await;
    assert!(observer.dominant_speaker().is_none(), "who follows is told when it listens again");
    observer.resume().await.expect("resumed");
    assert_eq!(told.next(), other.producer.id());
}

async fn closing_leaves_the_router(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router).await;
    let (send, closed) = calls();
    observer.on_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    observer.close();
    closed.next();
    assert!(observer.closed());
    assert!(router.dump().await.expect("a dump").rtp_observer_ids.is_empty());
    assert_eq!(observer.pause().await.expect_err("closed").code(), ErrorCode::NotFound);
    router.worker().close();
    let refusal = router.create_active_speaker_observer(options()).await.expect_err("its Worker is closed");
    assert_eq!(refusal.code(), ErrorCode::NotFound, "{refusal}");
}

async fn a_closing_router_is_told(manager: &WorkerManager) {
    let router = router(manager).await;
    let observer = create(&router).await;
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
    let observer = create(&router).await;
    let (send, closed) = calls();
    observer.on_router_close(Box::new(move || send.send(()).expect("the body waits"))).detach();
    router.worker().close();
    closed.next();
    closed!(observer);
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let observer = create(&scene.router).await;
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
    let observer = create(&router).await;
    let weak = observer.downgrade();
    assert_eq!(weak.upgrade().map(|it| it.id()), Some(observer.id()));
    assert!(manager.find_active_speaker_observer(observer.id()).is_some_and(|found| found.is_owner()));
    assert!(manager.find_audio_level_observer(observer.id()).is_none(), "it is of another kind");
    drop(observer);
    assert!(weak.upgrade().is_none());
}
