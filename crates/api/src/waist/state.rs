//! What is known of an object at a moment: what snapshots carry, and what handles read.

use std::sync::Arc;

use super::Event;
use crate::consumer::{ConsumerScore, ConsumerType};
use crate::id::{
    ConsumerId, ObjectId, ProducerId, RouterId, SessionId, TransportId, WebRtcServerId, WorkerId,
};
use crate::labels::Labels;
use crate::producer::{ProducerScore, ProducerType};
use crate::types::data_structures::{
    DtlsParameters, DtlsState, IceCandidate, IceParameters, IceRole, IceState, TransportTuple,
};
use crate::types::rtp_parameters::{MediaKind, RtpCapabilitiesFinalized, RtpParameters};
use crate::types::srtp_parameters::SrtpParameters;

/// Who made an object and what was written on it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The session that owns it; `None` once it is detached.
    pub owner: Option<SessionId>,
    /// The application's labels.
    pub labels: Labels,
    /// The tags of the layers in between.
    pub tags: Vec<u8>,
}

/// A Worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkerState {
    /// Its id.
    pub id: WorkerId,
    /// Who made it.
    pub origin: Origin,
}

/// A WebRtcServer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WebRtcServerState {
    /// Its id.
    pub id: WebRtcServerId,
    /// Who made it.
    pub origin: Origin,
    /// The Worker that it lives in.
    pub worker: WorkerId,
}

/// A Router.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RouterState {
    /// Its id.
    pub id: RouterId,
    /// Who made it.
    pub origin: Origin,
    /// The Worker that it lives in.
    pub worker: WorkerId,
    /// What it can take and give.
    pub rtp_capabilities: RtpCapabilitiesFinalized,
}

/// A WebRtcTransport.
#[derive(Clone, PartialEq, Debug)]
pub struct WebRtcTransportState {
    /// Its id.
    pub id: TransportId,
    /// Who made it.
    pub origin: Origin,
    /// The Router that it belongs to.
    pub router: RouterId,
    /// The WebRtcServer that it listens on; `None`: it has sockets of its own.
    pub webrtc_server: Option<WebRtcServerId>,
    /// Always controlled: we are ICE-lite (RFC 8445 §2.5).
    pub ice_role: IceRole,
    /// Local ICE credentials.
    pub ice_parameters: Arc<IceParameters>,
    /// Local candidates.
    pub ice_candidates: Arc<[IceCandidate]>,
    /// Where ICE stands.
    pub ice_state: IceState,
    /// The pair of addresses that media goes over.
    pub ice_selected_tuple: Option<TransportTuple>,
    /// Local DTLS role and fingerprints.
    pub dtls_parameters: Arc<DtlsParameters>,
    /// Where DTLS stands.
    pub dtls_state: DtlsState,
    /// The peer's certificate in PEM, once connected.
    pub dtls_remote_cert: Option<Arc<str>>,
}

/// A PlainTransport.
#[derive(Clone, PartialEq, Debug)]
pub struct PlainTransportState {
    /// Its id.
    pub id: TransportId,
    /// Who made it.
    pub origin: Origin,
    /// The Router that it belongs to.
    pub router: RouterId,
    /// Addresses of RTP; the local one alone while the peer's isn't known.
    pub tuple: TransportTuple,
    /// Addresses of RTCP, where it has a port of its own.
    pub rtcp_tuple: Option<TransportTuple>,
    /// Suite and key of what is sent, where SRTP is enabled.
    pub srtp_parameters: Option<SrtpParameters>,
}

/// A Producer.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerState {
    /// Its id.
    pub id: ProducerId,
    /// Who made it.
    pub origin: Origin,
    /// The Transport that it comes in through.
    pub transport: TransportId,
    /// Audio or video.
    pub kind: MediaKind,
    /// One stream, several, or one with layers in it.
    pub r#type: ProducerType,
    /// What the endpoint sends.
    pub rtp_parameters: Arc<RtpParameters>,
    /// What Consumers can be offered, in the Router's own payload types and SSRCs.
    pub consumable_rtp_parameters: Arc<RtpParameters>,
    /// Whether it is paused.
    pub paused: bool,
    /// The quality of each of its RTP streams.
    pub score: Vec<ProducerScore>,
}

/// A Consumer.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerState {
    /// Its id.
    pub id: ConsumerId,
    /// Who made it.
    pub origin: Origin,
    /// The Transport that it goes out through.
    pub transport: TransportId,
    /// The Producer that it consumes.
    pub producer: ProducerId,
    /// Audio or video.
    pub kind: MediaKind,
    /// How it treats the Producer's streams.
    pub r#type: ConsumerType,
    /// What the endpoint receives.
    pub rtp_parameters: Arc<RtpParameters>,
    /// Whether it is paused itself.
    pub paused: bool,
    /// Whether its Producer is paused.
    pub producer_paused: bool,
    /// The quality of its stream.
    pub score: ConsumerScore,
}

