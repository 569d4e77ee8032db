//! How good streams are, and how their picture lies: told at the end of a turn, once, however often it changed within.

use mafalda_api::consumer::ConsumerScore;
use mafalda_api::id::{ConsumerId, ProducerId};
use mafalda_api::producer::ProducerVideoOrientation;
use mafalda_api::waist::Event;

use super::{Router, StreamKey, TransportKey};
use crate::worker::Turn;

/// Whose scores have changed in this turn. Each stream and row says itself whether it is in here, so there are no more entries
/// than there are of those.
#[derive(Debug, Default)]
pub(super) struct ScoreNews {
    streams: Vec<StreamKey>,
    consumers: Vec<(TransportKey, ConsumerId)>,
    /// Producers whose picture lies otherwise, and how it lay when that was told last.
    turned: Vec<(ProducerId, Option<ProducerVideoOrientation>)>,
}

impl Router {
    pub(super) fn mark_producer_score(&mut self, turn: &mut Turn, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        if !std::mem::replace(&mut stream.scored, true) {
            self.scores.streams.push(key);
            turn.effects.mark_scored(self.key);
        }
    }

    pub(super) fn mark_consumer_score(&mut self, turn: &mut Turn, stream: StreamKey, index: usize) {
        let Some(row) = self.row_mut(stream, index) else { return };
        if !std::mem::replace(&mut row.scored, true) {
            let consumer = (row.transport, row.consumer);
            self.scores.consumers.push(consumer);
            turn.effects.mark_scored(self.key);
        }
    }

    /// However often a sender turns its picture: it is told once in a turn.
    pub(super) fn mark_turned(
        &mut self,
        turn: &mut Turn,
        id: ProducerId,
        told: Option<ProducerVideoOrientation>,
    ) {
        if self.scores.turned.iter().all(|(marked, _)| *marked != id) {
            self.scores.turned.push((id, told));
            turn.effects.mark_scored(self.key);
        }
    }

    /// Tells what was marked.
    pub(crate) fn tell_scores(&mut self, turn: &mut Turn) {
        let ScoreNews { mut streams, mut consumers, mut turned } = std::mem::take(&mut self.scores);
        streams.drain(..).for_each(|key| self.tell_producer_score(turn, key));
        consumers
            .drain(..)
            .for_each(|(transport, consumer)| self.tell_consumer_score(turn, transport, consumer));
        for (id, told) in turned.drain(..) {
            let producer = self.producers.get(&id);
            let orientation = producer.and_then(|producer| producer.video_orientation);
            if let Some(orientation) = orientation.filter(|orientation| Some(*orientation) != told) {
                turn.effects.tell(Event::ProducerVideoOrientationChanged { id, orientation });
            }
        }
        self.scores = ScoreNews { streams, consumers, turned };
    }

    /// The score of a Producer, and of all Consumers whose score it is part of.
    fn tell_producer_score(&mut self, turn: &mut Turn, key: StreamKey) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        stream.scored = false;
        let Some(producer) = self.producers.get(&stream.producer) else { return };
        let id = producer.id;
        let streams = producer.streams.iter().filter_map(|key| self.streams.get(*key));
        let score: Vec<_> = streams.filter_map(|it| it.score()).collect();
        // It may have gone and come back in one turn.
        if let Some(producer) = self.producers.get_mut(&id).filter(|producer| producer.score != score) {
            producer.score.clone_from(&score);
            turn.effects.tell(Event::ProducerScoreChanged { id, score });
        }
        for (transport, consumer) in self.consumers_of.get(&id).cloned().unwrap_or_default() {
            self.tell_consumer_score(turn, transport, consumer);
        }
    }

    fn tell_consumer_score(&mut self, turn: &mut Turn, key: TransportKey, id: ConsumerId) {
        let producer_scores = self.producer_scores(key, id);
        let Some(consumer) = self.transports.get_mut(key).and_then(|it| it.consumers.get_mut(&id)) else {
            return;
        };
        if consumer.is_pipe() {
            // What another Router's Consumers get is scored there.
            for encoding in 0..consumer.places.as_slice().len() {
                if let Some(row) = Self::row_of(&mut self.streams, consumer, encoding) {
                    row.scored = false;
                }
            }
            return;
        }
        let own = Self::row_of(&mut self.streams, consumer, 0).map_or(10, |row| {
            row.scored = false;
            row.send.score()
        });
        let producer_score = producer_scores.first().copied().unwrap_or(0);
        let score = ConsumerScore { score: own, producer_score, producer_scores };
        if consumer.score != score {
            consumer.score = score.clone();
            turn.effects.tell(Event::ConsumerScoreChanged { id, score });
        }
    }

    fn producer_scores(&self, key: TransportKey, id: ConsumerId) -> Vec<u8> {
        let consumer = self.transports.get(key).and_then(|it| it.consumers.get(&id));
        let producer = consumer.and_then(|consumer| self.producers.get(&consumer.producer));
        let streams = producer.map(|producer| producer.streams.as_slice()).unwrap_or_default();
        let scores = streams.iter().filter_map(|key| self.streams.get(*key));
        scores.map(|stream| stream.score().map_or(0, |score| score.score)).collect()
    }
}
