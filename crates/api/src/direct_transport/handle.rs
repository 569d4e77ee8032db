//! The handle of a DirectTransport.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{DirectTransportDump, DirectTransportStat, packet};
use crate::callbacks::Notice;
use crate::error::{NotificationError, RequestError};
use crate::handle::{Handle, WeakHandle};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::Router;
use crate::transport::{Kind, Transport, TransportGeneric};
use crate::waist::{BoxFuture, DumpDirectTransport, GetDirectTransportStats, ObjectState};

/// The way of media between a Router and the application itself. Clones are the same Transport; it keeps its Router.
///
/// Its Producers are [`DirectProducer`](crate::producer::DirectProducer)s, which the application feeds; what its Consumers get is told by
/// [`Consumer::on_rtp`](crate::consumer::Consumer::on_rtp).
#[derive(Clone)]
pub struct DirectTransport {
    handle: Handle,
    router: Router,
}

impl DirectTransport {
    /// `None` for a Transport of another kind.
    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        if !is_direct(entry) {
            return None;
        }
        let router = Router::of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), router))
    }

    pub(crate) fn from_handle(handle: Handle, router: Router) -> Self {
        handle.link().port(handle.entry());
        Self { handle, router }
    }

    /// Hands RTCP to the Router: reports on what Producers send, feedback on what Consumers get. It never waits; what is no RTCP within is
    /// dropped and counted.
    ///
    /// # Errors
    ///
    /// When it is no RTCP at first sight, as much waits as may, or the Transport or the backend is gone.
    pub fn send_rtcp(&self, rtcp_packet: Vec<u8>) -> Result<(), NotificationError> {
        self.handle.send(self.handle.entry(), packet::rtcp(rtcp_packet)?)
    }

    /// Calls back with each RTCP packet for the application: reports on what Producers send and Consumers get, packets and key frames
    /// that are asked for. A callback that is too slow loses some.
    pub fn on_rtcp<F: Fn(&[u8]) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::Rtcp(packet) = notice {
                callback(packet);
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakDirectTransport {
        WeakDirectTransport(self.handle.downgrade())
    }
}

/// Whether what is known here is a DirectTransport.
pub(crate) fn is_direct(entry: &Mirrored) -> bool {
    entry.with(|state| matches!(state, ObjectState::DirectTransport(_)))
}

impl Kind for DirectTransport {
    fn handle(&self) -> &Handle {
        &self.handle
    }

    fn home(&self) -> &Router {
        &self.router
    }
}

impl TransportGeneric for DirectTransport {
    type Dump = DirectTransportDump;
    type Stat = DirectTransportStat;

    fn dump(&self) -> BoxFuture<'_, Result<DirectTransportDump, RequestError>> {
        Box::pin(async { Ok(*self.handle.link().run(DumpDirectTransport { id: self.id() }).await?) })
    }

    fn get_stats(&self) -> BoxFuture<'_, Result<Vec<DirectTransportStat>, RequestError>> {
        Box::pin(self.handle.link().run(GetDirectTransportStats { id: self.id() }))
    }
}

impl fmt::Debug for DirectTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`DirectTransport`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakDirectTransport(WeakHandle);

impl WeakDirectTransport {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<DirectTransport> {
        let handle = self.0.upgrade()?;
        DirectTransport::of(handle.link(), handle.entry())
    }
}
