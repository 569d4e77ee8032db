//! The context that protects what we send.

use std::fmt;

use super::cipher::{Cipher, LateCipher, Master, PacketId};
use super::derivation::Traffic;
use super::kernel::GcmKernel;
use super::rollover::RTP_INDEX_MAX;
use super::{
    RTCP_ENCRYPTED, RTCP_HEADER_LEN, RTCP_WORD_LEN, SrtpError, SrtpKeys, SrtpProfile, sequence_and_ssrc,
    word_at,
};

use crate::sys;

/// The longest payload start of one's own, in bytes.
///
/// RTX needs two (RFC 4588 §4). Two cipher blocks are enough for any payload descriptor that is rewritten per Consumer, and
/// a kernel can join so few to the shared payload in registers.
pub const PREFIX_MAX: usize = 32;

/// The longest packet that is protected, in bytes: what a UDP datagram's length field can say.
///
/// Counter mode needs some such limit: beyond 1 MiB its block counter would run into the packet index.
pub const PACKET_MAX: usize = 65_535;

/// The highest SRTCP index (RFC 3711 §3.4).
const RTCP_INDEX_MAX: u32 = (1 << 31) - 1;

/// An RTP packet to protect, in the pieces that it consists of.
#[derive(Clone, Copy, Debug)]
pub struct PlainRtp<'a> {
    /// The header with CSRCs and extension, as the receiver is to see it.
    pub header: &'a [u8],
    /// The start of the payload that only this packet has, at most [`PREFIX_MAX`] bytes; often empty.
    pub prefix: &'a [u8],
    /// The rest of the payload, with padding if the header says so; shared with other packets, so it is only read.
    pub payload: &'a [u8],
}

/// Protects the packets that we send under one master key.
pub struct SrtpSender {
    rtp: Cipher,
    master: Master,
    rtcp: LateCipher,
    /// The index of the next RTCP packet of any SSRC; past its maximum when the key is used up.
    rtcp_index: u32,
}

impl SrtpSender {
    /// A sender that has sent nothing. Takes the keys, because no second one may be made from them.
    #[must_use]
    pub fn new(keys: SrtpKeys) -> Self {
        Self::with_kernel(keys, GcmKernel::best())
    }

    /// The same on a kernel of one's choice, which counts for GCM alone.
    #[must_use]
    pub fn with_kernel(keys: SrtpKeys, gcm: GcmKernel) -> Self {
        let master = Master { keys, gcm };
        Self {
            rtp: Cipher::of(&master, Traffic::Rtp),
            master,
            rtcp: LateCipher::new(Traffic::Rtcp),
            rtcp_index: 0,
        }
    }

    /// The profile that packets are protected with.
    #[must_use]
    pub const fn profile(&self) -> SrtpProfile {
        self.master.keys.profile()
    }

    /// Brings near what protecting an RTP packet needs.
    pub(crate) fn warm(&self) {
        sys::prefetch(&self.rtp);
    }

    /// Writes the protected packet to the start of `out` and returns its length.
    ///
    /// `index` is the 48-bit packet index of RFC 3711 §3.3.1, rollover counter above sequence number; the header holds its low
    /// half. **Under one SSRC an index stands for the same bytes always**: the same call again gives the same packet, but a
    /// different packet under a used index would tell an eavesdropper the XOR of both texts, and under GCM the authentication
    /// key (RFC 7714 §8.4). Indices may come in any order. The receiver guesses the upper half from 0 on, so a stream starts at
    /// an index under 2^15 lest a lost first packet mislead it.
    ///
    /// # Errors
    /// [`TooShort`](SrtpError::TooShort), [`TooLong`](SrtpError::TooLong), [`PrefixTooLong`](SrtpError::PrefixTooLong),
    /// [`BufferTooSmall`](SrtpError::BufferTooSmall), [`IndexMismatch`](SrtpError::IndexMismatch), and
    /// [`IndexExhausted`](SrtpError::IndexExhausted) for an index of more than 48 bits. Nothing was written then.
    pub fn protect_rtp(&self, index: u64, plain: PlainRtp<'_>, out: &mut [u8]) -> Result<usize, SrtpError> {
        let PlainRtp { header, prefix, payload } = plain;
        let (sequence, ssrc) = sequence_and_ssrc(header).ok_or(SrtpError::TooShort)?;
        if index > RTP_INDEX_MAX {
            return Err(SrtpError::IndexExhausted);
        }
        if index & 0xffff != u64::from(sequence) {
            return Err(SrtpError::IndexMismatch);
        }
        if prefix.len() > PREFIX_MAX {
            return Err(SrtpError::PrefixTooLong);
        }
        let packet_len = header.len() + prefix.len() + payload.len() + self.rtp.tag_len();
        let (head, body) = room(out, packet_len)?.split_at_mut(header.len());
        head.copy_from_slice(header);
        self.rtp.seal_rtp(PacketId { ssrc, index }, header, [prefix, payload], body)?;
        Ok(packet_len)
    }

