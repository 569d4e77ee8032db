//! Who speaks or films into a Router: a PlainTransport with a peer whose packets say something of themselves.

use std::net::UdpSocket;

use mafalda_api::plain_transport::PlainTransport;
use mafalda_api::prelude::*;

use crate::fixture::Calls;
use crate::parameters;
use crate::scene::listen_info;

/// One who sends. What its packets say is the value of one header extension, of one byte.
pub(crate) struct Talker {
    pub(crate) producer: Producer,
    transport: PlainTransport,
    socket: UdpSocket,
    format: Format,
    sequence: u16,
}

/// What its packets are made of, as `parameters` tells it.
#[derive(Clone, Copy)]
struct Format {
    payload_type: u8,
    extension_id: u8,
    ssrc: u32,
    payload: &'static [u8],
}

const SPEECH: Format = Format { payload_type: 111, extension_id: 12, ssrc: 11_111_111, payload: b"opus" };
/// VP8 between two key frames (RFC 7741 §4.2).
const PICTURE: Format =
    Format { payload_type: 112, extension_id: 13, ssrc: 22_222_222, payload: &[0x10, 1, 0, 0] };

impl Talker {
    /// Comes into a Router to speak, and says nothing yet. Its packets will say how loud they are (RFC 6464).
    pub(crate) async fn new(router: &Router) -> Self {
        Self::with(router, MediaKind::Audio, parameters::audio(), SPEECH).await
    }

    /// Comes into a Router to film. Its packets will say how the picture lies (3GPP TS 26.114 §7.4.5).
    pub(crate) async fn filming(router: &Router) -> Self {
        Self::with(router, MediaKind::Video, parameters::video(), PICTURE).await
    }

    async fn with(router: &Router, kind: MediaKind, parameters: RtpParameters, format: Format) -> Self {
        let mut options = PlainTransportOptions::new(listen_info(Protocol::Udp));
        options.comedia = true;
        let transport = router.create_plain_transport(options).await.expect("a PlainTransport");
        let options = ProducerOptions::new(kind, parameters);
        let producer = transport.produce(options).await.expect("a Producer");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        Self { producer, transport, socket, format, sequence: 0 }
    }

    /// Sends so many packets of that level, in dBov.
    pub(crate) fn speak(&mut self, level: i8, packets: u16) {
        // Without the flag for speech.
        (0..packets).for_each(|_| self.send(level.unsigned_abs()));
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

    /// Sends a packet that says this.
    pub(crate) fn send(&mut self, value: u8) {
        self.sequence += 1;
        let server = ("127.0.0.1", self.transport.tuple().local_port());
        self.socket.send_to(&self.packet(value), server).expect("loopback takes it");
    }

    /// Waits until all that was sent has come in.
    pub(crate) async fn arrived(&self) {
        let count = async || {
            let stats = self.producer.get_stats().await.expect("statistics");
            stats.first().map_or(0, |stream| stream.packet_count)
        };
        while count().await < self.sequence.into() {}
    }

    fn packet(&self, value: u8) -> Vec<u8> {
        let Format { payload_type, extension_id, ssrc, payload } = self.format;
        let mut packet = vec![0x90, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend((u32::from(self.sequence) * 960).to_be_bytes());
        packet.extend(ssrc.to_be_bytes());
        // One element in the one-byte form (RFC 8285 §4.2), padded to a word.
        packet.extend([0xbe, 0xde, 0, 1, extension_id << 4, value, 0, 0]);
        packet.extend_from_slice(payload);
        packet
    }
}
