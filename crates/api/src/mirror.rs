//! What this process knows of the backend's objects: one entry per object, kept by events, read by any number of handles.
//!
//! Nothing of an application's is dropped under the table's lock: entries that leave are handed to the caller.

mod difference;
mod mirrored;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, RwLock, Weak};

pub(crate) use difference::difference;
pub(crate) use mirrored::{Above, Fixed, Mirrored, Part};

use crate::handle::Hold;
use crate::id::{ObjectId, ProducerId, RouterId};
use crate::types::data_structures::AppData;
use crate::waist::{CloseCause, Event, ObjectState};

#[derive(Default)]
pub(crate) struct Mirror(RwLock<Table>);

#[derive(Default)]
struct Table {
    entries: HashMap<ObjectId, Arc<Mirrored>>,
    /// Producers that go by another Producer's id in their Routers, by that id.
    aliases: HashMap<ProducerId, Vec<Arc<Mirrored>>>,
    /// What was asked for and has not appeared yet.
    expected: HashMap<ObjectId, Expected>,
}

/// An object that a create call of this process will make appear.
struct Expected {
    hold: Weak<Hold>,
    app_data: AppData,
}

/// What a snapshot says against the mirror.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What must have happened in between, ends first.
    pub(crate) events: Vec<Event>,
    /// Objects that nobody owns any more, and that are therefore out of sight, not gone.
    pub(crate) departed: Vec<ObjectId>,
}

impl Mirror {
    pub(crate) fn get(&self, id: impl Into<ObjectId>) -> Option<Arc<Mirrored>> {
        self.0.read().expect("no holder panics").entries.get(&id.into()).cloned()
    }

    /// What applications can find: what was closed here is gone at once, though the backend may not have heard of it yet.
    pub(crate) fn find(&self, id: impl Into<ObjectId>) -> Option<Arc<Mirrored>> {
        self.get(id).filter(|entry| !entry.is_closed())
    }

    /// The Producer that is known by that id. Where several are, the one whose own id it is, since the others carry that on.
    pub(crate) fn find_known(&self, id: ProducerId) -> Option<Arc<Mirrored>> {
        let table = self.0.read().expect("no holder panics");
        let own = table.entries.get(&id.into()).filter(|entry| entry.alias().is_none());
        let mut known = own.into_iter().chain(table.aliases.get(&id).into_iter().flatten());
        known.find(|entry| !entry.is_closed()).cloned()
    }

    /// The Producer that a Router knows by that id, unless it was closed here.
    pub(crate) fn find_producer(&self, router: RouterId, id: ProducerId) -> Option<Arc<Mirrored>> {
        let table = self.0.read().expect("no holder panics");
        let own = table.entries.get(&id.into());
        let mut known = own.into_iter().chain(table.aliases.get(&id).into_iter().flatten());
        known
            .find(|entry| entry.is_in(router) && entry.known_as() == id.into() && !entry.is_closed())
            .cloned()
    }

    /// An object is about to be asked for; it will belong to this hold.
    pub(crate) fn expect(&self, id: ObjectId, hold: &Arc<Hold>, app_data: AppData) {
        let expected = Expected { hold: Arc::downgrade(hold), app_data };
        let before = self.0.write().expect("no holder panics").expected.insert(id, expected);
        debug_assert!(before.is_none(), "ids are drawn at random");
    }

    /// The object will not appear.
    pub(crate) fn give_up(&self, id: ObjectId) {
        let gone = self.0.write().expect("no holder panics").expected.remove(&id);
        drop(gone);
    }

    #[cfg(test)]
    pub(crate) fn expected(&self) -> usize {
        self.0.read().expect("no holder panics").expected.len()
    }

    /// Of these objects, those that nobody waits for any more will not appear.
    pub(crate) fn give_up_abandoned(&self, ids: &[ObjectId]) {
        let mut table = self.0.write().expect("no holder panics");
        let abandoned = ids.iter().filter(|id| table.expected.get(id).is_some_and(Expected::is_abandoned));
        let abandoned: Vec<ObjectId> = abandoned.copied().collect();
        let gone: Vec<_> = abandoned.iter().filter_map(|id| table.expected.remove(id)).collect();
        drop(table);
        drop(gone);
    }

