//! The names that nearly every application uses.

pub use crate::consumer::{ConsumerId, ConsumerOptions};
pub use crate::error::{ConsumeError, CreateRouterError, ProduceError, RequestError};
pub use crate::labels::Labels;
pub use crate::producer::{ProducerId, ProducerOptions};
pub use crate::router::{RouterId, RouterOptions};
pub use crate::transport::TransportId;
pub use crate::types::data_structures::{AppData, DtlsParameters, IceCandidate, IceParameters, ListenInfo, Protocol};
pub use crate::types::rtp_parameters::{
    MediaKind, MimeType, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtcpParameters, RtpCapabilities,
    RtpCapabilitiesFinalized, RtpCodecCapability, RtpCodecParameters, RtpCodecParametersParameters,
    RtpCodecParametersParametersValue, RtpEncodingParameters, RtpEncodingParametersRtx, RtpHeaderExtension,
    RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpHeaderExtensionUri, RtpParameters,
};
pub use crate::webrtc_transport::{
    WebRtcTransportListen, WebRtcTransportListenInfos, WebRtcTransportOptions, WebRtcTransportRemoteParameters,
};
pub use crate::worker::{WorkerDtlsFiles, WorkerId, WorkerSettings};
