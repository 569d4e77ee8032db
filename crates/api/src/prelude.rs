//! The names that nearly every application uses.

pub use crate::active_speaker_observer::{
    ActiveSpeakerObserver, ActiveSpeakerObserverDominantSpeaker, ActiveSpeakerObserverOptions,
    WeakActiveSpeakerObserver,
};
pub use crate::audio_level_observer::{
    AudioLevelObserver, AudioLevelObserverOptions, AudioLevelObserverVolume, WeakAudioLevelObserver,
};
pub use crate::consumer::{Consumer, ConsumerId, ConsumerOptions, WeakConsumer};
pub use crate::data_consumer::{
    DataConsumer, DataConsumerId, DataConsumerOptions, DirectDataConsumer, WeakDataConsumer,
};
pub use crate::data_producer::{
    DataProducer, DataProducerId, DataProducerOptions, DirectDataProducer, WeakDataProducer,
};
pub use crate::direct_transport::{DirectTransport, DirectTransportOptions, WeakDirectTransport};
pub use crate::error::{
    ConsumeDataError, ConsumeError, CreateRouterError, NotificationError, ProduceDataError, ProduceError,
    RequestError,
};
pub use crate::labels::Labels;
pub use crate::pipe_transport::{
    PipeTransport, PipeTransportOptions, PipeTransportRemoteParameters, WeakPipeTransport,
};
pub use crate::plain_transport::{
    PlainTransport, PlainTransportOptions, PlainTransportRemoteParameters, WeakPlainTransport,
};
pub use crate::producer::{
    DirectProducer, Producer, ProducerId, ProducerOptions, RegularProducer, WeakProducer,
};
pub use crate::router::{
    NewRtpObserver, NewTransport, PipeProducerToRouterError, PipeProducerToRouterPair, PipeToRouterOptions,
    Router, RouterId, RouterOptions,
};
pub use crate::rtp_observer::{RtpObserver, RtpObserverAddProducerOptions, RtpObserverId};
pub use crate::transport::{Transport, TransportGeneric, TransportId};
pub use crate::types::data_structures::{
    AppData, DtlsParameters, IceCandidate, IceParameters, ListenInfo, Protocol, WebRtcMessage,
};
pub use crate::types::rtp_parameters::{
    MediaKind, MimeType, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtcpParameters, RtpCapabilities,
    RtpCapabilitiesFinalized, RtpCodecCapability, RtpCodecParameters, RtpCodecParametersParameters,
    RtpCodecParametersParametersValue, RtpEncodingParameters, RtpEncodingParametersRtx, RtpHeaderExtension,
    RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpHeaderExtensionUri, RtpParameters,
};
pub use crate::webrtc_server::{
    WeakWebRtcServer, WebRtcServer, WebRtcServerId, WebRtcServerListenInfos, WebRtcServerOptions,
};
pub use crate::webrtc_transport::{
    WebRtcTransport, WebRtcTransportListen, WebRtcTransportListenInfos, WebRtcTransportOptions,
    WebRtcTransportRemoteParameters,
};
pub use crate::worker::{
    Worker, WorkerDtlsFiles, WorkerId, WorkerLogLevel, WorkerLogTag, WorkerSettings, WorkerUpdateSettings,
};
pub use crate::worker_manager::WorkerManager;
