//! Workers: beginning, settings, end.

use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use mafalda_api::prelude::*;

use mafalda_api::types::data_structures::DtlsFingerprint;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker::{CreateWorkerError, WorkerLogLevel, WorkerLogTag, WorkerUpdateSettings};
use mafalda_api::worker_manager::WorkerManager;
use ring::digest;

use crate::fixture::{calls, closed, on_each_backend};
use crate::scene;

on_each_backend! {
    a_created_worker_is_there,
    wrong_settings_are_refused,
    its_certificate_can_be_given,
    what_it_tells_can_be_changed,
    its_thread_begins_with_the_initializer,
    a_panic_in_its_beginning_is_told,
    a_panic_in_its_beginning_harms_nobody_else,
    a_dump_tells_its_routers,
    a_dump_tells_who_can_be_spoken_to,
    it_tells_what_it_takes_of_the_machine,
    what_is_closed_tells_nothing,
    closing_closes_all_in_it,
    dropping_the_last_handle_closes,
    a_weak_handle_keeps_nothing_alive,
    a_detached_worker_stays,
    what_is_detached_is_still_followed,
}

async fn a_created_worker_is_there(manager: &WorkerManager) {
    let (send, created) = calls();
    let _handler = manager.on_new_worker(move |worker| send.send(worker.id()).expect("the body waits"));
    let mut settings = WorkerSettings::default();
    settings.labels.insert("zone", "here");
    settings.app_data = AppData::new(7_u8);
    let worker = manager.create_worker(settings).await.expect("a Worker");
    assert_eq!(created.next(), worker.id());
    assert!(!worker.closed());
    assert_eq!(worker.labels().get("zone"), Some("here"));
    assert_eq!(worker.app_data().downcast_ref::<u8>(), Some(&7));
    assert_eq!(worker.worker_manager().session(), manager.session());
    assert_eq!(manager.find_worker(worker.id()).map(|worker| worker.id()), Some(worker.id()));
    assert_eq!(manager.workers().len(), 1);
}

async fn wrong_settings_are_refused(manager: &WorkerManager) {
    let mut settings = WorkerSettings::default();
    settings.rtc_port_range = RangeInclusive::new(1000, 999);
    let error = manager.create_worker(settings).await.expect_err("an empty range of ports");
    assert_eq!((error.kind(), code(&error)), (io::ErrorKind::InvalidInput, ErrorCode::InvalidArgument));

    let nowhere = PathBuf::from("/there/is/no/such/file.pem");
    let mut settings = WorkerSettings::default();
    settings.dtls_files = Some(WorkerDtlsFiles { certificate: nowhere.clone(), private_key: nowhere });
    let error = manager.create_worker(settings).await.expect_err("no such file");
    assert_eq!(code(&error), ErrorCode::InvalidArgument);
    assert!(error.to_string().contains("/there/is/no/such/file.pem"), "{error}");
    assert!(manager.workers().is_empty());
}

fn code(error: &io::Error) -> ErrorCode {
    let source = error.get_ref().expect("it has a source");
    source.downcast_ref::<CreateWorkerError>().expect("it is a CreateWorkerError").code()
}

async fn its_certificate_can_be_given(manager: &WorkerManager) {
    let generated = rcgen::generate_simple_self_signed(vec!["mafalda".into()]).expect("a certificate");
    let folder = std::env::temp_dir().join(format!("mafalda-acceptance-{}", manager.session()));
    fs::create_dir_all(&folder).expect("a folder");
    let files =
        WorkerDtlsFiles { certificate: folder.join("certificate.pem"), private_key: folder.join("key.pem") };
    fs::write(&files.certificate, generated.cert.pem()).expect("written");
    fs::write(&files.private_key, generated.signing_key.serialize_pem()).expect("written");
    let mut settings = WorkerSettings::default();
    settings.dtls_files = Some(files);
    let worker = manager.create_worker(settings).await.expect("a Worker");
    fs::remove_dir_all(&folder).expect("removed");

    let transport = scene::transport(&scene::router(&worker).await).await;
    let told = transport.dtls_parameters().fingerprints;
    let digest = digest::digest(&digest::SHA256, generated.cert.der());
    let expected = digest.as_ref().try_into().expect("32 bytes");
    assert!(told.contains(&DtlsFingerprint::Sha256 { value: expected }), "{told:?}");
}

