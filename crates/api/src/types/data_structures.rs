//! Transport-level words: where to listen, ICE, DTLS, tuples, data channel messages and trace events.

mod app_data;
mod dtls;
mod ice;
mod listen_info;
mod message;
mod trace;
mod tuple;

pub use app_data::AppData;
pub use dtls::{DtlsFingerprint, DtlsParameters, DtlsRole, DtlsState};
pub use ice::{IceCandidate, IceCandidateTcpType, IceCandidateType, IceParameters, IceRole, IceState};
pub use listen_info::{ListenInfo, Protocol, SocketFlags};
pub use message::{OwnedWebRtcMessage, SctpState, WebRtcMessage};
pub use trace::{BweTraceInfo, RtpPacketTraceInfo, SrTraceInfo, SsrcTraceInfo, TraceEventDirection};
pub use tuple::TransportTuple;
