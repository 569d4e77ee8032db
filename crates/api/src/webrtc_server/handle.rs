//! The handle of a WebRtcServer.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::WebRtcServerDump;
use crate::callbacks::Notice;
use crate::error::RequestError;
use crate::handle::{Handle, WeakHandle, by_parent, handle_methods};
use crate::id::WebRtcServerId;
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::NewTransport;
use crate::waist::DumpWebRtcServer;
use crate::webrtc_transport::WebRtcTransport;
use crate::worker::Worker;

/// Sockets that many WebRtcTransports share. Clones are the same WebRtcServer; it keeps its Worker, and its Transports keep it.
#[derive(Clone)]
pub struct WebRtcServer {
    handle: Handle,
    worker: Worker,
}

impl WebRtcServer {
    handle_methods!("WebRtcServer", WebRtcServerId, WebRtcServer);

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let worker = Worker::of(link, entry.parent()?);
        Some(Self::from_handle(Handle::of(link, entry), worker))
    }

    pub(crate) fn from_handle(handle: Handle, worker: Worker) -> Self {
        Self { handle, worker }
    }

    /// The Worker that it lives in, and whose Routers' Transports can use it.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Tells what it holds.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<WebRtcServerDump, RequestError> {
        self.handle.link().run(DumpWebRtcServer { id: self.id() }).await
    }

    /// Calls back for each WebRtcTransport that is created on it; before `create_webrtc_transport` returns.
    pub fn on_new_webrtc_transport<F: Fn(&WebRtcTransport) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::NewTransport(NewTransport::WebRtc(transport)) = notice {
                callback(transport);
            }
        })
    }

    /// Calls back when it closes because its Worker did; `on_close` follows.
    pub fn on_worker_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_closing(by_parent, callback)
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakWebRtcServer {
        WeakWebRtcServer(self.handle.downgrade())
    }
}

impl fmt::Debug for WebRtcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`WebRtcServer`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakWebRtcServer(WeakHandle);

impl WeakWebRtcServer {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<WebRtcServer> {
        let handle = self.0.upgrade()?;
        WebRtcServer::of(handle.link(), handle.entry())
    }
}
