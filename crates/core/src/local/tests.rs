use std::sync::{Arc, mpsc};

use futures_lite::future::block_on;
use mafalda_api::id::SessionId;
use mafalda_api::labels::Labels;
use mafalda_api::router::RouterOptions;
use mafalda_api::waist::DumpWorker;
use mafalda_api::worker::{Worker, WorkerSettings};
use mafalda_api::worker_manager::WorkerManager;

use super::*;

/// A manager over a Local that the test can reach around it.
fn manager() -> (WorkerManager, Arc<Local>) {
    let local = Arc::new(Local::new(LocalOptions::default()).unwrap());
    let (manager, futures) = WorkerManager::from_backend(local.clone());
    for future in futures {
        std::thread::spawn(move || block_on(future));
    }
    (manager, local)
}

async fn worker(manager: &WorkerManager) -> Worker {
    manager.create_worker(WorkerSettings::default()).await.unwrap()
}

#[test]
fn a_panic_ends_one_worker_and_nothing_else() {
    block_on(async {
        let (manager, local) = manager();
        let (doomed, sound) = (worker(&manager).await, worker(&manager).await);
        let lost = doomed.create_router(RouterOptions::default()).await.unwrap();
        let kept = sound.create_router(RouterOptions::default()).await.unwrap();
        let (send, told) = mpsc::sync_channel(4);
        let dead = send.clone();
        doomed.on_dead(move |why| dead.send(format!("{why:?}")).unwrap()).detach();
        lost.on_worker_close(move || send.send("router".into()).unwrap()).detach();
        local.inbox.send(Message::Panic(doomed.id())).unwrap();
        let mut told: Vec<String> = (0..2).map(|_| told.recv().unwrap()).collect();
        told.sort();
        assert!(told[0].contains("on purpose") && told[1] == "router", "{told:?}");
        assert!(doomed.closed() && lost.closed() && !sound.closed() && !kept.closed());
        assert!(doomed.create_router(RouterOptions::default()).await.is_err());
        assert_eq!(sound.dump().await.unwrap().router_ids, [kept.id()]);
        let third = worker(&manager).await;
        assert_eq!(manager.workers().len(), 2);
        drop(third);
    });
}

#[test]
fn dropping_everything_ends_all_threads() {
    let (manager, local) = manager();
    let watched = Arc::downgrade(&local);
    let worker = block_on(worker(&manager));
    drop(local);
    drop(manager);
    assert!(watched.upgrade().is_some(), "the Worker's handle holds it");
    drop(worker);
    // Dropping a Local joins its threads, so when nobody holds it they are gone; the futures let go of it in their own time.
    while watched.upgrade().is_some() {
        std::thread::yield_now();
    }
}

#[test]
fn a_call_is_refused_when_too_many_wait_and_when_nobody_takes_it() {
    let (inbox, messages) = sync_channel(1);
    let local = Local { inbox, control: None };
    // Calls go out when they are made, not when their answers are waited for.
    let first = local.call(some_call());
    let refusal = block_on(local.call(some_call())).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Overloaded);
    assert!(matches!(messages.try_recv(), Ok(Message::Call { .. })));
    assert_eq!(block_on(first).unwrap_err().code, ErrorCode::Disconnected, "it was taken and dropped");
    let waiting = local.call(some_call());
    drop(messages);
    assert_eq!(block_on(waiting).unwrap_err().code, ErrorCode::Disconnected);
    assert_eq!(block_on(local.call(some_call())).unwrap_err().code, ErrorCode::Disconnected);
}

fn some_call() -> Call {
    let command = DumpWorker { id: WorkerId::new() }.into();
    Call { owner: SessionId::new(), labels: Labels::default(), tags: Vec::new(), command }
}
