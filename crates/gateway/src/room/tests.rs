use mafalda_api::types::rtp_parameters::MediaKind;
use mafalda_core::worker::WorkerSettings;
use mafalda_core::worker_manager::WorkerManager;

use super::*;
use crate::codec::media_codecs;
use crate::rooms::ROOMS_MAX;

fn room_name(name: impl Into<String>) -> RoomName {
    RoomName::try_from(name.into()).unwrap()
}

fn peer_name(name: &str) -> PeerName {
    PeerName::try_from(name.to_owned()).unwrap()
}

async fn rooms() -> Arc<Rooms> {
    let worker = WorkerManager::new().create_worker(WorkerSettings::default()).await.unwrap();
    Rooms::new(vec![worker], media_codecs())
}

fn a_producer() -> ProducerView {
    ProducerView { id: ProducerId::new(), kind: MediaKind::Audio, paused: false }
}

#[tokio::test]
async fn who_does_not_listen_is_turned_out_and_the_others_stay() {
    let room = rooms().await.enter(room_name("plaza")).await.unwrap();
    let (speaker, _) = Arc::clone(&room).sit_down(peer_name("speaker"), None).unwrap();
    let (mut deaf, _) = Arc::clone(&room).sit_down(peer_name("deaf"), None).unwrap();
    let (mut listener, _) = Arc::clone(&room).sit_down(peer_name("listener"), None).unwrap();

    // `deaf` has `listener`'s arrival waiting already.
    for said in 0..OUTBOX_MAX {
        speaker.announce(a_producer());
        assert_eq!(deaf.turned_out().is_some(), said + 1 == OUTBOX_MAX, "after {said}");
        assert!(matches!(listener.next_notice().await, Some(Notice::NewProducer { .. })));
    }
    assert_eq!(deaf.turned_out(), Some(TurnedOut::TooSlow));
    for _ in 0..OUTBOX_MAX {
        assert!(deaf.next_notice().await.is_some(), "what was said before is still there");
    }
    assert_eq!(deaf.next_notice().await, None);

    let id = deaf.peer_id;
    drop(deaf);
    assert_eq!(listener.next_notice().await, Some(Notice::PeerLeft { id }));
    assert_eq!(listener.turned_out(), None);
}

#[tokio::test]
async fn who_comes_late_is_told_what_there_is() {
    let room = rooms().await.enter(room_name("plaza")).await.unwrap();
    let (first, _) = Arc::clone(&room).sit_down(peer_name("first"), None).unwrap();
    let (kept, closed) = (a_producer(), a_producer());
    first.announce(kept);
    first.announce(closed);
    first.announce_paused(kept.id, true);
    first.announce_closed(closed.id);
    let (_late, peers) = room.sit_down(peer_name("late"), None).unwrap();
    assert_eq!(peers.len(), 1);
    assert_eq!(peers[0].producers, [ProducerView { paused: true, ..kept }]);
}

#[tokio::test]
async fn those_who_enter_together_share_a_router() {
    let rooms = rooms().await;
    let (a, b) = tokio::join!(rooms.enter(room_name("plaza")), rooms.enter(room_name("plaza")));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert!(Arc::ptr_eq(&a, &b));
    assert_eq!(rooms.len(), 1);
    drop((a, b));
    assert_eq!(rooms.len(), 0);
}

#[tokio::test]
async fn rooms_have_an_end() {
    let rooms = rooms().await;
    let mut open = Vec::new();
    for number in 0..ROOMS_MAX {
        open.push(rooms.enter(room_name(format!("room-{number}"))).await.unwrap());
    }
    assert_eq!(rooms.enter(room_name("late")).await.unwrap_err(), RequestFailure::TooManyRooms);
    assert!(rooms.enter(room_name("room-7")).await.is_ok(), "one that exists can still be entered");
    open.pop();
    assert!(rooms.enter(room_name("late")).await.is_ok());
}

#[tokio::test]
async fn viewers_have_an_end() {
    let room = rooms().await.enter(room_name("plaza")).await.unwrap();
    let mut held: Vec<_> = (0..VIEWERS_PER_ROOM_MAX).map(|_| room.viewer_permit().unwrap()).collect();
    assert_eq!(room.viewer_permit().unwrap_err(), RequestFailure::RoomFull);
    held.pop();
    assert!(room.viewer_permit().is_ok());
}

#[tokio::test]
async fn a_room_is_about_who_came_last_by_whip_else_about_who_is_there_the_longest() {
    let room = rooms().await.enter(room_name("plaza")).await.unwrap();
    let about = |whom: Option<&str>| room.performer(whom).map(|performer| performer.peer_id);
    let (silent, _) = Arc::clone(&room).sit_down(peer_name("silent"), None).unwrap();
    assert_eq!(about(None), None, "nobody sends");
    let (first, _) = Arc::clone(&room).sit_down(peer_name("twin"), None).unwrap();
    let (second, _) = Arc::clone(&room).sit_down(peer_name("twin"), None).unwrap();
    first.announce(a_producer());
    second.announce(a_producer());
    assert_eq!(about(None), Some(first.peer_id));
    assert_eq!(about(Some("twin")), Some(second.peer_id), "the one before may be a shadow");
    assert_eq!(about(Some(&first.peer_id.to_string())), Some(first.peer_id));
    assert_eq!((about(Some("silent")), about(Some("nobody"))), (None, None));

    let old = Arc::clone(&room).seat_publisher(PeerId::random(), peer_name("OBS")).unwrap();
    old.announce(a_producer());
    assert_eq!(about(None), Some(old.peer_id));
    let new = Arc::clone(&room).seat_publisher(PeerId::random(), peer_name("OBS")).unwrap();
    assert_eq!(about(None), Some(old.peer_id), "the new one doesn't send yet");
    new.announce(a_producer());
    assert_eq!(about(None), Some(new.peer_id));
    // Whoever takes another's id for a name isn't watched in its place, though it came later.
    let (shadow, _) = Arc::clone(&room).sit_down(peer_name(&first.peer_id.to_string()), None).unwrap();
    shadow.announce(a_producer());
    assert_eq!(about(Some(&first.peer_id.to_string())), Some(first.peer_id));
    drop((silent, new, shadow));
    assert_eq!(about(None), Some(old.peer_id));
}

#[tokio::test]
async fn who_publishes_is_told_nothing_and_not_turned_out() {
    let room = rooms().await.enter(room_name("plaza")).await.unwrap();
    let publisher = Arc::clone(&room).seat_publisher(PeerId::random(), peer_name("OBS")).unwrap();
    let (speaker, _) = Arc::clone(&room).sit_down(peer_name("speaker"), None).unwrap();
    for _ in 0..=OUTBOX_MAX {
        speaker.announce(a_producer());
    }
    assert_eq!(publisher.turned_out(), None);
    publisher.announce(a_producer());
    let (_late, peers) = room.sit_down(peer_name("late"), None).unwrap();
    let view = peers.iter().find(|peer| peer.id == publisher.peer_id).unwrap();
    assert_eq!((view.via, view.producers.len()), (Via::Whip, 1));
}
