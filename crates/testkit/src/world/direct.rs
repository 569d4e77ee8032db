//! DirectTransports: a test is the application at their other end.

use mafalda_api::id::{DataConsumerId, RouterId, TransportId};
use mafalda_api::waist::{CreateDirectTransport, DataMessage, Ingress};
use mafalda_media::buffer::Batch;
use mafalda_media::worker::Input;
use mafalda_media::{SocketId, Tuple};

use super::World;

/// A packet that came out of a DirectTransport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectPacket {
    /// Whether it is RTCP.
    pub rtcp: bool,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl World {
    /// Creates a DirectTransport.
    ///
    /// # Panics
    /// When it is refused.
    pub fn create_direct(&mut self, router: RouterId) -> TransportId {
        let id = TransportId::new();
        let create = CreateDirectTransport {
            id,
            router,
            max_send_message_size: 262_144,
            max_receive_message_size: 262_144,
        };
        self.call(create).expect("a DirectTransport");
        id
    }

    /// Sends packets and messages into a DirectTransport, as a driver would: the packets in one batch.
    ///
    /// # Panics
    /// When there is no such Transport.
    pub fn send_direct(&mut self, transport: TransportId, sent: impl IntoIterator<Item = Ingress>) {
        let socket = self.direct_socket(transport);
        let mut batch = Batch::default();
        for ingress in sent {
            let (tuple, packet) = match ingress {
                Ingress::Rtp(packet) => (Tuple::direct_rtp(socket), packet),
                Ingress::Rtcp(packet) => (Tuple::direct_rtcp(socket), packet),
                Ingress::Message { data_producer, message, audience } => {
                    self.give(transport, Input::Message { socket, data_producer, message, audience });
                    continue;
                }
            };
            assert!(batch.push(tuple, &packet), "a test sends a batch at a time");
        }
        self.give(transport, Input::Datagrams(batch));
    }

    /// The messages that have come out of DirectTransports since the last look, in order, and whose they are.
    pub fn take_messages(&mut self) -> Vec<(DataConsumerId, DataMessage)> {
        std::mem::take(&mut self.messages)
    }

    /// Gives the Worker of a DirectTransport an input that its driver would make.
    ///
    /// # Panics
    /// When there is no such Transport.
    pub fn give(&mut self, transport: TransportId, input: Input) {
        let engine = self.sockets[&self.direct_socket(transport)].engine;
        self.feed(engine, input);
    }

    /// The number of a DirectTransport's application.
    ///
    /// # Panics
    /// When there is no such Transport.
    #[must_use]
    pub fn direct_socket(&self, transport: TransportId) -> SocketId {
        let mut sockets = self.sockets.iter();
        let socket = sockets.find(|(_, socket)| socket.owner == transport.into());
        *socket.expect("a DirectTransport has a number").0
    }

    /// What has come out of a DirectTransport since the last look, in order.
    pub fn take_direct(&mut self, transport: TransportId) -> Vec<DirectPacket> {
        self.direct.remove(&transport).unwrap_or_default()
    }
}
