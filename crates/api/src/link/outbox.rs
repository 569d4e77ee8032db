//! What no caller waits for, on its way to the backend: ids of objects that were closed, dropped or detached here, and Producers
//! that are to be paused or resumed because what they carry on was.
//!
//! It goes out as sets: ahead of the next call, or by the deliver future if no call comes. All sets are bounded by the
//! objects that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use crate::id::{ObjectId, ProducerId};
use crate::mirror::Mirrored;
use crate::waist::{BoxFuture, Close, Command, Detach, ObjectState, PauseProducer, ResumeProducer};

#[derive(Default)]
pub(crate) struct Outbox {
    leaving: Mutex<Leaving>,
    /// Held while the sets go out, so that no later call overtakes them.
    turn: Mutex<()>,
    sent: Mutex<Vec<BoxFuture<'static, Parting>>>,
}

/// What goes out together.
#[derive(Clone, Debug)]
pub(crate) enum Leave {
    Close(Vec<ObjectId>),
    Detach(Vec<ObjectId>),
    /// A Producer, and the Consumer that it gets its streams from.
    Follow(ProducerId, Arc<Mirrored>),
}

impl From<Leave> for Command {
    fn from(leave: Leave) -> Self {
        match leave {
            Leave::Close(ids) => Close { ids }.into(),
            Leave::Detach(ids) => Detach { ids }.into(),
            // As it is now: whatever happens later goes out later.
            Leave::Follow(id, source) if is_silent(&source) => PauseProducer { id }.into(),
            Leave::Follow(id, _) => ResumeProducer { id }.into(),
        }
    }
}

/// What became of a set.
pub(crate) enum Parting {
    /// The backend has carried it out, and the mirror shows it; or there is no backend any more.
    Done(Leave),
    /// The backend has too much to do; to be sent again.
    Refused(Leave),
}

#[derive(Default)]
struct Leaving {
    close: BTreeSet<ObjectId>,
    detach: BTreeSet<ObjectId>,
    follow: BTreeMap<ProducerId, Arc<Mirrored>>,
}

impl Outbox {
    pub(crate) fn close(&self, id: ObjectId) {
        let mut leaving = self.leaving.lock().expect("no holder panics");
        leaving.detach.remove(&id);
        leaving.close.insert(id);
    }

    pub(crate) fn detach(&self, id: ObjectId) {
        let mut leaving = self.leaving.lock().expect("no holder panics");
        if !leaving.close.contains(&id) {
            leaving.detach.insert(id);
        }
    }

    pub(crate) fn follow(&self, producer: ProducerId, source: Arc<Mirrored>) {
        self.leaving.lock().expect("no holder panics").follow.insert(producer, source);
    }

    /// The backend has closed it already.
    pub(crate) fn forget(&self, id: ObjectId) {
        let mut leaving = self.leaving.lock().expect("no holder panics");
        leaving.close.remove(&id);
        leaving.detach.remove(&id);
        if let ObjectId::Producer(id) = id {
            leaving.follow.remove(&id);
        }
    }

    /// Nobody else sends while this lives.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().expect("no holder panics")
    }

    /// Takes out all that leave.
    pub(crate) fn take(&self) -> impl Iterator<Item = Leave> + use<> {
        let Leaving { close, detach, follow } =
            mem::take(&mut *self.leaving.lock().expect("no holder panics"));
        let close = (!close.is_empty()).then(|| Leave::Close(close.into_iter().collect()));
        let detach = (!detach.is_empty()).then(|| Leave::Detach(detach.into_iter().collect()));
        let follow = follow.into_iter().map(|(producer, source)| Leave::Follow(producer, source));
        follow.chain(detach).chain(close)
    }

    pub(crate) fn sent(&self, parting: BoxFuture<'static, Parting>) {
        self.sent.lock().expect("no holder panics").push(parting);
    }

    /// Goes through what was sent, and gives back the ids that were closed. Refused ones leave again with the next take.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Vec<ObjectId> {
        let mut closed = Vec::new();
        let sent = mem::take(&mut *self.sent.lock().expect("no holder panics"));
        for mut parting in sent {
            match parting.as_mut().poll(cx) {
                Poll::Pending => self.sent(parting),
                Poll::Ready(Parting::Done(Leave::Close(ids))) => closed.extend(ids),
                Poll::Ready(Parting::Done(Leave::Detach(_) | Leave::Follow(..))) => {}
                Poll::Ready(Parting::Refused(Leave::Follow(producer, source))) => {
                    self.follow(producer, source);
                }
                Poll::Ready(Parting::Refused(Leave::Close(ids))) => {
                    ids.into_iter().for_each(|id| self.close(id));
                }
                Poll::Ready(Parting::Refused(Leave::Detach(ids))) => {
                    ids.into_iter().for_each(|id| self.detach(id));
                }
            }
        }
        closed
    }
}

/// Whether nothing comes of a Consumer: it or its Producer is paused.
fn is_silent(consumer: &Mirrored) -> bool {
    consumer.with(|state| match state {
        ObjectState::Consumer(state) => state.paused || state.producer_paused,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::consumer::{ConsumerScore, ConsumerType};
    use crate::id::{ConsumerId, TransportId};
    use crate::mirror::Above;
    use crate::types::data_structures::AppData;
    use crate::types::rtp_parameters::MediaKind;
    use crate::waist::{ConsumerState, Event, Origin};

    fn consumer() -> Arc<Mirrored> {
        let state = ConsumerState {
            id: ConsumerId::new(),
            origin: Origin::default(),
            transport: TransportId::new(),
            producer: ProducerId::new(),
            producer_alias: None,
            kind: MediaKind::Audio,
            r#type: ConsumerType::Pipe,
            rtp_parameters: Arc::default(),
            paused: false,
            producer_paused: false,
            score: ConsumerScore { score: 10, producer_score: 10, producer_scores: Vec::new() },
        };
        Arc::new(Mirrored::new(state.into(), Above::default(), AppData::default()))
    }

    fn commands(outbox: &Outbox) -> Vec<&'static str> {
        let names = outbox.take().map(|leave| match Command::from(leave) {
            Command::PauseProducer(_) => "pause",
            Command::ResumeProducer(_) => "resume",
            _ => "other",
        });
        names.collect()
    }

    #[test]
    fn a_producer_follows_what_its_source_is_when_it_goes_out() {
        let (outbox, source, producer) = (Outbox::default(), consumer(), ProducerId::new());
        let ObjectId::Consumer(id) = source.id() else { panic!("a Consumer") };
        outbox.follow(producer, Arc::clone(&source));
        source.apply(&Event::ConsumerProducerPaused { id });
        outbox.follow(producer, Arc::clone(&source));
        assert_eq!(commands(&outbox), ["pause"], "once, as it is now");
        // One that was refused goes out again, and says what is true by then.
        outbox.follow(producer, Arc::clone(&source));
        let leave = outbox.take().next().expect("it leaves");
        outbox.sent(Box::pin(std::future::ready(Parting::Refused(leave))));
        source.apply(&Event::ConsumerProducerResumed { id });
        outbox.poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(commands(&outbox), ["resume"]);
        outbox.follow(producer, source);
        outbox.forget(producer.into());
        assert!(commands(&outbox).is_empty(), "it is closed");
    }
}
