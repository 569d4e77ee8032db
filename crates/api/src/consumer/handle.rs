//! The handle of a Consumer.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{
    ConsumerDump, ConsumerRtpStreamStat, ConsumerScore, ConsumerTraceEventData, ConsumerTraceEventType,
    ConsumerType,
};
use crate::callbacks::Notice;
use crate::error::RequestError;
use crate::handle::{Handle, WeakHandle, by_parent, handle_methods};
use crate::id::{ConsumerId, ProducerId};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::transport::{self, Transport};
use crate::types::rtp_parameters::{MediaKind, RtpParameters};
use crate::waist::{
    CloseCause, ConsumerState, Done, DumpConsumer, EnableConsumerTraceEvents, Event, GetConsumerStats,
    PauseConsumer, RequestKeyFrame, ResumeConsumer,
};

/// One Producer's media, sent on to one endpoint. Clones are the same Consumer; it keeps its Transport, not its Producer.
#[derive(Clone)]
pub struct Consumer {
    handle: Handle,
    transport: Arc<dyn Transport>,
}

impl Consumer {
    handle_methods!("Consumer", ConsumerId, Consumer);

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let transport = transport::any_of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), transport))
    }

    pub(crate) fn from_handle(handle: Handle, transport: Arc<dyn Transport>) -> Self {
        Self { handle, transport }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What it consumes.
    #[must_use]
    pub fn producer_id(&self) -> ProducerId {
        self.with(|state| state.producer_alias.unwrap_or(state.producer))
    }

    /// The Transport that it goes out through.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// Audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.with(|state| state.kind)
    }

    /// What the endpoint receives.
    #[must_use]
    pub fn rtp_parameters(&self) -> &RtpParameters {
        self.handle.fixed().rtp_parameters()
    }

    /// How it treats its Producer's streams.
    #[must_use]
    pub fn r#type(&self) -> ConsumerType {
        self.with(|state| state.r#type)
    }

    /// Whether it is paused itself.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.with(|state| state.paused)
    }

    /// Whether its Producer is paused.
    #[must_use]
    pub fn producer_paused(&self) -> bool {
        self.with(|state| state.producer_paused)
    }

    /// The quality of its stream.
    #[must_use]
    pub fn score(&self) -> ConsumerScore {
        self.with(|state| state.score.clone())
    }

    /// Tells what it is.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<ConsumerDump, RequestError> {
        Ok(*self.handle.link().run(DumpConsumer { id: self.id() }).await?)
    }

    /// Tells what comes in from its Producer, and what went out.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn get_stats(&self) -> Result<Vec<ConsumerRtpStreamStat>, RequestError> {
        self.handle.link().run(GetConsumerStats { id: self.id() }).await
    }

    /// Stops sending.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn pause(&self) -> Result<(), RequestError> {
        let Done = self.handle.link().run(PauseConsumer { id: self.id() }).await?;
        Ok(())
    }

    /// Sends again.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn resume(&self) -> Result<(), RequestError> {
        let Done = self.handle.link().run(ResumeConsumer { id: self.id() }).await?;
        Ok(())
    }

    /// Asks its Producer for a key frame.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn request_key_frame(&self) -> Result<(), RequestError> {
        let Done = self.handle.link().run(RequestKeyFrame { id: self.id() }).await?;
        Ok(())
    }

    /// Calls back with each RTP packet, retransmissions too, where its Transport is a DirectTransport. A callback that is too slow loses
    /// some: they count as discarded.
    pub fn on_rtp<F: Fn(&[u8]) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_notice(move |notice| {
            if let Notice::Rtp(packet) = notice {
                callback(packet);
            }
        })
    }

    /// Calls back when it is paused.
    pub fn on_pause<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::ConsumerPaused { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when it is resumed.
    pub fn on_resume<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::ConsumerResumed { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when its Producer is paused.
    pub fn on_producer_pause<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::ConsumerProducerPaused { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when its Producer is resumed.
    pub fn on_producer_resume<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::ConsumerProducerResumed { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when the quality of its stream changes.
    pub fn on_score<F: Fn(&ConsumerScore) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::ConsumerScoreChanged { score, .. } = event {
                callback(score);
            }
        })
    }

    /// Calls back when it closes because its Producer did; `on_close` follows.
    pub fn on_producer_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_closing(|cause| *cause == CloseCause::ProducerClosed, callback)
    }

    /// Chooses what [`on_trace`](Consumer::on_trace) calls back for: these kinds, and no others. As in mediasoup a packet of a key frame is
    /// told as `KeyFrame` where that is chosen, and not as `Rtp` too.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn enable_trace_event(&self, types: Vec<ConsumerTraceEventType>) -> Result<(), RequestError> {
        let Done = self.handle.link().run(EnableConsumerTraceEvents { id: self.id(), types }).await?;
        Ok(())
    }

    /// Calls back for each trace event. Those that come faster than callbacks run are left out, and counted in
    /// [`WorkerManager::missed_events`](crate::worker_manager::WorkerManager::missed_events).
    pub fn on_trace<F: Fn(&ConsumerTraceEventData) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_change(move |event| {
            if let Event::ConsumerTraced { trace, .. } = event {
                callback(trace);
            }
        })
    }

    /// Calls back when it closes because its Transport did; `on_close` follows.
    pub fn on_transport_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle.on_closing(by_parent, callback)
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakConsumer {
        WeakConsumer(self.handle.downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&ConsumerState) -> R) -> R {
        self.handle.with(read)
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

/// A [`Consumer`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakConsumer(WeakHandle);

impl WeakConsumer {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Consumer> {
        let handle = self.0.upgrade()?;
        Consumer::of(handle.link(), handle.entry())
    }
}
