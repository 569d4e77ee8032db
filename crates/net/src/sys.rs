//! The system calls, over arrays of the kernel's structures that live as long as their owner.
//!
//! The arrays hold no pointer between two calls that anyone reads: each call writes all pointers that it passes, from slices
//! that it borrows for its own length.

mod messages;
mod slots;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

pub(crate) use messages::Messages;
pub(crate) use slots::Slots;

/// Room for one control message with an `int` in it: `CMSG_SPACE(sizeof(int))` is 24 on 64-bit machines. Aligned as `cmsghdr` is.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
struct Control([u8; 32]);

impl Control {
    const EMPTY: Self = Self([0; 32]);
}

const INT_SIZE: u32 = size_of::<libc::c_int>() as u32;
const U16_SIZE: u32 = size_of::<u16>() as u32;

const _: () = {
    // SAFETY: these two only compute with sizes.
    unsafe {
        assert!(libc::CMSG_SPACE(INT_SIZE) as usize <= size_of::<Control>());
        assert!(libc::CMSG_SPACE(U16_SIZE) as usize <= size_of::<Control>());
    }
    assert!(align_of::<Control>() >= align_of::<libc::cmsghdr>());
};

/// Sets a socket option that is an `int`.
pub(crate) fn set_option(socket: BorrowedFd<'_>, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open for as long as it is borrowed; pointer and length describe `value`, which outlives the call.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), INT_SIZE) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A header that describes nothing.
fn empty_header() -> libc::mmsghdr {
    // SAFETY: all-zero bytes are a valid value: null pointers, zero lengths and integers.
    unsafe { std::mem::zeroed() }
}

/// An iovec of no bytes.
const fn empty_iovec() -> libc::iovec {
    libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }
}
