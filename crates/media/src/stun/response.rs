//! Answers to a request.

use std::net::SocketAddr;

use super::attribute::{AttributeType, UNKNOWN_ATTRIBUTES_MAX};
use super::header::Class;
use super::message::Message;
use super::writer::{NoRoom, Writer};

/// No response is longer, in bytes: header, ERROR-CODE with the longest reason, UNKNOWN-ATTRIBUTES,
/// MESSAGE-INTEGRITY, FINGERPRINT.
pub const RESPONSE_LEN_MAX: usize = 20 + (8 + 20) + (4 + 2 * UNKNOWN_ATTRIBUTES_MAX) + 24 + 8;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum ErrorCode {
    /// An attribute that has to be there isn't (RFC 8489 §14.8).
    BadRequest = 400,
    /// Wrong user or wrong password (RFC 8489 §9.1.3).
    Unauthorized = 401,
    /// An attribute that has to be understood isn't (RFC 8489 §6.3.1).
    UnknownAttribute = 420,
    /// The sender claims the role that is the receiver's (RFC 8445 §7.3.1.1).
    RoleConflict = 487,
}

impl ErrorCode {
    /// The number on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// At most 20 bytes, for [`RESPONSE_LEN_MAX`].
    fn reason(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::Unauthorized => "Unauthorized",
            Self::UnknownAttribute => "Unknown Attribute",
            Self::RoleConflict => "Role Conflict",
        }
    }
}

impl Message<'_> {
    /// Writes the success response to this request into `out` and returns its length.
    ///
    /// `source` is where the request came from; the response is signed with `password`, the one of the request.
    ///
    /// # Errors
    /// [`NoRoom`], never if `out` has [`RESPONSE_LEN_MAX`] bytes.
    pub fn write_success(
        &self,
        source: SocketAddr,
        password: &[u8],
        out: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let mut writer = Writer::new(Class::Success, self.method(), self.transaction(), out)?;
        writer.xor_mapped_address(source)?;
        writer.finish(Some(password))
    }

    /// Writes the error response to this request into `out` and returns its length.
    ///
    /// Signed if there is a `password`, which there must not be for [`ErrorCode::BadRequest`] and
    /// [`ErrorCode::Unauthorized`] (RFC 8489 §9.1.3). [`ErrorCode::UnknownAttribute`] names what wasn't understood.
    ///
    /// # Errors
    /// [`NoRoom`], never if `out` has [`RESPONSE_LEN_MAX`] bytes.
    pub fn write_error(
        &self,
        error: ErrorCode,
        password: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let mut writer = Writer::new(Class::Error, self.method(), self.transaction(), out)?;
        write_error_code(&mut writer, error)?;
        if error == ErrorCode::UnknownAttribute {
            write_unknown_attributes(&mut writer, self.unknown_attributes())?;
        }
        writer.finish(password)
    }
}

fn write_error_code(writer: &mut Writer<'_>, error: ErrorCode) -> Result<(), NoRoom> {
    let mut value = [0; 4 + 20];
    let reason = error.reason().as_bytes();
    let [_, class] = (error.code() / 100).to_be_bytes();
    let [_, number] = (error.code() % 100).to_be_bytes();
    value[..4].copy_from_slice(&[0, 0, class, number]);
    value[4..4 + reason.len()].copy_from_slice(reason);
    writer.attribute(AttributeType::ERROR_CODE, &value[..4 + reason.len()])
}

fn write_unknown_attributes(
    writer: &mut Writer<'_>,
    unknown: impl ExactSizeIterator<Item = AttributeType>,
) -> Result<(), NoRoom> {
    let mut value = [0; 2 * UNKNOWN_ATTRIBUTES_MAX];
    let len = 2 * unknown.len().min(UNKNOWN_ATTRIBUTES_MAX);
    for (slot, kind) in value.chunks_exact_mut(2).zip(unknown) {
        slot.copy_from_slice(&kind.0.to_be_bytes());
    }
    writer.attribute(AttributeType::UNKNOWN_ATTRIBUTES, &value[..len])
}
