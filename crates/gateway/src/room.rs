//! One room: a Router, who is there, and what each of them produces.
//!
//! What a peer does with its own objects happens in [`Presence`](crate::presence::Presence); the room only keeps what the
//! others must know and tells them. Telling never waits: each member has a bounded outbox, and who doesn't empty it is
//! turned out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use mafalda_api::id::ProducerId;
use mafalda_api::router::Router;
use tokio::sync::{OnceCell, mpsc};
use tracing::{info, warn};

use crate::error::RequestFailure;
use crate::name::{PeerId, PeerName, PeerSecret, RoomName};
use crate::response::{Notice, PeerView, ProducerView};
use crate::rooms::Rooms;

/// Most peers in a room: twice what a grid of faces can show.
pub(crate) const PEERS_PER_ROOM_MAX: usize = 64;

/// Most notices that wait for a peer: enough for everybody to leave and come back with sound and picture while the peer's
/// connection hangs for a moment. More would only put off the end of a peer that is gone.
pub(crate) const OUTBOX_MAX: usize = 512;

/// A room and its members.
#[derive(Debug)]
pub(crate) struct Room {
    name: RoomName,
    rooms: Arc<Rooms>,
    router: OnceCell<Router>,
    members: Mutex<Members>,
}

/// Who is in a room.
#[derive(Debug, Default)]
struct Members {
    by_id: HashMap<PeerId, Member>,
    /// The Router has ended: nobody can enter any more.
    closed: bool,
}

#[derive(Debug)]
struct Member {
    name: PeerName,
    secret: PeerSecret,
    producers: Vec<ProducerView>,
    /// `None` once it was turned out.
    outbox: Option<mpsc::Sender<Notice>>,
    turned_out: Arc<OnceLock<TurnedOut>>,
}

/// Why a peer was turned out of its room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TurnedOut {
    /// It didn't take what was said to it.
    TooSlow,
    /// It came back over another connection.
    Replaced,
}

/// A peer's place in a room; dropping it is leaving.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) peer_id: PeerId,
    pub(crate) secret: PeerSecret,
    room: Arc<Room>,
    router: Router,
    inbox: mpsc::Receiver<Notice>,
    turned_out: Arc<OnceLock<TurnedOut>>,
}

impl Room {
    pub(crate) fn new(name: RoomName, rooms: Arc<Rooms>) -> Arc<Self> {
        Arc::new(Self { name, rooms, router: OnceCell::new(), members: Mutex::default() })
    }

    pub(crate) fn name(&self) -> &RoomName {
        &self.name
    }

    /// Sees to it that there is a Router. Who comes while it is being made waits for it.
    pub(crate) async fn open(
        self: &Arc<Self>,
        create_router: impl AsyncFnOnce() -> Result<Router, RequestFailure>,
    ) -> Result<(), RequestFailure> {
        let open = async || {
            let router = create_router().await?;
            let room = Arc::downgrade(self);
            let on_close = move || {
                if let Some(room) = room.upgrade() {
                    room.close();
                }
            };
            router.on_close(on_close).detach();
            info!(room = %self.name, router = %router.id(), worker = %router.worker().id(), "room opened");
            Ok(router)
        };
        self.router.get_or_try_init(open).await.map(|_| ())
    }

    /// Takes a place. The seat's inbox starts with what happens after the list of peers that comes with it.
    pub(crate) fn sit_down(
        self: Arc<Self>,
        name: PeerName,
        replaces: Option<PeerSecret>,
    ) -> Result<(Seat, Vec<PeerView>), RequestFailure> {
        let router = self.router.get().cloned().ok_or(RequestFailure::NoWorker)?;
        let mut members = self.lock();
        if members.closed {
            return Err(RequestFailure::NoWorker);
        }
        members.turn_out_holder(replaces);
        if members.by_id.len() >= PEERS_PER_ROOM_MAX {
            return Err(RequestFailure::RoomFull);
        }
        let (peer_id, secret, turned_out) = (PeerId::random(), PeerSecret::random(), Arc::default());
        let (outbox, inbox) = mpsc::channel(OUTBOX_MAX);
        let peers = members.views();
        info!(room = %self.name, peer = %peer_id, %name, "peer joined");
        members.tell_all_but(peer_id, &Notice::PeerJoined { id: peer_id, name: name.clone() });
        let outbox = Some(outbox);
        let member =
            Member { name, secret, producers: Vec::new(), outbox, turned_out: Arc::clone(&turned_out) };
        members.by_id.insert(peer_id, member);
        drop(members);
        Ok((Seat { peer_id, secret, room: self, router, inbox, turned_out }, peers))
    }

