//! One direction's cipher for one kind of traffic: how packets of SRTP and SRTCP are laid out around the two kernels.
//!
//! The kernels know nonces and bytes; what is authenticated, where tag and index stand and how a nonce is made is here.

use super::cm::CmKey;
use super::derivation::{SessionKeys, Traffic};
use super::gcm::GcmKey;
use super::kernel::GcmKernel;
use super::keys::SrtpKeys;
use super::{RTCP_HEADER_LEN, RTCP_WORD_LEN, SrtpError, SrtpProfile};

/// What makes a packet unique under its key: SSRC and index, 48 bits of ROC and sequence number for RTP, 31 bits for RTCP.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketId {
    pub(super) ssrc: u32,
    pub(super) index: u64,
}

/// The cipher of one direction and kind of traffic, its key schedule computed.
pub(super) struct Cipher {
    kernel: Kernel,
    salt: u128,
    tag_len: usize,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a context holds two of them, and a box would cost a cache miss per packet"
)]
enum Kernel {
    Gcm(GcmKey),
    Cm(CmKey),
}

/// The master key of a context, and the kernel that its ciphers are to be on.
pub(super) struct Master {
    pub(super) keys: SrtpKeys,
    pub(super) gcm: GcmKernel,
}

/// A cipher that is made when its first packet comes: a schedule has more than half a kilobyte, and most peers only ever take.
pub(super) struct LateCipher {
    traffic: Traffic,
    made: Option<Box<Cipher>>,
}

impl LateCipher {
    pub(super) const fn new(traffic: Traffic) -> Self {
        Self { traffic, made: None }
    }

    /// The cipher, which belongs to this master key from its first use on.
    #[inline]
    pub(super) fn get(&mut self, master: &Master) -> &Cipher {
        self.made.get_or_insert_with(|| Box::new(Cipher::of(master, self.traffic)))
    }
}

impl Cipher {
    /// The cipher for this traffic under a master key.
    pub(super) fn of(Master { keys, gcm }: &Master, traffic: Traffic) -> Self {
        let tag_len = match traffic {
            Traffic::Rtp => keys.profile().rtp_tag_len(),
            Traffic::Rtcp => keys.profile().rtcp_tag_len(),
        };
        Self::new(&SessionKeys::derive(keys, traffic), *gcm, tag_len)
    }

    pub(super) fn new(keys: &SessionKeys, gcm: GcmKernel, tag_len: usize) -> Self {
        let kernel = match keys.profile {
            SrtpProfile::AeadAes256Gcm | SrtpProfile::AeadAes128Gcm => {
                Kernel::Gcm(GcmKey::new(gcm, keys.key()))
            }
            SrtpProfile::Aes128CmSha1_80 | SrtpProfile::Aes128CmSha1_32 => {
                Kernel::Cm(CmKey::new(keys.key(), &keys.auth_key))
            }
        };
        Self { kernel, salt: keys.salt, tag_len }
    }

    /// The length of the tag, in bytes.
    pub(super) const fn tag_len(&self) -> usize {
        self.tag_len
    }

    /// Encrypts both pieces of an RTP payload into `body`, which has room for exactly them and the tag.
    pub(super) fn seal_rtp(
        &self,
        id: PacketId,
        header: &[u8],
        payload: [&[u8]; 2],
        body: &mut [u8],
    ) -> Result<(), SrtpError> {
        let (ciphertext, tag) = body.split_at_mut(body.len() - self.tag_len);
        match &self.kernel {
            // RFC 7714 §8.2: the header is the associated data; the nonce holds the rollover counter.
            Kernel::Gcm(key) => key.seal(self.gcm_nonce(id), header, payload, ciphertext, tag),
            // RFC 3711 §4.2: the rollover counter is authenticated behind the packet, and not sent.
            Kernel::Cm(key) => {
                key.seal(self.cm_counter(id), (header, id.rollover()), payload, ciphertext, tag);
                Ok(())
            }
        }
    }

    /// Verifies an RTP packet and decrypts what is behind its header in place: payload and tag.
    pub(super) fn open_rtp(&self, id: PacketId, header: &[u8], body: &mut [u8]) -> Result<(), SrtpError> {
        let text_len = body.len().checked_sub(self.tag_len).ok_or(SrtpError::TooShort)?;
        let (ciphertext, tag) = body.split_at_mut(text_len);
        match &self.kernel {
            Kernel::Gcm(key) => key.open(self.gcm_nonce(id), header, ciphertext, tag),
            Kernel::Cm(key) => key.open(self.cm_counter(id), (header, id.rollover()), ciphertext, tag),
        }
    }

