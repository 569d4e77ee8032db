//! Real packets through a Router: VP8 in over one PlainTransport and out over another.

use std::net::UdpSocket;
use std::time::Duration;

use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;
use mafalda_api::worker_manager::WorkerManager;

use crate::parameters;
use crate::scene::{self, listen_info};

/// What the peer sends, as [`parameters::video`] tells it.
pub(crate) const SSRC: u32 = 22_222_222;

/// VP8 through two PlainTransports of one Router.
pub(crate) struct Line {
    pub(crate) source: UdpSocket,
    pub(crate) sink: UdpSocket,
    pub(crate) input: PlainTransport,
    pub(crate) output: PlainTransport,
    pub(crate) producer: Producer,
    pub(crate) consumer: Consumer,
}

impl Line {
    pub(crate) async fn new(manager: &WorkerManager) -> Self {
        let router = scene::router(&scene::worker(manager).await).await;
        let (source, sink) = (socket(), socket());
        let mut options = PlainTransportOptions::new(listen_info(Protocol::Udp));
        let output = router.create_plain_transport(options.clone()).await.expect("a PlainTransport");
        let remote = PlainTransportRemoteParameters {
            ip: Some([127, 0, 0, 1].into()),
            port: Some(sink.local_addr().expect("an address").port()),
            ..PlainTransportRemoteParameters::default()
        };
        output.connect(remote).await.expect("a connection");
        options.comedia = true;
        let input = router.create_plain_transport(options).await.expect("a PlainTransport");
        let options = ProducerOptions::new(MediaKind::Video, parameters::video());
        let producer = input.produce(options).await.expect("a Producer");
        let options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
        let consumer = output.consume(options).await.expect("a Consumer");
        Self { source, sink, input, output, producer, consumer }
    }

    /// Sends a packet of VP8: a key frame, or one that needs the one before (RFC 7741 §4.2, §4.3).
    pub(crate) fn send(&self, sequence: u16, key_frame: bool) {
        let mut packet = vec![0x80, 112];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence) * 3000).to_be_bytes());
        packet.extend(SSRC.to_be_bytes());
        packet.extend([0x10, u8::from(!key_frame), 0, 0, 0x9d, 0x01, 0x2a]);
        self.source.send_to(&packet, ("127.0.0.1", self.input.tuple().local_port())).expect("it is taken");
    }

    /// Waits until so many packets of media have come out.
    pub(crate) fn through(&self, packets: usize) {
        let mut buffer = [0; 2000];
        let mut left = packets;
        while left > 0 {
            self.sink.recv(&mut buffer).expect("they come");
            // RTCP has types of its own (RFC 5761 §4).
            left -= usize::from(!(192..=223).contains(&buffer[1]));
        }
    }

    /// Feedback of who receives (RFC 4585 §6.1), about the Consumer's stream.
    pub(crate) fn answer(&self, format: u8, kind: u8, information: &[u8]) {
        let mut packet = vec![0x80 | format, kind, 0, 2 + information.len() as u8 / 4, 0, 0, 0, 9];
        packet.extend(self.ssrc().to_be_bytes());
        packet.extend(information);
        self.sink.send_to(&packet, ("127.0.0.1", self.output.tuple().local_port())).expect("it is taken");
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.consumer.rtp_parameters().encodings[0].ssrc.expect("an SSRC")
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    socket
}
