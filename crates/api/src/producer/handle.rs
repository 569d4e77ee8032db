//! The handle of a Producer.

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{
    ProducerDump, ProducerScore, ProducerStat, ProducerTraceEventData, ProducerTraceEventType, ProducerType,
    ProducerVideoOrientation,
};
use crate::direct_transport::{self, is_direct};
use crate::error::{NotificationError, RequestError};
use crate::handle::{Handle, WeakHandle, by_parent, handle_methods};
use crate::id::{ObjectId, ProducerId};
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::transport::{self, Transport};
use crate::types::rtp_parameters::{MediaKind, RtpParameters};
use crate::waist::{
    Done, DumpProducer, EnableProducerTraceEvents, Event, GetProducerStats, PauseProducer, ProducerState,
    ResumeProducer,
};

/// One audio or video source that is sent into a Router. Clones are the same Producer; it keeps its Transport.
#[derive(Clone)]
#[non_exhaustive]
pub enum Producer {
    /// One that an endpoint sends over a network.
    Regular(RegularProducer),
    /// One that the application sends, of a DirectTransport.
    Direct(DirectProducer),
}

/// What is special about Producers of endpoints: nothing. All that can be done with one is what can be done with any [`Producer`].
#[derive(Clone)]
pub struct RegularProducer(Shared);

/// A Producer of a DirectTransport: the application is its source.
#[derive(Clone)]
pub struct DirectProducer(Shared);

/// What the handles of all kinds of Producers hold.
#[derive(Clone)]
struct Shared {
    handle: Handle,
    transport: Arc<dyn Transport>,
}

impl From<RegularProducer> for Producer {
    fn from(producer: RegularProducer) -> Self {
        Self::Regular(producer)
    }
}

impl DirectProducer {
    /// Sends an RTP packet into the Router. It never waits; whose the packet is, its SSRC or its names say, as with any Transport. One
    /// that can't be read within, or is no Producer's of the Transport, is dropped and counted.
    ///
    /// # Errors
    ///
    /// When it is no RTP at first sight, as much waits as may, or the Producer or the backend is gone.
    pub fn send(&self, rtp_packet: Vec<u8>) -> Result<(), NotificationError> {
        let handle = &self.0.handle;
        let transport = handle.entry().parent().ok_or(NotificationError::ChannelClosed)?;
        handle.send(transport, direct_transport::rtp(rtp_packet)?)
    }
}

impl From<DirectProducer> for Producer {
    fn from(producer: DirectProducer) -> Self {
        Self::Direct(producer)
    }
}

impl Producer {
    handle_methods!("Producer", ProducerId, Producer, handle());

    pub(crate) fn of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Self> {
        let transport = transport::any_of(link, entry.parent()?)?;
        Some(Self::from_handle(Handle::of(link, entry), transport))
    }

    pub(crate) fn from_handle(handle: Handle, transport: Arc<dyn Transport>) -> Self {
        let is_direct = handle.entry().parent().is_some_and(|transport| is_direct(transport));
        let shared = Shared { handle, transport };
        if is_direct { DirectProducer(shared).into() } else { RegularProducer(shared).into() }
    }

    fn shared(&self) -> &Shared {
        match self {
            Self::Regular(RegularProducer(shared)) | Self::Direct(DirectProducer(shared)) => shared,
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.shared().handle
    }

    /// The id of the object, be it known by another's or not.
    pub(crate) fn object_id(&self) -> ProducerId {
        match self.handle().entry().id() {
            ObjectId::Producer(id) => id,
            _ => unreachable!("a handle's entry is of its kind"),
        }
    }

    /// The Transport that it comes in through.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.shared().transport
    }

    /// Audio or video.
    #[must_use]
    pub fn kind(&self) -> MediaKind {
        self.with(|state| state.kind)
    }

    /// What the endpoint sends.
    #[must_use]
    pub fn rtp_parameters(&self) -> &RtpParameters {
        self.handle().fixed().rtp_parameters()
    }

    /// What Consumers can be offered, in the Router's own payload types and SSRCs.
    #[must_use]
    pub fn consumable_rtp_parameters(&self) -> &RtpParameters {
        self.handle().fixed().consumable_rtp_parameters()
    }