async fn its_thread_begins_with_the_initializer(manager: &WorkerManager) {
    let (send, ran) = calls();
    let mut settings = WorkerSettings::default();
    settings.thread_initializer =
        Some(Arc::new(move || send.send(std::thread::current().id()).expect("the body waits")));
    let worker = manager.create_worker(settings).await.expect("a Worker");
    assert_ne!(ran.next(), std::thread::current().id());
    scene::router(&worker).await;
    assert!(ran.is_empty(), "it runs once");
}

async fn a_panic_in_its_beginning_is_told(manager: &WorkerManager) {
    let error = panicking(manager).await;
    assert_eq!(code(&error), ErrorCode::System);
    assert!(error.to_string().contains("on purpose"), "{error}");
}

async fn panicking(manager: &WorkerManager) -> io::Error {
    let mut settings = WorkerSettings::default();
    settings.thread_initializer = Some(Arc::new(|| panic!("on purpose")));
    manager.create_worker(settings).await.expect_err("it didn't begin")
}

async fn a_panic_in_its_beginning_harms_nobody_else(manager: &WorkerManager) {
    let sound = scene::worker(manager).await;
    panicking(manager).await;
    assert!(!sound.closed());
    scene::router(&sound).await;
    assert_eq!(manager.workers().len(), 1);
}

async fn a_dump_tells_its_routers(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    assert!(worker.dump().await.expect("a dump").router_ids.is_empty());
    let router = scene::router(&worker).await;
    assert_eq!(worker.dump().await.expect("a dump").router_ids, [router.id()]);
}

async fn a_dump_tells_who_can_be_spoken_to(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let handlers = worker.dump().await.expect("a dump").channel_message_handlers;
    assert!(handlers.channel_request_handlers.is_empty());
    let scene = scene::Scene::new(manager).await;
    let producer = scene.video().await;
    let consumer = scene.consume(&producer).await;
    let mut handlers = scene.worker.dump().await.expect("a dump").channel_message_handlers;
    handlers.channel_request_handlers.sort_unstable();
    handlers.channel_notification_handlers.sort_unstable();
    // Of their type.
    let mut taking = handlers.channel_notification_handlers.clone();
    taking.clear();
    taking.push(scene.first.id().into());
    taking.push(scene.second.id().into());
    taking.push(producer.id().into());
    taking.sort_unstable();
    assert_eq!(handlers.channel_notification_handlers, taking);
    taking.push(scene.router.id().into());
    taking.push(consumer.id().into());
    taking.sort_unstable();
    assert_eq!(handlers.channel_request_handlers, taking);

    let router = scene::router(&worker).await;
    let handlers = worker.dump().await.expect("a dump").channel_message_handlers;
    assert!(handlers.channel_request_handlers.contains(&router.id().into()));
    assert_eq!(handlers.channel_request_handlers.len(), 1);
    assert!(handlers.channel_notification_handlers.is_empty());
}

async fn it_tells_what_it_takes_of_the_machine(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let first = worker.resource_usage().await.expect("what it takes");
    // It waits after each call; until the system has counted that, it is asked again.
    let mut usage = first;
    while usage.ru_nvcsw == first.ru_nvcsw
        || usage.ru_utime + usage.ru_stime == first.ru_utime + first.ru_stime
    {
        scene::router(&worker).await;
        usage = worker.resource_usage().await.expect("what it takes");
    }
    assert!(usage.ru_nvcsw > first.ru_nvcsw && usage.ru_minflt >= first.ru_minflt);
    assert!(usage.ru_utime >= first.ru_utime && usage.ru_stime >= first.ru_stime);
    // Each thread has its own: one that is asked twice doesn't wait as often as one that has so much to do meanwhile.
    let other = scene::worker(manager).await;
    let before = other.resource_usage().await.expect("what it takes").ru_nvcsw;
    let (begin, enough) = (usage.ru_nvcsw, 200);
    while usage.ru_nvcsw < begin + enough {
        usage = worker.resource_usage().await.expect("what it takes");
    }
    let after = other.resource_usage().await.expect("what it takes").ru_nvcsw;
    assert!(after - before < enough, "{before} to {after}");
}

