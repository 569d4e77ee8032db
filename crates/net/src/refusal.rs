//! What it means that the kernel did not take a message.

use std::io;

/// Why a message was not sent. It belongs to that message alone: those behind it can be sent all the same.
#[derive(Debug)]
pub enum Refusal {
    /// The socket's or the card's queue is full: worth another try when the socket is writable (EAGAIN), or in a moment
    /// (ENOBUFS).
    Full,
    /// The way to this destination can't have it cut apart, or not at this size (EMSGSIZE, EIO, EINVAL of UDP_SEGMENT): the same
    /// datagrams can go one by one.
    Unsegmented,
    /// One datagram that is longer than its path can have, at a socket that [may not fragment](crate::let_fragment) (EMSGSIZE).
    TooLong,
    /// An answer to an earlier datagram (ECONNREFUSED), or no way there at the moment. The message is gone, as a datagram that is
    /// lost on its way; the socket is well.
    Destination,
    /// Anything else.
    Other(io::Error),
}

impl Refusal {
    /// What an error of `sendmmsg` says about the message that it stopped at.
    pub(crate) fn of(error: io::Error, segmented: bool) -> Self {
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => Self::Full,
            // udp(7), and net/ipv4/udp.c: a segment over the path's MTU, no checksum offload, more segments than may be.
            Some(libc::EMSGSIZE | libc::EIO | libc::EINVAL) if segmented => Self::Unsegmented,
            Some(libc::EMSGSIZE) => Self::TooLong,
            Some(
                libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EPERM
                | libc::EACCES
                | libc::EHOSTDOWN
                | libc::ENETDOWN
                | libc::EADDRNOTAVAIL,
            ) => Self::Destination,
            _ => Self::Other(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_segmentation_are_those_of_segmented_messages_only() {
        for code in [libc::EMSGSIZE, libc::EIO, libc::EINVAL] {
            let error = || io::Error::from_raw_os_error(code);
            assert!(matches!(Refusal::of(error(), true), Refusal::Unsegmented));
            assert!(!matches!(Refusal::of(error(), false), Refusal::Unsegmented));
        }
        let long = Refusal::of(io::Error::from_raw_os_error(libc::EMSGSIZE), false);
        assert!(matches!(long, Refusal::TooLong));
        let full = Refusal::of(io::Error::from_raw_os_error(libc::ENOBUFS), true);
        assert!(matches!(full, Refusal::Full));
        let gone = Refusal::of(io::Error::from_raw_os_error(libc::ECONNREFUSED), false);
        assert!(matches!(gone, Refusal::Destination));
    }
}
