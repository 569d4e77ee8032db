//! Everything that can happen to an object.

use std::sync::Arc;

use super::ObjectState;
use crate::consumer::{ConsumerScore, ConsumerTraceEventData};
use crate::id::{
    ConsumerId, DataConsumerId, DataProducerId, ObjectId, ProducerId, RouterId, RtpObserverId, TransportId,
};
use crate::producer::{ProducerScore, ProducerTraceEventData, ProducerVideoOrientation};
use crate::router::UpdateMediaCodecsError;
use crate::transport::TransportTraceEventData;
use crate::types::data_structures::{DtlsParameters, DtlsState, IceParameters, IceState, TransportTuple};
use crate::types::rtp_parameters::RtpCapabilitiesFinalized;
use crate::types::srtp_parameters::SrtpParameters;

/// Something happened. Events of one object come in the order in which they happened.
///
/// Most change what is known of an object: they have a position in the log, and nobody who watches misses what they add up to.
/// Some only pass by: see [`Event::is_passing`].
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// An object was created.
    Appeared(ObjectState),
    /// An object is gone. A parent's event comes before its children's.
    Closed {
        /// Which one.
        id: ObjectId,
        /// Why.
        cause: CloseCause,
    },
    /// An object belongs to nobody from now on.
    Detached {
        /// Which one.
        id: ObjectId,
    },
    /// A Router has other codecs, for what is created in it from now on.
    RtpCapabilitiesChanged {
        /// The Router.
        id: RouterId,
        /// What it can take and give.
        rtp_capabilities: Arc<RtpCapabilitiesFinalized>,
    },
    /// The backend didn't take the codecs of `update_media_codecs`: the Router has those from before. No backend says this: the
    /// handles do, when the call fails.
    MediaCodecsRefused {
        /// The Router.
        id: RouterId,
        /// Why.
        error: Box<UpdateMediaCodecsError>,
    },
    /// A WebRtcTransport's ICE state changed.
    IceStateChanged {
        /// The Transport.
        id: TransportId,
        /// The new state.
        state: IceState,
    },
    /// Media goes over another pair of addresses from now on.
    IceSelectedTupleChanged {
        /// The Transport.
        id: TransportId,
        /// The new tuple; `None` when no one is left.
        tuple: Option<TransportTuple>,
    },
    /// An ICE restart gave the Transport new credentials.
    IceParametersChanged {
        /// The Transport.
        id: TransportId,
        /// The new credentials.
        parameters: Arc<IceParameters>,
    },
    /// `connect` settled the DTLS role.
    DtlsParametersChanged {
        /// The Transport.
        id: TransportId,
        /// The local parameters with their final role.
        parameters: Arc<DtlsParameters>,
    },
    /// A WebRtcTransport's DTLS state changed.
    DtlsStateChanged {
        /// The Transport.
        id: TransportId,
        /// The new state.
        state: DtlsState,
        /// The peer's certificate in PEM, once connected.
        remote_cert: Option<Arc<str>>,
    },
    /// `connect` said who a PlainTransport's peer is.
    PlainTransportConnected {
        /// The Transport.
        id: TransportId,
        /// What is known of the peer by now. Boxed: logs keep thousands of events, each as large as the largest.
        connection: Box<PlainConnection>,
    },
    /// Comedia has learnt the address of a PlainTransport's peer, or `connect` has named that of a PipeTransport.
    TupleChanged {
        /// The Transport.
        id: TransportId,
        /// The addresses of RTP.
        tuple: TransportTuple,
    },
    /// Comedia has learnt the address that a PlainTransport's peer sends RTCP from.
    RtcpTupleChanged {
        /// The Transport.
        id: TransportId,
        /// The addresses of RTCP.
        tuple: TransportTuple,
    },
    /// A Producer was paused.
    ProducerPaused {
        /// The Producer.
        id: ProducerId,
    },
    /// A Producer was resumed.
    ProducerResumed {
        /// The Producer.
        id: ProducerId,
    },
    /// The quality of a Producer's streams changed.
    ProducerScoreChanged {
        /// The Producer.
        id: ProducerId,
        /// One entry per RTP stream.
        score: Vec<ProducerScore>,
    },
    /// The picture of a Producer lies otherwise than before, or its packets tell for the first time.
    ProducerVideoOrientationChanged {
        /// The Producer.
        id: ProducerId,
        /// How it lies.
        orientation: ProducerVideoOrientation,
    },
    /// A Consumer was paused.
    ConsumerPaused {
        /// The Consumer.
        id: ConsumerId,
    },
    /// A Consumer was resumed.
    ConsumerResumed {
        /// The Consumer.
        id: ConsumerId,
    },
    /// The Producer of a Consumer was paused.
    ConsumerProducerPaused {
        /// The Consumer.
        id: ConsumerId,
    },
    /// The Producer of a Consumer was resumed.
    ConsumerProducerResumed {
        /// The Consumer.
        id: ConsumerId,
    },
    /// The quality of a Consumer's stream changed.
    ConsumerScoreChanged {
        /// The Consumer.
        id: ConsumerId,
        /// The new score.
        score: ConsumerScore,
    },
    /// Something that is traced happened on a Transport. It passes by.
    TransportTraced {
        /// The Transport.
        id: TransportId,
        /// What. Shared: each who watches gets it.
        trace: Arc<TransportTraceEventData>,
    },
    /// Something that is traced came to a Producer, or left it. It passes by.
    ProducerTraced {
        /// The Producer.
        id: ProducerId,
        /// What.
        trace: Arc<ProducerTraceEventData>,
    },
    /// Something that is traced came to a Consumer, or left it. It passes by.
    ConsumerTraced {
        /// The Consumer.
        id: ConsumerId,
        /// What.
        trace: Arc<ConsumerTraceEventData>,
    },
    /// A DataProducer was paused.
    DataProducerPaused {
        /// The DataProducer.
        id: DataProducerId,
    },
    /// A DataProducer was resumed.
    DataProducerResumed {
        /// The DataProducer.
        id: DataProducerId,
    },
    /// A DataConsumer was paused.
    DataConsumerPaused {
        /// The DataConsumer.
        id: DataConsumerId,
    },
    /// A DataConsumer was resumed.
    DataConsumerResumed {
        /// The DataConsumer.
        id: DataConsumerId,
    },
    /// The DataProducer of a DataConsumer was paused.
    DataConsumerDataProducerPaused {
        /// The DataConsumer.
        id: DataConsumerId,
    },
    /// The DataProducer of a DataConsumer was resumed.
    DataConsumerDataProducerResumed {
        /// The DataConsumer.
        id: DataConsumerId,
    },
    /// A DataConsumer has subscribed to others than before.
    SubchannelsChanged {
        /// The DataConsumer.
        id: DataConsumerId,
        /// All that it has subscribed to, in order.
        subchannels: Arc<[u16]>,
    },
    /// An RtpObserver was paused.
    RtpObserverPaused {
        /// The RtpObserver.
        id: RtpObserverId,
    },
    /// An RtpObserver was resumed.
    RtpObserverResumed {
        /// The RtpObserver.
        id: RtpObserverId,
    },
    /// An RtpObserver listens to one more Producer.
    RtpObserverProducerAdded {
        /// The RtpObserver.
        id: RtpObserverId,
        /// The Producer.
        producer: ProducerId,
    },
    /// An RtpObserver listens to one Producer less: it was removed, or has closed.
    RtpObserverProducerRemoved {
        /// The RtpObserver.
        id: RtpObserverId,
        /// The Producer.
        producer: ProducerId,
    },
    /// Another Producer speaks than before. It doesn't pass by: who comes late wants to know who speaks, and changes are rare.
    DominantSpeaker {
        /// The ActiveSpeakerObserver.
        id: RtpObserverId,
        /// The Producer.
        producer: ProducerId,
    },
    /// An AudioLevelObserver has heard somebody. It passes by.
    Volumes {
        /// The AudioLevelObserver.
        id: RtpObserverId,
        /// The loudest first.
        volumes: Vec<Volume>,
    },
    /// An AudioLevelObserver that had heard somebody hears nobody any more. It passes by.
    Silence {
        /// The AudioLevelObserver.
        id: RtpObserverId,
    },
}

