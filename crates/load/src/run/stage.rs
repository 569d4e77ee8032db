//! Who is there: rooms, participants, their clients; and how they come in.

use std::time::Instant;

use mafalda_api::id::ProducerId;
use mafalda_media::dtls::Certificate;
use mafalda_media::rtp::extension::Label;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::access::{Agreement, agree};
use super::{RunError, StopFlag};
use crate::client::{ClientConfig, Traits};
use crate::driver::{Command, Final, PeerId, Snapshot, clock};
use crate::fleet::Fleet;
use crate::media::Codec;
use crate::negotiation::{StreamNames, receive_capabilities, receive_track, send_parameters};
use crate::scenario::{Arrangement, PEERS_MAX, Scenario};
use crate::target::{Direction, Seat, Target, TargetError};

/// A stream that somebody publishes.
#[derive(Clone, Copy, Debug)]
struct Published {
    producer: ProducerId,
    stream: u32,
    codec: Codec,
}

/// A participant with its clients' numbers.
#[derive(Debug)]
struct Participant {
    seat: Seat,
    receive: Option<PeerId>,
    published: Vec<Published>,
}

/// Those who see each other.
#[derive(Debug, Default)]
struct Room {
    participants: Vec<Participant>,
}

/// Everything that is there.
#[derive(Debug)]
pub(super) struct Stage {
    scenario: Scenario,
    target: Target,
    fleet: Fleet,
    certificate: Certificate,
    epoch: Instant,
    rooms: Vec<Room>,
    receivers: usize,
    participants: usize,
    clients: usize,
    streams: usize,
    next_stream: u32,
    rng: StdRng,
}

impl Stage {
    pub(super) fn new(scenario: Scenario, target: Target) -> Result<Self, RunError> {
        let options = &scenario.options;
        Ok(Self {
            fleet: Fleet::start(options.threads, options.peers_per_socket)?,
            // One for all: what it costs to make one is not what a server is measured by.
            certificate: Certificate::generate()?,
            epoch: clock(),
            rooms: Vec::new(),
            receivers: 0,
            participants: 0,
            clients: 0,
            streams: 0,
            next_stream: 0,
            rng: StdRng::seed_from_u64(options.seed),
            scenario,
            target,
        })
    }

    pub(super) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub(super) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    pub(super) fn clients(&self) -> usize {
        self.clients
    }

    pub(super) fn room_size(&self) -> usize {
        self.target.room_size()
    }

    /// Whether all that were announced have keys, or have failed, and media comes in all streams of the former.
    pub(super) fn is_joined(&self, snapshot: &Snapshot) -> bool {
        let arrived = snapshot.peers + snapshot.refused_sockets == self.clients;
        arrived
            && snapshot.joined + snapshot.failed == snapshot.peers
            && snapshot.streams == self.streams
            && snapshot.silent == snapshot.orphaned
    }

    /// Lets participants in until so many receive, or somebody wants to stop.
    pub(super) async fn grow_to(&mut self, receivers: usize, stop: &StopFlag) -> Result<(), RunError> {
        while self.receivers < receivers && !stop.is_set() {
            match self.scenario.options.arrangement {
                Arrangement::Broadcast { publishers, .. } => self.admit_subscriber(publishers).await?,
                Arrangement::Meeting { .. } => self.admit_member().await?,
            }
            self.receivers += 1;
        }
        Ok(())
    }

    /// Ends all threads. Participants leave when this is over.
    pub(super) fn end(self) -> Result<Final, RunError> {
        let made = self.fleet.snapshot().made;
        Ok(self.fleet.stop(made)?)
    }

    /// Into the emptiest room; when all are full, or there may be more, into a new one with publishers of its own.
    async fn admit_subscriber(&mut self, publishers: usize) -> Result<(), RunError> {
        let room = match self.room_with_a_seat(publishers) {
            Some(room) => room,
            None => self.open_room(publishers).await?,
        };
        let mut subscriber = self.enter(room).await?;
        self.listen(&mut subscriber).await?;
        for published in self.published(room) {
            self.subscribe(&mut subscriber, published).await?;
        }
        self.seat(room, subscriber);
        Ok(())
    }

    fn room_with_a_seat(&self, publishers: usize) -> Option<usize> {
        if self.rooms.len() < self.target.rooms_at_once() {
            return None;
        }
        let size = self.target.room_size().max(publishers.saturating_add(1));
        let rooms = self.rooms.iter().map(|room| room.participants.len()).enumerate();
        rooms.filter(|(_, taken)| *taken < size).min_by_key(|(_, taken)| *taken).map(|(room, _)| room)
    }

    async fn open_room(&mut self, publishers: usize) -> Result<usize, RunError> {
        let room = self.rooms.len();
        self.rooms.push(Room::default());
        for _ in 0..publishers {
            let mut publisher = self.enter(room).await?;
            self.publish(&mut publisher).await?;
            self.seat(room, publisher);
        }
        Ok(room)
    }