async fn what_is_closed_tells_nothing(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    worker.close();
    assert_eq!(worker.dump().await.expect_err("closed").code(), ErrorCode::NotFound);
    assert_eq!(worker.resource_usage().await.expect_err("closed").code(), ErrorCode::NotFound);
    let refusal = worker.update_settings(WorkerUpdateSettings::default()).await.expect_err("closed");
    assert_eq!(refusal.code(), ErrorCode::NotFound);
}

async fn closing_closes_all_in_it(manager: &WorkerManager) {
    let other = scene::worker(manager).await;
    let scene = scene::Scene::new(manager).await;
    let producer = scene.video().await;
    let consumer = scene.consume(&producer).await;
    let (send, closed) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    scene.worker.on_close(tell("worker")).detach();
    scene.router.on_worker_close(tell("router, by its worker")).detach();
    scene.router.on_close(tell("router")).detach();
    scene.worker.close();
    assert_eq!(closed.next(), "worker");
    assert_eq!(closed.next(), "router, by its worker");
    assert_eq!(closed.next(), "router");
    closed!(scene.first);
    closed!(producer);
    closed!(consumer);
    let error = scene.worker.create_router(RouterOptions::default()).await.expect_err("it is closed");
    assert_eq!(error.code(), ErrorCode::NotFound);
    assert!(!other.closed());
    assert_eq!(manager.workers().len(), 1);
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let (send, closed) = calls();
    worker.on_close(move || send.send(()).expect("the body waits")).detach();
    let clone = worker.clone();
    let router = scene::router(&worker).await;
    drop((worker, clone));
    assert!(closed.is_empty(), "the Router's handle holds it");
    let id = manager.workers()[0].id();
    drop(router);
    closed.next();
    let other = scene::worker(manager).await;
    assert!(manager.find_worker(id).is_none());
    drop(other);
}

async fn a_weak_handle_keeps_nothing_alive(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let weak = worker.downgrade();
    assert_eq!(weak.upgrade().map(|worker| worker.id()), Some(worker.id()));
    drop(worker);
    assert!(weak.upgrade().is_none());
}

async fn a_detached_worker_stays(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let (id, router) = (worker.id(), scene::router(&worker).await);
    router.detach();
    worker.detach();
    assert!(!worker.is_owner());
    let router_id = router.id();
    drop((worker, router));
    let worker = manager.find_worker(id).expect("it stays");
    assert_eq!(worker.dump().await.expect("a dump").router_ids, [router_id]);
    let router = manager.find_router(router_id).expect("it stays");
    assert!(!router.is_owner());
    worker.close();
    assert!(worker.closed());
}

async fn what_is_detached_is_still_followed(manager: &WorkerManager) {
    let worker = scene::worker(manager).await;
    let router = scene::router(&worker).await;
    router.detach();
    worker.close();
    closed!(router);
}

async fn what_it_tells_can_be_changed(manager: &WorkerManager) {
    let mut settings = WorkerSettings::default();
    assert_eq!((settings.log_level, settings.log_tags.len()), (WorkerLogLevel::Debug, 13), "as in mediasoup");
    settings.log_level = WorkerLogLevel::Error;
    settings.log_tags = vec![WorkerLogTag::Ice];
    let worker = manager.create_worker(settings).await.expect("a Worker");
    let mut data = WorkerUpdateSettings::default();
    worker.update_settings(data.clone()).await.expect("nothing changes");
    data.log_level = Some(WorkerLogLevel::Warn);
    data.log_tags = Some(vec![WorkerLogTag::Dtls, WorkerLogTag::Score]);
    worker.update_settings(data.clone()).await.expect("changed");
    scene::router(&worker).await;
    worker.close();
    let error = worker.update_settings(data).await.expect_err("it is closed");
    assert_eq!(error.code(), ErrorCode::NotFound);
}
