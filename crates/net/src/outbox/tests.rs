use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Duration;

use super::*;

fn bound() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn received(socket: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
    let mut buffer = [0; 2000];
    let mut one = || socket.recv(&mut buffer).map(|len| buffer[..len].to_vec()).unwrap();
    (0..count).map(|_| one()).collect()
}

#[test]
fn each_message_is_cut_at_its_own_size() {
    let (sender, receiver) = (bound(), bound());
    let remote = receiver.local_addr().unwrap();
    let bytes = [7; 100];
    let sizes = [30, 100, 50, 200];
    let messages = sizes.map(|segment_size| Message { remote, bytes: &bytes, segment_size });
    let sent = Outbox::new().send(sender.as_fd(), &messages.into_iter());
    assert!(sent.refusal.is_none() && sent.messages == 4);
    let lens: Vec<_> = received(&receiver, 8).iter().map(Vec::len).collect();
    assert_eq!(lens, [30, 30, 30, 10, 100, 50, 50, 100]);
}

#[test]
fn more_messages_than_one_call_takes_go_in_order() {
    let (sender, receiver) = (bound(), bound());
    let remote = receiver.local_addr().unwrap();
    let numbers: Vec<[u8; 2]> = (0..MESSAGES_MAX as u16 * 2 + 3).map(u16::to_be_bytes).collect();
    let messages = numbers.iter().map(|bytes| Message { remote, bytes, segment_size: 2 });
    for chunk in [0, 200, 400] {
        // In parts, so that the receiver's buffer holds them.
        let part: Vec<_> = messages.clone().skip(chunk).take(200).collect();
        let sent = Outbox::new().send(sender.as_fd(), &part.iter().copied());
        assert_eq!(sent.messages, part.len());
        let got = received(&receiver, part.len());
        assert!(got.iter().eq(numbers.iter().skip(chunk).take(200)));
    }
    let all = Outbox::new().send(sender.as_fd(), &messages);
    assert_eq!(all.messages, numbers.len());
}

#[test]
fn a_refusal_names_the_message_and_those_behind_it_still_go() {
    let (sender, receiver) = (bound(), bound());
    let remote = receiver.local_addr().unwrap();
    let large = vec![1; 60_000];
    let messages = [
        Message { remote, bytes: &[1], segment_size: 1 },
        // 60,000 segments of one byte are more than any kernel cuts.
        Message { remote, bytes: &large, segment_size: 1 },
        Message { remote, bytes: &[3], segment_size: 1 },
    ];
    let mut outbox = Outbox::new();
    let sent = outbox.send(sender.as_fd(), &messages.into_iter());
    assert_eq!(sent.messages, 1);
    assert!(matches!(sent.refusal, Some(Refusal::Unsegmented)), "{:?}", sent.refusal);
    let sent = outbox.send(sender.as_fd(), &messages.into_iter().skip(2));
    assert!(sent.refusal.is_none());
    assert_eq!(received(&receiver, 2), [[1], [3]]);
}

#[test]
fn ipv6_is_reached_too() {
    let Ok(receiver) = UdpSocket::bind("[::1]:0") else { return };
    let sender = UdpSocket::bind("[::1]:0").unwrap();
    let message = Message { remote: receiver.local_addr().unwrap(), bytes: &[1, 2, 3, 4], segment_size: 2 };
    assert_eq!(Outbox::new().send(sender.as_fd(), &[message].into_iter()).messages, 1);
    assert_eq!(received(&receiver, 2), [[1, 2], [3, 4]]);
}