    /// How its streams make up its media.
    #[must_use]
    pub fn r#type(&self) -> ProducerType {
        self.with(|state| state.r#type)
    }

    /// Whether it is paused.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.with(|state| state.paused)
    }

    /// The quality of each of its RTP streams.
    #[must_use]
    pub fn score(&self) -> Vec<ProducerScore> {
        self.with(|state| state.score.clone())
    }

    /// How its picture lies, once a packet has told. mediasoup has no getter for this.
    #[must_use]
    pub fn video_orientation(&self) -> Option<ProducerVideoOrientation> {
        self.with(|state| state.video_orientation)
    }

    /// Tells what it is.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn dump(&self) -> Result<ProducerDump, RequestError> {
        Ok(*self.handle().link().run(DumpProducer { id: self.object_id() }).await?)
    }

    /// Tells what came in, per RTP stream.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn get_stats(&self) -> Result<Vec<ProducerStat>, RequestError> {
        self.handle().link().run(GetProducerStats { id: self.object_id() }).await
    }

    /// Stops what it sends from reaching its Consumers.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn pause(&self) -> Result<(), RequestError> {
        let Done = self.handle().link().run(PauseProducer { id: self.object_id() }).await?;
        Ok(())
    }

    /// Lets what it sends reach its Consumers again.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn resume(&self) -> Result<(), RequestError> {
        let Done = self.handle().link().run(ResumeProducer { id: self.object_id() }).await?;
        Ok(())
    }

    /// Calls back when the quality of its streams changes.
    pub fn on_score<F: Fn(&[ProducerScore]) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::ProducerScoreChanged { score, .. } = event {
                callback(score);
            }
        })
    }

    /// Calls back when its picture lies otherwise than before, as its packets tell where that header extension is negotiated; also
    /// when they tell for the first time.
    pub fn on_video_orientation_change<F: Fn(ProducerVideoOrientation) + Send + Sync + 'static>(
        &self,
        callback: F,
    ) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::ProducerVideoOrientationChanged { orientation, .. } = event {
                callback(*orientation);
            }
        })
    }

    /// Calls back when it is paused.
    pub fn on_pause<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::ProducerPaused { .. } = event {
                callback();
            }
        })
    }

    /// Calls back when it is resumed.
    pub fn on_resume<F: Fn() + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::ProducerResumed { .. } = event {
                callback();
            }
        })
    }

    /// Chooses what [`on_trace`](Producer::on_trace) calls back for: these kinds, and no others. As in mediasoup a packet of a key frame is
    /// told as `KeyFrame` where that is chosen, and not as `Rtp` too.
    ///
    /// # Errors
    ///
    /// When it is gone, or the backend is.
    pub async fn enable_trace_event(&self, types: Vec<ProducerTraceEventType>) -> Result<(), RequestError> {
        let Done =
            self.handle().link().run(EnableProducerTraceEvents { id: self.object_id(), types }).await?;
        Ok(())
    }

    /// Calls back for each trace event. Those that come faster than callbacks run are left out, and counted in
    /// [`WorkerManager::missed_events`](crate::worker_manager::WorkerManager::missed_events).
    pub fn on_trace<F: Fn(&ProducerTraceEventData) + Send + Sync + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::ProducerTraced { trace, .. } = event {
                callback(trace);
            }
        })
    }

    /// Calls back when it closes because its Transport did; `on_close` follows.
    pub fn on_transport_close<F: FnOnce() + Send + 'static>(&self, callback: F) -> HandlerId {
        self.handle().on_closing(by_parent, callback)
    }

    /// A handle that keeps nothing alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakProducer {
        WeakProducer(self.handle().downgrade())
    }

    fn with<R>(&self, read: impl FnOnce(&ProducerState) -> R) -> R {
        self.handle().with(read)
    }
}

impl fmt::Debug for RegularProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.handle.fmt(f)
    }
}

impl fmt::Debug for DirectProducer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.handle.fmt(f)
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle().fmt(f)
    }
}

/// A [`Producer`] that is not kept alive.
#[derive(Clone, Debug)]
pub struct WeakProducer(WeakHandle);

impl WeakProducer {
    /// The handle, while another one is there.
    #[must_use]
    pub fn upgrade(&self) -> Option<Producer> {
        let handle = self.0.upgrade()?;
        Producer::of(handle.link(), handle.entry())
    }
}
