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
use crate::transport::Target;

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

/// Where all rows of a Consumer are, by the Producer's encodings.
#[derive(Debug)]
pub(crate) enum Places {
    /// The first encoding's alone. Apart, since nearly all Consumers are like that: no memory of its own.
    One(Place),
    /// Every encoding's, of a pipe Consumer.
    All(Box<[Place]>),
}

impl Places {
    pub(crate) fn as_slice(&self) -> &[Place] {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::All(places) => places,
        }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [Place] {
        match self {
            Self::One(place) => std::slice::from_mut(place),
            Self::All(places) => places,
        }
    }
}

impl Place {
    /// The stream and the place in its table, unless the row is away.
    pub(crate) fn at(&self) -> Option<(StreamKey, usize)> {
        match self {
            Self::At { stream, index } => Some((*stream, *index)),
            Self::Away(_) => None,
        }
    }
}

/// A Consumer's cold part.
#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) id: ConsumerId,
    pub(crate) origin: Origin,
    pub(crate) producer: ProducerId,
    /// The id under which that is known, where it is another.
    pub(crate) producer_alias: Option<ProducerId>,
    pub(crate) kind: MediaKind,
    pub(crate) r#type: ConsumerType,
    pub(crate) rtp_parameters: Arc<RtpParameters>,
    /// What its Producer's consumable parameters were.
    pub(crate) consumable: Arc<RtpParameters>,
    pub(crate) paused: bool,
    pub(crate) producer_paused: bool,
    pub(crate) traced: Traced<ConsumerTraceEventType>,
    pub(crate) score: ConsumerScore,
    pub(crate) places: Places,
}

impl Consumer {
    /// What others know of it.
    pub(crate) fn state(&self, transport: TransportId) -> ConsumerState {
        ConsumerState {
            id: self.id,
            origin: self.origin.clone(),
            transport,
            producer: self.producer,
            producer_alias: self.producer_alias,
            kind: self.kind,
            r#type: self.r#type,
            rtp_parameters: self.rtp_parameters.clone(),
            paused: self.paused,
            producer_paused: self.producer_paused,
            score: self.score.clone(),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        !self.paused && !self.producer_paused
    }

    /// The id by which applications know its Producer.
    pub(crate) fn known_producer(&self) -> ProducerId {
        self.producer_alias.unwrap_or(self.producer)
    }

    /// Whether it sends on all of its Producer's streams as they are.
    pub(crate) fn is_pipe(&self) -> bool {
        self.r#type == ConsumerType::Pipe
    }

    /// What it sends under each SSRC.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (u32, Target)> {
        let consumer = self.id;
        self.rtp_parameters.encodings.iter().enumerate().flat_map(move |(encoding, it)| {
            let target = move |rtx| Target { consumer, encoding, rtx };
            let media = it.ssrc.map(|ssrc| (ssrc, target(false)));
            media.into_iter().chain(it.rtx.as_ref().map(|rtx| (rtx.ssrc, target(true))))
        })
    }

    /// The rows that are in streams' tables.
    pub(crate) fn rows_at(&self) -> impl Iterator<Item = (StreamKey, usize)> {
        self.places.as_slice().iter().filter_map(Place::at)
    }
}