/// How loud a Producer was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Volume {
    /// The Producer.
    pub producer: ProducerId,
    /// On average, in dBov: -127 (silence) to 0 (as loud as can be).
    pub volume: i8,
}

/// A PlainTransport's connection, as `connect` settled it.
#[derive(Clone, PartialEq, Debug)]
pub struct PlainConnection {
    /// The addresses of RTP; with comedia the peer's may still be to come.
    pub tuple: TransportTuple,
    /// The addresses of RTCP, where it has a port of its own.
    pub rtcp_tuple: Option<TransportTuple>,
    /// Suite and key of what it sends: new ones, where the peer has chosen another suite.
    pub srtp_parameters: Option<SrtpParameters>,
}

impl Event {
    /// The object that this happened to.
    #[must_use]
    pub fn subject(&self) -> ObjectId {
        match self {
            Self::Appeared(state) => state.id(),
            Self::Closed { id, .. } | Self::Detached { id } => *id,
            Self::RtpCapabilitiesChanged { id, .. } | Self::MediaCodecsRefused { id, .. } => (*id).into(),
            Self::IceStateChanged { id, .. }
            | Self::IceSelectedTupleChanged { id, .. }
            | Self::IceParametersChanged { id, .. }
            | Self::DtlsParametersChanged { id, .. }
            | Self::DtlsStateChanged { id, .. }
            | Self::PlainTransportConnected { id, .. }
            | Self::TupleChanged { id, .. }
            | Self::RtcpTupleChanged { id, .. }
            | Self::TransportTraced { id, .. } => (*id).into(),
            Self::ProducerPaused { id }
            | Self::ProducerResumed { id }
            | Self::ProducerScoreChanged { id, .. }
            | Self::ProducerVideoOrientationChanged { id, .. }
            | Self::ProducerTraced { id, .. } => (*id).into(),
            Self::ConsumerPaused { id }
            | Self::ConsumerResumed { id }
            | Self::ConsumerProducerPaused { id }
            | Self::ConsumerProducerResumed { id }
            | Self::ConsumerScoreChanged { id, .. }
            | Self::ConsumerTraced { id, .. } => (*id).into(),
            Self::DataProducerPaused { id } | Self::DataProducerResumed { id } => (*id).into(),
            Self::DataConsumerPaused { id }
            | Self::DataConsumerResumed { id }
            | Self::DataConsumerDataProducerPaused { id }
            | Self::DataConsumerDataProducerResumed { id }
            | Self::SubchannelsChanged { id, .. } => (*id).into(),
            Self::RtpObserverPaused { id }
            | Self::RtpObserverResumed { id }
            | Self::RtpObserverProducerAdded { id, .. }
            | Self::RtpObserverProducerRemoved { id, .. }
            | Self::DominantSpeaker { id, .. }
            | Self::Volumes { id, .. }
            | Self::Silence { id } => (*id).into(),
        }
    }

