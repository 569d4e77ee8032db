//! The event log with the state that it adds up to.
//!
//! All Workers' events are folded into one numbered, bounded log; snapshots come from the state beside it, so a Worker never
//! has to make one. Pure: no clock, no threads.

mod makers;

use std::collections::{BTreeMap, VecDeque};

use mafalda_api::id::{ObjectId, RouterId, SessionId};
use mafalda_api::waist::{CloseCause, Event, ObjectState, Position, Scope, Update};

use makers::{Makers, Sessions};

/// Events kept for watchers that come back. A watcher that missed more gets a snapshot: dearer for it, but never wrong. At
/// 136 bytes each, and two to five hundred for an object that appeared while its state is no longer that, this bounds the log to some 5 MB.
pub(crate) const LOG_EVENTS_MAX: usize = 16_384;

/// One event, with what its scope is judged by: that of the moment before it happened, or of an object's appearance.
#[derive(Debug)]
struct Entry {
    event: Event,
    /// Who made the object, or something that lives in it.
    sessions: Sessions,
    router: Option<RouterId>,
    /// Whose scope has got, or lost, objects that the event doesn't name: what its own object lives in.
    reshaped: Option<SessionId>,
}

const _: () = assert!(size_of::<Entry>() <= 136, "there are thousands of them");

impl Entry {
    fn is_in(&self, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Session(session) => self.sessions.contains(*session),
            Scope::Routers(routers) => self.router.is_some_and(|router| routers.contains(&router)),
        }
    }

    fn reshapes(&self, scope: &Scope) -> bool {
        matches!(scope, Scope::Session(session) if self.reshaped == Some(*session))
    }
}

/// An object that exists.
#[derive(Debug)]
struct Held {
    state: ObjectState,
    /// Who made it. A session goes on seeing what it has detached: its handles are still there.
    maker: Option<SessionId>,
    /// What it lives in, the nearest first; then the WebRtcServer that it, or what it lives in, listens on.
    ancestors: Box<[ObjectId]>,
    /// Who has made this one, or any that lives in it.
    makers: Makers,
}

/// A numbered, bounded log of events and the state at its end.
#[derive(Debug)]
pub(crate) struct Log {
    epoch: u64,
    sequence: u64,
    entries: VecDeque<Entry>,
    /// Ordered by kind first, so that parents come before their children.
    objects: BTreeMap<ObjectId, Held>,
}

impl Log {
    pub(crate) fn new(epoch: u64) -> Self {
        Self { epoch, sequence: 0, entries: VecDeque::new(), objects: BTreeMap::new() }
    }

    pub(crate) fn position(&self) -> Position {
        Position { epoch: self.epoch, sequence: self.sequence }
    }

    /// Takes an event in. What it means for a scope is in [`Log::newest_for`].
    pub(crate) fn append(&mut self, event: Event) {
        let subject = event.subject();
        let mut reshaped = None;
        if let Event::Appeared(state) = &event {
            reshaped = self.appear(state.clone());
        }
        let (sessions, router) = self.scope_of(subject);
        match &event {
            Event::Appeared(_) => {}
            Event::Closed { .. } => reshaped = self.disappear(subject),
            _ => {
                if let Some(held) = self.objects.get_mut(&subject) {
                    held.state.apply(&event);
                }
            }
        }
        self.sequence += 1;
        self.entries.push_back(Entry { event, sessions, router, reshaped });
        if self.entries.len() > LOG_EVENTS_MAX {
            self.entries.pop_front();
        }
    }

    /// What the newest event is for a scope: itself, the news that the log has passed it, or a snapshot where more has come into
    /// scope, or left it, than the event says.
    pub(crate) fn newest_for(&self, scope: &Scope) -> impl Iterator<Item = Update> {
        let newest = self.entries.back();
        let event = newest.filter(|entry| entry.is_in(scope)).map(|entry| entry.event.clone());
        let update = event.map(|event| Update::Event { at: self.position(), event });
        let snapshot = newest.filter(|entry| entry.reshapes(scope)).map(|_| self.snapshot(scope));
        // Of an object that appears the snapshot tells too, behind what it lives in.
        let appeared = matches!(&update, Some(Update::Event { event: Event::Appeared(_), .. }));
        let update = update.filter(|_| !(appeared && snapshot.is_some()));
        let reached = Update::Reached { at: self.position() };
        let reached = (update.is_none() && snapshot.is_none()).then_some(reached);
        update.into_iter().chain(snapshot).chain(reached)
    }

