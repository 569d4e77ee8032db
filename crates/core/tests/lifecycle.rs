//! A Worker of this machine from its beginning to its end, through the handles that applications use.

use std::num::{NonZeroU8, NonZeroU32};

use futures_lite::future::block_on;
use mafalda_core::prelude::*;
use mafalda_core::transport::Transport;

fn opus() -> RtpCodecCapability {
    RtpCodecCapability::Audio {
        mime_type: MimeTypeAudio::Opus,
        preferred_payload_type: None,
        clock_rate: const { NonZeroU32::new(48_000).unwrap() },
        channels: const { NonZeroU8::new(2).unwrap() },
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: vec![],
    }
}

#[test]
fn a_transport_listens_on_the_addresses_of_the_place_and_goes_with_its_router() {
    block_on(async {
        let manager = WorkerManager::new();
        let worker = manager.create_worker(WorkerSettings::default()).await.unwrap();
        let router = worker.create_router(RouterOptions::new(vec![opus()])).await.unwrap();
        let infos = WebRtcTransportListenInfos::new(ListenInfo::of_place(Protocol::Udp));
        let transport = router.create_webrtc_transport(WebRtcTransportOptions::new(infos)).await.unwrap();
        assert!(transport.ice_candidates().iter().any(|candidate| candidate.address == "127.0.0.1"));
        assert_eq!(router.dump().await.unwrap().transport_ids.len(), 1);
        transport.close();
        assert!(transport.closed());
        assert!(router.dump().await.unwrap().transport_ids.is_empty());
        worker.close();
        assert!(worker.closed());
    });
}
