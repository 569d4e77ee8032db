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

/// Whether datagrams may be cut into fragments on their way where they are too long for it.
///
/// Without (IP_PMTUDISC_DO), the kernel need not draw an identification for each message from a table that it shares with everybody,
/// which is a tenth of what a message of one packet costs; RFC 6864 §4.1 asks for none where there are no fragments. What is too long
/// for a path that is known to be narrow is refused then ([`Refusal::TooLong`](crate::Refusal::TooLong)). With (IP_PMTUDISC_WANT), which
/// is how a socket begins, the kernel cuts it apart. IPv6 has an identification in fragments only: there this changes nothing.
///
/// # Errors
/// Where the kernel knows no such option.
pub fn let_fragment(socket: BorrowedFd<'_>, may: bool) -> io::Result<()> {
    let value = if may { libc::IP_PMTUDISC_WANT } else { libc::IP_PMTUDISC_DO };
    sys::set_option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, value)
}
