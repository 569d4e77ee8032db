//! The handle of a PipeTransport.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{PipeTransportDump, PipeTransportRemoteParameters, PipeTransportStat};
use crate::error::RequestError;
use crate::handle::{Handle, WeakHandle};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::Router;
use crate::transport::{Kind, Transport, TransportGeneric};
use crate::types::data_structures::TransportTuple;
use crate::types::srtp_parameters::SrtpParameters;
use crate::waist::{
    BoxFuture, ConnectPipeTransport, Done, DumpPipeTransport, Event, GetPipeTransportStats, ObjectState,
    PipeTransportState, SetMaxIncomingBitrate,
};

/// One end of a pipe between two Routers. Clones are the same Transport; it keeps its Router.
#[derive(Clone)]
pub struct PipeTransport {
    handle: Handle,
    router: Router,
}

impl PipeTransport {
    /// `None` for a Transport of another kind.
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        if !entry.with(|state| matches!(state, ObjectState::PipeTransport(_))) {
            return None;
        }
        let router = Router::of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), router))
    }

    pub(crate) fn from_handle(handle: Handle, router: Router) -> Self {
        Self { handle, router }
    }

    /// Says where the other end is, once, and which key it has, if SRTP is enabled.
    ///
    /// # Errors
    ///
    /// When it was connected before, something is missing, superfluous or wrong, or it or the backend is gone.
    pub async fn connect(
        &self,
        remote_parameters: PipeTransportRemoteParameters,
    ) -> Result<(), RequestError> {
        let PipeTransportRemoteParameters { ip, port, srtp_parameters } = remote_parameters;
        let operation = ConnectPipeTransport { id: self.id(), ip, port, srtp_parameters };
        let Done = self.handle.link().run(operation).await?;
        Ok(())
    }

    /// Limits what the other end sends, in bits per second; 0 removes the limit. It is told by REMB, for ends that mind it: a
    /// Router's PipeTransport sends on what its Producers send, whatever that is.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn set_max_incoming_bitrate(&self, bitrate: u64) -> Result<(), RequestError> {
        let Done = self.handle.link().run(SetMaxIncomingBitrate { id: self.id(), bitrate }).await?;
        Ok(())
    }

    /// Its addresses; the local one alone before `connect`.
    #[must_use]
    pub fn tuple(&self) -> TransportTuple {
        self.with(|state| state.tuple.clone())
    }

    /// Suite and key of what it sends; `None` where SRTP is not enabled.
    #[must_use]
    pub fn srtp_parameters(&self) -> Option<SrtpParameters> {
        self.with(|state| state.srtp_parameters.clone())
    }

    /// Calls back when its addresses change: when `connect` has named the other end.
    pub fn on_tuple<F: Fn(&TransportTuple) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::TupleChanged { tuple, .. } = event {
                callback(tuple);
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakPipeTransport {
        WeakPipeTransport(self.handle.downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&PipeTransportState) -> R) -> R {
        self.handle.with(read)
    }
}

impl Kind for PipeTransport {
    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn home(&self) -> &Router {
        &self.router
    }
}

impl TransportGeneric for PipeTransport {
    type Dump = PipeTransportDump;
    type Stat = PipeTransportStat;

    fn dump(&self) -> BoxFuture<'_, Result<PipeTransportDump, RequestError>> {
        Box::pin(async { Ok(*self.handle.link().run(DumpPipeTransport { id: self.id() }).await?) })
    }

    fn get_stats(&self) -> BoxFuture<'_, Result<Vec<PipeTransportStat>, RequestError>> {
        Box::pin(self.handle.link().run(GetPipeTransportStats { id: self.id() }))
    }
}

impl fmt::Debug for PipeTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`PipeTransport`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakPipeTransport(WeakHandle);

impl WeakPipeTransport {
    /// Whether a handle is there.
    pub(crate) fn is_held(&self) -> bool {
        self.0.is_held()
    }

    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<PipeTransport> {
        let handle = self.0.upgrade()?;
        PipeTransport::of(handle.link(), handle.entry())
    }
}