/// Any object's state: shared by all who know it, until somebody hears of a change. What is large in it and seldom or never changes is
/// shared even then.
#[derive(Clone, PartialEq, Debug)]
pub enum ObjectState {
    /// A Worker.
    Worker(Arc<WorkerState>),
    /// A WebRtcServer.
    WebRtcServer(Arc<WebRtcServerState>),
    /// A Router.
    Router(Arc<RouterState>),
    /// A WebRtcTransport.
    WebRtcTransport(Arc<WebRtcTransportState>),
    /// A PlainTransport.
    PlainTransport(Arc<PlainTransportState>),
    /// A Producer.
    Producer(Arc<ProducerState>),
    /// A Consumer.
    Consumer(Arc<ConsumerState>),
}

impl ObjectState {
    /// The object's id.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        match self {
            Self::Worker(state) => state.id.into(),
            Self::WebRtcServer(state) => state.id.into(),
            Self::Router(state) => state.id.into(),
            Self::WebRtcTransport(state) => state.id.into(),
            Self::PlainTransport(state) => state.id.into(),
            Self::Producer(state) => state.id.into(),
            Self::Consumer(state) => state.id.into(),
        }
    }

    /// The object that this one lives in and dies with; `None` for a Worker.
    #[must_use]
    pub fn parent(&self) -> Option<ObjectId> {
        match self {
            Self::Worker(_) => None,
            Self::WebRtcServer(state) => Some(state.worker.into()),
            Self::Router(state) => Some(state.worker.into()),
            Self::WebRtcTransport(state) => Some(state.router.into()),
            Self::PlainTransport(state) => Some(state.router.into()),
            Self::Producer(state) => Some(state.transport.into()),
            Self::Consumer(state) => Some(state.transport.into()),
        }
    }

    /// The object that this one uses and dies with too, beside its parent.
    #[must_use]
    pub fn webrtc_server(&self) -> Option<ObjectId> {
        match self {
            Self::WebRtcTransport(state) => state.webrtc_server.map(Into::into),
            _ => None,
        }
    }

    /// Who made it.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Worker(state) => &state.origin,
            Self::WebRtcServer(state) => &state.origin,
            Self::Router(state) => &state.origin,
            Self::WebRtcTransport(state) => &state.origin,
            Self::PlainTransport(state) => &state.origin,
            Self::Producer(state) => &state.origin,
            Self::Consumer(state) => &state.origin,
        }
    }

    /// Takes over what an event of this object says. Events of other objects and of its beginning and end do nothing.
    pub fn apply(&mut self, event: &Event) {
        if event.subject() != self.id() {
            return;
        }
        if let Event::Detached { .. } = event {
            self.origin_mut().owner = None;
            return;
        }
        match self {
            Self::Worker(_) | Self::WebRtcServer(_) | Self::Router(_) => {}
            Self::WebRtcTransport(state) => Arc::make_mut(state).apply(event),
            Self::PlainTransport(state) => Arc::make_mut(state).apply(event),
            Self::Producer(state) => Arc::make_mut(state).apply(event),
            Self::Consumer(state) => Arc::make_mut(state).apply(event),
        }
    }

    fn origin_mut(&mut self) -> &mut Origin {
        match self {
            Self::Worker(state) => &mut Arc::make_mut(state).origin,
            Self::WebRtcServer(state) => &mut Arc::make_mut(state).origin,
            Self::Router(state) => &mut Arc::make_mut(state).origin,
            Self::WebRtcTransport(state) => &mut Arc::make_mut(state).origin,
            Self::PlainTransport(state) => &mut Arc::make_mut(state).origin,
            Self::Producer(state) => &mut Arc::make_mut(state).origin,
            Self::Consumer(state) => &mut Arc::make_mut(state).origin,
        }
    }
}

impl WebRtcTransportState {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::IceStateChanged { state, .. } => self.ice_state = *state,
            Event::IceSelectedTupleChanged { tuple, .. } => self.ice_selected_tuple.clone_from(tuple),
            Event::IceParametersChanged { parameters, .. } => self.ice_parameters.clone_from(parameters),
            Event::DtlsParametersChanged { parameters, .. } => self.dtls_parameters.clone_from(parameters),
            Event::DtlsStateChanged { state, remote_cert, .. } => {
                self.dtls_state = *state;
                self.dtls_remote_cert.clone_from(remote_cert);
            }
            _ => {}
        }
    }
}

impl PlainTransportState {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::TupleChanged { tuple, .. } => self.tuple.clone_from(tuple),
            Event::RtcpTupleChanged { tuple, .. } => self.rtcp_tuple = Some(tuple.clone()),
            Event::PlainTransportConnected { connection, .. } => {
                self.tuple.clone_from(&connection.tuple);
                self.rtcp_tuple.clone_from(&connection.rtcp_tuple);
                self.srtp_parameters.clone_from(&connection.srtp_parameters);
            }
            _ => {}
        }
    }
}

impl ProducerState {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::ProducerPaused { .. } => self.paused = true,
            Event::ProducerResumed { .. } => self.paused = false,
            Event::ProducerScoreChanged { score, .. } => self.score.clone_from(score),
            _ => {}
        }
    }
}

impl ConsumerState {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::ConsumerPaused { .. } => self.paused = true,
            Event::ConsumerResumed { .. } => self.paused = false,
            Event::ConsumerProducerPaused { .. } => self.producer_paused = true,
            Event::ConsumerProducerResumed { .. } => self.producer_paused = false,
            Event::ConsumerScoreChanged { score, .. } => self.score.clone_from(score),
            _ => {}
        }
    }
}
