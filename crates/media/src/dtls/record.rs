//! DTLS 1.2 framing: records in a datagram and handshake fragments in a record (RFC 6347 §4.1, §4.2.2).
//!
//! Only headers are read here. Anything that doesn't fit its frame ends the walk with a [`DropReason`].

use super::DropReason;

/// ContentType change_cipher_spec (RFC 5246 §6.2.1).
pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
/// ContentType alert.
pub(super) const ALERT: u8 = 21;
/// ContentType handshake.
pub(super) const HANDSHAKE: u8 = 22;
/// ContentType application_data.
pub(super) const APPLICATION_DATA: u8 = 23;

/// What AES-GCM adds to a record: a nonce and a tag (RFC 5288 §3).
const SEAL_LEN: usize = 8 + 16;

/// HandshakeType client_hello (RFC 5246 §7.4).
pub(super) const CLIENT_HELLO: u8 = 1;
/// HandshakeType hello_verify_request (RFC 6347 §4.3.2).
pub(super) const HELLO_VERIFY_REQUEST: u8 = 3;
/// HandshakeType certificate.
pub(super) const CERTIFICATE: u8 = 11;
/// HandshakeType server_hello_done.
pub(super) const SERVER_HELLO_DONE: u8 = 14;
/// HandshakeType certificate_verify.
pub(super) const CERTIFICATE_VERIFY: u8 = 15;
/// HandshakeType client_key_exchange.
pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;

/// AlertDescription close_notify (RFC 5246 §7.2).
pub(super) const CLOSE_NOTIFY: u8 = 0;
/// AlertDescription handshake_failure.
pub(super) const HANDSHAKE_FAILURE: u8 = 40;
/// AlertLevel fatal.
pub(super) const FATAL: u8 = 2;

const RECORD_HEADER: usize = 13;
const FRAGMENT_HEADER: usize = 12;
const VERSION_1_2: [u8; 2] = [254, 253];

/// One record, borrowed from its datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) kind: u8,
    pub(super) epoch: u16,
    /// What follows the header: plaintext in epoch 0.
    pub(super) body: &'a [u8],
    /// Header and body.
    pub(super) whole: &'a [u8],
}

impl<'a> Record<'a> {
    /// Whether its body is long enough for something under a seal. The engine gives a connection up for what isn't, and anyone could
    /// have sent that.
    pub(super) fn may_be_sealed(&self) -> bool {
        self.body.len() > SEAL_LEN
    }

    /// Takes the first record off `datagram`.
    fn take(datagram: &mut &'a [u8]) -> Option<Self> {
        let (header, rest) = datagram.split_first_chunk::<RECORD_HEADER>()?;
        let [kind, major, _, epoch_high, epoch_low, .., length_high, length_low] = *header;
        let length = usize::from(u16::from_be_bytes([length_high, length_low]));
        let body = rest.get(..length)?;
        if major != VERSION_1_2[0] {
            return None;
        }
        let (whole, left) = datagram.split_at_checked(RECORD_HEADER + length)?;
        *datagram = left;
        Some(Self { kind, epoch: u16::from_be_bytes([epoch_high, epoch_low]), body, whole })
    }
}

/// The records of a datagram; the walk ends at the first that is broken.
pub(super) fn records(mut datagram: &[u8]) -> impl Iterator<Item = Result<Record<'_>, DropReason>> {
    std::iter::from_fn(move || {
        if datagram.is_empty() {
            return None;
        }
        let record = Record::take(&mut datagram).ok_or(DropReason::Malformed);
        if record.is_err() {
            datagram = &[];
        }
        Some(record)
    })
}

/// A piece of a handshake message, or all of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    pub(super) kind: u8,
    /// The sender's number of the message.
    pub(super) sequence: u16,
    /// The length of the whole message's body.
    pub(super) length: usize,
    /// Where `data` begins in it.
    pub(super) offset: usize,
    pub(super) data: &'a [u8],
}

impl<'a> Fragment<'a> {
    fn take(body: &mut &'a [u8]) -> Option<Self> {
        let (header, rest) = body.split_first_chunk::<FRAGMENT_HEADER>()?;
        let [kind, l0, l1, l2, s0, s1, o0, o1, o2, f0, f1, f2] = *header;
        let (length, offset) = (u24([l0, l1, l2]), u24([o0, o1, o2]));
        let (data, left) = rest.split_at_checked(u24([f0, f1, f2]))?;
        if offset + data.len() > length {
            return None;
        }
        *body = left;
        Some(Self { kind, sequence: u16::from_be_bytes([s0, s1]), length, offset, data })
    }
}

/// The handshake fragments in the body of a plaintext record.
pub(super) fn fragments(mut body: &[u8]) -> impl Iterator<Item = Result<Fragment<'_>, DropReason>> {
    std::iter::from_fn(move || {
        if body.is_empty() {
            return None;
        }
        let fragment = Fragment::take(&mut body).ok_or(DropReason::Malformed);
        if fragment.is_err() {
            body = &[];
        }
        Some(fragment)
    })
}

/// Appends a plaintext record to `out`.
pub(super) fn write_record(out: &mut Vec<u8>, kind: u8, sequence: u32, body: &[u8]) {
    let length = u16::try_from(body.len()).expect("a handshake message's bound is below a record's");
    out.extend_from_slice(&[kind, VERSION_1_2[0], VERSION_1_2[1], 0, 0, 0, 0]);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
}

/// A whole handshake message in one fragment, headers included.
pub(super) fn whole_message(kind: u8, sequence: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a handshake message's bound is below 2^24").to_be_bytes();
    let mut message = Vec::with_capacity(FRAGMENT_HEADER + body.len());
    message.push(kind);
    message.extend_from_slice(&length[1..]);
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(&[0; 3]);
    message.extend_from_slice(&length[1..]);
    message.extend_from_slice(body);
    message
}

fn u24([high, middle, low]: [u8; 3]) -> usize {
    usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut datagram = Vec::new();
        write_record(&mut datagram, HANDSHAKE, 7, &whole_message(CERTIFICATE, 3, b"body"));
        write_record(&mut datagram, CHANGE_CIPHER_SPEC, 8, &[1]);
        let read: Vec<_> = records(&datagram).map(Result::unwrap).collect();
        assert_eq!(
            read.iter().map(|record| record.kind).collect::<Vec<_>>(),
            [HANDSHAKE, CHANGE_CIPHER_SPEC]
        );
        let fragment = fragments(read[0].body).next().unwrap().unwrap();
        assert_eq!((fragment.kind, fragment.sequence, fragment.length), (CERTIFICATE, 3, 4));
        assert_eq!((fragment.offset, fragment.data), (0, &b"body"[..]));
    }

    #[test]
    fn every_truncation_is_malformed() {
        let mut datagram = Vec::new();
        write_record(&mut datagram, HANDSHAKE, 0, &whole_message(CLIENT_HELLO, 0, &[0; 40]));
        for length in 1..datagram.len() {
            assert_eq!(records(&datagram[..length]).next().unwrap().unwrap_err(), DropReason::Malformed);
        }
        let message = whole_message(CLIENT_HELLO, 0, &[0; 40]);
        for length in 1..message.len() {
            assert_eq!(fragments(&message[..length]).next().unwrap().unwrap_err(), DropReason::Malformed);
        }
    }

    #[test]
    fn a_fragment_beyond_its_message_is_malformed() {
        let mut message = whole_message(CLIENT_HELLO, 0, &[0; 4]);
        message[8] = 1;
        assert_eq!(fragments(&message).next().unwrap().unwrap_err(), DropReason::Malformed);
    }
}
