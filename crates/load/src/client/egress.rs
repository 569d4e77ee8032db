//! The way out of a client: header, protection, its pretended network, the wire.

use std::net::SocketAddr;

use mafalda_media::Now;
use mafalda_media::rtp::extension::{ExtensionMask, Label, OutgoingExtensions, abs_send_time};
use mafalda_media::rtp::{HEADER_LEN_MAX, OutgoingHeader, write_header};
use mafalda_media::srtp::PlainRtp;

use super::protection::Sender;
use crate::link::{Fate, Link};
use crate::wire::Wire;

/// A packet in the pieces that it is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outbound<'a> {
    pub(super) header: OutgoingHeader,
    /// SRTP's index, whose low half the header has.
    pub(super) index: u64,
    pub(super) mid: Option<&'a Label>,
    pub(super) mask: ExtensionMask,
    /// In front of the payload: an RTX packet's original number.
    pub(super) prefix: &'a [u8],
    pub(super) payload: &'a [u8],
}

/// Where a client's packets leave in one turn.
pub(super) struct Egress<'a> {
    pub(super) now: Now,
    pub(super) remote: SocketAddr,
    pub(super) link: &'a mut Link,
    pub(super) wire: &'a mut Wire,
}

impl Egress<'_> {
    /// Sends what `write` writes, if it writes anything.
    pub(super) fn send(&mut self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> bool {
        let Some(len) = write(self.wire.spare()) else { return false };
        let Some(packet) = self.wire.spare().get(..len) else { return false };
        if self.link.offer(self.now.at, packet) == Fate::Passes {
            self.wire.commit(self.remote, len);
        }
        true
    }

    /// Sends a media packet, under the next transport-wide number if the mask has one; its length, `None` if there is no room.
    pub(super) fn send_rtp(
        &mut self,
        sender: &Sender,
        transport_cc: &mut u16,
        packet: &Outbound<'_>,
    ) -> Option<usize> {
        let mut head = [0; HEADER_LEN_MAX];
        let extensions = OutgoingExtensions {
            mid: packet.mid,
            abs_send_time: Some(abs_send_time(self.now)),
            transport_cc: Some(*transport_cc),
            ..OutgoingExtensions::default()
        };
        let head_len = write_header(&mut head, &packet.header, &extensions, packet.mask).ok()?;
        let plain =
            PlainRtp { header: head.get(..head_len)?, prefix: packet.prefix, payload: packet.payload };
        let mut len = None;
        self.send(|out| {
            len = sender.protect_rtp(packet.index, plain, out);
            len
        });
        *transport_cc = transport_cc.wrapping_add(u16::from(len.is_some()));
        len
    }

    /// Sends a compound RTCP packet.
    pub(super) fn send_rtcp(&mut self, sender: &mut Sender, plain: &[u8]) -> bool {
        !plain.is_empty() && self.send(|out| sender.protect_rtcp(plain, out))
    }

    /// Lets go what was late.
    pub(super) fn release_late(&mut self) {
        while let Some(packet) = self.link.take(self.now.at) {
            self.wire.push(self.remote, &packet);
        }
    }
}
