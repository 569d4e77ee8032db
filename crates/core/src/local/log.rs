//! The event log with the state that it adds up to.
//!
//! All Workers' events are folded into one numbered, bounded log; snapshots come from the state beside it, so a Worker never
//! has to make one. Pure: no clock, no threads.

use std::collections::{BTreeMap, HashMap, VecDeque};

use mafalda_api::id::{ObjectId, RouterId, SessionId};
use mafalda_api::waist::{CloseCause, Event, ObjectState, Position, Scope, Update};

/// Events kept for watchers that come back. A watcher that missed more gets a snapshot: dearer for it, but never wrong. At
/// about 300 bytes each this bounds the log to some 5 MB.
pub(crate) const LOG_EVENTS_MAX: usize = 16_384;

/// One event, with what its scope is judged by.
#[derive(Debug)]
struct Entry {
    event: Event,
    session: Option<SessionId>,
    router: Option<RouterId>,
}

impl Entry {
    fn is_in(&self, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Session(session) => self.session == Some(*session),
            Scope::Routers(routers) => self.router.is_some_and(|router| routers.contains(&router)),
        }
    }
}

/// A numbered, bounded log of events and the state at its end.
#[derive(Debug)]
pub(crate) struct Log {
    epoch: u64,
    sequence: u64,
    entries: VecDeque<Entry>,
    /// Ordered by kind first, so that parents come before their children.
    objects: BTreeMap<ObjectId, ObjectState>,
    /// Who made each object. A session goes on seeing what it has detached: its handles are still there.
    sessions: HashMap<ObjectId, SessionId>,
}

impl Log {
    pub(crate) fn new(epoch: u64) -> Self {
        Self {
            epoch,
            sequence: 0,
            entries: VecDeque::new(),
            objects: BTreeMap::new(),
            sessions: HashMap::new(),
        }
    }

    pub(crate) fn position(&self) -> Position {
        Position { epoch: self.epoch, sequence: self.sequence }
    }

    /// Takes an event in and says what it is for a scope: see [`Log::update_for`].
    pub(crate) fn append(&mut self, event: Event) {
        let subject = event.subject();
        if let Event::Appeared(state) = &event {
            self.sessions.extend(state.origin().owner.map(|owner| (subject, owner)));
            self.objects.insert(subject, state.clone());
        }
        let (session, router) = (self.sessions.get(&subject).copied(), self.router_of(subject));
        match &event {
            Event::Appeared(_) => {}
            Event::Closed { .. } => {
                self.objects.remove(&subject);
                self.sessions.remove(&subject);
            }
            _ => {
                if let Some(state) = self.objects.get_mut(&subject) {
                    state.apply(&event);
                }
            }
        }
        self.sequence += 1;
        self.entries.push_back(Entry { event, session, router });
        if self.entries.len() > LOG_EVENTS_MAX {
            self.entries.pop_front();
        }
    }

    /// What the newest event is for a scope: itself, or the news that the log has passed it.
    pub(crate) fn newest_for(&self, scope: &Scope) -> Update {
        match self.entries.back() {
            Some(entry) if entry.is_in(scope) => {
                Update::Event { at: self.position(), event: entry.event.clone() }
            }
            _ => Update::Reached { at: self.position() },
        }
    }

    /// All that is in scope now.
    pub(crate) fn snapshot(&self, scope: &Scope) -> Update {
        let objects = self.objects.values().filter(|state| self.shows(state, scope)).cloned().collect();
        Update::Snapshot { at: self.position(), objects }
    }

    /// What brings a watcher from a position up to now; `None` when the log doesn't reach back that far.
    pub(crate) fn since(&self, from: Position, scope: &Scope) -> Option<Vec<Update>> {
        let missed = self.sequence.checked_sub(from.sequence)?;
        let missed = usize::try_from(missed).ok()?;
        if from.epoch != self.epoch || missed > self.entries.len() {
            return None;
        }
        let news = self.entries.iter().skip(self.entries.len() - missed).zip(from.sequence + 1..);
        let events = news.filter(|(entry, _)| entry.is_in(scope)).map(|(entry, sequence)| Update::Event {
            at: Position { epoch: self.epoch, sequence },
            event: entry.event.clone(),
        });
        Some(events.chain([Update::Reached { at: self.position() }]).collect())
    }

    /// The events that tell of an object's end and of the end of all that lives in it, parents first.
    pub(crate) fn closing(&self, root: ObjectId, cause: CloseCause) -> Vec<Event> {
        let mut events = vec![Event::Closed { id: root, cause }];
        let mut gone = vec![root];
        for (id, state) in &self.objects {
            let Some(parent) = state.parent().filter(|parent| gone.contains(parent)) else { continue };
            gone.push(*id);
            events.push(Event::Closed { id: *id, cause: cause_by_parent(parent) });
        }
        events
    }

    pub(crate) fn contains(&self, id: ObjectId) -> bool {
        self.objects.contains_key(&id)
    }

    fn shows(&self, state: &ObjectState, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Session(session) => self.sessions.get(&state.id()) == Some(session),
            Scope::Routers(routers) => {
                self.router_of(state.id()).is_some_and(|router| routers.contains(&router))
            }
        }
    }

    fn router_of(&self, id: ObjectId) -> Option<RouterId> {
        match id {
            ObjectId::Router(router) => Some(router),
            _ => {
                self.objects.get(&id).and_then(ObjectState::parent).and_then(|parent| self.router_of(parent))
            }
        }
    }
}

fn cause_by_parent(parent: ObjectId) -> CloseCause {
    match parent {
        ObjectId::Worker(_) => CloseCause::WorkerClosed,
        ObjectId::Router(_) => CloseCause::RouterClosed,
        ObjectId::Transport(_) => CloseCause::TransportClosed,
        ObjectId::Producer(_) => CloseCause::ProducerClosed,
        ObjectId::Consumer(_) => CloseCause::Requested,
    }
}

#[cfg(test)]
mod tests;
