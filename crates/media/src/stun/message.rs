//! A received message, read once.

use std::net::SocketAddr;

use thiserror::Error;

use super::address::{self, Mask};
use super::attribute::{Attribute, AttributeType, UnknownAttributes, attributes};
use super::checksum::{self, INTEGRITY_LEN};
use super::header::{Class, Header, TransactionId};

/// The longest USERNAME (RFC 8489 §14.3), in bytes.
const USERNAME_LEN_MAX: usize = 508;

/// Why a datagram is no message. It is to be dropped: nobody can be sure that its sender speaks STUN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Shorter than a header.
    #[error("shorter than a header")]
    TooShort,
    /// The first two bits, or the magic cookie, say that it is something else.
    #[error("not STUN")]
    NotStun,
    /// The header's length is not the datagram's, or not a multiple of four.
    #[error("the length is wrong")]
    WrongLength,
    /// An attribute reaches beyond the end.
    #[error("the last attribute is cut off")]
    Truncated,
    /// An attribute's value has not the form that its type prescribes.
    #[error("malformed {0}")]
    Malformed(AttributeType),
    /// Something follows FINGERPRINT, which has to be the last.
    #[error("an attribute follows FINGERPRINT")]
    AfterFingerprint,
    /// The checksum is wrong.
    #[error("FINGERPRINT doesn't match")]
    WrongFingerprint,
}

/// A message that is well formed, with the attributes that ICE knows.
///
/// Of an attribute that is there twice, the first counts (RFC 8489 §14); what follows MESSAGE-INTEGRITY is ignored, but for
/// FINGERPRINT (§14.5). FINGERPRINT is checked already if it is there. Whether the sender knows the password is not.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    raw: &'a [u8],
    header: Header,
    username: Option<&'a [u8]>,
    priority: Option<u32>,
    use_candidate: bool,
    nomination: Option<u32>,
    ice_controlled: Option<u64>,
    ice_controlling: Option<u64>,
    error_code: Option<u16>,
    mapped_address: Option<SocketAddr>,
    integrity: Option<Integrity>,
    has_fingerprint: bool,
    unknown: UnknownAttributes,
}

#[derive(Clone, Copy, Debug)]
struct Integrity {
    /// Where the attribute starts in the datagram.
    offset: usize,
    value: [u8; INTEGRITY_LEN],
}

