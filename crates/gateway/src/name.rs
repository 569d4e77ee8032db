//! Names that people choose for rooms and for themselves: checked once, where they come in.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// Most bytes of a room's name. It stands in links and in labels; longer ones can't be read out to anybody.
pub(crate) const ROOM_NAME_BYTES_MAX: usize = 64;

/// Most bytes of a peer's name: a long name in a script of three bytes per letter. It is sent to everybody in the room.
pub(crate) const PEER_NAME_BYTES_MAX: usize = 96;

/// Why a name isn't taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name has more than {max} bytes")]
    TooLong { max: usize },
    #[error("the name holds {character:?}")]
    Character { character: char },
}

/// A room's name: letters and digits of any script, `-`, `_` and `.`. It is compared as it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RoomName(String);

impl RoomName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoomName {
    type Error = NameError;
    fn try_from(name: String) -> Result<Self, NameError> {
        let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        check(&name, ROOM_NAME_BYTES_MAX, is_allowed)?;
        Ok(Self(name))
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the others see: anything but control characters, without white space around it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PeerName(String);

impl PeerName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PeerName {
    type Error = NameError;
    fn try_from(name: String) -> Result<Self, NameError> {
        let name = name.trim();
        check(name, PEER_NAME_BYTES_MAX, |c| !c.is_control())?;
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn check(name: &str, max: usize, is_allowed: impl Fn(char) -> bool) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > max {
        return Err(NameError::TooLong { max });
    }
    match name.chars().find(|&c| !is_allowed(c)) {
        Some(character) => Err(NameError::Character { character }),
        None => Ok(()),
    }
}

/// A peer of a room, as the others know it. Drawn anew at each join.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct PeerId(Uuid);

impl PeerId {
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What only the peer itself knows of its presence, so that it can put a new one in its place.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PeerSecret(Uuid);

impl PeerSecret {
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Debug for PeerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Result<RoomName, NameError> {
        RoomName::try_from(name.to_owned())
    }

    fn peer(name: &str) -> Result<PeerName, NameError> {
        PeerName::try_from(name.to_owned())
    }

    #[test]
    fn rooms_take_what_can_stand_in_a_link() {
        assert!(room("Plaza_2-b.1").is_ok());
        assert!(room("quartié").is_ok());
        assert_eq!(room(""), Err(NameError::Empty));
        assert_eq!(room("a/b"), Err(NameError::Character { character: '/' }));
        assert_eq!(room("a b"), Err(NameError::Character { character: ' ' }));
        assert!(room(&"x".repeat(ROOM_NAME_BYTES_MAX)).is_ok());
        assert_eq!(room(&"x".repeat(ROOM_NAME_BYTES_MAX + 1)), Err(NameError::TooLong { max: 64 }));
    }

    #[test]
    fn peers_take_what_people_are_called() {
        assert_eq!(peer("  Susanita ").unwrap().to_string(), "Susanita");
        assert!(peer("山田 太郎 🎈").is_ok());
        assert_eq!(peer(" \t"), Err(NameError::Empty));
        assert_eq!(peer("a\nb"), Err(NameError::Character { character: '\n' }));
        assert_eq!(peer(&"é".repeat(49)), Err(NameError::TooLong { max: 96 }));
    }
}
