//! Writes a message into the caller's buffer.

use std::net::SocketAddr;

use thiserror::Error;

use super::address::{self, Mask};
use super::attribute::{ATTRIBUTE_HEADER_LEN, AttributeType, padded};
use super::checksum::{self, FINGERPRINT_LEN, INTEGRITY_LEN};
use super::header::{Class, HEADER_LEN, Header, TransactionId};

/// The buffer is too small for the message, or the message longer than its length field can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no room for the message")]
pub struct NoRoom;

/// A message on its way: header, then attributes in the order of the calls, then [`Writer::finish`].
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    header: Header,
}

impl<'a> Writer<'a> {
    /// Starts a message in `out`.
    ///
    /// # Errors
    /// [`NoRoom`] if `out` doesn't hold a header.
    pub fn new(
        class: Class,
        method: u16,
        transaction: TransactionId,
        out: &'a mut [u8],
    ) -> Result<Self, NoRoom> {
        let mut writer = Self { out, len: 0, header: Header { class, method, transaction } };
        writer.put(&[0; HEADER_LEN])?;
        Ok(writer)
    }

    /// Adds an attribute and its padding.
    ///
    /// # Errors
    /// [`NoRoom`]; the message is of no use then.
    pub fn attribute(&mut self, kind: AttributeType, value: &[u8]) -> Result<(), NoRoom> {
        let len = u16::try_from(value.len()).map_err(|_| NoRoom)?;
        self.put(&kind.0.to_be_bytes())?;
        self.put(&len.to_be_bytes())?;
        self.put(value)?;
        self.put(&[0; 3][..padded(value.len()) - value.len()])
    }

    /// Adds XOR-MAPPED-ADDRESS: `address` as IPv4 if it is an IPv4 address in IPv6's form.
    ///
    /// # Errors
    /// [`NoRoom`]; the message is of no use then.
    pub fn xor_mapped_address(&mut self, address: SocketAddr) -> Result<(), NoRoom> {
        let (value, len) = address::write(address, Mask::of(self.header.transaction));
        self.attribute(AttributeType::XOR_MAPPED_ADDRESS, &value[..len])
    }

    /// Ends the message: with MESSAGE-INTEGRITY if there is a password, and with FINGERPRINT. Returns its length.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn finish(mut self, password: Option<&[u8]>) -> Result<usize, NoRoom> {
        if let Some(password) = password {
            self.write_header(ATTRIBUTE_HEADER_LEN + INTEGRITY_LEN)?;
            let integrity = checksum::integrity(self.written(), password);
            self.attribute(AttributeType::MESSAGE_INTEGRITY, &integrity)?;
        }
        self.write_header(ATTRIBUTE_HEADER_LEN + FINGERPRINT_LEN)?;
        let fingerprint = checksum::fingerprint(self.written());
        self.attribute(AttributeType::FINGERPRINT, &fingerprint.to_be_bytes())?;
        Ok(self.len)
    }

    /// The header, for a message of which `to_come` bytes are not there yet.
    fn write_header(&mut self, to_come: usize) -> Result<(), NoRoom> {
        let body = u16::try_from(self.len - HEADER_LEN + to_come).map_err(|_| NoRoom)?;
        let header = self.header.write(body);
        self.out.get_mut(..HEADER_LEN).ok_or(NoRoom)?.copy_from_slice(&header);
        Ok(())
    }

    fn written(&self) -> &[u8] {
        self.out.get(..self.len).unwrap_or_default()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), NoRoom> {
        let end = self.len + bytes.len();
        self.out.get_mut(self.len..end).ok_or(NoRoom)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}