    /// An object appeared. Gives back its entry if no call of this process made it; one whose caller is gone counts as
    /// closed from the start.
    pub(crate) fn insert(&self, state: ObjectState) -> Option<Arc<Mirrored>> {
        let id = state.id();
        let mut table = self.0.write().expect("no holder panics");
        let find = |id: Option<ObjectId>| id.and_then(|id| table.entries.get(&id).cloned());
        let above = Above { parent: find(state.parent()), webrtc_server: find(state.webrtc_server()) };
        let Some(Expected { hold, app_data }) = table.expected.remove(&id) else {
            let entry = Arc::new(Mirrored::new(state, above, AppData::default()));
            table.insert(Arc::clone(&entry));
            return Some(entry);
        };
        let entry = Arc::new(Mirrored::new(state, above, app_data));
        let hold = hold.upgrade();
        match &hold {
            Some(hold) => {
                entry.held_by(hold);
                hold.appeared(Arc::clone(&entry));
            }
            None => entry.finish(),
        }
        table.insert(entry);
        drop(table);
        // This may be the last share by now, and then closes the object.
        drop(hold);
        None
    }

    pub(crate) fn remove(&self, id: ObjectId) -> Option<Arc<Mirrored>> {
        self.0.write().expect("no holder panics").remove(id)
    }

    /// All objects, parents before their children.
    pub(crate) fn ids(&self) -> Vec<ObjectId> {
        let mut ids: Vec<_> = self.0.read().expect("no holder panics").entries.keys().copied().collect();
        // The order of kinds in `ObjectId` is the order of descent.
        ids.sort_unstable();
        ids
    }

    /// What must have happened since for the backend to be in this state. In the `same_epoch`, an object that belongs to
    /// nobody may be missing and live on.
    pub(crate) fn compare(&self, objects: Vec<ObjectState>, same_epoch: bool) -> Comparison {
        let mut comparison = Comparison::default();
        let present: HashSet<ObjectId> = objects.iter().map(ObjectState::id).collect();
        let table = self.0.read().expect("no holder panics");
        // In this order parents come before their children, and Producers before Consumers.
        let missing: BTreeMap<ObjectId, &Arc<Mirrored>> = table
            .entries
            .iter()
            .filter(|(id, _)| !present.contains(id))
            .map(|(id, entry)| (*id, entry))
            .collect();
        let mut closed = HashSet::new();
        for (id, entry) in missing {
            let (cause, owned) =
                entry.with(|state| (cause_of_end(state, &closed), state.origin().owner.is_some()));
            if same_epoch && !owned {
                comparison.departed.push(id);
            } else {
                closed.insert(id);
                comparison.events.push(Event::Closed { id, cause });
            }
        }
        for state in objects {
            match table.entries.get(&state.id()) {
                Some(entry) => comparison.events.extend(entry.with(|known| difference(known, &state))),
                None => comparison.events.push(Event::Appeared(state)),
            }
        }
        comparison
    }
}

impl Table {
    fn insert(&mut self, entry: Arc<Mirrored>) {
        if let Some(alias) = entry.alias() {
            self.aliases.entry(alias).or_default().push(Arc::clone(&entry));
        }
        self.entries.insert(entry.id(), entry);
    }

    fn remove(&mut self, id: ObjectId) -> Option<Arc<Mirrored>> {
        let entry = self.entries.remove(&id)?;
        if let Some(alias) = entry.alias()
            && let Some(known) = self.aliases.get_mut(&alias)
        {
            known.retain(|other| other.id() != id);
            if known.is_empty() {
                self.aliases.remove(&alias);
            }
        }
        Some(entry)
    }
}

impl Expected {
    fn is_abandoned(&self) -> bool {
        self.hold.strong_count() == 0
    }
}

/// Why an object has probably ended, when these have.
fn cause_of_end(state: &ObjectState, closed: &HashSet<ObjectId>) -> CloseCause {
    let source = match state {
        ObjectState::Consumer(state) => Some(state.producer.into()),
        ObjectState::DataConsumer(state) => Some(state.data_producer.into()),
        _ => None,
    };
    let above = [state.parent(), state.webrtc_server(), source];
    let ended = above.into_iter().flatten().find(|above| closed.contains(above));
    ended.map_or(CloseCause::Requested, CloseCause::of_parent)
}
