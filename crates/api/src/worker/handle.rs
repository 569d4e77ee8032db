//! The handle of a Worker.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{ExitError, WorkerDump, WorkerResourceUsage, WorkerUpdateSettings};
use crate::callbacks::Notice;
use crate::error::{CreateRouterError, CreateWebRtcServerError, RequestError};
use crate::handle::{Handle, WeakHandle, handle_methods};
use crate::id::{RouterId, WebRtcServerId, WorkerId};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::router::{Router, RouterOptions};
use crate::waist::{
    CloseCause, CreateRouter, CreateWebRtcServer, Done, DumpWorker, GetWorkerResourceUsage,
    UpdateWorkerSettings,
};
use crate::webrtc_server::{WebRtcServer, WebRtcServerOptions};
use crate::worker_manager::WorkerManager;

/// A thread that carries the media of any number of Routers. Clones are the same Worker.
#[derive(Clone)]
pub struct Worker {
    handle: Handle,
    manager: WorkerManager,
}

impl Worker {
    handle_methods!("Worker", WorkerId, Worker);

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Self {
        Self::from_handle(Handle::of(link, entry))
    }

    pub(crate) fn from_handle(handle: Handle) -> Self {
        let manager = WorkerManager::of(handle.link());
        Self { handle, manager }
    }

    /// Where it was created.
    #[must_use]
    pub fn worker_manager(&self) -> &WorkerManager {
        &self.manager
    }

    /// Tells what it holds.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<WorkerDump, RequestError> {
        self.handle.link().run(DumpWorker { id: self.id() }).await
    }

    /// Tells what its thread has taken of the machine since it began. mediasoup's Node.js side has this for its processes.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn resource_usage(&self) -> Result<WorkerResourceUsage, RequestError> {
        self.handle.link().run(GetWorkerResourceUsage { id: self.id() }).await
    }

    /// Changes what it logs. What is left out stays.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn update_settings(&self, data: WorkerUpdateSettings) -> Result<(), RequestError> {
        let WorkerUpdateSettings { log_level, log_tags } = data;
        let operation = UpdateWorkerSettings { id: self.id(), log_level, log_tags };
        let Done = self.handle.link().run(operation).await?;
        Ok(())
    }

    /// Creates a WebRtcServer. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When an address or a port can't be had, or the Worker or the backend is gone.
    pub async fn create_webrtc_server(
        &self,
        webrtc_server_options: WebRtcServerOptions,
    ) -> Result<WebRtcServer, CreateWebRtcServerError> {
        let WebRtcServerOptions { listen_infos, labels, app_data } = webrtc_server_options;
        let id = WebRtcServerId::new();
        let operation = CreateWebRtcServer { id, worker: self.id(), listen_infos: listen_infos.into_inner() };
        let handle = self.handle.link().create(id, labels, app_data, operation).await?;
        Ok(WebRtcServer::from_handle(handle, self.clone()))
    }

    /// Creates a Router. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When the codecs don't make RTP capabilities, or the Worker or the backend is gone.
    pub async fn create_router(&self, router_options: RouterOptions) -> Result<Router, CreateRouterError> {
        let RouterOptions { media_codecs, labels, app_data } = router_options;
        let id = RouterId::new();
        let operation = CreateRouter { id, worker: self.id(), media_codecs };
        let handle = self.handle.link().create(id, labels, app_data, operation).await?;
        Ok(Router::from_handle(handle, self.clone()))
    }

    /// Calls back for each WebRtcServer that is created in it; before `create_webrtc_server` returns.
    pub fn on_new_webrtc_server<F: Fn(&WebRtcServer) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::NewWebRtcServer(webrtc_server) = notice {
                callback(webrtc_server);
            }
        })
    }

    /// Calls back for each Router that is created in it; before `create_router` returns.
    pub fn on_new_router<F: Fn(&Router) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::NewRouter(router) = notice {
                callback(router);
            }
        })
    }

    /// Calls back when its thread ended by itself; `on_close` follows.
    pub fn on_dead<F: FnOnce(Result<(), ExitError>) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        let callback = std::sync::Mutex::new(Some(callback));
        self.handle.on_notice(move |notice| {
            if let Notice::Closing(CloseCause::Died(reason)) = notice {
                let callback = callback.lock().expect("no holder panics").take();
                if let Some(callback) = callback {
                    callback(Err(ExitError::Unexpected { reason: reason.clone() }));
                }
            }
        })
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakWorker {
        WeakWorker(self.handle.downgrade())
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`Worker`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakWorker(WeakHandle);

impl WeakWorker {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Worker> {
        self.0.upgrade().map(Worker::from_handle)
    }
}
