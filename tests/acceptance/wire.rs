//! A way through a Router for packets as they are: one PlainTransport in, one out, a socket at each end.

use std::net::UdpSocket;
use std::time::Duration;

use mafalda_api::consumer::Consumer;
use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;
use mafalda_media::rtp::RtpHeader;

use crate::scene::listen_info;

/// How long a packet may take on a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// Both ends of the way in.
pub(crate) struct Source {
    pub(crate) producer: Producer,
    transport: PlainTransport,
    socket: UdpSocket,
}

/// Both ends of a way out.
pub(crate) struct Sink {
    pub(crate) consumer: Consumer,
    _transport: PlainTransport,
    socket: UdpSocket,
}

/// What came out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    /// Ids and values of its header extensions.
    pub(crate) extensions: Vec<(u8, Vec<u8>)>,
    pub(crate) payload: Vec<u8>,
}

impl Source {
    /// Nobody speaks before the first packet.
    pub(crate) async fn new(router: &Router, options: ProducerOptions) -> Self {
        let mut listen = PlainTransportOptions::new(listen_info(Protocol::Udp));
        listen.comedia = true;
        let transport = router.create_plain_transport(listen).await.expect("a PlainTransport");
        let producer = transport.produce(options).await.expect("a Producer");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        Self { producer, transport, socket }
    }

    /// Sends a packet of the Producer's only SSRC; `extensions` is the block with its profile, or nothing (RFC 3550 §5.3.1).
    pub(crate) fn send(&self, payload_type: u8, sequence: u16, extensions: &[u8], payload: &[u8]) {
        let ssrc = self.producer.rtp_parameters().encodings[0].ssrc.expect("the test's source names it");
        let mut packet = vec![if extensions.is_empty() { 0x80 } else { 0x90 }, payload_type];
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(sequence) * 960).to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        packet.extend(extensions);
        packet.extend(payload);
        let server = ("127.0.0.1", self.transport.tuple().local_port());
        self.socket.send_to(&packet, server).expect("loopback takes it");
    }
}

impl Sink {
    pub(crate) async fn new(router: &Router, options: ConsumerOptions) -> Self {
        let listen = PlainTransportOptions::new(listen_info(Protocol::Udp));
        let transport = router.create_plain_transport(listen).await.expect("a PlainTransport");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        let address = socket.local_addr().expect("an address");
        let remote = PlainTransportRemoteParameters {
            ip: Some(address.ip()),
            port: Some(address.port()),
            ..PlainTransportRemoteParameters::default()
        };
        transport.connect(remote).await.expect("a connection");
        let consumer = transport.consume(options).await.expect("a Consumer");
        Self { consumer, _transport: transport, socket }
    }

    /// The next packet of media.
    pub(crate) fn next(&self) -> Packet {
        let mut buffer = [0; 2000];
        loop {
            let len = self.socket.recv(&mut buffer).expect("a packet comes");
            let packet = &buffer[..len];
            // RFC 5761 §4: RTCP.
            if (192..=223).contains(&packet[1]) {
                continue;
            }
            let header = RtpHeader::parse(packet).expect("RTP");
            return Packet {
                payload_type: header.payload_type,
                sequence: header.sequence,
                extensions: header.elements(packet).map(|(id, value)| (id, value.to_vec())).collect(),
                payload: header.payload(packet).to_vec(),
            };
        }
    }
}
