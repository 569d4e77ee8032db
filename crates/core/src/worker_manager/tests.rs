use std::sync::atomic::{AtomicBool, Ordering};

use crate::prelude::*;
use futures_lite::future::block_on;
use mafalda_api::error::{CreateRouterError, RequestError};
use mafalda_api::transport::Transport;

use super::{Arc, Executor};

fn on_loopback(port: u16, protocol: Protocol) -> WebRtcTransportOptions {
    let ip = std::net::IpAddr::from([127, 0, 0, 1]);
    let info = ListenInfo { ip, port: Some(port), ..ListenInfo::of_place(protocol) };
    let mut options = WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(info));
    options.enable_tcp = true;
    options
}

#[test]
fn a_call_to_a_worker_that_has_ended_fails_with_a_type() {
    block_on(async {
        let manager = WorkerManager::new();
        let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        let router = worker.create_router(RouterOptions::default()).await.unwrap();
        worker.close();
        let failure = router.dump().await.unwrap_err();
        assert!(
            matches!(failure, RequestError::NotFound { .. } | RequestError::ChannelClosed),
            "{failure:?}"
        );
        let failure = worker.create_router(RouterOptions::default()).await.unwrap_err();
        assert!(matches!(failure, CreateRouterError::Request(_)), "{failure:?}");
    });
}

#[test]
fn a_port_in_use_and_a_foreign_address_are_told_apart() {
    block_on(async {
        let manager = WorkerManager::new();
        let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        let router = worker.create_router(RouterOptions::default()).await.unwrap();
        for protocol in [Protocol::Udp, Protocol::Tcp] {
            let first = router.create_webrtc_transport(on_loopback(0, protocol)).await.unwrap();
            let port = first.ice_candidates()[0].port;
            let failure = router.create_webrtc_transport(on_loopback(port, protocol)).await.unwrap_err();
            assert!(matches!(failure, RequestError::NoPort { .. }), "{failure:?}");
            first.close();
            // Closing comes before the next call, so the port is free.
            router.create_webrtc_transport(on_loopback(port, protocol)).await.unwrap();
        }
        let ip = std::net::IpAddr::from([192, 0, 2, 1]);
        let info = ListenInfo { ip, ..ListenInfo::of_place(Protocol::Udp) };
        let options = WebRtcTransportOptions::new(WebRtcTransportListenInfos::new(info));
        let failure = router.create_webrtc_transport(options).await.unwrap_err();
        assert!(matches!(failure, RequestError::AddressUnavailable { .. }), "{failure:?}");
        assert_eq!(router.dump().await.unwrap().transport_ids.len(), 0);
    });
}

#[test]
fn callbacks_run_on_the_applications_executor() {
    let executor = Arc::new(Executor::new());
    let on_executor = Arc::new(AtomicBool::new(false));
    let own = std::thread::current().id();
    block_on(executor.run(async {
        let manager = WorkerManager::with_executor(Arc::clone(&executor));
        let seen = Arc::clone(&on_executor);
        let (called, mut call) = tokio::sync::mpsc::channel(1);
        manager
            .on_new_worker(move |_| {
                seen.store(std::thread::current().id() == own, Ordering::Relaxed);
                let _ = called.try_send(());
            })
            .detach();
        let _worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        call.recv().await.unwrap();
    }));
    assert!(on_executor.load(Ordering::Relaxed));
}
