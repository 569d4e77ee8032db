//! Why a packet was not protected or not unprotected.

/// Why a packet was not protected or not unprotected, or why keys were refused.
///
/// Small and `Copy`: the caller counts it and drops the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SrtpError {
    /// Shorter than a header, or than a header and the profile's trailer.
    #[error("packet too short")]
    TooShort,
    /// The protected packet would be longer than [`PACKET_MAX`](super::PACKET_MAX).
    #[error("packet too long")]
    TooLong,
    /// The payload's own start is longer than [`PREFIX_MAX`](super::PREFIX_MAX).
    #[error("payload prefix too long")]
    PrefixTooLong,
    /// The protected packet doesn't fit into the buffer.
    #[error("buffer too small")]
    BufferTooSmall,
    /// The header's sequence number isn't the low half of the packet index.
    #[error("sequence number and index differ")]
    IndexMismatch,
    /// The key has been used for as many packets as it may (RFC 3711 §9.2): the session must end.
    #[error("packet index exhausted")]
    IndexExhausted,
    /// The tag is wrong: forged, damaged, or for another key.
    #[error("authentication failed")]
    Auth,
    /// A packet with this index was accepted before (RFC 3711 §3.3.2).
    #[error("packet replayed")]
    Replayed,
    /// Too far behind the newest packet to tell whether it was accepted before.
    #[error("packet older than the replay window")]
    TooOld,
    /// An RTCP packet without the E flag: WebRTC always encrypts (RFC 8827 §6.5), so nothing else is taken.
    #[error("packet not encrypted")]
    NotEncrypted,
    /// A new SSRC, and as many as may be are known.
    #[error("too many SSRCs")]
    SsrcTableFull,
    /// Key or salt doesn't have the profile's length.
    #[error("key or salt of the wrong length")]
    KeyLength,
}
