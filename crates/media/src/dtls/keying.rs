//! What DTLS hands to SRTP: a protection profile and the two directions' master keys (RFC 5764 §4).

use std::fmt;

use zeroize::Zeroizing;

use super::Role;
use crate::srtp::SrtpProfile;

/// The master keys and salts of both directions; wiped when dropped.
pub struct KeyingMaterial {
    profile: SrtpProfile,
    role: Role,
    /// Client key, server key, client salt, server salt (RFC 5764 §4.2).
    block: Zeroizing<Vec<u8>>,
}

impl KeyingMaterial {
    /// Splits an exported block; `None` when it hasn't the profile's length.
    pub(super) fn split(profile: SrtpProfile, role: Role, block: &[u8]) -> Option<Self> {
        (block.len() == profile.exporter_len()).then(|| Self {
            profile,
            role,
            block: Zeroizing::new(block.to_vec()),
        })
    }

    /// The profile that was agreed on.
    #[must_use]
    pub fn profile(&self) -> SrtpProfile {
        self.profile
    }

    /// The master key of what this end sends.
    #[must_use]
    pub fn local_key(&self) -> &[u8] {
        self.key(self.role)
    }

    /// The master salt of what this end sends.
    #[must_use]
    pub fn local_salt(&self) -> &[u8] {
        self.salt(self.role)
    }

    /// The master key of what the peer sends.
    #[must_use]
    pub fn remote_key(&self) -> &[u8] {
        self.key(self.role.other())
    }

    /// The master salt of what the peer sends.
    #[must_use]
    pub fn remote_salt(&self) -> &[u8] {
        self.salt(self.role.other())
    }

    fn key(&self, writer: Role) -> &[u8] {
        let len = self.profile.key_len();
        self.slice(if writer == Role::Client { 0 } else { len }, len)
    }

    fn salt(&self, writer: Role) -> &[u8] {
        let len = self.profile.salt_len();
        self.slice(2 * self.profile.key_len() + if writer == Role::Client { 0 } else { len }, len)
    }

    fn slice(&self, start: usize, len: usize) -> &[u8] {
        self.block.get(start..start + len).expect("split checked the block's length against the profile")
    }
}

impl fmt::Debug for KeyingMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyingMaterial").field("profile", &self.profile).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_split_as_rfc_5764_says() {
        let block: Vec<u8> = (0..60).collect();
        let client = KeyingMaterial::split(SrtpProfile::Aes128CmSha1_80, Role::Client, &block).unwrap();
        assert_eq!(client.local_key(), &block[0..16]);
        assert_eq!(client.remote_key(), &block[16..32]);
        assert_eq!(client.local_salt(), &block[32..46]);
        assert_eq!(client.remote_salt(), &block[46..60]);
        let server = KeyingMaterial::split(SrtpProfile::Aes128CmSha1_80, Role::Server, &block).unwrap();
        assert_eq!(server.local_key(), client.remote_key());
        assert_eq!(server.remote_salt(), client.local_salt());
    }

    #[test]
    fn lengths_are_those_of_rfc_7714() {
        let lengths = SrtpProfile::PREFERENCE
            .map(|profile| (profile.key_len(), profile.salt_len(), profile.exporter_len()));
        assert_eq!(lengths, [(32, 12, 88), (16, 12, 56), (16, 14, 60), (16, 14, 60)]);
        assert!(KeyingMaterial::split(SrtpProfile::AeadAes256Gcm, Role::Client, &[0; 60]).is_none());
    }

    #[test]
    fn debug_shows_no_key() {
        let keys = KeyingMaterial::split(SrtpProfile::AeadAes128Gcm, Role::Client, &[0xab; 56]).unwrap();
        assert_eq!(format!("{keys:?}"), "KeyingMaterial { profile: AeadAes128Gcm, .. }");
    }
}
