//! Packets and messages between an application and a DirectTransport: beside calls and events, outside their sequence.
//!
//! What waits on either side is bounded, and what finds no room is lost and counted: who sends hears of it at once, and of what is lost
//! on its way out the statistics tell. Not in here: what a packet means, which is the Worker's to say.

use std::fmt;
use std::task::{Context, Poll};

use thiserror::Error;

use super::{Audience, DataMessage};
use crate::id::{ConsumerId, DataConsumerId, DataProducerId};

/// Most bytes of an RTP or RTCP packet that is taken in, as in mediasoup: a network's packet with room for every header.
pub const PACKET_BYTES_MAX: usize = 2048;

/// What an application hands to a DirectTransport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ingress {
    /// An RTP packet. Which Producer's it is, its SSRC or its names say, as with any Transport.
    Rtp(Vec<u8>),
    /// RTCP, compound or not.
    Rtcp(Vec<u8>),
    /// A message of a DataProducer.
    Message {
        /// Whose it is.
        data_producer: DataProducerId,
        /// The message.
        message: DataMessage,
        /// Whom it is for.
        audience: Audience,
    },
}

impl Ingress {
    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Rtp(packet) | Self::Rtcp(packet) => packet.len(),
            Self::Message { message, audience, .. } => {
                message.payload.len() + size_of_val(audience.subchannels.as_slice())
            }
        }
    }
}

/// What comes out of a DirectTransport.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Egress {
    /// RTP packets of a Consumer, its retransmissions too.
    Rtp {
        /// Whose they are.
        consumer: ConsumerId,
        /// The packets.
        packets: Packets,
    },
    /// RTCP packets, compound or not.
    Rtcp(Packets),
    /// A message of a DataConsumer.
    Message {
        /// Whose it is.
        data_consumer: DataConsumerId,
        /// The message.
        message: DataMessage,
    },
}

impl Egress {
    /// How many bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Rtp { packets, .. } | Self::Rtcp(packets) => packets.bytes.len(),
            Self::Message { message, .. } => message.payload.len(),
        }
    }
}

/// Packets that came out together, in one piece of memory: all of one size, but for the last, which may be shorter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packets {
    bytes: Vec<u8>,
    size: usize,
}

impl Packets {
    /// Packets of `size` bytes each, one behind the other.
    #[must_use]
    pub fn new(bytes: Vec<u8>, size: usize) -> Self {
        Self { bytes, size: size.max(1) }
    }

    /// The packets, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.bytes.chunks(self.size)
    }
}

/// Why something was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum MediaError {
    /// As much waits as may.
    #[error("as many packets wait for the transport as may")]
    Full,
    /// The Transport is gone.
    #[error("the transport is gone")]
    Ended,
}

/// The way to and from one DirectTransport. Dropping it closes it: what comes out then is lost.
pub trait MediaPort: fmt::Debug + Send + Sync {
    /// Hands something over. Never waits.
    ///
    /// # Errors
    /// When there is no room, which is counted, or the Transport is gone.
    fn try_send(&self, ingress: Ingress) -> Result<(), MediaError>;

    /// The next of what has come out, in order; `None` when the Transport is gone and nothing is left. One waker is kept: that of the
    /// last call.
    fn poll_receive(&self, context: &mut Context<'_>) -> Poll<Option<Egress>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_that_came_together_come_apart() {
        let packets = Packets::new(vec![1, 1, 2, 2, 3], 2);
        assert!(packets.iter().eq([&[1, 1][..], &[2, 2], &[3]]));
        assert_eq!(packets.iter().len(), 3);
        assert_eq!(Packets::new(Vec::new(), 0).iter().len(), 0, "no size is no division by zero");
    }
}
