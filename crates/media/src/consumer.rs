//! A Consumer in the machine: the cold part, which lies in its Transport, and the hot [`Row`], which lies beside those of all
//! other Consumers of the same stream.

mod numbers;
mod row;

use std::sync::Arc;

use mafalda_api::consumer::{ConsumerScore, ConsumerTraceEventType, ConsumerType};
use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpParameters};
use mafalda_api::waist::{ConsumerState, Origin};

use crate::router::StreamKey;
use crate::trace::Traced;

pub(crate) use numbers::Numbers;
pub(crate) use row::{Offer, Row, RowParams};

/// Where a Consumer's row is.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a stream's table.
    At {
        /// Whose.
        stream: StreamKey,
        /// Where in it.
        index: usize,
    },
    /// The Producer is not here (at the moment): the row waits.
    Away(Box<Row>),
}

/// A Consumer's cold part.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) id: ConsumerId,
    pub(crate) origin: Origin,
    pub(crate) producer: ProducerId,
    pub(crate) kind: MediaKind,
    pub(crate) rtp_parameters: Arc<RtpParameters>,
    /// What its Producer's consumable parameters were.
    pub(crate) consumable: Arc<RtpParameters>,
    pub(crate) paused: bool,
    pub(crate) producer_paused: bool,
    pub(crate) traced: Traced<ConsumerTraceEventType>,
    pub(crate) score: ConsumerScore,
    pub(crate) place: Place,
}

impl Consumer {
    /// What others know of it.
    pub(crate) fn state(&self, transport: TransportId) -> ConsumerState {
        ConsumerState {
            id: self.id,
            origin: self.origin.clone(),
            transport,
            producer: self.producer,
            kind: self.kind,
            r#type: ConsumerType::Simple,
            rtp_parameters: self.rtp_parameters.clone(),
            paused: self.paused,
            producer_paused: self.producer_paused,
            score: self.score.clone(),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        !self.paused && !self.producer_paused
    }

    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.rtp_parameters.encodings.first().and_then(|encoding| encoding.ssrc)
    }

    pub(crate) fn rtx_ssrc(&self) -> Option<u32> {
        self.rtp_parameters.encodings.first().and_then(|encoding| encoding.rtx.as_ref()).map(|rtx| rtx.ssrc)
    }
}
