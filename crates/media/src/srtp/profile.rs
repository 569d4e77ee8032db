//! The protection profiles and their sizes.

use super::RTCP_WORD_LEN;

/// An SRTP protection profile: cipher, authentication and their sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SrtpProfile {
    /// AES-256 in Galois counter mode (RFC 7714 §12).
    AeadAes256Gcm,
    /// AES-128 in Galois counter mode (RFC 7714 §12).
    AeadAes128Gcm,
    /// AES-128 in counter mode with HMAC-SHA1 cut to 80 bits (RFC 5764 §4.1.2).
    Aes128CmSha1_80,
    /// The same with 32 bits for RTP; RTCP keeps 80 (RFC 5764 §4.1.2).
    Aes128CmSha1_32,
}

impl SrtpProfile {
    /// All profiles, the one to prefer first: GCM costs about a third of counter mode with HMAC-SHA1.
    pub const PREFERENCE: [Self; 4] =
        [Self::AeadAes256Gcm, Self::AeadAes128Gcm, Self::Aes128CmSha1_80, Self::Aes128CmSha1_32];

    /// The profile with this number in the `use_srtp` extension of DTLS; `None` for one that we don't speak.
    #[must_use]
    pub fn from_id(id: u16) -> Option<Self> {
        Self::PREFERENCE.into_iter().find(|profile| profile.id() == id)
    }

    /// The number in the `use_srtp` extension of DTLS (RFC 5764 §4.1.2, RFC 7714 §14.2).
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::Aes128CmSha1_80 => 0x0001,
            Self::Aes128CmSha1_32 => 0x0002,
            Self::AeadAes128Gcm => 0x0007,
            Self::AeadAes256Gcm => 0x0008,
        }
    }

    /// Length of the master key and of the session encryption keys, in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            Self::AeadAes128Gcm | Self::Aes128CmSha1_80 | Self::Aes128CmSha1_32 => 16,
        }
    }

    /// Length of the master salt and of the session salts, in bytes.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        if self.is_gcm() { 12 } else { 14 }
    }

    /// What DTLS must export for this profile (RFC 5764 §4.2), in bytes: key and salt of both sides.
    #[must_use]
    pub const fn exporter_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Length of an RTP packet's tag, in bytes: all that SRTP adds to it.
    #[must_use]
    pub const fn rtp_tag_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm | Self::AeadAes128Gcm => 16,
            Self::Aes128CmSha1_80 => 10,
            Self::Aes128CmSha1_32 => 4,
        }
    }

    /// Length of an RTCP packet's tag, in bytes.
    #[must_use]
    pub const fn rtcp_tag_len(self) -> usize {
        if self.is_gcm() { 16 } else { 10 }
    }

    /// The most that protection adds to a packet, RTP or RTCP, in bytes.
    #[must_use]
    pub const fn max_overhead(self) -> usize {
        self.rtcp_tag_len() + RTCP_WORD_LEN
    }

    /// Whether the cipher authenticates by itself.
    pub(super) const fn is_gcm(self) -> bool {
        matches!(self, Self::AeadAes256Gcm | Self::AeadAes128Gcm)
    }
}
