use std::net::UdpSocket;
use std::os::fd::AsFd;

use super::*;
use crate::{Message, Outbox, join_received};

/// A socket that joins, and a sender to it.
fn pair() -> (UdpSocket, UdpSocket) {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    join_received(receiver.as_fd()).unwrap();
    (receiver, UdpSocket::bind("127.0.0.1:0").unwrap())
}

/// All that comes in one call, as datagrams.
fn datagrams(receiver: &mut Receiver, socket: &UdpSocket, buffer: &mut [u8]) -> Vec<Vec<u8>> {
    let ranges: Vec<_> =
        receiver.receive(socket.as_fd(), buffer).unwrap().iter().flat_map(Received::datagrams).collect();
    ranges.into_iter().map(|range| buffer[range].to_vec()).collect()
}

#[test]
fn an_empty_socket_would_block() {
    let (socket, _) = pair();
    let mut buffer = vec![0; SLOT_LEN];
    let error = Receiver::new(4).receive(socket.as_fd(), &mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_buffer_without_room_for_a_message_is_refused() {
    let (socket, _) = pair();
    let error = Receiver::new(4).receive(socket.as_fd(), &mut [0; 100]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn what_was_joined_comes_apart_again_call_after_call() {
    let (socket, sender) = pair();
    let to = socket.local_addr().unwrap();
    let mut receiver = Receiver::new(4);
    let mut buffer = vec![0; 4 * SLOT_LEN];
    let bytes: Vec<u8> = (0..250).collect();
    for segment_size in [100, 250, 7, 60] {
        let message = Message { remote: to, bytes: &bytes, segment_size };
        assert_eq!(Outbox::new().send(sender.as_fd(), &[message].into_iter()).messages, 1);
        // A single one first leaves no control message behind; the next must have room for its own all the same.
        let got = datagrams(&mut receiver, &socket, &mut buffer);
        let expected: Vec<_> = bytes.chunks(segment_size.into()).map(<[u8]>::to_vec).collect();
        assert_eq!(got, expected);
    }
}

#[test]
fn no_more_messages_than_there_are_slots() {
    let (socket, sender) = pair();
    let to = socket.local_addr().unwrap();
    let sizes = [10, 20, 30, 40, 50];
    sizes.iter().for_each(|size| assert_eq!(sender.send_to(&vec![*size as u8; *size], to).unwrap(), *size));
    let mut buffer = vec![0; 3 * SLOT_LEN];
    let mut receiver = Receiver::new(2);
    assert_eq!(receiver.capacity(), 2);
    let first = datagrams(&mut receiver, &socket, &mut buffer);
    assert_eq!(first, [vec![10; 10], vec![20; 20]]);
    let mut receiver = Receiver::new(8);
    assert_eq!(datagrams(&mut receiver, &socket, &mut buffer).len(), 3, "as many as the buffer has room for");
}

#[test]
fn the_sender_is_told() {
    let (socket, sender) = pair();
    sender.send_to(&[1], socket.local_addr().unwrap()).unwrap();
    let mut buffer = vec![0; SLOT_LEN];
    let mut receiver = Receiver::new(1);
    let received = receiver.receive(socket.as_fd(), &mut buffer).unwrap();
    assert_eq!(
        received,
        [Received { remote: sender.local_addr().unwrap(), start: 0, len: 1, segment_size: 1 }]
    );
}

#[test]
fn an_answer_to_an_earlier_datagram_is_no_error_of_the_socket() {
    let (socket, sender) = pair();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    socket.connect(gone).unwrap();
    socket.send(&[1]).unwrap();
    drop(sender);
    let mut buffer = vec![0; SLOT_LEN];
    let error = Receiver::new(1).receive(socket.as_fd(), &mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}
