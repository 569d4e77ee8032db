use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::consumer::{ConsumerScore, ConsumerType};
use crate::data_consumer::DataConsumerType;
use crate::data_producer::DataProducerType;
use crate::id::{
    ConsumerId, DataConsumerId, DataProducerId, ProducerId, RouterId, RtpObserverId, SessionId, TransportId,
    WorkerId,
};
use crate::producer::{ProducerScore, ProducerType, ProducerVideoOrientation, Rotation};
use crate::supported_rtp_capabilities::get_supported_rtp_capabilities;
use crate::types::data_structures::{
    DtlsParameters, DtlsRole, DtlsState, IceParameters, IceRole, IceState, Protocol, TransportTuple,
};
use crate::types::rtp_parameters::{MediaKind, RtpCapabilitiesFinalized};
use crate::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use crate::waist::{ChannelNames, Origin, RtpObserverKind};

/// Numbers that stand for one value each of all that can change.
type Seed = [u8; 8];

fn pick<T: Clone>(seed: u8, values: &[T]) -> T {
    values[usize::from(seed) % values.len()].clone()
}

fn origin(seed: Seed, session: SessionId) -> Origin {
    Origin { owner: pick(seed[0], &[Some(session), None]), ..Origin::default() }
}

fn transport(seed: Seed, id: TransportId, session: SessionId) -> ObjectState {
    let tuple = |local_port| TransportTuple::LocalOnly {
        local_address: "192.0.2.1".to_owned(),
        local_port,
        protocol: Protocol::Udp,
    };
    ObjectState::WebRtcTransport(Arc::new(WebRtcTransportState {
        id,
        origin: origin(seed, session),
        router: RouterId::from(uuid::Uuid::nil()),
        webrtc_server: None,
        ice_role: IceRole::Controlled,
        ice_parameters: Arc::new(IceParameters {
            username_fragment: pick(seed[1], &["a".to_owned(), "b".to_owned()]),
            password: String::new(),
            ice_lite: Some(true),
        }),
        ice_candidates: Arc::default(),
        ice_state: pick(seed[2], &[IceState::New, IceState::Connected, IceState::Disconnected]),
        ice_selected_tuple: pick(seed[3], &[None, Some(tuple(1)), Some(tuple(2))]),
        dtls_parameters: Arc::new(DtlsParameters {
            role: pick(seed[4], &[DtlsRole::Auto, DtlsRole::Server]),
            fingerprints: Vec::new(),
        }),
        dtls_state: pick(seed[5], &[DtlsState::New, DtlsState::Connected, DtlsState::Failed]),
        dtls_remote_cert: pick(seed[6], &[None, Some("cert".into())]),
    }))
}

fn router(seed: Seed, id: RouterId, session: SessionId) -> ObjectState {
    let some = get_supported_rtp_capabilities();
    let rtp_capabilities = RtpCapabilitiesFinalized {
        codecs: Vec::new(),
        header_extensions: pick(seed[1], &[Vec::new(), some.header_extensions]),
    };
    ObjectState::Router(Arc::new(RouterState {
        id,
        origin: origin(seed, session),
        worker: WorkerId::from(uuid::Uuid::nil()),
        rtp_capabilities: Arc::new(rtp_capabilities),
    }))
}

fn pipe_transport(seed: Seed, id: TransportId, session: SessionId) -> ObjectState {
    let ObjectState::PlainTransport(plain) = plain_transport(seed, id, session) else {
        unreachable!("it is one")
    };
    ObjectState::PipeTransport(Arc::new(PipeTransportState {
        id,
        origin: origin(seed, session),
        router: plain.router,
        tuple: plain.tuple.clone(),
        srtp_parameters: None,
    }))
}

fn plain_transport(seed: Seed, id: TransportId, session: SessionId) -> ObjectState {
    let tuple = |remote: Option<u16>| match remote {
        Some(remote_port) => TransportTuple::WithRemote {
            local_address: "192.0.2.1".to_owned(),
            local_port: 1,
            remote_ip: [192, 0, 2, 2].into(),
            remote_port,
            protocol: Protocol::Udp,
        },
        None => TransportTuple::LocalOnly {
            local_address: "192.0.2.1".to_owned(),
            local_port: 1,
            protocol: Protocol::Udp,
        },
    };
    let key = |key: &str| SrtpParameters {
        crypto_suite: SrtpCryptoSuite::AeadAes128Gcm,
        key_base64: key.to_owned(),
    };
    ObjectState::PlainTransport(Arc::new(PlainTransportState {
        id,
        origin: origin(seed, session),
        router: RouterId::from(uuid::Uuid::nil()),
        tuple: pick(seed[1], &[tuple(None), tuple(Some(1)), tuple(Some(2))]),
        rtcp_tuple: Some(pick(seed[2], &[tuple(None), tuple(Some(1)), tuple(Some(2))])),
        srtp_parameters: Some(pick(seed[3], &[key("a"), key("b")])),
    }))
}

