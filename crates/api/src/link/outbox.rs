//! Ids of objects that were closed, dropped or detached here, on their way to the backend.
//!
//! They go out as sets: ahead of the next call, or by the deliver future if no call comes. Both sets are bounded by the
//! objects that exist.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll};

use crate::id::ObjectId;
use crate::waist::{BoxFuture, Close, Command, Detach};

#[derive(Default)]
pub(crate) struct Outbox {
    leaving: Mutex<Leaving>,
    /// Held while the sets go out, so that no later call overtakes them.
    turn: Mutex<()>,
    sent: Mutex<Vec<BoxFuture<'static, Parting>>>,
}

/// Objects that leave together.
#[derive(Clone, Debug)]
pub(crate) enum Leave {
    Close(Vec<ObjectId>),
    Detach(Vec<ObjectId>),
}

impl From<Leave> for Command {
    fn from(leave: Leave) -> Self {
        match leave {
            Leave::Close(ids) => Close { ids }.into(),
            Leave::Detach(ids) => Detach { ids }.into(),
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

    /// The backend has closed it already.
    pub(crate) fn forget(&self, id: ObjectId) {
        let mut leaving = self.leaving.lock().expect("no holder panics");
        leaving.close.remove(&id);
        leaving.detach.remove(&id);
    }

    /// Nobody else sends while this lives.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().expect("no holder panics")
    }

    /// Takes out all that leave.
    pub(crate) fn take(&self) -> impl Iterator<Item = Leave> + use<> {
        let Leaving { close, detach } = mem::take(&mut *self.leaving.lock().expect("no holder panics"));
        let close = (!close.is_empty()).then(|| Leave::Close(close.into_iter().collect()));
        let detach = (!detach.is_empty()).then(|| Leave::Detach(detach.into_iter().collect()));
        detach.into_iter().chain(close)
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
                Poll::Ready(Parting::Done(Leave::Detach(_))) => {}
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
