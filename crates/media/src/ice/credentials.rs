//! What a client must know to be let in (RFC 8445 §5.3).

use std::borrow::Borrow;
use std::fmt;

use rand::RngExt;
use rand::distr::Alphanumeric;
use rand::rngs::StdRng;

/// Length of username fragment and password, in characters.
///
/// Alphanumeric, so 190 random bits each, where RFC 8445 §5.3 wants at least 24 and 128. Fragments have to be unlike on
/// all Transports of a shared port; a clash is not to be expected, and its owner's to look for.
pub const CREDENTIAL_LEN: usize = 32;

/// The public half of the credentials; it names a Transport in the checks that are meant for it.
///
/// Borrows as bytes, so that a map keyed by fragments can be asked with bytes from a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsernameFragment([u8; CREDENTIAL_LEN]);

/// The secret half. Its `Debug` doesn't tell it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password([u8; CREDENTIAL_LEN]);

/// A username fragment and its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Goes in front of the colon in the USERNAME of the client's checks.
    pub username_fragment: UsernameFragment,
    /// Key of MESSAGE-INTEGRITY, in checks and in their answers.
    pub password: Password,
}

impl Credentials {
    /// New ones. `rng` has to be seeded from the operating system: who can foresee it can join.
    #[must_use]
    pub fn random(rng: &mut StdRng) -> Self {
        Self { username_fragment: UsernameFragment(characters(rng)), password: Password(characters(rng)) }
    }
}

fn characters(rng: &mut StdRng) -> [u8; CREDENTIAL_LEN] {
    std::array::from_fn(|_| rng.sample(Alphanumeric))
}

/// Both halves are made of these, here and nowhere else.
fn text(characters: &[u8; CREDENTIAL_LEN]) -> &str {
    str::from_utf8(characters).expect("alphanumeric characters are ASCII")
}

impl UsernameFragment {
    /// As it goes into SDP.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// As it lies in USERNAME.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for UsernameFragment {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for UsernameFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for UsernameFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UsernameFragment({self})")
    }
}

impl Password {
    /// As it goes into SDP.
    #[must_use]
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// As the key of MESSAGE-INTEGRITY.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_seed_gives_one_row_of_unlike_credentials() {
        let row = |seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            [Credentials::random(&mut rng), Credentials::random(&mut rng)]
        };
        let [a, b] = row(1);
        assert_eq!(row(1), [a, b]);
        assert_ne!(row(2)[0], a);
        assert_ne!(a.username_fragment, b.username_fragment);
        assert_ne!(a.username_fragment.as_str(), a.password.as_str());
        assert_eq!(a.password.as_str().len(), 32);
        assert!(a.password.as_str().chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_map_is_asked_with_bytes() {
        let credentials = Credentials::random(&mut StdRng::seed_from_u64(1));
        let map = HashMap::from([(credentials.username_fragment, 7)]);
        let text = credentials.username_fragment.to_string();
        assert_eq!(map.get(text.as_bytes()), Some(&7));
        assert_eq!(map.get(&text.as_bytes()[1..]), None);
    }

    #[test]
    fn the_password_stays_out_of_logs() {
        let credentials = Credentials::random(&mut StdRng::seed_from_u64(1));
        assert!(!format!("{credentials:?}").contains(credentials.password.as_str()));
    }
}
