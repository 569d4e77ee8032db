//! Attributes: the type-length-value records behind the header (RFC 8489 §14).

use std::fmt;

use super::header::HEADER_LEN;
use super::message::ParseError;

/// How many unknown attributes of a request are named in the refusal.
///
/// One is enough for a client to know that it must do without; a request full of them shall not make a large response.
pub const UNKNOWN_ATTRIBUTES_MAX: usize = 8;

pub(super) const ATTRIBUTE_HEADER_LEN: usize = 4;

/// Which attribute it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttributeType(pub u16);

/// Constants with their names on the wire, and the place that defines them.
macro_rules! attribute_types {
    ($($name:ident = $value:literal, $wire:literal, $source:literal;)*) => {
        impl AttributeType {
            $(#[doc = concat!($wire, ", ", $source, ".")] pub const $name: Self = Self($value);)*

            fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($wire),)*
                    _ => None,
                }
            }
        }
    };
}

attribute_types! {
    MAPPED_ADDRESS = 0x0001, "MAPPED-ADDRESS", "RFC 8489 §14.1";
    USERNAME = 0x0006, "USERNAME", "RFC 8489 §14.3";
    MESSAGE_INTEGRITY = 0x0008, "MESSAGE-INTEGRITY", "RFC 8489 §14.5";
    ERROR_CODE = 0x0009, "ERROR-CODE", "RFC 8489 §14.8";
    UNKNOWN_ATTRIBUTES = 0x000a, "UNKNOWN-ATTRIBUTES", "RFC 8489 §14.13";
    REALM = 0x0014, "REALM", "RFC 8489 §14.9";
    NONCE = 0x0015, "NONCE", "RFC 8489 §14.10";
    XOR_MAPPED_ADDRESS = 0x0020, "XOR-MAPPED-ADDRESS", "RFC 8489 §14.2";
    PRIORITY = 0x0024, "PRIORITY", "RFC 8445 §16.1";
    USE_CANDIDATE = 0x0025, "USE-CANDIDATE", "RFC 8445 §16.1";
    NOMINATION = 0x0030, "NOMINATION", "draft-thatcher-ice-renomination-01 §8";
    SOFTWARE = 0x8022, "SOFTWARE", "RFC 8489 §14.14";
    ALTERNATE_SERVER = 0x8023, "ALTERNATE-SERVER", "RFC 8489 §14.15";
    FINGERPRINT = 0x8028, "FINGERPRINT", "RFC 8489 §14.7";
    ICE_CONTROLLED = 0x8029, "ICE-CONTROLLED", "RFC 8445 §16.1";
    ICE_CONTROLLING = 0x802a, "ICE-CONTROLLING", "RFC 8445 §16.1";
    GOOG_NOMINATION = 0xc001, "GOOG-NOMINATION", "libwebrtc, NOMINATION before it had a number";
}

impl AttributeType {
    /// A message with this attribute must not be processed by who doesn't know it (RFC 8489 §14).
    #[must_use]
    pub fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }

    /// It is one of the constants here.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.name().is_some()
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#06x}", self.0),
        }
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One attribute in a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) kind: AttributeType,
    /// Without the padding.
    pub(super) value: &'a [u8],
    /// Where the attribute's header starts in the datagram.
    pub(super) offset: usize,
}

impl<'a> Attribute<'a> {
    /// The value, if it is just `N` bytes long.
    pub(super) fn fixed<const N: usize>(&self) -> Result<[u8; N], ParseError> {
        self.value.try_into().map_err(|_| self.malformed())
    }

    pub(super) fn u32(&self) -> Result<u32, ParseError> {
        self.fixed().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&self) -> Result<u64, ParseError> {
        self.fixed().map(u64::from_be_bytes)
    }

    pub(super) fn malformed(&self) -> ParseError {
        ParseError::Malformed(self.kind)
    }

    /// Splits the attribute off the front of `rest`, whose end is the datagram's end.
    fn cut(rest: &mut &'a [u8], offset: usize) -> Result<Self, ParseError> {
        let (&[k0, k1, l0, l1], tail) = rest.split_first_chunk().ok_or(ParseError::Truncated)?;
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        let value = tail.get(..len).ok_or(ParseError::Truncated)?;
        *rest = tail.get(padded(len)..).ok_or(ParseError::Truncated)?;
        Ok(Self { kind: AttributeType(u16::from_be_bytes([k0, k1])), value, offset })
    }
}

/// A value's length with its padding to four bytes (RFC 8489 §14).
pub(super) const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// The attributes of `datagram`, in their order; ends after the first that is cut off.
pub(super) fn attributes(datagram: &[u8]) -> impl Iterator<Item = Result<Attribute<'_>, ParseError>> {
    let mut rest = datagram.get(HEADER_LEN..).unwrap_or_default();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let offset = datagram.len() - rest.len();
        let attribute = Attribute::cut(&mut rest, offset);
        if attribute.is_err() {
            rest = &[];
        }
        Some(attribute)
    })
}

/// The comprehension-required attributes of a request that nobody here knows, the first
/// [`UNKNOWN_ATTRIBUTES_MAX`] of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UnknownAttributes {
    kinds: [u16; UNKNOWN_ATTRIBUTES_MAX],
    len: usize,
}

impl UnknownAttributes {
    pub(super) fn note(&mut self, kind: AttributeType) {
        let noted = self.kinds().any(|other| other == kind);
        if let (false, Some(free)) = (noted, self.kinds.get_mut(self.len)) {
            *free = kind.0;
            self.len += 1;
        }
    }

    pub(super) fn kinds(&self) -> impl ExactSizeIterator<Item = AttributeType> {
        self.kinds.iter().take(self.len).map(|&kind| AttributeType(kind))
    }
}
