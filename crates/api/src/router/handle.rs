//! The handle of a Router.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::RouterDump;
use crate::active_speaker_observer::{ActiveSpeakerObserver, ActiveSpeakerObserverOptions};
use crate::audio_level_observer::{AudioLevelObserver, AudioLevelObserverOptions};
use crate::callbacks::Notice;
use crate::direct_transport::{DirectTransport, DirectTransportOptions};
use crate::error::{RequestError, UpdateMediaCodecsError};
use crate::handle::{Handle, WeakHandle, by_parent, handle_methods};
use crate::id::{ProducerId, RouterId, RtpObserverId, TransportId};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::ortc;
use crate::pipe_transport::{PipeTransport, PipeTransportOptions};
use crate::plain_transport::{PlainTransport, PlainTransportOptions};
use crate::rtp_observer::RtpObserver;
use crate::transport::Transport;
use crate::types::data_structures::ListenInfo;
use crate::types::rtp_parameters::{RtpCapabilities, RtpCapabilitiesFinalized, RtpCodecCapability};
use crate::waist::{
    CreateActiveSpeakerObserver, CreateAudioLevelObserver, CreateDirectTransport, CreatePipeTransport,
    CreatePlainTransport, CreateWebRtcTransport, DumpRouter, Listen, RouterState, UpdateMediaCodecs,
};
use crate::webrtc_transport::{WebRtcTransport, WebRtcTransportListen, WebRtcTransportOptions};
use crate::worker::Worker;

/// The media of one room. Clones are the same Router; it keeps its Worker.
#[derive(Clone)]
pub struct Router {
    handle: Handle,
    worker: Worker,
}

