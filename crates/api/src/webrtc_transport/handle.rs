//! The handle of a WebRtcTransport.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{WebRtcTransportDump, WebRtcTransportRemoteParameters, WebRtcTransportStat};
use crate::error::RequestError;
use crate::handle::{Handle, WeakHandle};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::Router;
use crate::transport::{Kind, Transport, TransportGeneric};
use crate::types::data_structures::{
    DtlsParameters, DtlsState, IceCandidate, IceParameters, IceRole, IceState, TransportTuple,
};
use crate::waist::{
    BoxFuture, CloseCause, ConnectWebRtcTransport, Done, DumpTransport, Event, GetTransportStats,
    ObjectState, RestartIce, SetMaxIncomingBitrate, WebRtcTransportState,
};
use crate::webrtc_server::WebRtcServer;

/// The way of media between a browser and a Router. Clones are the same Transport; it keeps its Router, and its WebRtcServer.
#[derive(Clone)]
pub struct WebRtcTransport {
    handle: Handle,
    router: Router,
    webrtc_server: Option<WebRtcServer>,
}

impl WebRtcTransport {
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        if !entry.with(|state| matches!(state, ObjectState::WebRtcTransport(_))) {
            return None;
        }
        let router = Router::of(link, entry.parent()?)?;
        let webrtc_server = entry.webrtc_server().and_then(|server| WebRtcServer::of(link, server));
        Some(Self::from_handle(Handle::of(link, entry), router, webrtc_server))
    }

    pub(crate) fn from_handle(handle: Handle, router: Router, webrtc_server: Option<WebRtcServer>) -> Self {
        Self { handle, router, webrtc_server }
    }

    /// The WebRtcServer whose sockets it uses; `None`: it has its own.
    #[must_use]
    pub fn webrtc_server(&self) -> &Option<WebRtcServer> {
        &self.webrtc_server
    }

    /// Gives it the endpoint's DTLS parameters, once.
    ///
    /// # Errors
    ///
    /// When it was connected before, the parameters are wrong, or it or the backend is gone.
    pub async fn connect(
        &self,
        remote_parameters: WebRtcTransportRemoteParameters,
    ) -> Result<(), RequestError> {
        let WebRtcTransportRemoteParameters { dtls_parameters } = remote_parameters;
        let Done = self.handle.link().run(ConnectWebRtcTransport { id: self.id(), dtls_parameters }).await?;
        Ok(())
    }

    /// Gives it new ICE credentials, for the endpoint to restart ICE with (RFC 8445 §2.4).
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn restart_ice(&self) -> Result<IceParameters, RequestError> {
        self.handle.link().run(RestartIce { id: self.id() }).await
    }

    /// Limits what the endpoint sends, in bits per second; 0 removes the limit.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn set_max_incoming_bitrate(&self, bitrate: u64) -> Result<(), RequestError> {
        let Done = self.handle.link().run(SetMaxIncomingBitrate { id: self.id(), bitrate }).await?;
        Ok(())
    }

    /// Always controlled: we are ICE-lite.
    #[must_use]
    pub fn ice_role(&self) -> IceRole {
        self.with(|state| state.ice_role)
    }

    /// Local ICE credentials.
    #[must_use]
    pub fn ice_parameters(&self) -> IceParameters {
        self.with(|state| IceParameters::clone(&state.ice_parameters))
    }

    /// Local candidates.
    #[must_use]
    pub fn ice_candidates(&self) -> Vec<IceCandidate> {
        self.with(|state| state.ice_candidates.to_vec())
    }

    /// Where ICE stands.
    #[must_use]
    pub fn ice_state(&self) -> IceState {
        self.with(|state| state.ice_state)
    }

    /// The pair of addresses that media goes over.
    #[must_use]
    pub fn ice_selected_tuple(&self) -> Option<TransportTuple> {
        self.with(|state| state.ice_selected_tuple.clone())
    }

    /// Local DTLS role and fingerprints.
    #[must_use]
    pub fn dtls_parameters(&self) -> DtlsParameters {
        self.with(|state| DtlsParameters::clone(&state.dtls_parameters))
    }

    /// Where DTLS stands.
    #[must_use]
    pub fn dtls_state(&self) -> DtlsState {
        self.with(|state| state.dtls_state)
    }

    /// The endpoint's certificate in PEM, once connected.
    #[must_use]
    pub fn dtls_remote_cert(&self) -> Option<String> {
        self.with(|state| state.dtls_remote_cert.as_deref().map(str::to_owned))
    }

    /// Calls back when it closes because its WebRtcServer did; `on_close` follows.
    pub fn on_webrtc_server_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId {
        self.handle.on_closing(|cause| *cause == CloseCause::WebRtcServerClosed, callback)
    }

    /// Calls back when its ICE state changes.
    pub fn on_ice_state_change<F: Fn(IceState) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::IceStateChanged { state, .. } = event {
                callback(*state);
            }
        })
    }

    /// Calls back when media goes over another pair of addresses.
    pub fn on_ice_selected_tuple_change<F: Fn(&TransportTuple) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::IceSelectedTupleChanged { tuple: Some(tuple), .. } = event {
                callback(tuple);
            }
        })
    }

    /// Calls back when its DTLS state changes.
    pub fn on_dtls_state_change<F: Fn(DtlsState) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::DtlsStateChanged { state, .. } = event {
                callback(*state);
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakWebRtcTransport {
        WeakWebRtcTransport(self.handle.downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&WebRtcTransportState) -> R) -> R {
        self.handle.with(read)
    }
}

impl Kind for WebRtcTransport {
    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn home(&self) -> &Router {
        &self.router
    }
}

impl TransportGeneric for WebRtcTransport {
    type Dump = WebRtcTransportDump;
    type Stat = WebRtcTransportStat;

    fn dump(&self) -> BoxFuture<'_, Result<WebRtcTransportDump, RequestError>> {
        Box::pin(async { Ok(*self.handle.link().run(DumpTransport { id: self.id() }).await?) })
    }

    fn get_stats(&self) -> BoxFuture<'_, Result<Vec<WebRtcTransportStat>, RequestError>> {
        Box::pin(self.handle.link().run(GetTransportStats { id: self.id() }))
    }
}

impl fmt::Debug for WebRtcTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`WebRtcTransport`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakWebRtcTransport(WeakHandle);

impl WeakWebRtcTransport {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<WebRtcTransport> {
        let handle = self.0.upgrade()?;
        WebRtcTransport::of(handle.link(), handle.entry())
    }
}