fn producer(seed: Seed, id: ProducerId, session: SessionId) -> ObjectState {
    let score = ProducerScore { encoding_idx: 0, ssrc: 1, rid: None, score: seed[2] % 3 };
    ObjectState::Producer(Arc::new(ProducerState {
        id,
        alias: None,
        origin: origin(seed, session),
        transport: TransportId::from(uuid::Uuid::nil()),
        kind: MediaKind::Audio,
        r#type: ProducerType::Simple,
        rtp_parameters: Arc::default(),
        consumable_rtp_parameters: Arc::default(),
        paused: pick(seed[1], &[true, false]),
        score: vec![score],
        video_orientation: Some(ProducerVideoOrientation {
            camera: pick(seed[3], &[true, false]),
            flip: false,
            rotation: pick(seed[4], &[Rotation::None, Rotation::Clockwise]),
        }),
    }))
}

fn consumer(seed: Seed, id: ConsumerId, session: SessionId) -> ObjectState {
    ObjectState::Consumer(Arc::new(ConsumerState {
        id,
        producer_alias: None,
        origin: origin(seed, session),
        transport: TransportId::from(uuid::Uuid::nil()),
        producer: ProducerId::from(uuid::Uuid::nil()),
        kind: MediaKind::Audio,
        r#type: ConsumerType::Simple,
        rtp_parameters: Arc::default(),
        paused: pick(seed[1], &[true, false]),
        producer_paused: pick(seed[2], &[true, false]),
        score: ConsumerScore { score: seed[3] % 3, producer_score: 0, producer_scores: Vec::new() },
    }))
}

fn rtp_observer(seed: Seed, id: RtpObserverId, session: SessionId) -> ObjectState {
    let producer = |number: u128| uuid::Uuid::from_u128(number).into();
    // Somebody speaks as soon as somebody is there.
    let heard: BTreeSet<ProducerId> = (0..3).filter(|bit| seed[2] & 1 << bit != 0).map(producer).collect();
    let spoken: Vec<_> = heard.iter().copied().map(Some).collect();
    let kind = RtpObserverKind::ActiveSpeaker {
        interval: 300,
        dominant_speaker: if spoken.is_empty() { None } else { pick(seed[3], &spoken) },
    };
    ObjectState::RtpObserver(Arc::new(RtpObserverState {
        id,
        origin: origin(seed, session),
        router: RouterId::from(uuid::Uuid::nil()),
        kind,
        paused: pick(seed[1], &[true, false]),
        producers: heard,
    }))
}

fn data_producer(seed: Seed, id: DataProducerId, session: SessionId) -> ObjectState {
    ObjectState::DataProducer(Arc::new(DataProducerState {
        id,
        origin: origin(seed, session),
        transport: TransportId::from(uuid::Uuid::nil()),
        r#type: DataProducerType::Direct,
        names: names(),
        paused: pick(seed[1], &[true, false]),
    }))
}

fn data_consumer(seed: Seed, id: DataConsumerId, session: SessionId) -> ObjectState {
    ObjectState::DataConsumer(Arc::new(DataConsumerState {
        id,
        origin: origin(seed, session),
        transport: TransportId::from(uuid::Uuid::nil()),
        data_producer: DataProducerId::from(uuid::Uuid::nil()),
        r#type: DataConsumerType::Direct,
        names: names(),
        subchannels: (0..seed[3] % 3).map(u16::from).collect(),
        paused: pick(seed[1], &[true, false]),
        data_producer_paused: pick(seed[2], &[true, false]),
    }))
}

fn names() -> Arc<ChannelNames> {
    Arc::new(ChannelNames { label: String::new(), protocol: String::new() })
}

proptest! {
    #[test]
    fn its_events_make_the_old_state_new(old: Seed, new: Seed) {
        let session = SessionId::new();
        let (transport_id, producer_id, consumer_id) = (TransportId::new(), ProducerId::new(), ConsumerId::new());
        let observer_id = RtpObserverId::new();
        let (data_producer_id, data_consumer_id) = (DataProducerId::new(), DataConsumerId::new());
        let mut old = old;
        if new[0] % 2 == 0 {
            // What is nobody's stays so.
            old[0] = 0;
        }
        let router_id = RouterId::new();
        for (old, new) in [
            (router(old, router_id, session), router(new, router_id, session)),
            (transport(old, transport_id, session), transport(new, transport_id, session)),
            (plain_transport(old, transport_id, session), plain_transport(new, transport_id, session)),
            (pipe_transport(old, transport_id, session), pipe_transport(new, transport_id, session)),
            (producer(old, producer_id, session), producer(new, producer_id, session)),
            (consumer(old, consumer_id, session), consumer(new, consumer_id, session)),
            (rtp_observer(old, observer_id, session), rtp_observer(new, observer_id, session)),
            (data_producer(old, data_producer_id, session), data_producer(new, data_producer_id, session)),
            (data_consumer(old, data_consumer_id, session), data_consumer(new, data_consumer_id, session)),
        ] {
            let mut state = old.clone();
            let events = difference(&old, &new);
            events.iter().for_each(|event| state.apply(event));
            prop_assert_eq!(&state, &new);
            prop_assert!(difference(&new, &new).is_empty());
        }
    }
}
