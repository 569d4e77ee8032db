//! Why packets were dropped, as counters: bad input is data here, never a log line and never an error.

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// Its first byte belongs to no protocol that we speak (RFC 7983).
    UnknownProtocol,
    /// From an address that is not known to be a peer's, or to a socket that is for other packets of that peer.
    UnknownTuple,
    /// A STUN message that can't be read.
    MalformedStun,
    /// A STUN message over a WebRtcServer that names none of its Transports.
    UnknownUsername,
    /// A STUN message that needs no answer.
    UnansweredStun,
    /// A DTLS datagram that can't be read or doesn't belong to the handshake.
    MalformedDtls,
    /// DTLS after the end.
    UnexpectedDtls,
    /// An RTP packet that can't be read.
    MalformedRtp,
    /// An RTCP packet that can't be read.
    MalformedRtcp,
    /// Media before the handshake is over.
    NoKeys,
    /// SRTP authentication failed.
    Unauthentic,
    /// An SRTP packet that came before.
    Replayed,
    /// SRTP refused it for another reason.
    SrtpRefused,
    /// An RTP packet of no Producer, or a message of no DataProducer.
    UnknownSource,
    /// An RTP packet that this Producer has already, came too late, or whose number makes no sense.
    OutOfSequence,
    /// Redundant audio that can't be read, or holds a codec that the Producer doesn't have.
    MalformedRed,
    /// Too large to be sent on.
    TooLarge,
    /// More feedback to send in a turn than fits.
    ControlQueueFull,
    /// More handshakes at once than may wait. The peer says it again.
    HandshakesFull,
    /// A packet that was asked for again when its receiver had had too many, or too many others waited. It can be asked for again.
    TooManyResends,
    /// What an application sent into a DirectTransport faster than the Worker took it: it was told so.
    ApplicationAhead,
    /// A message that is larger than its Transport takes, or sends.
    MessageTooLarge,
    /// A message for more DataConsumers at once than may wait.
    MessagesFull,
}

/// How many reasons there are.
const REASONS: usize = DropReason::MessagesFull as usize + 1;

/// One counter per reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops([u64; REASONS]);

impl Drops {
    /// Counts one.
    pub(crate) fn count(&mut self, reason: DropReason) {
        self.count_many(reason, 1);
    }

    /// Counts some.
    pub(crate) fn count_many(&mut self, reason: DropReason, count: usize) {
        self.0[reason as usize] += count as u64;
    }

    /// How many were dropped for this reason.
    #[must_use]
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// How many were dropped at all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}
