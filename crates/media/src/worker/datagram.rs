//! A batch of datagrams on its way in: told apart by their first byte, led to their Transport by their tuple.
//!
//! From an unknown tuple may come a STUN check, and the first packet of a PlainTransport's peer that is to name itself; the
//! socket says whose it is, or on a WebRtcServer's socket the username in the check.

use mafalda_api::waist::PACKET_BYTES_MAX;

use super::paths::SocketOwner;
use super::turn::Wrap;
use super::{DropReason, TransportAt, Worker};
use crate::buffer::{Batch, Datagram};
use crate::demux::Kind;
use crate::transport::{Channel, Way};
use crate::{Tuple, stun};

impl Worker {
    pub(super) fn on_batch(&mut self, mut batch: Batch) {
        for index in batch.window() {
            let Some(datagram) = batch.datagram(index) else { continue };
            if let Err(reason) = self.on_datagram(&mut batch, datagram) {
                self.turn.effects.drops.count(reason);
            }
        }
        self.batch = Some(batch);
    }

    fn on_datagram(&mut self, batch: &mut Batch, datagram: Datagram) -> Result<(), DropReason> {
        let bytes = batch.bytes(datagram.range());
        let kind = Kind::of(bytes).map_err(|_| DropReason::UnknownProtocol)?;
        if kind == Kind::Stun {
            return self.on_stun(bytes, datagram.tuple);
        }
        let at = match self.paths.by_tuple(datagram.tuple) {
            Some(at) => at,
            None => {
                let channel = Channel::of(kind).ok_or(DropReason::UnknownTuple)?;
                self.newcomer(datagram.tuple, channel).ok_or(DropReason::UnknownTuple)?
            }
        };
        let len = bytes.len();
        if kind != Kind::Dtls && len > PACKET_BYTES_MAX {
            return Err(DropReason::TooLarge);
        }
        let (router, turn, _) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        transport.way.check(datagram.tuple, kind)?;
        transport.traffic.received.count(turn.now, len);
        match kind {
            Kind::Rtcp => {
                router.on_rtcp(turn, at.transport, batch.bytes_mut(datagram.range()))?;
                self.learn(datagram.tuple, Channel::Rtcp, at);
                Ok(())
            }
            Kind::Rtp => self.on_rtp(batch, datagram, at),
            Kind::Dtls | Kind::Stun if transport.protection.is_ready() => {
                self.on_dtls(bytes, datagram.tuple, at)
            }
            Kind::Dtls | Kind::Stun => self.on_handshake(bytes, datagram.tuple, at),
        }
    }

    /// A step of a handshake, now or when it is its turn.
    fn on_handshake(&mut self, datagram: &[u8], tuple: Tuple, at: TransportAt) -> Result<(), DropReason> {
        if self.handshakes.may_step() {
            return self.on_dtls(datagram, tuple, at);
        }
        self.handshakes.push(tuple, datagram).then_some(()).ok_or(DropReason::HandshakesFull)
    }

    /// Makes the steps that have waited, as many as an input may make.
    pub(super) fn go_on_with_handshakes(&mut self) {
        while let Some((tuple, datagram)) = self.handshakes.pop() {
            let at = self.paths.by_tuple(tuple).ok_or(DropReason::UnknownTuple);
            if let Err(reason) = at.and_then(|at| self.on_dtls(&datagram, tuple, at)) {
                self.turn.effects.drops.count(reason);
            }
        }
    }

    fn on_rtp(&mut self, batch: &mut Batch, datagram: Datagram, at: TransportAt) -> Result<(), DropReason> {
        let (router, turn, _) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        let opened = transport.unprotect_rtp(batch.bytes_mut(datagram.range()))?;
        if transport.way.selected() != Some(datagram.tuple) {
            match &mut transport.way {
                // The peer uses another way than the one it nominated, and this is certainly the peer.
                Way::WebRtc(webrtc) => {
                    if webrtc.ice.on_media(datagram.tuple) {
                        turn.effects.mark_moved(at);
                    }
                }
                Way::Pipe(_) => {}
                Way::Plain(_) => self.learn(datagram.tuple, Channel::Rtp, at),
                Way::Direct(_) => {}
            }
        }
        let (router, turn, _) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        router.on_rtp(turn, at.transport, batch, datagram, opened)
    }

    fn on_dtls(&mut self, datagram: &[u8], tuple: Tuple, at: TransportAt) -> Result<(), DropReason> {
        let (router, turn, paths) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        let open = transport.protection.is_ready();
        let webrtc = transport.as_webrtc_mut().ok_or(DropReason::UnexpectedDtls)?;
        let handled = webrtc.handshake.handle(turn.now, datagram);
        // The answer goes to where the peer speaks from. Later on its media say better where it is.
        if handled.is_ok() && !open {
            webrtc.ice.on_media(tuple);
        }
        let settled = transport.settle(turn, paths, at);
        router.on_settled(turn, at.transport, settled);
        handled
    }

    fn on_stun(&mut self, datagram: &[u8], tuple: Tuple) -> Result<(), DropReason> {
        let message = stun::Message::parse(datagram).map_err(|_| DropReason::MalformedStun)?;
        let at = self.whom_is_checked(tuple, &message)?;
        let (router, turn, _) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        transport.traffic.received.count(turn.now, datagram.len());
        let mut answer = [0; stun::RESPONSE_LEN_MAX];
        let webrtc = transport.as_webrtc_mut().ok_or(DropReason::UnansweredStun)?;
        let len = webrtc.ice.handle(turn.now, tuple, &message, &mut answer);
        let len = len.map_err(|_| DropReason::UnansweredStun)?;
        turn.effects.send(Wrap::Plain(tuple), &answer[..len]);
        if webrtc.ice.is_valid(tuple) {
            self.adopt(tuple.socket, at);
        }
        let (router, turn, paths) = self.split(at).ok_or(DropReason::UnknownTuple)?;
        let transport = router.transports.get_mut(at.transport).ok_or(DropReason::UnknownTuple)?;
        let settled = transport.settle(turn, paths, at);
        router.on_settled(turn, at.transport, settled);
        Ok(())
    }

    /// A path that has passed a check stays the Transport's: who knows another's password can't take it away by a check that
    /// pretends to come from there.
    fn whom_is_checked(&self, tuple: Tuple, message: &stun::Message<'_>) -> Result<TransportAt, DropReason> {
        if let Some(at) = self.paths.by_tuple(tuple) {
            return Ok(at);
        }
        match self.paths.owner(tuple.socket).ok_or(DropReason::UnknownTuple)? {
            SocketOwner::Transport(at) => Ok(at),
            SocketOwner::Server(id) => {
                let name = message.local_username_fragment();
                name.and_then(|name| self.by_name(id, name)).ok_or(DropReason::UnknownUsername)
            }
        }
    }
}
