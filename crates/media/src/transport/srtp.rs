//! The keys of both directions, and what is done with them.

use super::Transport;
use crate::Tuple;
use crate::dtls::KeyingMaterial;
use crate::rtp::{RtpError, RtpHeader};
use crate::srtp::{SrtpError, SrtpKeys, SrtpReceiver, SrtpSender};
use crate::worker::drops::DropReason;

/// One context per direction and key, for the life of the Transport (RFC 3711 §9.1).
#[derive(Debug)]
pub(crate) struct Srtp {
    pub(crate) sender: SrtpSender,
    pub(crate) receiver: SrtpReceiver,
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
            receiver: SrtpReceiver::new(SrtpKeys::new(profile, keying.remote_key(), keying.remote_salt())?),
        })
    }
}

impl Transport {
    /// Protects RTCP on its way to the peer; where it goes and how long it is.
    pub(crate) fn protect_rtcp(&mut self, packet: &[u8], out: &mut [u8]) -> Option<(Tuple, usize)> {
        let tuple = self.ice.selected()?;
        let len = self.srtp.as_mut()?.sender.protect_rtcp(packet, out).ok()?;
        Some((tuple, len))
    }

    /// Authenticates a media packet from the peer and decrypts it in place.
    pub(crate) fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<Opened, DropReason> {
        let header = RtpHeader::parse_encrypted(packet).map_err(|_: RtpError| DropReason::MalformedRtp)?;
        let srtp = self.srtp.as_mut().ok_or(DropReason::NoKeys)?;
        let unprotected = srtp.receiver.unprotect_rtp(packet, header.payload_offset.into())?;
        let plain = packet.get(..unprotected.len).ok_or(DropReason::MalformedRtp)?;
        let header = header.finish(plain).map_err(|_| DropReason::MalformedRtp)?;
        Ok(Opened { header, len: unprotected.len })
    }

    /// Authenticates an RTCP packet from the peer and decrypts it in place; its length since.
    pub(crate) fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, DropReason> {
        let srtp = self.srtp.as_mut().ok_or(DropReason::NoKeys)?;
        Ok(srtp.receiver.unprotect_rtcp(packet)?)
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
