//! SRTP and SRTCP: what keeps media secret and whole between a Transport and its peer.
//!
//! One master key gives one context: a [`SrtpSender`] for our key, a [`SrtpReceiver`] for the peer's (RFC 3711, RFC 7714;
//! the profiles of RFC 5764 §4.1.2 that WebRTC uses). A context is a plain owned value: it moves with its Transport from
//! Worker to Worker and takes its indices along. It can't be cloned, nor can [`SrtpKeys`], because two senders with one key
//! would use a nonce twice, and two receivers would each accept the same packet.
//!
//! Sending is out of place (many Consumers share one payload), receiving in place. Nothing here allocates per packet: the
//! receiver's tables grow when an *authenticated* packet brings a new SSRC, up to [`SSRC_MAX`].
//!
//! Not here: the DTLS handshake that agrees on keys, header parsing (callers say how long the header is), the choice of
//! sequence numbers. There is no MKI, no re-keying within a context, no header extension encryption and no null cipher:
//! WebRTC negotiates none of them.

mod cipher;
mod cm;
mod derivation;
mod error;
mod gcm;
#[cfg_attr(
    target_arch = "x86_64",
    expect(
        unsafe_code,
        reason = "vector instructions: access to memory, and calls that need a CPU that has them"
    )
)]
mod kernel;
mod keys;
mod profile;
mod receiver;
mod replay;
mod rollover;
mod sender;
mod stream_table;

/// The most that protection adds to any packet under any profile, in bytes: SRTCP's word and a tag of 16.
pub const OVERHEAD_MAX: usize = 20;

pub use error::SrtpError;
pub use kernel::GcmKernel;
pub use keys::SrtpKeys;
pub use profile::SrtpProfile;
pub use receiver::{SrtpReceiver, Unprotected};
pub use replay::REPLAY_WINDOW;
pub use sender::{PACKET_MAX, PREFIX_MAX, PlainRtp, SrtpSender};
pub use stream_table::{RETIRED_MAX, SSRC_MAX};

/// The fixed part of an RTP header (RFC 3550 §5.1), in bytes: the shortest that a packet can start with.
const RTP_HEADER_MIN: usize = 12;

/// The part of an RTCP packet that SRTCP leaves in the clear (RFC 3711 §3.4): its first header and the sender's SSRC.
const RTCP_HEADER_LEN: usize = 8;

/// The SRTCP trailer's word: E flag and 31-bit index (RFC 3711 §3.4).
const RTCP_WORD_LEN: usize = 4;

/// The E flag of that word: the packet is encrypted.
const RTCP_ENCRYPTED: u32 = 1 << 31;

/// The four bytes of `packet` at `at` as a big-endian number; `None` when it ends before.
fn word_at(packet: &[u8], at: usize) -> Option<u32> {
    packet.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Sequence number and SSRC of an RTP header (RFC 3550 §5.1); `None` when it is too short to be one.
fn sequence_and_ssrc(header: &[u8]) -> Option<(u16, u32)> {
    let fixed: &[u8; RTP_HEADER_MIN] = header.first_chunk()?;
    let sequence = u16::from_be_bytes([fixed[2], fixed[3]]);
    let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
    Some((sequence, ssrc))
}

#[cfg(test)]
mod tests;
