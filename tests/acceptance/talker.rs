//! Who speaks into a Router: a PlainTransport with a peer whose packets say how loud they are (RFC 6464).

use std::net::UdpSocket;

use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;

use crate::fixture::Calls;
use crate::parameters;
use crate::scene::listen_info;

/// As `parameters::audio` tells it.
const PAYLOAD_TYPE: u8 = 111;
const AUDIO_LEVEL_ID: u8 = 12;
const SSRC: u32 = 11_111_111;

/// One who speaks.
pub(crate) struct Talker {
    pub(crate) producer: Producer,
    transport: PlainTransport,
    socket: UdpSocket,
    sequence: u16,
}

impl Talker {
    /// Comes into a Router, and says nothing yet.
    pub(crate) async fn new(router: &Router) -> Self {
        let mut options = PlainTransportOptions::new(listen_info(Protocol::Udp));
        options.comedia = true;
        let transport = router.create_plain_transport(options).await.expect("a PlainTransport");
        let options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
        let producer = transport.produce(options).await.expect("a Producer");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        Self { producer, transport, socket, sequence: 0 }
    }

    /// Sends so many packets of that level, in dBov.
    pub(crate) fn speak(&mut self, level: i8, packets: u16) {
        for _ in 0..packets {
            self.sequence += 1;
            let packet = self.packet(level);
            let server = ("127.0.0.1", self.transport.tuple().local_port());
            self.socket.send_to(&packet, server).expect("loopback takes it");
        }
    }

    /// Goes on sending packets of that level until a callback is called.
    pub(crate) async fn speak_until<T>(&mut self, level: i8, calls: &Calls<T>) -> T {
        loop {
            self.speak(level, 1);
            self.arrived().await;
            if let Some(call) = calls.waiting() {
                return call;
            }
        }
    }

    /// Waits until all that was sent has come in.
    pub(crate) async fn arrived(&self) {
        let count = async || {
            let stats = self.producer.get_stats().await.expect("statistics");
            stats.first().map_or(0, |stream| stream.packet_count)
        };
        while count().await < self.sequence.into() {}
    }

    fn packet(&self, level: i8) -> Vec<u8> {
        let mut packet = vec![0x90, PAYLOAD_TYPE];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend((u32::from(self.sequence) * 960).to_be_bytes());
        packet.extend(SSRC.to_be_bytes());
        // One element in the one-byte form (RFC 8285 §4.2), padded to a word; without the flag for speech.
        packet.extend([0xbe, 0xde, 0, 1, AUDIO_LEVEL_ID << 4, level.unsigned_abs(), 0, 0]);
        packet.extend_from_slice(b"opus");
        packet
    }
}
