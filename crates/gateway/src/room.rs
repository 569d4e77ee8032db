//! One room: a Router, who is there, and what each of them produces.
//!
//! What a peer does with its own objects happens in [`Presence`](crate::presence::Presence); the room only keeps what the
//! others must know and tells them. Telling never waits: each member has a bounded outbox, and who doesn't empty it is
//! turned out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use mafalda_api::id::ProducerId;
use mafalda_api::router::Router;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::error::RequestFailure;
use crate::name::{PeerId, PeerName, PeerSecret, RoomName};
use crate::response::{Notice, PeerView, ProducerView, Via};
use crate::rooms::Rooms;

/// Most peers in a room: twice what a grid of faces can show.
pub(crate) const PEERS_PER_ROOM_MAX: usize = 64;

/// Most notices that wait for a peer: enough for everybody to leave and come back with sound and picture while the peer's
/// connection hangs for a moment. More would only put off the end of a peer that is gone.
pub(crate) const OUTBOX_MAX: usize = 512;

/// Most who watch a room without being in it. Each costs what a peer's sound and picture do, and is told nothing.
pub(crate) const VIEWERS_PER_ROOM_MAX: usize = 512;

/// How long who has come may take to send all that it wants to: a page begins with its microphone and goes on with its camera.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// A room and its members.
#[derive(Debug)]
pub(crate) struct Room {
    name: RoomName,
    rooms: Arc<Rooms>,
    router: OnceCell<Router>,
    members: Mutex<Members>,
    /// One permit for each who watches.
    viewers: Arc<Semaphore>,
}

/// Somebody who can be watched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Performer {
    pub(crate) peer_id: PeerId,
    pub(crate) producers: Vec<ProducerView>,
    /// Whether it has been there for long enough to send all that it wants to.
    pub(crate) settled: bool,
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
    via: Via,
    joined: Instant,
    secret: PeerSecret,
    producers: Vec<ProducerView>,
    /// `None` for who doesn't listen, and for who was turned out.
    outbox: Option<mpsc::Sender<Notice>>,
    turned_out: Arc<OnceLock<TurnedOut>>,
}

/// Who takes a place.
struct Guest {
    id: PeerId,
    name: PeerName,
    via: Via,
    outbox: Option<mpsc::Sender<Notice>>,
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
        let viewers = Arc::new(Semaphore::new(VIEWERS_PER_ROOM_MAX));
        Arc::new(Self { name, rooms, router: OnceCell::new(), members: Mutex::default(), viewers })
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

    /// The room's Router.
    pub(crate) fn router(&self) -> Result<Router, RequestFailure> {
        self.router.get().cloned().ok_or(RequestFailure::NoWorker)
    }

    /// Takes a place. The seat's inbox starts with what happens after the list of peers that comes with it.
    pub(crate) fn sit_down(
        self: Arc<Self>,
        name: PeerName,
        replaces: Option<PeerSecret>,
    ) -> Result<(Seat, Vec<PeerView>), RequestFailure> {
        let (outbox, inbox) = mpsc::channel(OUTBOX_MAX);
        let guest = Guest { id: PeerId::random(), name, via: Via::Socket, outbox: Some(outbox) };
        self.seat(guest, inbox, replaces)
    }

    /// Takes a place for somebody who publishes and doesn't listen.
    pub(crate) fn seat_publisher(
        self: Arc<Self>,
        id: PeerId,
        name: PeerName,
    ) -> Result<Seat, RequestFailure> {
        let (_, inbox) = mpsc::channel(1);
        let guest = Guest { id, name, via: Via::Whip, outbox: None };
        self.seat(guest, inbox, None).map(|(seat, _)| seat)
    }

    fn seat(
        self: Arc<Self>,
        guest: Guest,
        inbox: mpsc::Receiver<Notice>,
        replaces: Option<PeerSecret>,
    ) -> Result<(Seat, Vec<PeerView>), RequestFailure> {
        let router = self.router()?;
        let mut members = self.lock();
        if members.closed {
            return Err(RequestFailure::NoWorker);
        }
        members.turn_out_holder(replaces);
        if members.by_id.len() >= PEERS_PER_ROOM_MAX {
            return Err(RequestFailure::RoomFull);
        }
        let Guest { id, name, via, outbox } = guest;
        let (secret, turned_out) = (PeerSecret::random(), Arc::default());
        let peers = members.views();
        info!(room = %self.name, peer = %id, %name, ?via, "peer joined");
        members.tell_all_but(id, &Notice::PeerJoined { id, name: name.clone(), via });
        let member = Member {
            name,
            via,
            joined: Instant::now(),
            secret,
            producers: Vec::new(),
            outbox,
            turned_out: Arc::clone(&turned_out),
        };
        members.by_id.insert(id, member);
        drop(members);
        Ok((Seat { peer_id: id, secret, room: self, router, inbox, turned_out }, peers))
    }

    /// Who is to be watched: the member of this id or name, or whom the room is about. `None` if it sends nothing.
    ///
    /// A room is about who came last by WHIP: whoever streams into a room and watches it expects that, and who had to begin anew
    /// leaves a shadow behind for a while. Without anybody by WHIP it is about who is there the longest.
    pub(crate) fn performer(&self, whom: Option<&str>) -> Option<Performer> {
        let members = self.lock();
        let performing = members.by_id.iter().filter(|(_, member)| !member.producers.is_empty());
        let (peer_id, member) = match whom {
            Some(whom) => performing
                .filter(|(id, member)| id.to_string() == whom || member.name.as_str() == whom)
                // An id goes before a name: nobody is watched in another's place by taking its id for a name.
                .max_by_key(|(id, member)| (id.to_string() == whom, member.joined))?,
            None => performing.max_by_key(|(_, member)| member.prominence())?,
        };
        let settled = member.joined.elapsed() >= SETTLE_TIME;
        Some(Performer { peer_id: *peer_id, producers: member.producers.clone(), settled })
    }

    /// A place for somebody who watches.
    pub(crate) fn viewer_permit(&self) -> Result<OwnedSemaphorePermit, RequestFailure> {
        Arc::clone(&self.viewers).try_acquire_owned().map_err(|_| RequestFailure::RoomFull)
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
            via: member.via,
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
    /// Greater is what a room is rather about.
    fn prominence(&self) -> (bool, Option<Instant>, Reverse<Instant>) {
        let by_whip = self.via == Via::Whip;
        (by_whip, by_whip.then_some(self.joined), Reverse(self.joined))
    }

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
