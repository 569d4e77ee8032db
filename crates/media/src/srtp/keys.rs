//! Master keys, on their way from the key exchange into a context.

use std::fmt;

use zeroize::Zeroizing;

use super::{SrtpError, SrtpProfile};

/// The longest master key of any profile (AES-256), in bytes.
const KEY_LEN_MAX: usize = 32;

/// The length of a master salt as key derivation uses it (RFC 3711 §4.3.1), in bytes.
pub(super) const SALT_LEN_MAX: usize = 14;

/// Master key and salt of one direction.
///
/// Zeroed on drop, never printed, and not `Clone`: a context's constructor takes it by value, so one key gives one context.
/// Of the key schedules in a context, those of our own kernel are wiped when it goes; those on `ring` are not, because it has no
/// way to.
pub struct SrtpKeys {
    profile: SrtpProfile,
    key: Zeroizing<[u8; KEY_LEN_MAX]>,
    salt: Zeroizing<[u8; SALT_LEN_MAX]>,
}

impl SrtpKeys {
    /// Takes a copy of a master key and salt, of exactly the profile's lengths.
    ///
    /// # Errors
    /// [`SrtpError::KeyLength`].
    pub fn new(profile: SrtpProfile, key: &[u8], salt: &[u8]) -> Result<Self, SrtpError> {
        if key.len() != profile.key_len() || salt.len() != profile.salt_len() {
            return Err(SrtpError::KeyLength);
        }
        let mut keys = Self { profile, key: Zeroizing::default(), salt: Zeroizing::default() };
        keys.key[..key.len()].copy_from_slice(key);
        // A 96-bit salt gets 16 zero bits on its right (RFC 7714 §11), which the rest of the array is.
        keys.salt[..salt.len()].copy_from_slice(salt);
        Ok(keys)
    }

    /// The profile that these keys are for.
    #[must_use]
    pub const fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// The master key, of the profile's length.
    pub(super) fn key(&self) -> &[u8] {
        &self.key[..self.profile.key_len()]
    }

    /// The master salt as the 112-bit number that key derivation takes.
    pub(super) fn salt(&self) -> u128 {
        number(self.salt.as_slice())
    }
}

impl fmt::Debug for SrtpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SrtpKeys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// Up to 16 bytes as a big-endian number.
pub(super) fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
}
