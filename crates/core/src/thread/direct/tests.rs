use std::task::{Context, Poll, Waker};

use mafalda_api::waist::{MediaError, MediaPort};
use mafalda_media::buffer::SendBuffer;

use super::port::{WAITING_BYTES_MAX, WAITING_MAX};
use super::*;
use crate::thread::mailbox::{Mailbox, News, mailbox};

const SOCKET: SocketId = SocketId(7);

struct Stage {
    ends: Ends,
    mailbox: Mailbox,
    transport: TransportId,
    consumer: ConsumerId,
}

impl Stage {
    fn new() -> Self {
        let (_, mailbox) = mailbox().unwrap();
        let (mut ends, transport) = (Ends::default(), TransportId::new());
        ends.add(SOCKET, transport);
        Self { ends, mailbox, transport, consumer: ConsumerId::new() }
    }

    fn open(&mut self) -> Arc<Port> {
        let port = Arc::new(Port::default());
        self.connect(&port);
        port
    }

    fn connect(&mut self, port: &Arc<Port>) {
        let opened = Opened { transport: self.transport, port: Arc::clone(port) };
        self.ends.open(&opened, self.mailbox.bell_for_ports());
    }

    /// What the Worker hears of.
    fn news(&mut self) -> usize {
        let mut news = Vec::new();
        self.mailbox.take_news(&mut news);
        for news in &news {
            let News::Sent(socket) = news else { panic!("nothing was opened") };
            self.ends.on_sent(*socket);
        }
        news.len()
    }

    fn put(&mut self, sender: Sender, packets: &[&[u8]]) -> Vec<Unsent> {
        let mut out = SendBuffer::new(64 * 1024);
        let run = out.write_run(Tuple::direct_rtp(SOCKET), sender, packets);
        let mut unsent = Vec::new();
        self.ends.put(&[run], &out, |_, ssrc| (ssrc == 1).then_some(self.consumer), &mut unsent);
        unsent
    }
}

fn rtp(byte: u8) -> Ingress {
    Ingress::Rtp(vec![byte; 20])
}

