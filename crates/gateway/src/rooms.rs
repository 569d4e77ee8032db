//! All rooms by name. A room is made by the first who enters it and forgotten when the last one has gone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use mafalda_api::router::{Router, RouterOptions};
use mafalda_api::types::rtp_parameters::RtpCodecCapability;
use mafalda_api::worker::Worker;

use crate::error::RequestFailure;
use crate::name::RoomName;
use crate::room::Room;

/// Most rooms at a time. A room costs a Router even when one peer waits in it alone, so this bounds what joins can make.
pub(crate) const ROOMS_MAX: usize = 1024;

/// Rooms, and the Workers that carry them.
#[derive(Debug)]
pub(crate) struct Rooms {
    by_name: Mutex<HashMap<RoomName, Weak<Room>>>,
    workers: Vec<Worker>,
    /// Counts rooms, so that Workers take turns.
    turn: AtomicUsize,
    media_codecs: Vec<RtpCodecCapability>,
}

impl Rooms {
    pub(crate) fn new(workers: Vec<Worker>, media_codecs: Vec<RtpCodecCapability>) -> Arc<Self> {
        let by_name = Mutex::default();
        Arc::new(Self { by_name, workers, turn: AtomicUsize::new(0), media_codecs })
    }

    /// The room of this name, which has a Router when this returns.
    pub(crate) async fn enter(self: &Arc<Self>, name: RoomName) -> Result<Arc<Room>, RequestFailure> {
        let room = self.find_or_add(name)?;
        room.open(|| self.create_router(room.name())).await?;
        Ok(room)
    }

    /// The room of this name, if somebody is in it.
    pub(crate) fn find(&self, name: &RoomName) -> Option<Arc<Room>> {
        self.lock().get(name).and_then(Weak::upgrade)
    }

    /// Removes a room that has closed. Its name may stand for a newer room by now, which stays.
    pub(crate) fn forget(&self, name: &RoomName, room: *const Room) {
        let mut by_name = self.lock();
        if by_name.get(name).is_some_and(|known| std::ptr::eq(known.as_ptr(), room)) {
            by_name.remove(name);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn find_or_add(self: &Arc<Self>, name: RoomName) -> Result<Arc<Room>, RequestFailure> {
        let mut by_name = self.lock();
        if let Some(room) = by_name.get(&name).and_then(Weak::upgrade) {
            return Ok(room);
        }
        if by_name.len() >= ROOMS_MAX {
            return Err(RequestFailure::TooManyRooms);
        }
        let room = Room::new(name.clone(), Arc::clone(self));
        by_name.insert(name, Arc::downgrade(&room));
        Ok(room)
    }

    async fn create_router(&self, name: &RoomName) -> Result<Router, RequestFailure> {
        let worker = self.next_worker().ok_or(RequestFailure::NoWorker)?;
        let mut options = RouterOptions::new(self.media_codecs.clone());
        options.labels.insert("room", name.as_str());
        Ok(worker.create_router(options).await?)
    }

    fn next_worker(&self) -> Option<&Worker> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.workers.len();
        (0..count).map(|step| &self.workers[(first % count + step) % count]).find(|worker| !worker.closed())
    }

    /// A panic while this is locked would leave a map that is still whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<RoomName, Weak<Room>>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
