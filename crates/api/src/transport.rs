//! What all kinds of Transports have in common.

mod handle;
mod trace;

use std::fmt;
use std::sync::Arc;

use event_listener_primitives::HandlerId;
use serde::{Deserialize, Serialize};

use crate::consumer::{Consumer, ConsumerOptions};
use crate::data_consumer::{DataConsumer, DataConsumerOptions};
use crate::data_producer::{DataProducer, DataProducerOptions};
use crate::direct_transport::DirectTransport;
use crate::error::RequestError;
pub use crate::error::{ConsumeDataError, ConsumeError, ProduceDataError, ProduceError};
use crate::handle::Handle;
use crate::id::ProducerId;
pub use crate::id::TransportId;
use crate::labels::Labels;
use crate::link::Link;
use crate::mirror::Mirrored;
use crate::pipe_transport::PipeTransport;
use crate::plain_transport::PlainTransport;
use crate::producer::{Producer, ProducerOptions};
use crate::router::Router;
use crate::subscription::Subscription;
use crate::types::data_structures::AppData;
use crate::waist::BoxFuture;
use crate::webrtc_transport::WebRtcTransport;
pub use trace::{TransportTraceEventData, TransportTraceEventType};

/// Any kind of Transport. Sealed: the platform alone makes Transports.
pub trait Transport: fmt::Debug + Send + Sync + sealed::Sealed {
    /// The Transport's id.
    fn id(&self) -> TransportId;

    /// The Router that it belongs to.
    fn router(&self) -> &Router;

    /// What stays with the Transport in this process; empty if it was created elsewhere.
    fn app_data(&self) -> &AppData;

    /// What travels with the Transport.
    fn labels(&self) -> &Labels;

    /// Whether the Transport is closed.
    fn closed(&self) -> bool;

    /// Closes the Transport and all that lives in it, at once: never blocks, and runs `on_close`.
    fn close(&self);

    /// Leaves the Transport running, without an owner, when the last handle goes.
    fn detach(&self);

    /// Whether the Transport closes when the last handle of this process goes.
    fn is_owner(&self) -> bool;

    /// Makes this and all other handles of the object in this process its owners, if it belongs to this process's session.
    /// Says whether they are.
    fn claim(&self) -> bool;

    /// What happens to the Transport from now on, in order.
    fn events(&self) -> Subscription;

    /// Receives what the endpoint sends. Dropping the future closes what it made.
    fn produce(&self, producer_options: ProducerOptions) -> BoxFuture<'_, Result<Producer, ProduceError>>;

    /// Sends a Producer's media to the endpoint. Dropping the future closes what it made.
    fn consume(&self, consumer_options: ConsumerOptions) -> BoxFuture<'_, Result<Consumer, ConsumeError>>;

    /// Receives messages. Dropping the future closes what it made. DirectTransports alone carry data so far.
    fn produce_data(
        &self,
        data_producer_options: DataProducerOptions,
    ) -> BoxFuture<'_, Result<DataProducer, ProduceDataError>>;

    /// Sends a DataProducer's messages. Dropping the future closes what it made. DirectTransports alone carry data so far.
    fn consume_data(
        &self,
        data_consumer_options: DataConsumerOptions,
    ) -> BoxFuture<'_, Result<DataConsumer, ConsumeDataError>>;

    /// Calls back for each Producer created on it; before `produce` returns.
    fn on_new_producer(&self, callback: Arc<dyn Fn(&Producer) + Send + Sync>) -> HandlerId;

    /// Calls back for each Consumer created on it; before `consume` returns.
    fn on_new_consumer(&self, callback: Arc<dyn Fn(&Consumer) + Send + Sync>) -> HandlerId;

    /// Chooses what [`on_trace`](Transport::on_trace) calls back for: these kinds, and no others. There is something to tell once
    /// bandwidth is estimated.
    fn enable_trace_event(
        &self,
        types: Vec<TransportTraceEventType>,
    ) -> BoxFuture<'_, Result<(), RequestError>>;

    /// Calls back for each trace event. Those that come faster than callbacks run are left out, and counted in
    /// [`WorkerManager::missed_events`](crate::worker_manager::WorkerManager::missed_events).
    fn on_trace(&self, callback: Arc<dyn Fn(&TransportTraceEventData) + Send + Sync>) -> HandlerId;

    /// Calls back for each DataProducer created on it; before `produce_data` returns.
    fn on_new_data_producer(&self, callback: Arc<dyn Fn(&DataProducer) + Send + Sync>) -> HandlerId;

    /// Calls back for each DataConsumer created on it; before `consume_data` returns.
    fn on_new_data_consumer(&self, callback: Arc<dyn Fn(&DataConsumer) + Send + Sync>) -> HandlerId;

    /// Calls back when it closes because its Router did; `on_close` follows.
    fn on_router_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId;

    /// Calls back when it closes; at once if it is closed.
    fn on_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId;
}

/// What differs in type between kinds of Transports.
pub trait TransportGeneric: Transport + Clone + 'static {
    /// What it holds.
    type Dump: fmt::Debug + 'static;
    /// What went over it.
    type Stat: fmt::Debug + 'static;

    /// Tells what it holds.
    fn dump(&self) -> BoxFuture<'_, Result<Self::Dump, RequestError>>;

    /// Tells what went over it.
    fn get_stats(&self) -> BoxFuture<'_, Result<Vec<Self::Stat>, RequestError>>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// What each kind of Transport has; all that [`Transport`] offers is made of it.
pub(crate) trait Kind: Clone + fmt::Debug + Send + Sync + 'static {
    fn handle(&self) -> &Handle;
    fn home(&self) -> &Router;
}

impl<T: Kind> sealed::Sealed for T {}

/// The Transport of a Producer or Consumer, whatever its kind.
pub(crate) fn any_of(link: &Arc<Link>, entry: &Arc<Mirrored>) -> Option<Arc<dyn Transport>> {
    if let Some(transport) = WebRtcTransport::of(link, entry) {
        return Some(Arc::new(transport));
    }
    if let Some(transport) = PlainTransport::of(link, entry) {
        return Some(Arc::new(transport));
    }
    if let Some(transport) = PipeTransport::of(link, entry) {
        return Some(Arc::new(transport));
    }
    DirectTransport::of(link, entry).map(|transport| Arc::new(transport) as Arc<dyn Transport>)
}

/// How a Transport finds the Producer of a packet.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtpListener {
    /// By MID.
    pub mid_table: Vec<(String, ProducerId)>,
    /// By RID.
    pub rid_table: Vec<(String, ProducerId)>,
    /// By SSRC.
    pub ssrc_table: Vec<(u32, ProducerId)>,
}

/// Under which id the peer sends each header extension that the Transport reads; `None`: it doesn't send it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecvRtpHeaderExtensions {
    /// `urn:ietf:params:rtp-hdrext:sdes:mid`.
    pub mid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id`.
    pub rid: Option<u8>,
    /// `urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id`.
    pub rrid: Option<u8>,
    /// abs-send-time.
    pub abs_send_time: Option<u8>,
    /// transport-wide-cc, draft 01.
    pub transport_wide_cc01: Option<u8>,
}
