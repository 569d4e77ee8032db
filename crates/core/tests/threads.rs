//! Alone in its process: a manager takes all its threads along when it goes.

use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use mafalda_core::prelude::*;

/// Names of this process's threads that are ours.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.starts_with("mafalda-")).collect()
}

#[test]
fn a_manager_that_goes_leaves_no_thread_behind() {
    block_on(async {
        let manager = WorkerManager::new();
        let workers = [
            manager.create_worker(WorkerSettings::default()).await.unwrap(),
            manager.create_worker(WorkerSettings::default()).await.unwrap(),
        ];
        let router = workers[0].create_router(RouterOptions::default()).await.unwrap();
        assert_eq!(threads().len(), 5, "two Workers, control, mirror and callbacks: {:?}", threads());
        drop((workers, manager));
        assert!(!router.closed(), "a Router keeps its Worker and its manager");
        assert!(!threads().is_empty());
        drop(router);
    });
    #[expect(clippy::disallowed_methods, reason = "a bound for a test that would wait for ever")]
    let (start, now) = (Instant::now(), Instant::now);
    // The two that serve the handles see a moment later that there are none.
    while !threads().is_empty() {
        assert!(now() - start < Duration::from_secs(20), "left behind: {:?}", threads());
        std::thread::yield_now();
    }
}
