use super::super::mailbox::{Poster, mailbox};
use super::*;

struct Stage {
    sockets: Sockets,
    poster: Poster,
    ready: VecDeque<Ready>,
    listener: SocketId,
    address: SocketAddr,
}

fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test needs some instant")]
    Instant::now()
}

impl Stage {
    fn new() -> Self {
        let (poster, mailbox) = mailbox().unwrap();
        let mut sockets = Sockets::new(&mailbox).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = sockets.insert(Protocol::Tcp, listener.into()).unwrap();
        Self { sockets, poster, ready: VecDeque::new(), listener, address }
    }

    /// Connected when it returns: the kernel answers for the listener.
    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).unwrap()
    }

    fn poll(&mut self) -> Vec<SocketId> {
        self.sockets.wait(Some(Duration::ZERO), &mut self.ready);
        self.ready.drain(..).map(|ready| ready.id).collect()
    }
}

#[test]
fn connections_get_numbers_of_their_own() {
    let mut stage = Stage::new();
    let streams = [stage.connect(), stage.connect()];
    assert_eq!(stage.poll(), [stage.listener]);
    let mut accepted = Vec::new();
    while let Accept::Connection(tuple) = stage.sockets.accept(stage.listener, now()) {
        accepted.push(tuple);
    }
    assert_eq!(accepted.len(), 2);
    assert_ne!(accepted[0].socket, accepted[1].socket);
    assert!(
        accepted.iter().zip(&streams).all(|(tuple, stream)| tuple.remote == stream.local_addr().unwrap())
    );
    assert_eq!(stage.poll(), [], "nothing waits any more");
}

#[test]
fn a_listener_that_rests_keeps_nobody_busy_and_comes_back() {
    let mut stage = Stage::new();
    let _waiting = stage.connect();
    let now = now();
    stage.sockets.rest(stage.listener, now);
    assert_eq!(stage.poll(), []);
    assert_eq!(stage.sockets.rest_end(), Some(now + REST));
    stage.sockets.end_rest(now + REST / 2);
    assert_eq!(stage.poll(), []);
    stage.sockets.end_rest(now + REST);
    assert_eq!(stage.poll(), [stage.listener]);
    assert_eq!(stage.sockets.rest_end(), None);
}

#[test]
fn the_bell_ends_a_wait_and_is_no_socket() {
    let mut stage = Stage::new();
    stage.poster.stop();
    assert!(stage.sockets.wait(None, &mut stage.ready));
    assert!(stage.ready.is_empty());
}

#[test]
fn a_wait_is_rounded_up_to_what_the_kernel_counts_in() {
    assert_eq!(round_up(Duration::ZERO), EpollTimeout::ZERO);
    assert_eq!(round_up(Duration::from_micros(1)), EpollTimeout::try_from(1).unwrap());
    assert_eq!(round_up(Duration::from_micros(1001)), EpollTimeout::try_from(2).unwrap());
    assert_eq!(round_up(Duration::MAX), EpollTimeout::try_from(i32::MAX).unwrap());
}
