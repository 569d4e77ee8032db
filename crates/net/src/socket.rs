//! What a socket must be told once.

use std::io;
use std::os::fd::BorrowedFd;

use crate::sys;

/// Lets the kernel join datagrams of one sender into one message (UDP_GRO), which [`Receiver`](crate::Receiver) takes apart.
///
/// # Errors
/// Where the kernel is older than 5.0: datagrams come one by one then.
pub fn join_received(socket: BorrowedFd<'_>) -> io::Result<()> {
    sys::set_option(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}
