use std::io;
use std::os::fd::BorrowedFd;

use mafalda_net::{Received, Sent};

use super::*;
use crate::thread::packet_io::Syscalls;

/// A kernel that refuses as it is told.
#[derive(Default)]
struct Kernel {
    /// For each message to come: why it is refused, if it is.
    refusals: VecDeque<Option<fn() -> Refusal>>,
    /// What it took: the length of each message and its segments'.
    taken: Vec<(usize, u16)>,
}

impl Kernel {
    fn refusing(refusals: &[Option<fn() -> Refusal>]) -> Self {
        Self { refusals: refusals.iter().copied().collect(), taken: Vec::new() }
    }
}

impl PacketIo for Kernel {
    fn receive(&mut self, _: BorrowedFd<'_>, _: &mut [u8]) -> io::Result<&[Received]> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn send(&mut self, _: BorrowedFd<'_>, bytes: &[u8], pieces: &[Piece]) -> Sent {
        for (messages, piece) in pieces.iter().enumerate() {
            if let Some(refusal) = self.refusals.pop_front().flatten() {
                return Sent { messages, refusal: Some(refusal()) };
            }
            self.taken.push((bytes[piece.range.clone()].len(), piece.segment_size));
        }
        Sent { messages: pieces.len(), refusal: None }
    }
}

const FULL: Option<fn() -> Refusal> = Some(|| Refusal::Full);
const UNSEGMENTED: Option<fn() -> Refusal> = Some(|| Refusal::Unsegmented);
const TOO_LONG: Option<fn() -> Refusal> = Some(|| Refusal::TooLong);
const UNREACHABLE: Option<fn() -> Refusal> = Some(|| Refusal::Destination);

struct Stage {
    udp: Udp,
    kernel: Kernel,
    out: SendBuffer,
    now: Instant,
    pieces: Vec<Piece>,
    unsent: Vec<Unsent>,
}

impl Stage {
    fn new(refusals: &[Option<fn() -> Refusal>]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
        let now = Instant::now();
        Self {
            udp: Udp::new(UdpSocket::bind("127.0.0.1:0").unwrap()),
            kernel: Kernel::refusing(refusals),
            out: SendBuffer::new(1 << 20),
            now,
            pieces: Vec::new(),
            unsent: Vec::new(),
        }
    }

    /// A run of three packets, 100, 100 and 50 bytes, to the peer of this number.
    fn run(&mut self, peer: u16) -> Run {
        let tuple = Tuple { socket: SocketId(1), remote: ([127, 0, 0, 1], peer).into() };
        self.out.write_run(tuple, Sender::Consumer(peer.into()), &[&[1; 100], &[2; 100], &[3; 50]])
    }

    fn runs(&mut self, peers: &[u16]) -> Vec<Run> {
        peers.iter().map(|peer| self.run(*peer)).collect()
    }

    fn send(&mut self, runs: &[Run]) {
        let mut desk =
            Desk { io: &mut self.kernel, now: self.now, pieces: &mut self.pieces, unsent: &mut self.unsent };
        self.udp.send(&mut desk, &self.out, runs);
    }

    fn on_writable(&mut self) {
        let mut desk =
            Desk { io: &mut self.kernel, now: self.now, pieces: &mut self.pieces, unsent: &mut self.unsent };
        self.udp.on_writable(&mut desk);
    }

    fn told(&self) -> Vec<(Sender, u32)> {
        self.unsent.iter().map(|unsent| (unsent.sender, unsent.packets)).collect()
    }
}

#[test]
fn a_run_is_one_message() {
    let mut stage = Stage::new(&[]);
    let runs = stage.runs(&[1, 2]);
    stage.send(&runs);
    assert_eq!(stage.kernel.taken, [(250, 100), (250, 100)]);
    assert!(stage.unsent.is_empty() && !stage.udp.has_waiting());
}

#[test]
fn a_destination_that_takes_no_runs_gets_its_packets_one_by_one_from_then_on() {
    let mut stage = Stage::new(&[None, UNSEGMENTED]);
    let runs = stage.runs(&[1, 2, 3]);
    stage.send(&runs);
    let apart = [(100, 100), (100, 100), (50, 100)];
    assert_eq!(stage.kernel.taken[0], (250, 100));
    assert_eq!(stage.kernel.taken[1..4], apart);
    assert_eq!(stage.kernel.taken[4], (250, 100), "others still get runs");
    stage.kernel.taken.clear();
    stage.send(&runs);
    assert_eq!(stage.kernel.taken[1..4], apart, "without another refusal");
    assert!(stage.unsent.is_empty());
}

#[test]
fn what_is_too_long_for_its_path_goes_in_fragments_from_then_on() {
    // As the kernel has it: first the segments are too long, then each of them by itself.
    let mut stage = Stage::new(&[None, UNSEGMENTED, TOO_LONG]);
    let runs = stage.runs(&[1, 2, 3]);
    stage.send(&runs);
    assert_eq!(stage.kernel.taken, [(250, 100), (100, 100), (100, 100), (50, 100), (250, 100)]);
    assert!(stage.unsent.is_empty(), "all of it at the second try");
    // Fragments don't help it.
    stage.kernel.refusals = VecDeque::from([None, TOO_LONG]);
    stage.send(&runs);
    assert_eq!(stage.told(), [(Sender::Consumer(2), 1)]);
}