    /// Encrypts an RTCP packet's body into `out`, which has room for exactly it, the tag and the index word.
    pub(super) fn seal_rtcp(
        &self,
        id: PacketId,
        word: u32,
        header: &[u8; RTCP_HEADER_LEN],
        body: &[u8],
        out: &mut [u8],
    ) -> Result<(), SrtpError> {
        let word = word.to_be_bytes();
        let (ciphertext, trailer) = out.split_at_mut(body.len());
        match &self.kernel {
            // RFC 7714 §9.2: the tag follows the text, the word comes last and is associated data.
            Kernel::Gcm(key) => {
                let (tag, word_out) = trailer.split_at_mut(self.tag_len);
                word_out.copy_from_slice(&word);
                key.seal(self.gcm_nonce(id), &gcm_rtcp_aad(header, word), [&[], body], ciphertext, tag)
            }
            // RFC 3711 §3.4: the word follows the text, the tag comes last and covers it.
            Kernel::Cm(key) => {
                let (word_out, tag) = trailer.split_at_mut(RTCP_WORD_LEN);
                word_out.copy_from_slice(&word);
                key.seal(self.cm_counter(id), (header, word), [&[], body], ciphertext, tag);
                Ok(())
            }
        }
    }

    /// Where the index word stands in an RTCP packet of this length; `None` when the packet is too short to have one.
    pub(super) fn rtcp_word_offset(&self, packet_len: usize) -> Option<usize> {
        let text_end = packet_len.checked_sub(RTCP_WORD_LEN + self.tag_len)?;
        let behind_tag = match self.kernel {
            Kernel::Gcm(_) => self.tag_len,
            Kernel::Cm(_) => 0,
        };
        (text_end >= RTCP_HEADER_LEN).then_some(text_end + behind_tag)
    }

    /// Verifies an RTCP packet and decrypts in place what is behind its header: text, tag and the index word, read before.
    pub(super) fn open_rtcp(
        &self,
        id: PacketId,
        word: u32,
        header: &[u8; RTCP_HEADER_LEN],
        body: &mut [u8],
    ) -> Result<(), SrtpError> {
        let word = word.to_be_bytes();
        let text_len = body.len().checked_sub(RTCP_WORD_LEN + self.tag_len).ok_or(SrtpError::TooShort)?;
        let (ciphertext, trailer) = body.split_at_mut(text_len);
        match &self.kernel {
            Kernel::Gcm(key) => {
                let (tag, _) = trailer.split_at(self.tag_len);
                key.open(self.gcm_nonce(id), &gcm_rtcp_aad(header, word), ciphertext, tag)
            }
            Kernel::Cm(key) => {
                let (_, tag) = trailer.split_at(RTCP_WORD_LEN);
                key.open(self.cm_counter(id), (header, word), ciphertext, tag)
            }
        }
    }

    /// RFC 7714 §8.1 and §9.1: 16 zero bits, SSRC and 48 bits of index, xor the 96-bit salt.
    fn gcm_nonce(&self, id: PacketId) -> [u8; 12] {
        let [_, _, _, _, nonce @ ..] = (self.salt ^ id.number()).to_be_bytes();
        nonce
    }

    /// RFC 3711 §4.1.1: SSRC and 48 bits of index, xor the 112-bit salt, above 16 bits that count blocks.
    fn cm_counter(&self, id: PacketId) -> u128 {
        (self.salt ^ id.number()) << 16
    }
}

impl PacketId {
    fn number(self) -> u128 {
        u128::from(self.ssrc) << 48 | u128::from(self.index)
    }

    /// The rollover counter of an RTP index.
    fn rollover(self) -> [u8; 4] {
        let [_, _, rollover @ .., _, _] = self.index.to_be_bytes();
        rollover
    }
}

fn gcm_rtcp_aad(header: &[u8; RTCP_HEADER_LEN], word: [u8; 4]) -> [u8; RTCP_HEADER_LEN + RTCP_WORD_LEN] {
    let mut aad = [0; RTCP_HEADER_LEN + RTCP_WORD_LEN];
    let (start, end) = aad.split_at_mut(RTCP_HEADER_LEN);
    start.copy_from_slice(header);
    end.copy_from_slice(&word);
    aad
}