    /// An object is there; whose scope has got more by that than the object.
    fn appear(&mut self, state: ObjectState) -> Option<SessionId> {
        let (id, maker) = (state.id(), state.origin().owner);
        let ancestors = self.ancestors(&state);
        let mut widened = false;
        for ancestor in &ancestors {
            if let (Some(maker), Some(held)) = (maker, self.objects.get_mut(ancestor)) {
                widened |= held.makers.add(maker);
            }
        }
        self.objects.insert(id, Held { state, maker, ancestors, makers: Makers::of(maker) });
        maker.filter(|_| widened)
    }

    /// An object is gone; whose scope has lost more by that than the object.
    fn disappear(&mut self, id: ObjectId) -> Option<SessionId> {
        let Held { maker, ancestors, .. } = self.objects.remove(&id)?;
        let maker = maker?;
        let mut narrowed = false;
        for ancestor in &ancestors {
            narrowed |= self.objects.get_mut(ancestor).is_some_and(|held| held.makers.remove(maker));
        }
        narrowed.then_some(maker)
    }

    fn ancestors(&self, state: &ObjectState) -> Box<[ObjectId]> {
        let parent = |id: &ObjectId| self.objects.get(id).and_then(|held| held.state.parent());
        let line: Vec<ObjectId> = std::iter::successors(state.parent(), parent).collect();
        let of = |id: &ObjectId| self.objects.get(id).and_then(|held| held.state.webrtc_server());
        let servers: Vec<ObjectId> =
            state.webrtc_server().into_iter().chain(line.iter().filter_map(of)).collect();
        line.into_iter().chain(servers).collect()
    }

    fn scope_of(&self, id: ObjectId) -> (Sessions, Option<RouterId>) {
        let held = self.objects.get(&id);
        (held.map(|held| held.makers.sessions()).unwrap_or_default(), held.and_then(Held::router))
    }

    /// All that is in scope now.
    pub(crate) fn snapshot(&self, scope: &Scope) -> Update {
        let shown = self.objects.values().filter(|held| held.is_in(scope));
        let objects = shown.map(|held| held.state.clone()).collect();
        Update::Snapshot { at: self.position(), objects }
    }

    /// What brings a watcher from a position up to now; `None` when that takes a snapshot: the log doesn't reach back that far, or
    /// the scope has got other shape since.
    pub(crate) fn since(&self, from: Position, scope: &Scope) -> Option<Vec<Update>> {
        let missed = self.sequence.checked_sub(from.sequence)?;
        let missed = usize::try_from(missed).ok()?;
        if from.epoch != self.epoch || missed > self.entries.len() {
            return None;
        }
        let news = self.entries.iter().skip(self.entries.len() - missed);
        if news.clone().any(|entry| entry.reshapes(scope)) {
            return None;
        }
        let news = news.zip(from.sequence + 1..);
        let events = news.filter(|(entry, _)| entry.is_in(scope)).map(|(entry, sequence)| Update::Event {
            at: Position { epoch: self.epoch, sequence },
            event: entry.event.clone(),
        });
        Some(events.chain([Update::Reached { at: self.position() }]).collect())
    }

    /// The events that tell of an object's end and of the end of all that lives in it, parents first.
    pub(crate) fn closing(&self, root: ObjectId, cause: CloseCause) -> Vec<Event> {
        let children = self.objects.iter().filter(|(_, held)| held.ancestors.contains(&root));
        let closed = children.filter_map(|(id, held)| {
            Some(Event::Closed { id: *id, cause: CloseCause::of_parent(held.state.parent()?) })
        });
        std::iter::once(Event::Closed { id: root, cause }).chain(closed).collect()
    }

    pub(crate) fn contains(&self, id: ObjectId) -> bool {
        self.objects.contains_key(&id)
    }

    /// Whether an object exists and is in scope now.
    pub(crate) fn shows(&self, id: ObjectId, scope: &Scope) -> bool {
        self.objects.get(&id).is_some_and(|held| held.is_in(scope))
    }
}

impl Held {
    fn is_in(&self, scope: &Scope) -> bool {
        match scope {
            Scope::All => true,
            Scope::Session(session) => self.makers.contains(*session),
            Scope::Routers(routers) => self.router().is_some_and(|router| routers.contains(&router)),
        }
    }

    /// The Router that it is, or lives in.
    fn router(&self) -> Option<RouterId> {
        let line = std::iter::once(self.state.id()).chain(self.ancestors.iter().copied());
        line.into_iter().find_map(|id| match id {
            ObjectId::Router(router) => Some(router),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
