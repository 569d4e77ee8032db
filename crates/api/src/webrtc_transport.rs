//! A WebRtcTransport: the way of media between a browser and a Router, over ICE, DTLS and SRTP.

mod handle;

use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::handle::{WeakWebRtcTransport, WebRtcTransport};
use crate::id::{ConsumerId, ProducerId, TransportId};
use crate::labels::Labels;
use crate::socket::SocketDump;
use crate::transport::{RecvRtpHeaderExtensions, RtpListener, TransportTraceEventType};
use crate::types::data_structures::{
    AppData, DtlsParameters, DtlsState, IceCandidate, IceParameters, IceRole, IceState, ListenInfo,
    TransportTuple,
};
use crate::webrtc_server::WebRtcServer;

/// Where a WebRtcTransport listens: one address at least.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(transparent)]
pub struct WebRtcTransportListenInfos(Vec<ListenInfo>);

impl WebRtcTransportListenInfos {
    /// One address.
    #[must_use]
    pub fn new(listen_info: ListenInfo) -> Self {
        Self(vec![listen_info])
    }

    /// One more address; the first has the highest priority.
    #[must_use]
    pub fn insert(mut self, listen_info: ListenInfo) -> Self {
        self.0.push(listen_info);
        self
    }

    pub(crate) fn into_inner(self) -> Vec<ListenInfo> {
        self.0
    }
}

impl Deref for WebRtcTransportListenInfos {
    type Target = Vec<ListenInfo>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A WebRtcTransport has to listen somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("Empty list of listen IPs provided, should have at least one element")]
pub struct EmptyListError;

impl TryFrom<Vec<ListenInfo>> for WebRtcTransportListenInfos {
    type Error = EmptyListError;
    fn try_from(listen_infos: Vec<ListenInfo>) -> Result<Self, Self::Error> {
        if listen_infos.is_empty() { Err(EmptyListError) } else { Ok(Self(listen_infos)) }
    }
}

/// Whose sockets a WebRtcTransport uses.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WebRtcTransportListen {
    /// Its own.
    Individual {
        /// Where it listens.
        listen_infos: WebRtcTransportListenInfos,
    },
    /// Those of a WebRtcServer, which it keeps.
    Server {
        /// The server, of the Router's Worker.
        webrtc_server: WebRtcServer,
    },
}

/// How a WebRtcTransport is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WebRtcTransportOptions {
    /// Where it listens.
    pub listen: WebRtcTransportListen,
    /// Whether UDP addresses are used. Default true.
    pub enable_udp: bool,
    /// Whether TCP addresses are used. Default false; with a WebRtcServer true.
    pub enable_tcp: bool,
    /// Give UDP candidates the higher priority. Default false.
    pub prefer_udp: bool,
    /// Give TCP candidates the higher priority. Default false.
    pub prefer_tcp: bool,
    /// Seconds without a consent check (RFC 7675) until ICE is disconnected: 0 (never) or 10 to 60. Default 30.
    pub ice_consent_timeout: u8,
    /// Most bits per second that the endpoint shall send; `None`, the default, is no limit.
    pub max_incoming_bitrate: Option<u64>,
    /// What travels with the Transport and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Transport in this process.
    pub app_data: AppData,
}

impl WebRtcTransportOptions {
    /// A Transport with sockets of its own.
    #[must_use]
    pub fn new(listen_infos: WebRtcTransportListenInfos) -> Self {
        Self::listening(WebRtcTransportListen::Individual { listen_infos }, false)
    }

    /// A Transport that shares a WebRtcServer's sockets, over UDP and TCP.
    #[must_use]
    pub fn new_with_server(webrtc_server: WebRtcServer) -> Self {
        Self::listening(WebRtcTransportListen::Server { webrtc_server }, true)
    }

    fn listening(listen: WebRtcTransportListen, enable_tcp: bool) -> Self {
        Self {
            listen,
            enable_udp: true,
            enable_tcp,
            prefer_udp: false,
            prefer_tcp: false,
            ice_consent_timeout: 30,
            max_incoming_bitrate: None,
            labels: Labels::default(),
            app_data: AppData::default(),
        }
    }
}