#[test]
fn what_waits_can_go_in_fragments_too() {
    let mut stage = Stage::new(&[FULL]);
    let runs = stage.runs(&[1]);
    stage.send(&runs);
    stage.kernel.refusals = VecDeque::from([TOO_LONG]);
    stage.on_writable();
    assert_eq!(stage.kernel.taken, [(250, 100)]);
    assert!(stage.unsent.is_empty() && !stage.udp.has_waiting());
}

#[test]
fn one_that_cannot_be_reached_costs_nobody_else() {
    let mut stage = Stage::new(&[None, UNREACHABLE]);
    let runs = stage.runs(&[1, 2, 3]);
    stage.send(&runs);
    assert_eq!(stage.kernel.taken.len(), 2);
    assert_eq!(stage.told(), [(Sender::Consumer(2), 3)]);
}

#[test]
fn what_is_refused_for_lack_of_room_waits_and_goes_in_order() {
    let mut stage = Stage::new(&[None, FULL]);
    let runs = stage.runs(&[1, 2, 3]);
    stage.send(&runs);
    assert_eq!((stage.kernel.taken.len(), stage.udp.waiting.len()), (1, 2));
    stage.out.clear();
    let later = stage.runs(&[4]);
    stage.kernel.refusals = [FULL].into();
    stage.send(&later);
    assert_eq!(stage.udp.waiting.len(), 3, "it queues behind the others");
    stage.kernel.refusals = [None, FULL].into();
    stage.on_writable();
    assert_eq!((stage.kernel.taken.len(), stage.udp.waiting.len()), (2, 2));
    stage.on_writable();
    let peers: Vec<_> = stage.udp.waiting.iter().map(|waiting| waiting.run.destination().port()).collect();
    assert_eq!((stage.kernel.taken.len(), peers.len(), stage.udp.waiting_bytes), (4, 0, 0));
    assert!(stage.unsent.is_empty());
}

#[test]
fn what_has_waited_for_too_long_is_given_up_and_told() {
    let mut stage = Stage::new(&[FULL]);
    let runs = stage.runs(&[1, 2]);
    stage.send(&runs);
    stage.now += WAITING_TIME_MAX;
    let later = stage.runs(&[3]);
    stage.kernel.refusals = [FULL].into();
    stage.send(&later);
    assert!(stage.unsent.is_empty(), "it is still time");
    stage.now += Duration::from_nanos(1);
    stage.on_writable();
    assert_eq!(stage.told(), [(Sender::Consumer(1), 3), (Sender::Consumer(2), 3)]);
    assert_eq!(stage.kernel.taken.len(), 1, "what came later still goes");
}

#[test]
fn what_waits_goes_first_as_soon_as_there_is_room() {
    let mut stage = Stage::new(&[FULL]);
    let runs = stage.runs(&[1]);
    stage.send(&runs);
    let later = stage.runs(&[2, 3]);
    stage.send(&later);
    assert_eq!(
        (stage.kernel.taken.len(), stage.udp.waiting.len()),
        (3, 0),
        "nobody said that it is writable"
    );
}

#[test]
fn no_more_waits_than_may() {
    let mut stage = Stage::new(&[FULL]);
    let runs = stage.runs(&[7; 1100]);
    stage.send(&runs);
    assert_eq!(stage.udp.waiting.len(), WAITING_BYTES_MAX / 250);
    assert!(stage.udp.waiting_bytes <= WAITING_BYTES_MAX);
    assert_eq!(stage.unsent.len(), 1100 - WAITING_BYTES_MAX / 250);
}

#[test]
fn packets_that_go_apart_wait_apart() {
    let mut stage = Stage::new(&[UNSEGMENTED, None, FULL]);
    let runs = stage.runs(&[1, 1]);
    stage.send(&runs);
    let lens: Vec<_> = stage.udp.waiting.iter().map(|waiting| waiting.bytes.len()).collect();
    assert_eq!(lens, [100, 50, 100, 100, 50]);
    stage.on_writable();
    assert_eq!(stage.kernel.taken.len(), 6);
}

#[test]
fn known_destinations_are_bounded() {
    let mut stage = Stage::new(&[]);
    for port in 0..=UNSEGMENTED_MAX as u16 {
        stage.udp.remember(([127, 0, 0, 1], port).into());
    }
    assert_eq!(stage.udp.unsegmented.len(), 1);
}

#[test]
fn a_socket_gives_all_that_waits_in_one_call() {
    let mut stage = Stage::new(&[]);
    let mut io = Syscalls::new();
    let mut batch = Batch::for_receiving();
    assert!(!stage.udp.receive(&mut io, SocketId(1), &mut batch) && batch.is_empty());
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let local = stage.udp.socket().local_addr().unwrap();
    (1..=5).for_each(|len| assert_eq!(peer.send_to(&[len; 9][..len.into()], local).unwrap(), len.into()));
    assert!(!stage.udp.receive(&mut io, SocketId(1), &mut batch), "nothing is left");
    assert_eq!(batch.len(), 5);
}