    /// The Router has ended.
    fn close(&self) {
        self.rooms.forget(&self.name, self);
        let mut members = self.lock();
        members.closed = true;
        if members.by_id.is_empty() {
            return;
        }
        warn!(room = %self.name, peers = members.by_id.len(), "room closed under its peers");
        for (_, member) in members.by_id.drain() {
            member.tell(&Notice::RoomClosed {});
        }
    }

    /// A panic while this is locked would leave members that are still whole.
    fn lock(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.rooms.forget(&self.name, self);
        if self.router.initialized() {
            info!(room = %self.name, "room empty");
        }
    }
}

impl Members {
    fn views(&self) -> Vec<PeerView> {
        let view = |(id, member): (&PeerId, &Member)| PeerView {
            id: *id,
            name: member.name.clone(),
            producers: member.producers.clone(),
        };
        self.by_id.iter().map(view).collect()
    }

    fn turn_out_holder(&mut self, secret: Option<PeerSecret>) {
        let Some(secret) = secret else { return };
        let holder = self.by_id.iter().find(|(_, member)| member.secret == secret).map(|(id, _)| *id);
        if let Some(mut member) = holder.and_then(|id| self.remove(id)) {
            member.turn_out(TurnedOut::Replaced);
        }
    }

    /// Takes a member off and tells the others.
    fn remove(&mut self, id: PeerId) -> Option<Member> {
        let member = self.by_id.remove(&id)?;
        for producer in &member.producers {
            self.tell_all_but(id, &Notice::ProducerClosed { peer_id: id, id: producer.id });
        }
        self.tell_all_but(id, &Notice::PeerLeft { id });
        Some(member)
    }

    fn tell_all_but(&mut self, speaker: PeerId, notice: &Notice) {
        for (id, member) in &mut self.by_id {
            if *id != speaker && !member.tell(notice) {
                member.turn_out(TurnedOut::TooSlow);
            }
        }
    }
}

impl Member {
    /// False when it doesn't listen. Who was turned out before isn't told.
    fn tell(&self, notice: &Notice) -> bool {
        self.outbox.as_ref().is_none_or(|outbox| outbox.try_send(notice.clone()).is_ok())
    }

    /// Ends its inbox. Its seat is freed by itself.
    fn turn_out(&mut self, why: TurnedOut) {
        self.turned_out.get_or_init(|| why);
        self.outbox = None;
    }
}

impl Seat {
    pub(crate) fn room_name(&self) -> &RoomName {
        &self.room.name
    }

    pub(crate) fn router(&self) -> &Router {
        &self.router
    }

    /// What happens next in the room; `None` once the peer was turned out.
    pub(crate) async fn next_notice(&mut self) -> Option<Notice> {
        self.inbox.recv().await
    }

    pub(crate) fn turned_out(&self) -> Option<TurnedOut> {
        self.turned_out.get().copied()
    }

    /// Tells the others of a new Producer.
    pub(crate) fn announce(&self, producer: ProducerView) {
        let peer_id = self.peer_id;
        self.change(&Notice::NewProducer { peer_id, producer }, |producers| producers.push(producer));
    }

    /// Tells the others that a Producer is paused, or no longer.
    pub(crate) fn announce_paused(&self, id: ProducerId, paused: bool) {
        let peer_id = self.peer_id;
        let notice = match paused {
            true => Notice::ProducerPaused { peer_id, id },
            false => Notice::ProducerResumed { peer_id, id },
        };
        self.change(&notice, |producers| {
            for producer in producers.iter_mut().filter(|producer| producer.id == id) {
                producer.paused = paused;
            }
        });
    }

    /// Tells the others that a Producer is gone.
    pub(crate) fn announce_closed(&self, id: ProducerId) {
        let notice = Notice::ProducerClosed { peer_id: self.peer_id, id };
        self.change(&notice, |producers| producers.retain(|producer| producer.id != id));
    }

    /// Who was turned out has nothing to say.
    fn change(&self, notice: &Notice, change: impl FnOnce(&mut Vec<ProducerView>)) {
        let mut members = self.room.lock();
        if let Some(member) = members.by_id.get_mut(&self.peer_id) {
            change(&mut member.producers);
            members.tell_all_but(self.peer_id, notice);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.room.lock().remove(self.peer_id).is_some() {
            info!(room = %self.room.name, peer = %self.peer_id, "peer left");
        }
    }
}

#[cfg(test)]
mod tests;
