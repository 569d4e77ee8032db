//! How a Producer's picture lies.

use mafalda_api::producer::{ProducerVideoOrientation, Rotation};
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::scene;
use crate::talker::Talker;

on_each_backend! {
    how_the_picture_lies_is_told_when_it_changes,
    nothing_is_told_of_a_paused_producer,
}

async fn how_the_picture_lies_is_told_when_it_changes(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let mut filming = Talker::filming(&router).await;
    assert_eq!(filming.producer.video_orientation(), None);
    let (send, told) = calls();
    let tell = move |orientation| send.send(orientation).expect("the body waits");
    filming.producer.on_video_orientation_change(tell).detach();
    // The byte is 0000CFRR: the camera, mirrored or not, and quarters of a turn.
    let lies = |camera, flip, rotation| ProducerVideoOrientation { camera, flip, rotation };
    let cases = [
        (0, lies(false, false, Rotation::None)),
        (1, lies(false, false, Rotation::Clockwise)),
        (2, lies(false, false, Rotation::Rotate180)),
        (3, lies(false, false, Rotation::CounterClockwise)),
        (0x0b, lies(true, false, Rotation::CounterClockwise)),
        (0x07, lies(false, true, Rotation::CounterClockwise)),
    ];
    for (byte, expected) in cases {
        // It is told once however often it is said.
        (0..3).for_each(|_| filming.send(byte));
        assert_eq!(told.next(), expected, "{byte:#x}");
        assert_eq!(filming.producer.video_orientation(), Some(expected));
    }
}

async fn nothing_is_told_of_a_paused_producer(manager: &WorkerManager) {
    let router = scene::router(&scene::worker(manager).await).await;
    let mut filming = Talker::filming(&router).await;
    let (send, told) = calls();
    let tell = move |it: ProducerVideoOrientation| send.send(it.rotation).expect("the body waits");
    filming.producer.on_video_orientation_change(tell).detach();
    filming.producer.pause().await.expect("paused");
    filming.send(1);
    filming.arrived().await;
    filming.producer.resume().await.expect("resumed");
    filming.send(2);
    assert_eq!(told.next(), Rotation::Rotate180);
}