fn received(port: &Port) -> Poll<Option<Egress>> {
    port.poll_receive(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn what_is_sent_comes_in_order_and_the_worker_is_told_once() {
    let mut stage = Stage::new();
    let port = stage.open();
    (0..3).for_each(|byte| port.try_send(rtp(byte)).unwrap());
    assert_eq!(stage.news(), 1);
    let taken: Vec<_> = std::iter::from_fn(|| stage.ends.take()).collect();
    assert_eq!(taken, [0, 1, 2].map(|byte| Taken::Sent(SOCKET, rtp(byte))));
    assert!(!stage.ends.are_ready());
    port.try_send(rtp(3)).unwrap();
    assert_eq!(stage.news(), 1, "it had found nothing, so it is told again");
}

#[test]
fn what_is_sent_before_the_worker_knows_the_port_is_not_lost() {
    let mut stage = Stage::new();
    let port = Arc::new(Port::default());
    port.try_send(rtp(0)).unwrap();
    stage.connect(&port);
    assert_eq!(stage.news(), 1);
    assert_eq!(stage.ends.take(), Some(Taken::Sent(SOCKET, rtp(0))));
}

#[test]
fn no_more_waits_for_the_worker_than_may_and_what_is_refused_is_counted() {
    let mut stage = Stage::new();
    let port = stage.open();
    let sent = (0..WAITING_MAX + 5).filter(|_| port.try_send(rtp(0)).is_ok()).count();
    assert_eq!(sent, WAITING_MAX);
    assert_eq!(port.try_send(rtp(0)), Err(MediaError::Full));
    stage.news();
    assert_eq!(stage.ends.take(), Some(Taken::Refused(SOCKET, 6)));
    assert_eq!(std::iter::from_fn(|| stage.ends.take()).count(), WAITING_MAX);
    assert!(port.try_send(rtp(0)).is_ok(), "there is room again");
}

#[test]
fn bytes_are_bounded_too_and_one_that_is_larger_goes_alone() {
    let mut stage = Stage::new();
    let port = stage.open();
    let large = || Ingress::Rtp(vec![0; WAITING_BYTES_MAX / 2]);
    let sent = (0..4).filter(|_| port.try_send(large()).is_ok()).count();
    assert_eq!(sent, 2);
    stage.news();
    while stage.ends.take().is_some() {}
    port.try_send(Ingress::Rtp(vec![0; WAITING_BYTES_MAX + 1])).unwrap();
    assert_eq!(port.try_send(rtp(0)), Err(MediaError::Full));
}

#[test]
fn ends_take_turns() {
    let mut stage = Stage::new();
    let (other, transport) = (SocketId(8), TransportId::new());
    stage.ends.add(other, transport);
    let flooding = stage.open();
    stage.transport = transport;
    let quiet = stage.open();
    (0..100).for_each(|byte| flooding.try_send(rtp(byte)).unwrap());
    quiet.try_send(rtp(200)).unwrap();
    stage.news();
    let taken: Vec<_> = std::iter::from_fn(|| stage.ends.take()).take(2).collect();
    assert!(taken.contains(&Taken::Sent(other, rtp(200))), "{taken:?}");
}

#[test]
fn runs_come_out_whole_and_say_whose_they_are() {
    let mut stage = Stage::new();
    let port = stage.open();
    assert!(stage.put(Sender::Consumer(1), &[&[1; 10], &[2; 10], &[3; 4]]).is_empty());
    assert!(stage.put(Sender::Control, &[&[200; 8]]).is_empty());
    assert!(stage.put(Sender::Consumer(2), &[&[9; 8]]).is_empty(), "a Consumer that is gone misses nothing");
    let Poll::Ready(Some(Egress::Rtp { consumer, packets })) = received(&port) else { panic!("no packets") };
    assert_eq!(consumer, stage.consumer);
    assert!(packets.iter().eq([&[1; 10][..], &[2; 10], &[3; 4]]));
    let Poll::Ready(Some(Egress::Rtcp(packets))) = received(&port) else { panic!("no RTCP") };
    assert!(packets.iter().eq([&[200; 8][..]]));
    assert_eq!(received(&port), Poll::Pending);
}

#[test]
fn what_the_application_does_not_take_is_unsent() {
    let mut stage = Stage::new();
    let sender = Sender::Consumer(1);
    let lost = Unsent { tuple: Tuple::direct_rtp(SOCKET), sender, packets: 2 };
    assert_eq!(stage.put(sender, &[&[1; 10], &[2; 10]]), [lost], "nobody is there");
    let port = stage.open();
    let put = (0..WAITING_MAX + 3).filter(|_| stage.put(sender, &[&[1; 10], &[2; 10]]).is_empty()).count();
    assert_eq!(put, WAITING_MAX);
    assert!(matches!(received(&port), Poll::Ready(Some(_))));
    assert!(stage.put(sender, &[&[1; 10]]).is_empty(), "there is room again");
}

#[test]
fn all_ports_hear_it_and_there_are_no_more_than_may_be() {
    let mut stage = Stage::new();
    let ports: Vec<_> = (0..PORTS_MAX).map(|_| stage.open()).collect();
    assert_eq!(stage.open().try_send(rtp(0)), Err(MediaError::Ended), "one too many");
    stage.put(Sender::Control, &[&[200; 8]]);
    assert!(ports.iter().all(|port| matches!(received(port), Poll::Ready(Some(Egress::Rtcp(_))))));
    drop(ports);
    assert!(stage.open().try_send(rtp(0)).is_ok(), "who is gone has left room");
}

#[test]
fn a_port_ends_with_its_transport_and_gives_what_has_come_out() {
    let mut stage = Stage::new();
    let port = stage.open();
    stage.put(Sender::Control, &[&[200; 8]]);
    port.try_send(rtp(0)).unwrap();
    stage.news();
    stage.ends.remove(SOCKET);
    assert_eq!(stage.ends.take(), None);
    assert_eq!(port.try_send(rtp(0)), Err(MediaError::Ended));
    assert!(matches!(received(&port), Poll::Ready(Some(_))));
    assert_eq!(received(&port), Poll::Ready(None));
}

#[test]
fn a_port_that_finds_no_transport_ends() {
    let mut stage = Stage::new();
    stage.transport = TransportId::new();
    let port = stage.open();
    assert_eq!(port.try_send(rtp(0)), Err(MediaError::Ended));
    assert_eq!(received(&port), Poll::Ready(None));
}