    /// Whether it changes nothing that is known of its object, and is worth something to those alone who are there when it
    /// happens.
    ///
    /// Such an event has no position: it travels as [`Update::Passing`](super::Update::Passing), isn't kept in the log, and
    /// nobody who comes back is told of it. Where it comes faster than somebody reads it is left out and counted, at each of the
    /// three places that have a bound: the Worker's turn, the queue of a watch, the queue of callbacks.
    ///
    /// To add one: its variant, its line in [`Event::subject`], its line here, and the handle's method that calls back
    /// for it. State and log have nothing to do with it.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::TransportTraced { .. }
                | Self::ProducerTraced { .. }
                | Self::ConsumerTraced { .. }
                | Self::Volumes { .. }
        )
    }
}

/// Why an object is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum CloseCause {
    /// Somebody closed it, or dropped its last owning handle.
    Requested,
    /// Its Worker closed.
    WorkerClosed,
    /// The WebRtcServer that it listened on closed.
    WebRtcServerClosed,
    /// Its Router closed.
    RouterClosed,
    /// Its Transport closed.
    TransportClosed,
    /// The Producer that it consumed closed.
    ProducerClosed,
    /// The DataProducer that it consumed closed.
    DataProducerClosed,
    /// Its Worker's thread ended by itself: a bug, described by this text.
    Died(String),
    /// The backend ended, or can't be reached any more. No backend says this: the handles do when their watch ends.
    BackendEnded,
}

impl CloseCause {
    /// Why what lives in an object, or uses it, goes with it.
    #[must_use]
    pub fn of_parent(parent: ObjectId) -> Self {
        match parent {
            ObjectId::Worker(_) => Self::WorkerClosed,
            ObjectId::WebRtcServer(_) => Self::WebRtcServerClosed,
            ObjectId::Router(_) => Self::RouterClosed,
            ObjectId::Transport(_) => Self::TransportClosed,
            ObjectId::Producer(_) => Self::ProducerClosed,
            ObjectId::DataProducer(_) => Self::DataProducerClosed,
            ObjectId::Consumer(_) | ObjectId::RtpObserver(_) | ObjectId::DataConsumer(_) => Self::Requested,
        }
    }
}