impl<'a> Message<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`ParseError`] if it isn't a well-formed message from its first byte to its last.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let mut message = Self::bare(datagram, Header::parse(datagram)?);
        for attribute in attributes(datagram) {
            message.take(&attribute?)?;
        }
        Ok(message)
    }

    fn bare(raw: &'a [u8], header: Header) -> Self {
        Self {
            raw,
            header,
            username: None,
            priority: None,
            use_candidate: false,
            nomination: None,
            ice_controlled: None,
            ice_controlling: None,
            error_code: None,
            mapped_address: None,
            integrity: None,
            has_fingerprint: false,
            unknown: UnknownAttributes::default(),
        }
    }

    /// Request, indication or response.
    #[must_use]
    pub fn class(&self) -> Class {
        self.header.class
    }

    /// The method, 12 bits; [`BINDING`](super::BINDING) for connectivity checks.
    #[must_use]
    pub fn method(&self) -> u16 {
        self.header.method
    }

    /// The transaction that the message belongs to.
    #[must_use]
    pub fn transaction(&self) -> TransactionId {
        self.header.transaction
    }

    /// USERNAME: in a connectivity check, the receiver's username fragment, a colon, the sender's (RFC 8445 §7.2.2).
    #[must_use]
    pub fn username(&self) -> Option<&'a [u8]> {
        self.username
    }

    /// The receiver's username fragment: what stands before the colon of USERNAME, and tells whom a check is for.
    #[must_use]
    pub fn local_username_fragment(&self) -> Option<&'a [u8]> {
        let username = self.username?;
        let colon = username.iter().position(|&byte| byte == b':')?;
        username.get(..colon)
    }

    /// PRIORITY: that of the candidate which the check would discover at its sender (RFC 8445 §7.1.1).
    #[must_use]
    pub fn priority(&self) -> Option<u32> {
        self.priority
    }

    /// USE-CANDIDATE is there: the controlling agent nominates this pair (RFC 8445 §7.1.2).
    #[must_use]
    pub fn use_candidate(&self) -> bool {
        self.use_candidate
    }

    /// NOMINATION, in its old number or the new: the greatest so far nominates this pair.
    #[must_use]
    pub fn nomination(&self) -> Option<u32> {
        self.nomination
    }

    /// ICE-CONTROLLED with the tie breaker: the sender takes itself for the controlled agent.
    #[must_use]
    pub fn ice_controlled(&self) -> Option<u64> {
        self.ice_controlled
    }

    /// ICE-CONTROLLING with the tie breaker: the sender takes itself for the controlling agent.
    #[must_use]
    pub fn ice_controlling(&self) -> Option<u64> {
        self.ice_controlling
    }

    /// ERROR-CODE of an error response, 300 to 699.
    #[must_use]
    pub fn error_code(&self) -> Option<u16> {
        self.error_code
    }

    /// The request's source as the responder saw it: XOR-MAPPED-ADDRESS or MAPPED-ADDRESS, the first of them.
    #[must_use]
    pub fn mapped_address(&self) -> Option<SocketAddr> {
        self.mapped_address
    }

    /// FINGERPRINT is there, and right.
    #[must_use]
    pub fn has_fingerprint(&self) -> bool {
        self.has_fingerprint
    }

    /// MESSAGE-INTEGRITY is there, right or not.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// MESSAGE-INTEGRITY is there and was made with `password`; compares in constant time.
    #[must_use]
    pub fn is_signed_with(&self, password: &[u8]) -> bool {
        let Some(Integrity { offset, value }) = &self.integrity else {
            return false;
        };
        let before = self.raw.get(..*offset).unwrap_or_default();
        checksum::has_integrity(before, password, value)
    }

    /// The attributes that must be known to process the message but aren't, the first
    /// [`UNKNOWN_ATTRIBUTES_MAX`](super::UNKNOWN_ATTRIBUTES_MAX) of them.
    pub fn unknown_attributes(&self) -> impl ExactSizeIterator<Item = AttributeType> {
        self.unknown.kinds()
    }

    fn take(&mut self, attribute: &Attribute<'a>) -> Result<(), ParseError> {
        if self.has_fingerprint {
            return Err(ParseError::AfterFingerprint);
        }
        if attribute.kind == AttributeType::FINGERPRINT {
            return self.take_fingerprint(attribute);
        }
        // RFC 8489 §14.5: what is behind MESSAGE-INTEGRITY isn't protected by it. MESSAGE-INTEGRITY-SHA256 would be an
        // exception, for those who know it.
        if self.integrity.is_some() {
            return Ok(());
        }
        self.take_covered(attribute)
    }

    fn take_fingerprint(&mut self, attribute: &Attribute<'a>) -> Result<(), ParseError> {
        let before = self.raw.get(..attribute.offset).unwrap_or_default();
        if attribute.u32()? != checksum::fingerprint(before) {
            return Err(ParseError::WrongFingerprint);
        }
        self.has_fingerprint = true;
        Ok(())
    }

    fn take_covered(&mut self, attribute: &Attribute<'a>) -> Result<(), ParseError> {
        match attribute.kind {
            AttributeType::USERNAME => first(&mut self.username, username(attribute)?),
            AttributeType::PRIORITY => first(&mut self.priority, attribute.u32()?),
            AttributeType::USE_CANDIDATE => {
                attribute.fixed::<0>()?;
                self.use_candidate = true;
            }
            AttributeType::NOMINATION | AttributeType::GOOG_NOMINATION => {
                first(&mut self.nomination, attribute.u32()?);
            }
            AttributeType::ICE_CONTROLLED => first(&mut self.ice_controlled, attribute.u64()?),
            AttributeType::ICE_CONTROLLING => first(&mut self.ice_controlling, attribute.u64()?),
            AttributeType::ERROR_CODE => first(&mut self.error_code, error_code(attribute)?),
            AttributeType::XOR_MAPPED_ADDRESS => {
                self.take_address(attribute, Mask::of(self.header.transaction))?;
            }
            AttributeType::MAPPED_ADDRESS => self.take_address(attribute, Mask::NONE)?,
            AttributeType::MESSAGE_INTEGRITY => {
                self.integrity = Some(Integrity { offset: attribute.offset, value: attribute.fixed()? });
            }
            other if other.is_comprehension_required() && !other.is_known() => self.unknown.note(other),
            _ => {}
        }
        Ok(())
    }

    fn take_address(&mut self, attribute: &Attribute<'a>, mask: Mask) -> Result<(), ParseError> {
        let address = address::read(attribute.value, mask).ok_or_else(|| attribute.malformed())?;
        first(&mut self.mapped_address, address);
        Ok(())
    }
}

/// RFC 8489 §14: a later attribute of the same type is ignored.
fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

fn username<'a>(attribute: &Attribute<'a>) -> Result<&'a [u8], ParseError> {
    if attribute.value.len() > USERNAME_LEN_MAX { Err(attribute.malformed()) } else { Ok(attribute.value) }
}

/// Hundreds in the third byte's lower bits, the rest in the fourth (RFC 8489 §14.8).
fn error_code(attribute: &Attribute<'_>) -> Result<u16, ParseError> {
    match *attribute.value {
        [_, _, class, number, ..] if (3..=6).contains(&(class & 7)) && number < 100 => {
            Ok(u16::from(class & 7) * 100 + u16::from(number))
        }
        _ => Err(attribute.malformed()),
    }
}