    /// Writes the protected form of a (compound) RTCP packet to the start of `out` and returns its length.
    ///
    /// Each call uses an index of its own, counted over all SSRCs, so none ever stands for two packets.
    ///
    /// # Errors
    /// [`TooShort`](SrtpError::TooShort) under 8 bytes, [`TooLong`](SrtpError::TooLong),
    /// [`BufferTooSmall`](SrtpError::BufferTooSmall), and [`IndexExhausted`](SrtpError::IndexExhausted) for good after 2^31
    /// packets.
    pub fn protect_rtcp(&mut self, packet: &[u8], out: &mut [u8]) -> Result<usize, SrtpError> {
        let (header, body) = packet.split_first_chunk().ok_or(SrtpError::TooShort)?;
        let ssrc = word_at(header, 4).ok_or(SrtpError::TooShort)?;
        let packet_len = packet.len() + RTCP_WORD_LEN + self.profile().rtcp_tag_len();
        let (head, rest) = room(out, packet_len)?.split_at_mut(RTCP_HEADER_LEN);
        let index = self.take_rtcp_index()?;
        head.copy_from_slice(header);
        let id = PacketId { ssrc, index: u64::from(index) };
        self.rtcp.get(&self.master).seal_rtcp(id, RTCP_ENCRYPTED | index, header, body, rest)?;
        Ok(packet_len)
    }

    /// RFC 3711 §9.2: the index must not wrap under one key.
    fn take_rtcp_index(&mut self) -> Result<u32, SrtpError> {
        let index = self.rtcp_index;
        if index > RTCP_INDEX_MAX {
            return Err(SrtpError::IndexExhausted);
        }
        self.rtcp_index += 1;
        Ok(index)
    }
}

impl fmt::Debug for SrtpSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpSender")
            .field("profile", &self.profile())
            .field("rtcp_index", &self.rtcp_index)
            .finish_non_exhaustive()
    }
}

/// The first `len` bytes of `out`.
fn room(out: &mut [u8], len: usize) -> Result<&mut [u8], SrtpError> {
    if len > PACKET_MAX {
        return Err(SrtpError::TooLong);
    }
    out.get_mut(..len).ok_or(SrtpError::BufferTooSmall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rtcp_indices_end_instead_of_wrapping() {
        let keys = SrtpKeys::new(SrtpProfile::AeadAes128Gcm, &[1; 16], &[2; 12]).unwrap();
        let mut sender = SrtpSender { rtcp_index: RTCP_INDEX_MAX, ..SrtpSender::new(keys) };
        let mut out = [0; 64];
        let len = sender.protect_rtcp(&[0x80; 12], &mut out).unwrap();
        assert_eq!(&out[len - 4..len], [0xff; 4]);
        assert_eq!(sender.protect_rtcp(&[0x80; 12], &mut out), Err(SrtpError::IndexExhausted));
        assert_eq!(sender.protect_rtcp(&[0x80; 12], &mut out), Err(SrtpError::IndexExhausted));
    }
}
