//! A peer connection of webrtc-rs to one Transport of the gateway, with a [`Tap`] at its wire.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rtc::interceptor::{NackGeneratorBuilder, Slot};
use rtc::peer_connection::transport::RTCDtlsTransportState;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::transport::DtlsTransport;
use webrtc::peer_connection::{
    MediaEngine, PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState,
    Registry, configure_nack, configure_rtcp_reports, configure_twcc,
};
use webrtc::runtime::default_runtime;

use crate::parameters::{Capabilities, Transport};
use crate::tap::{self, Loss, Seen, Tap};

/// How long ICE and DTLS may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);

/// How long the end of a Transport may take to be felt.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often a state that isn't told is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How often webrtc-rs asks for a packet. It doesn't see that a repair with a payload type of its own fills the gap, and
/// without a bound it would ask on until the packet leaves its log.
const NACKS_PER_PACKET_MAX: u16 = 3;

/// Most remote tracks: sound and picture.
const TRACKS_MAX: usize = 2;

/// A connection and what it tells.
pub(crate) struct Link {
    pub(crate) connection: Arc<dyn PeerConnection>,
    pub(crate) seen: Arc<Seen>,
    states: watch::Receiver<RTCPeerConnectionState>,
}

impl Link {
    /// Makes a connection from which one VP8 packet in `every` is lost on its way from or to the wire.
    /// What it receives comes from the channel.
    pub(crate) async fn new(
        transport: &Transport,
        capabilities: &Capabilities,
        every: u16,
    ) -> Result<(Self, mpsc::Receiver<Arc<dyn TrackRemote>>)> {
        let seen = Arc::<Seen>::default();
        let (state, states) = watch::channel(RTCPeerConnectionState::New);
        let (track, tracks) = mpsc::channel(TRACKS_MAX);
        let loss = Loss { payload_type: capabilities.payload_type("video/vp8")?, every };
        let tap = Tap::new(loss, capabilities.payload_type("video/rtx")?, Arc::clone(&seen));
        let mut engine = capabilities.media_engine()?;
        let registry = registry(&mut engine, tap)?;
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_runtime(default_runtime().context("webrtc-rs was built without a runtime")?)
            .with_handler(Arc::new(Handler { state, track }))
            .with_udp_addrs(vec![SocketAddr::new(local_ip(transport)?, 0)])
            .build()
            .await?;
        Ok((Self { connection: Arc::new(connection), seen, states }, tracks))
    }

    /// Waits until ICE and DTLS are up.
    pub(crate) async fn connected(&self) -> Result<()> {
        let mut states = self.states.clone();
        let is_connected = |state: &RTCPeerConnectionState| *state == RTCPeerConnectionState::Connected;
        match timeout(CONNECT_TIMEOUT, states.wait_for(is_connected)).await {
            Ok(found) => found.map(|_| ()).context("the connection is gone"),
            Err(_) => bail!("still {} after {CONNECT_TIMEOUT:?}", *self.states.borrow()),
        }
    }

    /// Waits until the gateway has ended DTLS with a close_notify (RFC 5246 §7.2.1). The state of the connection as a whole
    /// doesn't show it: as long as ICE is up, W3C's algorithm calls it connected.
    pub(crate) async fn dtls_closed(&self) -> Result<()> {
        let dtls = self.dtls().await?;
        let closed = async {
            while dtls.state().await? != RTCDtlsTransportState::Closed {
                sleep(POLL_INTERVAL).await;
            }
            Ok(())
        };
        match timeout(CLOSE_TIMEOUT, closed).await {
            Ok(closed) => closed,
            Err(_) => bail!("DTLS is still {} after {CLOSE_TIMEOUT:?}", dtls.state().await?),
        }
    }

    async fn dtls(&self) -> Result<Arc<dyn DtlsTransport>> {
        for sender in self.connection.get_senders().await {
            if let Some(transport) = sender.transport().await? {
                return Ok(transport);
            }
        }
        for receiver in self.connection.get_receivers().await {
            if let Some(transport) = receiver.transport().await? {
                return Ok(transport);
            }
        }
        bail!("no track has a DTLS transport")
    }
}

/// The interceptors that webrtc-rs has by default, with a bound on NACKs, transport-wide numbers also on what is sent, and
/// the tap.
fn registry(engine: &mut MediaEngine, tap: Tap) -> Result<Registry> {
    let registry = configure_nack(Registry::new(), engine);
    let registry = configure_rtcp_reports(configure_twcc(registry, engine)?);
    let nacks = NackGeneratorBuilder::new().with_max_nacks_per_packet(NACKS_PER_PACKET_MAX).build();
    Ok(registry.with(Slot::NackGenerator, nacks).with(tap::SLOT, tap))
}

/// The address of this machine that faces the Transport. Connecting a UDP socket sends nothing.
fn local_ip(transport: &Transport) -> Result<IpAddr> {
    let candidate = transport.ice_candidates.iter().find(|candidate| candidate.protocol == "udp");
    let candidate = candidate.context("the Transport has no UDP candidate")?;
    let remote: IpAddr = candidate.address.parse()?;
    let any: IpAddr = if remote.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((remote, candidate.port))?;
    Ok(socket.local_addr()?.ip())
}

/// Passes on what webrtc-rs tells.
struct Handler {
    state: watch::Sender<RTCPeerConnectionState>,
    track: mpsc::Sender<Arc<dyn TrackRemote>>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        // Nobody listens any more when the test is over.
        let _ = self.track.try_send(track);
    }
}
