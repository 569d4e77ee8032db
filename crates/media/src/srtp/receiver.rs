//! The context that unprotects what the peer sends.

use std::fmt;

use super::cipher::{LateCipher, Master, PacketId};
use super::derivation::Traffic;
use super::kernel::GcmKernel;
use super::rollover::estimate;
use super::stream_table::StreamTable;
use super::{
    RTCP_ENCRYPTED, RTCP_HEADER_LEN, RTCP_WORD_LEN, RTP_HEADER_MIN, SrtpError, SrtpKeys, SrtpProfile,
    sequence_and_ssrc, word_at,
};

/// An RTP packet that was authenticated and decrypted in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unprotected {
    /// The length of header and plain payload, in bytes: what remains of the packet.
    pub len: usize,
    /// The 48-bit packet index: rollover counter above sequence number.
    pub index: u64,
}

/// Unprotects the packets that the peer sends under one master key, each at most once.
pub struct SrtpReceiver {
    master: Master,
    rtp: LateCipher,
    rtcp: LateCipher,
    rtp_streams: StreamTable,
    rtcp_streams: StreamTable,
}

impl SrtpReceiver {
    /// A receiver that has seen nothing. Takes the keys: a second one made from them would accept replays.
    #[must_use]
    pub fn new(keys: SrtpKeys) -> Self {
        Self::with_kernel(keys, GcmKernel::best())
    }

    /// The same on a kernel of one's choice, which counts for GCM alone.
    #[must_use]
    pub fn with_kernel(keys: SrtpKeys, gcm: GcmKernel) -> Self {
        Self {
            master: Master { keys, gcm },
            rtp: LateCipher::new(Traffic::Rtp),
            rtcp: LateCipher::new(Traffic::Rtcp),
            rtp_streams: StreamTable::default(),
            rtcp_streams: StreamTable::default(),
        }
    }

    /// The profile that packets are protected with.
    #[must_use]
    pub const fn profile(&self) -> SrtpProfile {
        self.master.keys.profile()
    }

    /// Authenticates an RTP packet and decrypts it in place.
    ///
    /// `header_len` is the length of the header with CSRCs and extension, in bytes: what stays in the clear. SSRC and sequence
    /// number are read from it. After an error the packet's content is unspecified and the receiver as it was.
    ///
    /// # Errors
    /// [`TooShort`](SrtpError::TooShort), [`Replayed`](SrtpError::Replayed), [`TooOld`](SrtpError::TooOld),
    /// [`Auth`](SrtpError::Auth), [`IndexExhausted`](SrtpError::IndexExhausted), and
    /// [`SsrcTableFull`](SrtpError::SsrcTableFull) for the first packet of an SSRC.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8], header_len: usize) -> Result<Unprotected, SrtpError> {
        let cipher = self.rtp.get(&self.master);
        if header_len < RTP_HEADER_MIN || packet.len() < header_len + cipher.tag_len() {
            return Err(SrtpError::TooShort);
        }
        let len = packet.len() - cipher.tag_len();
        let (header, body) = packet.split_at_mut(header_len);
        let (sequence, ssrc) = sequence_and_ssrc(header).ok_or(SrtpError::TooShort)?;
        self.rtp_streams.with_window(ssrc, |window| {
            // RFC 3711 §3.3.1: a stream starts with a rollover counter of zero.
            let index =
                window.highest().map_or(Ok(u64::from(sequence)), |highest| estimate(highest, sequence))?;
            window.check(index)?;
            cipher.open_rtp(PacketId { ssrc, index }, header, body)?;
            window.accept(index);
            Ok(Unprotected { len, index })
        })
    }

    /// Authenticates a (compound) RTCP packet, decrypts it in place, and returns the length of what remains of it.
    ///
    /// After an error the packet's content is unspecified and the receiver as it was.
    ///
    /// # Errors
    /// [`TooShort`](SrtpError::TooShort), [`NotEncrypted`](SrtpError::NotEncrypted), [`Replayed`](SrtpError::Replayed),
    /// [`TooOld`](SrtpError::TooOld), [`Auth`](SrtpError::Auth), and [`SsrcTableFull`](SrtpError::SsrcTableFull) for the first
    /// packet of an SSRC.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, SrtpError> {
        let packet_len = packet.len();
        let cipher = self.rtcp.get(&self.master);
        let word_offset = cipher.rtcp_word_offset(packet_len).ok_or(SrtpError::TooShort)?;
        let word = word_at(packet, word_offset).ok_or(SrtpError::TooShort)?;
        if word & RTCP_ENCRYPTED == 0 {
            return Err(SrtpError::NotEncrypted);
        }
        let index = u64::from(word & !RTCP_ENCRYPTED);
        let (header, body) = packet.split_first_chunk_mut::<RTCP_HEADER_LEN>().ok_or(SrtpError::TooShort)?;
        let ssrc = word_at(header, 4).ok_or(SrtpError::TooShort)?;
        self.rtcp_streams.with_window(ssrc, |window| {
            window.check(index)?;
            cipher.open_rtcp(PacketId { ssrc, index }, word, header, body)?;
            window.accept(index);
            Ok(packet_len - RTCP_WORD_LEN - cipher.tag_len())
        })
    }

    /// How many SSRCs of RTP are followed, at most [`SSRC_MAX`](super::SSRC_MAX).
    #[must_use]
    pub fn rtp_streams(&self) -> usize {
        self.rtp_streams.len()
    }

    /// How many SSRCs of RTCP are followed, at most [`SSRC_MAX`](super::SSRC_MAX).
    #[must_use]
    pub fn rtcp_streams(&self) -> usize {
        self.rtcp_streams.len()
    }

    /// Makes room for other SSRCs, to be called when the peer is done with a stream.
    ///
    /// Safe at any time: what was accepted stays refused. If the stream goes on after all, its newer packets are accepted and
    /// all before its highest refused. An SSRC can't be forgotten altogether, because a receiver that has forgotten it would
    /// take its recorded packets again.
    pub fn retire(&mut self, ssrc: u32) {
        self.rtp_streams.retire(ssrc);
        self.rtcp_streams.retire(ssrc);
    }
}

impl fmt::Debug for SrtpReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpReceiver")
            .field("profile", &self.profile())
            .field("rtp_streams", &self.rtp_streams.len())
            .field("rtcp_streams", &self.rtcp_streams.len())
            .finish_non_exhaustive()
    }
}
