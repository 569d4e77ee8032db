//! From master keys to session keys (RFC 3711 §4.3; with AES-256 as RFC 6188 §3, for GCM as RFC 7714 §11).
//!
//! The key derivation rate is zero, as everywhere in WebRTC: session keys are derived once, when they are first needed.

use aes::{Aes128Enc, Aes256Enc};
use ctr::cipher::{KeyInit, StreamCipher};
use zeroize::Zeroizing;

use super::SrtpProfile;
use super::cm::keystream;
use super::keys::{SALT_LEN_MAX, SrtpKeys, number};

/// Length of the HMAC-SHA1 key (RFC 3711 §5.2), in bytes.
pub(super) const AUTH_KEY_LEN: usize = 20;

/// Which of a master key's two sets of session keys.
#[derive(Clone, Copy, Debug)]
pub(super) enum Traffic {
    Rtp,
    Rtcp,
}

/// What one cipher needs: the keys of one direction and kind of traffic.
pub(super) struct SessionKeys {
    pub(super) profile: SrtpProfile,
    /// The encryption key; the profile's length of it counts.
    pub(super) key: Zeroizing<[u8; 32]>,
    /// The authentication key; unused by GCM, which needs none.
    pub(super) auth_key: Zeroizing<[u8; AUTH_KEY_LEN]>,
    /// The salt, a big-endian number of the profile's salt length.
    pub(super) salt: u128,
}

impl SessionKeys {
    pub(super) fn derive(master: &SrtpKeys, traffic: Traffic) -> Self {
        // RFC 3711 §4.3.1 and, for SRTCP, §4.3.2.
        let [key_label, auth_label, salt_label] = match traffic {
            Traffic::Rtp => [0, 1, 2],
            Traffic::Rtcp => [3, 4, 5],
        };
        let profile = master.profile();
        let mut keys = Self { profile, key: Zeroizing::default(), auth_key: Zeroizing::default(), salt: 0 };
        derive(master, key_label, &mut keys.key[..profile.key_len()]);
        derive(master, auth_label, keys.auth_key.as_mut_slice());
        let mut salt = Zeroizing::new([0; SALT_LEN_MAX]);
        derive(master, salt_label, &mut salt[..profile.salt_len()]);
        keys.salt = number(&salt[..profile.salt_len()]);
        keys
    }

    /// The encryption key, of the profile's length.
    pub(super) fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }
}

/// Fills zeroed `out` with the key of this label.
fn derive(master: &SrtpKeys, label: u8, out: &mut [u8]) {
    // RFC 3711 §4.3.1: the label stands above 48 bits of index, which are zero without a derivation rate;
    // §4.3.3: the pseudo-random function is the cipher in counter mode, its input 16 bits up.
    let iv = (master.salt() ^ (u128::from(label) << 48)) << 16;
    let key = master.key();
    if key.len() == 32 {
        keystream(&Aes256Enc::new_from_slice(key).expect("32 bytes"), iv).apply_keystream(out);
    } else {
        keystream(&Aes128Enc::new_from_slice(key).expect("16 bytes when not 32"), iv).apply_keystream(out);
    }
}