impl Router {
    handle_methods!("Router", RouterId, Router);

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let worker = Worker::of(link, entry.parent()?);
        Some(Self::from_handle(Handle::of(link, entry), worker))
    }

    pub(crate) fn from_handle(handle: Handle, worker: Worker) -> Self {
        Self { handle, worker }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The Worker that it lives in.
    #[must_use]
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// What it can take and give: what endpoints are told before anything else.
    #[must_use]
    pub fn rtp_capabilities(&self) -> RtpCapabilitiesFinalized {
        let ahead = self.handle.link().ahead.rtp_capabilities(self.id());
        let told = ahead
            .unwrap_or_else(|| self.handle.with(|state: &RouterState| Arc::clone(&state.rtp_capabilities)));
        RtpCapabilitiesFinalized::clone(&told)
    }

    /// Gives it other codecs, for Producers and Consumers that are created from now on; those that there are stay as they are.
    /// [`rtp_capabilities`](Self::rtp_capabilities) tells the new ones at once, and later calls find them.
    ///
    /// It doesn't wait. Should the backend refuse what was right here, then the Router has the codecs from before, and
    /// [`events`](Self::events) yields [`Event::MediaCodecsRefused`](crate::waist::Event::MediaCodecsRefused).
    ///
    /// # Errors
    ///
    /// When the codecs are none that make a Router's capabilities.
    pub fn update_media_codecs(
        &mut self,
        media_codecs: Vec<RtpCodecCapability>,
    ) -> Result<(), UpdateMediaCodecsError> {
        let rtp_capabilities = ortc::generate_router_rtp_capabilities(media_codecs.clone())
            .map_err(UpdateMediaCodecsError::FailedRtpCapabilitiesGeneration)?;
        let operation = UpdateMediaCodecs { id: self.id(), media_codecs };
        self.handle.link().update_media_codecs(rtp_capabilities, operation);
        Ok(())
    }

    /// Whether an endpoint with these capabilities can consume a Producer of this Router. Unknown Producers: no.
    #[must_use]
    pub fn can_consume(&self, producer_id: &ProducerId, rtp_capabilities: &RtpCapabilities) -> bool {
        let producer = self.handle.link().mirror.find_producer(self.id(), *producer_id);
        producer.is_some_and(|producer| {
            let consumable = producer.fixed().consumable_rtp_parameters();
            ortc::can_consume(consumable, rtp_capabilities).unwrap_or(false)
        })
    }

    /// Tells what it holds.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<RouterDump, RequestError> {
        Ok(*self.handle.link().run(DumpRouter { id: self.id() }).await?)
    }

    /// Creates a WebRtcTransport. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When an address or a port can't be had, an option is wrong, the WebRtcServer is closed or in another Worker, or the
    /// Router or the backend is gone.
    pub async fn create_webrtc_transport(
        &self,
        webrtc_transport_options: WebRtcTransportOptions,
    ) -> Result<WebRtcTransport, RequestError> {
        let options = webrtc_transport_options;
        // The server stays at least until the Transport's own handle keeps it.
        let (listen, webrtc_server) = match options.listen {
            WebRtcTransportListen::Individual { listen_infos } => {
                (Listen::Individual(listen_infos.into_inner()), None)
            }
            WebRtcTransportListen::Server { webrtc_server } => {
                (Listen::Server(webrtc_server.id()), Some(webrtc_server))
            }
        };
        let id = TransportId::new();
        let operation = CreateWebRtcTransport {
            id,
            router: self.id(),
            listen,
            enable_udp: options.enable_udp,
            enable_tcp: options.enable_tcp,
            prefer_udp: options.prefer_udp,
            prefer_tcp: options.prefer_tcp,
            ice_consent_timeout: options.ice_consent_timeout,
            max_incoming_bitrate: options.max_incoming_bitrate,
        };
        let handle = self.handle.link().create(id, options.labels, options.app_data, operation).await?;
        Ok(WebRtcTransport::from_handle(handle, self.clone(), webrtc_server))
    }

    /// Creates a PlainTransport. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When an address or a port can't be had, an option is wrong, or the Router or the backend is gone.
    pub async fn create_plain_transport(
        &self,
        plain_transport_options: PlainTransportOptions,
    ) -> Result<PlainTransport, RequestError> {
        let options = plain_transport_options;
        let id = TransportId::new();
        let rtcp_listen_info = (!options.rtcp_mux).then(|| match options.rtcp_listen_info {
            Some(listen_info) => listen_info,
            // The same address, but a port of its own.
            None => ListenInfo { port: None, ..options.listen_info.clone() },
        });
        let operation = CreatePlainTransport {
            id,
            router: self.id(),
            listen_infos: std::iter::once(options.listen_info).chain(rtcp_listen_info).collect(),
            rtcp_mux: options.rtcp_mux,
            comedia: options.comedia,
            srtp_crypto_suite: options.enable_srtp.then_some(options.srtp_crypto_suite),
            max_incoming_bitrate: options.max_incoming_bitrate,
        };
        let handle = self.handle.link().create(id, options.labels, options.app_data, operation).await?;
        Ok(PlainTransport::from_handle(handle, self.clone()))
    }

    /// Creates an AudioLevelObserver. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When the threshold is above 0, or the Router or the backend is gone.
    pub async fn create_audio_level_observer(
        &self,
        audio_level_observer_options: AudioLevelObserverOptions,
    ) -> Result<AudioLevelObserver, RequestError> {
        let AudioLevelObserverOptions { max_entries, threshold, interval, labels, app_data } =
            audio_level_observer_options;
        let id = RtpObserverId::new();
        let operation = CreateAudioLevelObserver { id, router: self.id(), max_entries, threshold, interval };
        let handle = self.handle.link().create(id, labels, app_data, operation).await?;
        Ok(AudioLevelObserver::from_handle(handle, self.clone()))
    }

    /// Creates an ActiveSpeakerObserver. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When the Router or the backend is gone.
    pub async fn create_active_speaker_observer(
        &self,
        active_speaker_observer_options: ActiveSpeakerObserverOptions,
    ) -> Result<ActiveSpeakerObserver, RequestError> {
        let ActiveSpeakerObserverOptions { interval, labels, app_data } = active_speaker_observer_options;
        let id = RtpObserverId::new();
        let operation = CreateActiveSpeakerObserver { id, router: self.id(), interval };
        let handle = self.handle.link().create(id, labels, app_data, operation).await?;
        Ok(ActiveSpeakerObserver::from_handle(handle, self.clone()))
    }

    /// Creates a DirectTransport. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When the Router or the backend is gone.
    pub async fn create_direct_transport(
        &self,
        direct_transport_options: DirectTransportOptions,
    ) -> Result<DirectTransport, RequestError> {
        let options = direct_transport_options;
        let id = TransportId::new();
        let operation = CreateDirectTransport {
            id,
            router: self.id(),
            max_send_message_size: options.max_send_message_size,
            max_receive_message_size: options.max_receive_message_size,
        };
        let handle = self.handle.link().create(id, options.labels, options.app_data, operation).await?;
        Ok(DirectTransport::from_handle(handle, self.clone()))
    }

    /// Creates a PipeTransport. Dropping the future closes what it made.
    ///
    /// # Errors
    ///
    /// When an address or a port can't be had, an option is wrong, or the Router or the backend is gone.
    pub async fn create_pipe_transport(
        &self,
        pipe_transport_options: PipeTransportOptions,
    ) -> Result<PipeTransport, RequestError> {
        let options = pipe_transport_options;
        let id = TransportId::new();
        let operation = CreatePipeTransport {
            id,
            router: self.id(),
            listen_info: options.listen_info,
            enable_rtx: options.enable_rtx,
            enable_srtp: options.enable_srtp,
        };
        let handle = self.handle.link().create(id, options.labels, options.app_data, operation).await?;
        Ok(PipeTransport::from_handle(handle, self.clone()))
    }

    /// Calls back for each Transport that is created on it; before `create_…_transport` returns.
    pub fn on_new_transport<F: Fn(NewTransport<'_>) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::NewTransport(transport) = notice {
                callback(*transport);
            }
        })
    }

    /// Calls back for each RtpObserver that is created in it; before `create_…_observer` returns.
    pub fn on_new_rtp_observer<F: Fn(NewRtpObserver<'_>) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::NewRtpObserver(observer) = notice {
                callback(*observer);
            }
        })
    }

    /// Calls back when it closes because its Worker did; `on_close` follows.
    pub fn on_worker_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_closing(by_parent, callback)
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakRouter {
        WeakRouter(self.handle.downgrade())
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`Router`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakRouter(WeakHandle);

impl WeakRouter {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Router> {
        let handle = self.0.upgrade()?;
        Router::of(handle.link(), handle.entry())
    }
}

/// A Transport of any kind that was created.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum NewTransport<'a> {
    /// A WebRtcTransport.
    WebRtc(&'a WebRtcTransport),
    /// A PlainTransport.
    Plain(&'a PlainTransport),
    /// A DirectTransport.
    Direct(&'a DirectTransport),
    /// A PipeTransport.
    Pipe(&'a PipeTransport),
}

impl<'a> Deref for NewTransport<'a> {
    type Target = dyn Transport + 'a;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::WebRtc(transport) => *transport,
            Self::Plain(transport) => *transport,
            Self::Direct(transport) => *transport,
            Self::Pipe(transport) => *transport,
        }
    }
}

/// An RtpObserver of any kind that was created.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum NewRtpObserver<'a> {
    /// An AudioLevelObserver.
    AudioLevel(&'a AudioLevelObserver),
    /// An ActiveSpeakerObserver.
    ActiveSpeaker(&'a ActiveSpeakerObserver),
}

impl<'a> Deref for NewRtpObserver<'a> {
    type Target = dyn RtpObserver + 'a;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::AudioLevel(observer) => *observer,
            Self::ActiveSpeaker(observer) => *observer,
        }
    }
}
