//! How far the mirror has come in the backend's log, and who waits for it to come further.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Poll, Waker};

use crate::waist::Position;

/// Epochs before the current one that are remembered, so that an answer out of one of them keeps nobody waiting. An epoch
/// is one life of a server; no call outlives eight of them.
const EPOCHS_MAX: usize = 8;

/// There will be no more progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ended;

#[derive(Default)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Default)]
struct State {
    at: Option<Position>,
    past: VecDeque<u64>,
    ended: bool,
    next_ticket: u64,
    reaching: BTreeMap<(Position, u64), Waker>,
    ending: BTreeMap<u64, Waker>,
}

impl Progress {
    /// The mirror has come as far as this.
    pub(crate) fn advance(&self, at: Position) {
        let woken = {
            let mut state = self.0.lock().expect("no holder panics");
            state.advance(at)
        };
        woken.into_values().for_each(Waker::wake);
    }

    /// Whether a position is of the log that the mirror follows.
    pub(crate) fn follows(&self, epoch: u64) -> bool {
        self.0.lock().expect("no holder panics").at.is_some_and(|at| at.epoch == epoch)
    }

    /// Nothing comes any more: who waits is told so.
    pub(crate) fn end(&self) {
        let (reaching, ending) = {
            let mut state = self.0.lock().expect("no holder panics");
            state.ended = true;
            (mem::take(&mut state.reaching), mem::take(&mut state.ending))
        };
        reaching.into_values().chain(ending.into_values()).for_each(Waker::wake);
    }

    /// Until the mirror has come as far as this, or follows a later log.
    pub(crate) async fn reached(&self, at: Position) -> Result<(), Ended> {
        let seat = Seat::new(self, Some(at));
        poll_fn(|cx| {
            let mut state = self.0.lock().expect("no holder panics");
            if state.has_reached(at) {
                return Poll::Ready(Ok(()));
            }
            if state.ended {
                return Poll::Ready(Err(Ended));
            }
            let before = state.reaching.insert((at, seat.ticket), cx.waker().clone());
            drop(state);
            drop(before);
            Poll::Pending
        })
        .await
    }

    /// What a future gives, unless the end comes first.
    pub(crate) async fn unless_ended<F: Future>(&self, future: F) -> Result<F::Output, Ended> {
        let seat = Seat::new(self, None);
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let mut state = self.0.lock().expect("no holder panics");
            if state.ended {
                return Poll::Ready(Err(Ended));
            }
            let before = state.ending.insert(seat.ticket, cx.waker().clone());
            drop(state);
            drop(before);
            Poll::Pending
        })
        .await
    }
}

impl State {
    /// Gives back the wakers of those who may go on.
    fn advance(&mut self, at: Position) -> BTreeMap<(Position, u64), Waker> {
        let before = self.at.replace(at);
        let Some(before) = before.filter(|before| before.epoch != at.epoch) else {
            let later = self.reaching.split_off(&(at, u64::MAX));
            return mem::replace(&mut self.reaching, later);
        };
        self.past.retain(|epoch| *epoch != at.epoch);
        if self.past.len() == EPOCHS_MAX {
            self.past.pop_front();
        }
        self.past.push_back(before.epoch);
        mem::take(&mut self.reaching)
    }

    fn has_reached(&self, at: Position) -> bool {
        match self.at {
            None => false,
            Some(now) if now.epoch == at.epoch => now.sequence >= at.sequence,
            Some(_) => self.past.contains(&at.epoch),
        }
    }
}

/// One who waits; takes its waker away when it goes.
struct Seat<'a> {
    progress: &'a Progress,
    at: Option<Position>,
    ticket: u64,
}

impl<'a> Seat<'a> {
    fn new(progress: &'a Progress, at: Option<Position>) -> Self {
        let mut state = progress.0.lock().expect("no holder panics");
        state.next_ticket += 1;
        Self { progress, at, ticket: state.next_ticket }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut state = self.progress.0.lock().expect("no holder panics");
        let waker = match self.at {
            Some(at) => state.reaching.remove(&(at, self.ticket)),
            None => state.ending.remove(&self.ticket),
        };
        drop(state);
        drop(waker);
    }
}

#[cfg(test)]
mod tests;
