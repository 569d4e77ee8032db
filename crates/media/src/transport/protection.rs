//! What protects a Transport's packets, in both directions: the keys of SRTP, or nothing where that was agreed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::{ErrorCode, Failure};
use rand::Rng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use super::Transport;
use crate::Tuple;
use crate::dtls::KeyingMaterial;
use crate::rtp::{RtpError, RtpHeader};
use crate::srtp::{PlainRtp, SrtpError, SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender};
use crate::worker::drops::DropReason;

/// One context per direction and key, for the life of the Transport (RFC 3711 §9.1).
#[derive(Debug)]
pub(crate) struct Srtp {
    pub(crate) sender: SrtpSender,
    /// Apart: a Transport that sends to many looks at it only when feedback comes.
    pub(crate) receiver: Box<SrtpReceiver>,
}

/// The state of protection.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a box would cost a cache miss per Consumer and turn")]
pub(crate) enum Protection {
    /// Keys are to come; until then no media flows.
    Awaited,
    /// None was agreed on: packets go as they are.
    Absent,
    /// SRTP.
    Srtp(Srtp),
}

/// The header of a packet that was decrypted, and the packet's length since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) header: RtpHeader,
    pub(crate) len: usize,
}

impl Srtp {
    pub(crate) fn new(keying: &KeyingMaterial) -> Result<Self, SrtpError> {
        let profile = keying.profile();
        Ok(Self {
            sender: SrtpSender::new(SrtpKeys::new(profile, keying.local_key(), keying.local_salt())?),
            receiver: Box::new(SrtpReceiver::new(SrtpKeys::new(
                profile,
                keying.remote_key(),
                keying.remote_salt(),
            )?)),
        })
    }
}

impl Protection {
    /// SRTP with keys that were told in text.
    pub(super) fn new(ours: &KeyText, theirs: &KeyText) -> Result<Self, Failure> {
        let sender = SrtpSender::new(ours.to_keys()?);
        Ok(Self::Srtp(Srtp { sender, receiver: Box::new(SrtpReceiver::new(theirs.to_keys()?)) }))
    }

    /// Whether media may flow.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        !matches!(self, Self::Awaited)
    }

    pub(super) fn warm(&self) {
        if let Self::Srtp(srtp) = self {
            srtp.sender.warm();
        }
    }

    pub(crate) fn srtp_mut(&mut self) -> Option<&mut Srtp> {
        match self {
            Self::Srtp(srtp) => Some(srtp),
            Self::Awaited | Self::Absent => None,
        }
    }

    /// Writes a packet as it is to leave; its length. `None` without keys, and where it doesn't fit.
    #[inline]
    pub(crate) fn protect_rtp(&self, index: u64, plain: PlainRtp<'_>, out: &mut [u8]) -> Option<usize> {
        match self {
            Self::Srtp(srtp) => srtp.sender.protect_rtp(index, plain, out).ok(),
            Self::Absent => join(&[plain.header, plain.prefix, plain.payload], out),
            Self::Awaited => None,
        }
    }

    fn protect_rtcp(&mut self, packet: &[u8], out: &mut [u8]) -> Option<usize> {
        match self {
            Self::Srtp(srtp) => srtp.sender.protect_rtcp(packet, out).ok(),
            Self::Absent => join(&[packet], out),
            Self::Awaited => None,
        }
    }
}

/// Copies the pieces one behind the other; how long they are.
fn join(pieces: &[&[u8]], out: &mut [u8]) -> Option<usize> {
    let mut len = 0;
    for piece in pieces {
        out.get_mut(len..len + piece.len())?.copy_from_slice(piece);
        len += piece.len();
    }
    Some(len)
}

impl Transport {
    /// Protects RTCP on its way to the peer; where it goes and how long it is.
    pub(crate) fn protect_rtcp(&mut self, packet: &[u8], out: &mut [u8]) -> Option<(Tuple, usize)> {
        let tuple = self.way.selected_for_rtcp()?;
        let len = self.protection.protect_rtcp(packet, out)?;
        Some((tuple, len))
    }

