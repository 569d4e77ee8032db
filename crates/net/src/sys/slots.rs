//! `recvmmsg` into slots of one buffer.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::{fmt, io, ptr};

use super::{Control, INT_SIZE, empty_header, empty_iovec};
use crate::address::{LEN_MAX, Name};
use crate::receiver::SLOT_LEN;

/// What the kernel said of one message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotMessage {
    /// `None` if it isn't an address.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) len: usize,
    /// Of the datagrams in it, if it was joined.
    pub(crate) segment_size: Option<usize>,
}

pub(crate) struct Slots {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    /// How many of the headers the last call has filled.
    filled: usize,
}

// SAFETY: the pointers inside are written and used within one call that has `&mut self`; nobody reads them in between.
unsafe impl Send for Slots {}

impl Slots {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            headers: (0..count).map(|_| empty_header()).collect(),
            iovecs: vec![empty_iovec(); count].into_boxed_slice(),
            names: vec![Name::EMPTY; count].into_boxed_slice(),
            controls: vec![Control::EMPTY; count].into_boxed_slice(),
            filled: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.headers.len()
    }

    /// Fills slots from the start of the buffer; how many.
    pub(crate) fn receive(&mut self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
        self.filled = 0;
        let count = self.len().min(buffer.len() / SLOT_LEN);
        if count == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        for (index, slot) in buffer.chunks_exact_mut(SLOT_LEN).take(count).enumerate() {
            self.iovecs[index] = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() };
            let header = &mut self.headers[index].msg_hdr;
            header.msg_name = self.names[index].bytes.as_mut_ptr().cast();
            header.msg_namelen = LEN_MAX as u32;
            header.msg_iov = &raw mut self.iovecs[index];
            header.msg_iovlen = 1;
            header.msg_control = self.controls[index].0.as_mut_ptr().cast();
            // Each time: the kernel leaves the length of what it wrote here, and next time it would write no more than that.
            header.msg_controllen = size_of::<Control>() as _;
            header.msg_flags = 0;
        }
        // SAFETY: the descriptor is open while it is borrowed. The first `count` headers point to as many iovecs, names and
        // controls of ours, which are pinned in boxes and borrowed by `&mut self`, and the iovecs to disjoint parts of `buffer`,
        // which is borrowed mutably; all lengths are those of the memory pointed to.
        let result = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                count as u32,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        self.filled = result.unsigned_abs() as usize;
        Ok(self.filled)
    }

    /// The message in that slot.
    pub(crate) fn message(&self, index: usize) -> Option<SlotMessage> {
        let header = self.headers[..self.filled].get(index)?;
        let name = Name { len: header.msg_hdr.msg_namelen, ..self.names[index] };
        Some(SlotMessage {
            remote: name.address(),
            len: header.msg_len as usize,
            segment_size: segment_size(&header.msg_hdr),
        })
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").field("len", &self.len()).field("filled", &self.filled).finish()
    }
}

/// The value of the UDP_GRO control message (udp(7)), an `int`.
fn segment_size(header: &libc::msghdr) -> Option<usize> {
    // SAFETY: the kernel has filled this header; `msg_control` and `msg_controllen` describe bytes of ours that are still there
    // (the caller borrows their owner), so the macros walk whole control messages only. The value is read unaligned.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(header);
        while let Some(message) = control.as_ref() {
            let whole = message.cmsg_len >= libc::CMSG_LEN(INT_SIZE) as _;
            if message.cmsg_level == libc::SOL_UDP && message.cmsg_type == libc::UDP_GRO && whole {
                let value = libc::CMSG_DATA(control).cast::<libc::c_int>().read_unaligned();
                return usize::try_from(value).ok();
            }
            control = libc::CMSG_NXTHDR(header, control);
        }
    }
    None
}
