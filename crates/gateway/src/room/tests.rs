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