    /// Authenticates a media packet from the peer and decrypts it in place.
    pub(crate) fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<Opened, DropReason> {
        let header = RtpHeader::parse_encrypted(packet).map_err(|_: RtpError| DropReason::MalformedRtp)?;
        let len = match &mut self.protection {
            Protection::Srtp(srtp) => srtp.receiver.unprotect_rtp(packet, header.payload_offset.into())?.len,
            Protection::Absent => packet.len(),
            Protection::Awaited => return Err(DropReason::NoKeys),
        };
        let plain = packet.get(..len).ok_or(DropReason::MalformedRtp)?;
        let header = header.finish(plain).map_err(|_| DropReason::MalformedRtp)?;
        Ok(Opened { header, len })
    }

    /// Authenticates an RTCP packet from the peer and decrypts it in place; its length since.
    pub(crate) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, DropReason> {
        match &mut self.protection {
            Protection::Srtp(srtp) => Ok(srtp.receiver.unprotect_rtcp(packet)?),
            Protection::Absent => Ok(packet.len()),
            Protection::Awaited => Err(DropReason::NoKeys),
        }
    }
}

/// Master key and salt of one direction, in the form in which an application tells them (RFC 4568 §6.1).
pub(super) struct KeyText {
    suite: SrtpCryptoSuite,
    /// Key, then salt.
    bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyText").field("suite", &self.suite).finish_non_exhaustive()
    }
}

impl KeyText {
    /// A key of our own.
    pub(super) fn draw(suite: SrtpCryptoSuite, rng: &mut StdRng) -> Self {
        let profile = profile_of(suite);
        let mut bytes = Zeroizing::new(vec![0; profile.key_len() + profile.salt_len()]);
        rng.fill_bytes(&mut bytes);
        Self { suite, bytes }
    }

    /// The peer's.
    pub(super) fn parse(parameters: &SrtpParameters) -> Result<Self, Failure> {
        let profile = profile_of(parameters.crypto_suite);
        let len = profile.key_len() + profile.salt_len();
        let refuse = |detail: String| Failure::new(ErrorCode::InvalidArgument, detail);
        let bytes = BASE64
            .decode(&parameters.key_base64)
            .map_err(|error| refuse(format!("key_base64 is no Base64: {error}")))?;
        if bytes.len() != len {
            let suite = parameters.crypto_suite;
            return Err(refuse(format!("a key of {suite:?} has {len} bytes, this has {}", bytes.len())));
        }
        Ok(Self { suite: parameters.crypto_suite, bytes: Zeroizing::new(bytes) })
    }

    /// Whether this is the same key, of whatever suite. It is no secret to whoever knows one of them.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    pub(super) fn suite(&self) -> SrtpCryptoSuite {
        self.suite
    }

    pub(super) fn to_parameters(&self) -> SrtpParameters {
        SrtpParameters { crypto_suite: self.suite, key_base64: BASE64.encode(&self.bytes) }
    }

    fn to_keys(&self) -> Result<SrtpKeys, Failure> {
        let profile = profile_of(self.suite);
        let (key, salt) = self.bytes.split_at(profile.key_len());
        SrtpKeys::new(profile, key, salt)
            .map_err(|error| Failure::new(ErrorCode::InvalidArgument, error.to_string()))
    }
}

fn profile_of(suite: SrtpCryptoSuite) -> SrtpProfile {
    match suite {
        SrtpCryptoSuite::AeadAes256Gcm => SrtpProfile::AeadAes256Gcm,
        SrtpCryptoSuite::AeadAes128Gcm => SrtpProfile::AeadAes128Gcm,
        SrtpCryptoSuite::AesCm128HmacSha180 => SrtpProfile::Aes128CmSha1_80,
        SrtpCryptoSuite::AesCm128HmacSha132 => SrtpProfile::Aes128CmSha1_32,
    }
}

/// The same refusal in the Worker's counters.
impl From<SrtpError> for DropReason {
    fn from(error: SrtpError) -> Self {
        match error {
            SrtpError::Auth | SrtpError::NotEncrypted => Self::Unauthentic,
            SrtpError::Replayed | SrtpError::TooOld => Self::Replayed,
            _ => Self::SrtpRefused,
        }
    }
}
