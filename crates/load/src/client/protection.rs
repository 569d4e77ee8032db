//! What protects a client's packets, in both directions: the keys of SRTP, or nothing where that was agreed.

use mafalda_media::rtp::RtpHeader;
use mafalda_media::srtp::{PlainRtp, SrtpError, SrtpKeys, SrtpReceiver, SrtpSender};

/// Both directions.
#[derive(Debug)]
pub(super) struct Protection {
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
}

impl Protection {
    /// SRTP with the client's key and the server's.
    pub(super) fn srtp(ours: SrtpKeys, theirs: SrtpKeys) -> Self {
        Self {
            sender: Sender::Srtp(SrtpSender::new(ours)),
            receiver: Receiver::Srtp(SrtpReceiver::new(theirs)),
        }
    }

    /// Packets go as they are.
    pub(super) fn absent() -> Self {
        Self { sender: Sender::Absent, receiver: Receiver::Absent }
    }
}

/// The client's direction.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per client, and nearly all of them have keys")]
pub(super) enum Sender {
    Srtp(SrtpSender),
    Absent,
}

impl Sender {
    /// Writes a packet as it is to leave; its length, `None` if there is no room.
    pub(super) fn protect_rtp(&self, index: u64, plain: PlainRtp<'_>, out: &mut [u8]) -> Option<usize> {
        match self {
            Self::Srtp(sender) => sender.protect_rtp(index, plain, out).ok(),
            Self::Absent => join(&[plain.header, plain.prefix, plain.payload], out),
        }
    }

    /// The same for a compound RTCP packet.
    pub(super) fn protect_rtcp(&mut self, plain: &[u8], out: &mut [u8]) -> Option<usize> {
        match self {
            Self::Srtp(sender) => sender.protect_rtcp(plain, out).ok(),
            Self::Absent => join(&[plain], out),
        }
    }
}

/// The server's direction.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per client, and nearly all of them have keys")]
pub(super) enum Receiver {
    Srtp(SrtpReceiver),
    Absent,
}

/// What came of decrypting.
pub(super) enum Opened {
    /// The plain packet's length.
    Plain(usize),
    /// It can't be told whether it is authentic: it is too late, or came before.
    Unjudged,
    /// It isn't.
    Forged,
}

impl Receiver {
    /// Decrypts a media packet in place.
    pub(super) fn unprotect_rtp(&mut self, packet: &mut [u8], header: &RtpHeader) -> Opened {
        let Self::Srtp(receiver) = self else { return Opened::Plain(packet.len()) };
        match receiver.unprotect_rtp(packet, header.payload_offset.into()) {
            Ok(plain) => Opened::Plain(plain.len),
            Err(SrtpError::Replayed | SrtpError::TooOld | SrtpError::SsrcTableFull) => Opened::Unjudged,
            Err(_) => Opened::Forged,
        }
    }

    /// Decrypts an RTCP packet in place; its length since, `None` if it isn't authentic.
    pub(super) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Option<usize> {
        match self {
            Self::Srtp(receiver) => receiver.unprotect_rtcp(packet).ok(),
            Self::Absent => Some(packet.len()),
        }
    }
}

/// Copies pieces one behind the other; how long they are.
pub(super) fn join(pieces: &[&[u8]], out: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    for piece in pieces {
        out.get_mut(len..len + piece.len())?.copy_from_slice(piece);
        len += piece.len();
    }
    Some(len)
}