/// What the endpoint tells of itself for `connect`.
#[derive(Clone, PartialEq, PartialOrd, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebRtcTransportRemoteParameters {
    /// Its DTLS role and fingerprints.
    pub dtls_parameters: DtlsParameters,
}

/// What a WebRtcTransport holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebRtcTransportDump {
    /// Its id.
    pub id: TransportId,
    /// False: its media go over the network.
    pub direct: bool,
    /// Its Producers.
    pub producer_ids: Vec<ProducerId>,
    /// Its Consumers.
    pub consumer_ids: Vec<ConsumerId>,
    /// The Consumer that sends with an SSRC.
    pub map_ssrc_consumer_id: HashMap<u32, ConsumerId>,
    /// The Consumer that retransmits with an SSRC.
    pub map_rtx_ssrc_consumer_id: HashMap<u32, ConsumerId>,
    /// Header extension ids of the endpoint.
    pub recv_rtp_header_extensions: RecvRtpHeaderExtensions,
    /// How it finds the Producer of a packet.
    pub rtp_listener: RtpListener,
    /// What is traced.
    pub trace_event_types: Vec<TransportTraceEventType>,
    /// Its own listening sockets, with what the kernel gave them; none where they are a WebRtcServer's. mediasoup has no such field.
    pub sockets: Vec<SocketDump>,
    /// Local DTLS role and fingerprints.
    pub dtls_parameters: DtlsParameters,
    /// Where DTLS stands.
    pub dtls_state: DtlsState,
    /// Local candidates.
    pub ice_candidates: Vec<IceCandidate>,
    /// Local credentials.
    pub ice_parameters: IceParameters,
    /// Always controlled.
    pub ice_role: IceRole,
    /// Where ICE stands.
    pub ice_state: IceState,
    /// The pair of addresses that media goes over.
    pub ice_selected_tuple: Option<TransportTuple>,
}

/// What went over a WebRtcTransport. Bytes are since its creation, bitrates are bits per second of late.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WebRtcTransportStat {
    /// The Transport.
    pub transport_id: TransportId,
    /// When this was taken: milliseconds since the Unix epoch.
    pub timestamp: u64,
    /// All bytes received.
    pub bytes_received: u64,
    /// All bits per second received.
    pub recv_bitrate: u64,
    /// All bytes sent.
    pub bytes_sent: u64,
    /// All bits per second sent.
    pub send_bitrate: u64,
    /// Bytes of RTP packets received, without retransmissions.
    pub rtp_bytes_received: u64,
    /// Bits per second of RTP received, without retransmissions.
    pub rtp_recv_bitrate: u64,
    /// Bytes of RTP packets sent, without retransmissions.
    pub rtp_bytes_sent: u64,
    /// Bits per second of RTP sent, without retransmissions.
    pub rtp_send_bitrate: u64,
    /// Bytes of retransmissions received.
    pub rtx_bytes_received: u64,
    /// Bits per second of retransmissions received.
    pub rtx_recv_bitrate: u64,
    /// Bytes of retransmissions sent.
    pub rtx_bytes_sent: u64,
    /// Bits per second of retransmissions sent.
    pub rtx_send_bitrate: u64,
    /// Bytes sent to find out what the path carries: none yet, since nothing probes.
    pub probation_bytes_sent: u64,
    /// Bits per second sent to find out what the path carries.
    pub probation_send_bitrate: u64,
    /// Bits per second that the endpoint says it can take (REMB), if it says.
    pub available_outgoing_bitrate: Option<u64>,
    /// The limit of what the endpoint shall send, where one is set.
    pub max_incoming_bitrate: Option<u64>,
    /// Milliseconds to the endpoint and back, as its newest report has it; `None` before the first that tells.
    pub round_trip_time: Option<f32>,
    /// Always controlled.
    pub ice_role: IceRole,
    /// Where ICE stands.
    pub ice_state: IceState,
    /// The pair of addresses that media goes over.
    pub ice_selected_tuple: Option<TransportTuple>,
    /// Where DTLS stands.
    pub dtls_state: DtlsState,
}
