//! The handle of a PlainTransport.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{PlainTransportDump, PlainTransportRemoteParameters, PlainTransportStat};
use crate::error::RequestError;
use crate::handle::{Handle, WeakHandle};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::Router;
use crate::transport::{Kind, Transport, TransportGeneric};
use crate::types::data_structures::TransportTuple;
use crate::types::srtp_parameters::SrtpParameters;
use crate::waist::{
    BoxFuture, ConnectPlainTransport, Done, DumpPlainTransport, Event, GetPlainTransportStats, ObjectState,
    PlainTransportState, SetMaxIncomingBitrate,
};

/// The way of media between a Router and what speaks RTP without ICE: encoders, recorders, gateways. Clones are the same
/// Transport; it keeps its Router.
#[derive(Clone)]
pub struct PlainTransport {
    handle: Handle,
    router: Router,
}

impl PlainTransport {
    /// `None` for a Transport of another kind.
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        if !entry.with(|state| matches!(state, ObjectState::PlainTransport(_))) {
            return None;
        }
        let router = Router::of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), router))
    }

    pub(crate) fn from_handle(handle: Handle, router: Router) -> Self {
        Self { handle, router }
    }

    /// Says who the peer is, once: its address, unless comedia learns it, and its key, if SRTP is enabled. With comedia and
    /// without SRTP there is nothing to say.
    ///
    /// # Errors
    ///
    /// When it was connected before, something is missing, superfluous or wrong, or it or the backend is gone.
    pub async fn connect(
        &self,
        remote_parameters: PlainTransportRemoteParameters,
    ) -> Result<(), RequestError> {
        let PlainTransportRemoteParameters { ip, port, rtcp_port, srtp_parameters } = remote_parameters;
        let operation = ConnectPlainTransport { id: self.id(), ip, port, rtcp_port, srtp_parameters };
        let Done = self.handle.link().run(operation).await?;
        Ok(())
    }

    /// Limits what the peer sends, in bits per second; 0 removes the limit.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn set_max_incoming_bitrate(&self, bitrate: u64) -> Result<(), RequestError> {
        let Done = self.handle.link().run(SetMaxIncomingBitrate { id: self.id(), bitrate }).await?;
        Ok(())
    }

    /// Addresses of RTP; the local one alone while the peer's isn't known.
    #[must_use]
    pub fn tuple(&self) -> TransportTuple {
        self.with(|state| state.tuple.clone())
    }

    /// Addresses of RTCP; `None` where it comes with RTP.
    #[must_use]
    pub fn rtcp_tuple(&self) -> Option<TransportTuple> {
        self.with(|state| state.rtcp_tuple.clone())
    }

    /// Suite and key of what it sends; `None` where SRTP is not enabled. A peer that chooses another suite in `connect` changes
    /// them.
    #[must_use]
    pub fn srtp_parameters(&self) -> Option<SrtpParameters> {
        self.with(|state| state.srtp_parameters.clone())
    }

    /// Calls back when comedia has learnt the peer's address.
    pub fn on_tuple<F: Fn(&TransportTuple) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::TupleChanged { tuple, .. } = event {
                callback(tuple);
            }
        })
    }

    /// Calls back when comedia has learnt the peer's address for RTCP, where that has a port of its own.
    pub fn on_rtcp_tuple<F: Fn(&TransportTuple) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::RtcpTupleChanged { tuple, .. } = event {
                callback(tuple);
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakPlainTransport {
        WeakPlainTransport(self.handle.downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&PlainTransportState) -> R) -> R {
        self.handle.with(read)
    }
}

impl Kind for PlainTransport {
    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn home(&self) -> &Router {
        &self.router
    }
}

impl TransportGeneric for PlainTransport {
    type Dump = PlainTransportDump;
    type Stat = PlainTransportStat;

    fn dump(&self) -> BoxFuture<'_, Result<PlainTransportDump, RequestError>> {
        Box::pin(async { Ok(*self.handle.link().run(DumpPlainTransport { id: self.id() }).await?) })
    }

    fn get_stats(&self) -> BoxFuture<'_, Result<Vec<PlainTransportStat>, RequestError>> {
        Box::pin(self.handle.link().run(GetPlainTransportStats { id: self.id() }))
    }
}

impl fmt::Debug for PlainTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`PlainTransport`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakPlainTransport(WeakHandle);

impl WeakPlainTransport {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<PlainTransport> {
        let handle = self.0.upgrade()?;
        PlainTransport::of(handle.link(), handle.entry())
    }
}
