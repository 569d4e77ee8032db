//! Pipes between Routers of a world, as an application makes them of a waist's operations. Their packets go over links of their own, so
//! that a test can make those worse and leave the clients' as they are.

use std::net::{IpAddr, Ipv4Addr};

use mafalda_api::id::{ConsumerId, ProducerId, RouterId, TransportId};
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::RtpCapabilities;
use mafalda_api::waist::{
    ConnectPipeTransport, Consume, CreatePipeTransport, ObjectState, PauseProducer, PipeTransportState,
    Produce, ResumeProducer,
};

use super::World;

/// The first two bytes of the addresses where pipes end.
const PIPES: [u8; 2] = [10, 200];

/// How a pipe is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct PipeSettings {
    /// Whether lost packets are asked for again.
    pub rtx: bool,
    /// Whether packets are protected.
    pub srtp: bool,
}

/// A Producer on its way from one Router to another.
#[derive(Clone, Copy, Debug)]
pub struct Pipe {
    /// The end at the Producer's Router.
    pub here: TransportId,
    /// The end at the other one.
    pub there: TransportId,
    /// What consumes the Producer.
    pub consumer: ConsumerId,
    /// The Producer at the other Router.
    pub producer: ProducerId,
}

/// Where the pipes of a Router's side end: the sending side of a pipe, or the receiving one. Conditions of the network are set there.
#[must_use]
pub fn pipe_host(receiving: bool) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(PIPES[0], PIPES[1], 0, 1 + u8::from(receiving)))
}

pub(super) fn is_pipe_host(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.octets()[..2] == PIPES)
}

impl World {
    /// Makes a pair of PipeTransports between two Routers.
    ///
    /// # Panics
    /// When a step is refused.
    pub fn join_routers(&mut self, from: RouterId, to: RouterId, settings: PipeSettings) -> [TransportId; 2] {
        let ends = [(from, false), (to, true)].map(|(router, receiving)| {
            let ip = pipe_host(receiving);
            let id = TransportId::new();
            let create = CreatePipeTransport {
                id,
                router,
                listen_info: ListenInfo { ip, ..ListenInfo::of_place(Protocol::Udp) },
                enable_rtx: settings.rtx,
                enable_srtp: settings.srtp,
            };
            self.call(create).expect("a PipeTransport");
            id
        });
        let [here, there] = ends;
        for (id, other, receiving) in [(here, there, true), (there, here, false)] {
            let state = self.pipe_transport_state(other);
            let connect = ConnectPipeTransport {
                id,
                ip: pipe_host(receiving),
                port: state.tuple.local_port(),
                srtp_parameters: state.srtp_parameters.clone(),
            };
            self.call(connect).expect("connected");
        }
        ends
    }

    /// Carries a Producer over such a pair.
    ///
    /// # Panics
    /// When a step is refused.
    pub fn pipe(&mut self, producer: ProducerId, [here, there]: [TransportId; 2]) -> Pipe {
        let consumer = ConsumerId::new();
        let consume = Consume {
            id: consumer,
            transport: here,
            producer,
            rtp_capabilities: RtpCapabilities::default(),
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        };
        self.call(consume).expect("a pipe Consumer");
        let state = self.consumer_state(consumer).clone();
        let piped = ProducerId::new();
        let produce = Produce {
            id: piped,
            transport: there,
            kind: state.kind,
            rtp_parameters: (*state.rtp_parameters).clone(),
            paused: state.producer_paused,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        };
        self.call(produce).expect("a piped Producer");
        Pipe { here, there, consumer, producer: piped }
    }

    /// Pauses or resumes a Producer, and what carries it on, as handles do.
    ///
    /// # Panics
    /// When it is refused.
    pub fn set_paused(&mut self, producer: ProducerId, pipe: &Pipe, paused: bool) {
        for id in [producer, pipe.producer] {
            let done =
                if paused { self.call(PauseProducer { id }) } else { self.call(ResumeProducer { id }) };
            done.expect("done");
        }
        assert_eq!(self.consumer_state(pipe.consumer).producer_paused, paused);
    }

    /// What is known of a PipeTransport.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn pipe_transport_state(&self, id: TransportId) -> &PipeTransportState {
        match self.object(id) {
            Some(ObjectState::PipeTransport(state)) => state,
            other => panic!("{id} is {other:?}"),
        }
    }
}
