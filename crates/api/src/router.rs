//! A Router: the media of one room.

mod handle;
mod pipe;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

pub use self::handle::{NewRtpObserver, NewTransport, Router, WeakRouter};
pub use self::pipe::{PipeProducerToRouterPair, PipeToRouterOptions};
pub use crate::error::PipeProducerToRouterError;
pub use crate::error::UpdateMediaCodecsError;
pub use crate::id::RouterId;
use crate::id::{ConsumerId, DataConsumerId, DataProducerId, ProducerId, RtpObserverId, TransportId};
use crate::labels::Labels;
use crate::types::data_structures::AppData;
use crate::types::rtp_parameters::RtpCodecCapability;

/// How a Router is made.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RouterOptions {
    /// The codecs that it shall carry.
    pub media_codecs: Vec<RtpCodecCapability>,
    /// What travels with the Router and shows wherever it shows.
    pub labels: Labels,
    /// What stays with the Router in this process.
    pub app_data: AppData,
}

impl RouterOptions {
    /// A Router for these codecs.
    #[must_use]
    pub fn new(media_codecs: Vec<RtpCodecCapability>) -> Self {
        Self { media_codecs, labels: Labels::default(), app_data: AppData::default() }
    }
}

/// What a Router holds.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterDump {
    /// Its id.
    pub id: RouterId,
    /// What each Consumer consumes.
    pub map_consumer_id_producer_id: HashMap<ConsumerId, ProducerId>,
    /// The Consumers of each Producer, also of those that nobody consumes.
    pub map_producer_id_consumer_ids: HashMap<ProducerId, HashSet<ConsumerId>>,
    /// The RtpObservers that listen to each Producer, also of those that nobody listens to.
    pub map_producer_id_observer_ids: HashMap<ProducerId, HashSet<RtpObserverId>>,
    /// What each DataConsumer consumes.
    pub map_data_consumer_id_data_producer_id: HashMap<DataConsumerId, DataProducerId>,
    /// The DataConsumers of each DataProducer, also of those that nobody consumes.
    pub map_data_producer_id_data_consumer_ids: HashMap<DataProducerId, HashSet<DataConsumerId>>,
    /// Its RtpObservers.
    pub rtp_observer_ids: HashSet<RtpObserverId>,
    /// Its Transports.
    pub transport_ids: HashSet<TransportId>,
}
