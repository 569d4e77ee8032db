//! `sendmmsg` with a segment size for each message.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::{fmt, io, ptr};

use super::{Control, U16_SIZE, empty_header, empty_iovec};
use crate::address::Name;
use crate::outbox::Message;

pub(crate) struct Messages {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
}

// SAFETY: the pointers inside are written and used within one call that has `&mut self`; nobody reads them in between.
unsafe impl Send for Messages {}

impl Messages {
    pub(crate) fn new(count: usize) -> Self {
        Self {
            headers: (0..count).map(|_| empty_header()).collect(),
            iovecs: vec![empty_iovec(); count].into_boxed_slice(),
            names: vec![Name::EMPTY; count].into_boxed_slice(),
            controls: vec![Control::EMPTY; count].into_boxed_slice(),
        }
    }

    /// One call with as many messages as there is room for; how many the kernel took.
    pub(crate) fn send<'a>(
        &mut self,
        socket: BorrowedFd<'_>,
        messages: impl Iterator<Item = Message<'a>>,
    ) -> io::Result<usize> {
        let mut count = 0;
        for (index, message) in messages.take(self.headers.len()).enumerate() {
            self.set(index, &message);
            count = index + 1;
        }
        if count == 0 {
            return Ok(0);
        }
        // SAFETY: the descriptor is open while it is borrowed. The first `count` headers point to names, iovecs and controls of
        // ours, in boxes that `&mut self` borrows, and the iovecs to slices that outlive `'a`, hence this call; all lengths are
        // those of the memory pointed to, and the kernel only reads there.
        let result = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                count as u32,
                (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
            )
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result.unsigned_abs() as usize) }
    }

    fn set(&mut self, index: usize, message: &Message<'_>) {
        self.names[index] = Name::of(message.remote);
        self.iovecs[index] =
            libc::iovec { iov_base: message.bytes.as_ptr().cast_mut().cast(), iov_len: message.bytes.len() };
        let header = &mut self.headers[index].msg_hdr;
        header.msg_name = self.names[index].bytes.as_mut_ptr().cast();
        header.msg_namelen = self.names[index].len;
        header.msg_iov = &raw mut self.iovecs[index];
        header.msg_iovlen = 1;
        header.msg_control = ptr::null_mut();
        header.msg_controllen = 0;
        if message.is_segmented() {
            header.msg_control = self.controls[index].0.as_mut_ptr().cast();
            header.msg_controllen = write_segment_size(&mut self.controls[index], message.segment_size) as _;
        }
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("len", &self.headers.len()).finish()
    }
}

/// The UDP_SEGMENT control message (udp(7)), a `u16`; how many bytes count.
fn write_segment_size(control: &mut Control, size: u16) -> usize {
    let header = libc::cmsghdr {
        // SAFETY: computes with sizes only.
        cmsg_len: unsafe { libc::CMSG_LEN(U16_SIZE) } as _,
        cmsg_level: libc::SOL_UDP,
        cmsg_type: libc::UDP_SEGMENT,
    };
    // SAFETY: `Control` is aligned as `cmsghdr` is and larger than the space of a `u16` (asserted above); the data of the first
    // control message lies right behind its header, and is written unaligned.
    unsafe {
        let at = control.0.as_mut_ptr().cast::<libc::cmsghdr>();
        at.write(header);
        libc::CMSG_DATA(at).cast::<u16>().write_unaligned(size);
        libc::CMSG_SPACE(U16_SIZE) as usize
    }
}