    /// Everybody is in one room; the new one hears all others, and they hear it.
    async fn admit_member(&mut self) -> Result<(), RunError> {
        if self.rooms.is_empty() {
            self.rooms.push(Room::default());
        }
        let mut member = self.enter(0).await?;
        self.publish(&mut member).await?;
        self.listen(&mut member).await?;
        for published in self.published(0) {
            self.subscribe(&mut member, published).await?;
        }
        let mut others =
            self.rooms.first_mut().map(|room| std::mem::take(&mut room.participants)).unwrap_or_default();
        for other in &mut others {
            for published in member.published.clone() {
                self.subscribe(other, published).await?;
            }
        }
        others.push(member);
        if let Some(room) = self.rooms.first_mut() {
            room.participants = others;
        }
        Ok(())
    }

    async fn enter(&mut self, room: usize) -> Result<Participant, RunError> {
        if self.participants >= PEERS_MAX {
            return Err(TargetError::Crowded.into());
        }
        self.participants += 1;
        let name = format!("load {}", self.participants);
        let seat = self.target.enter(room, &name).await?;
        Ok(Participant { seat, receive: None, published: Vec::new() })
    }

    fn seat(&mut self, room: usize, participant: Participant) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.participants.push(participant);
        }
    }

    fn published(&self, room: usize) -> Vec<Published> {
        let participants = self.rooms.get(room).map(|room| room.participants.iter());
        participants.into_iter().flatten().flat_map(|it| it.published.iter().copied()).collect()
    }

    /// A client that sends one stream of each codec.
    async fn publish(&mut self, participant: &mut Participant) -> Result<(), RunError> {
        let peer = self.connect(participant, Direction::Send).await?;
        for shape in self.scenario.shapes.clone() {
            let names = self.names(peer);
            let capabilities = participant.seat.router_capabilities();
            let habits = self.scenario.options.habits;
            let (parameters, mut track) = send_parameters(capabilities, shape, &names, habits)?;
            track.spoil_every = self.scenario.options.spoil_every;
            let codec = shape.codec();
            let producer = participant.seat.produce(codec.kind(), parameters).await?;
            participant.published.push(Published { producer, stream: names.stream, codec });
            self.fleet.tell(peer, Command::Send { peer, track })?;
        }
        Ok(())
    }

    /// A client that receives nothing yet.
    async fn listen(&mut self, participant: &mut Participant) -> Result<(), RunError> {
        participant.receive = Some(self.connect(participant, Direction::Receive).await?);
        Ok(())
    }

    async fn subscribe(
        &mut self,
        participant: &mut Participant,
        published: Published,
    ) -> Result<(), RunError> {
        let Some(peer) = participant.receive else { return Ok(()) };
        let habits = self.scenario.options.habits;
        let capabilities = receive_capabilities(participant.seat.router_capabilities(), habits);
        let consumed = participant.seat.consume(published.producer, capabilities).await?;
        let (track, transport_cc) =
            receive_track(&consumed.rtp_parameters, published.stream, published.codec)?;
        // Before it flows, so that no packet comes to a client that doesn't know it.
        self.fleet.tell(peer, Command::Receive { peer, track, transport_cc })?;
        self.streams += 1;
        participant.seat.resume(consumed.id).await?;
        Ok(())
    }

    /// A Transport and the client at its other end.
    async fn connect(
        &mut self,
        participant: &mut Participant,
        direction: Direction,
    ) -> Result<PeerId, RunError> {
        let begun = clock();
        let offer = participant.seat.open(direction).await?;
        let Agreement { remote, access, introduction } = agree(offer, &self.certificate, &mut self.rng)?;
        participant.seat.connect(direction, introduction).await?;
        let options = &self.scenario.options;
        let traits = Traits {
            epoch: self.epoch,
            verify_every: options.verify_every,
            link: options.link,
            seed: self.rng.random(),
        };
        let config = ClientConfig { remote, access, traits };
        let peer = PeerId(u32::try_from(self.clients).unwrap_or(u32::MAX));
        self.clients += 1;
        self.fleet.tell(peer, Command::Join { peer, config: Box::new(config), begun })?;
        Ok(peer)
    }

    fn names(&mut self, peer: PeerId) -> StreamNames {
        let stream = self.next_stream;
        self.next_stream += 1;
        // Unlike for all streams of a run, and far from what a server would draw first.
        let ssrc = 0x1000_0000 + 2 * stream;
        let mid = format!("s{stream}");
        StreamNames {
            stream,
            ssrc,
            rtx_ssrc: ssrc + 1,
            mid: Label::new(mid.as_bytes()).unwrap_or_else(|| unreachable!("a number of 32 bits is short")),
            cname: format!("load-{}", peer.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ScenarioOptions;
    use crate::target::EngineTarget;

    #[test]
    fn no_more_participants_come_in_than_may() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let target = Target::Engine(EngineTarget::start(1).await.unwrap());
            let scenario = Scenario::new(ScenarioOptions::default()).unwrap();
            let mut stage = Stage::new(scenario, target).unwrap();
            stage.participants = PEERS_MAX - 2;
            let refusal = stage.grow_to(10, &StopFlag::default()).await.unwrap_err();
            assert!(matches!(refusal, RunError::Target(TargetError::Crowded)), "{refusal}");
            assert_eq!((stage.receivers, stage.participants), (1, PEERS_MAX));
        });
    }
}
