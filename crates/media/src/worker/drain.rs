//! What is to be done after an input: control packets first, then events, replies, and the sockets that go, then what is sent again, and
//! media last: they take longest, and what comes up while the driver rests from them must not wait for their end.

use super::turn::Wrap;
use super::{Output, TransportAt, Turn, Worker};
use crate::buffer::{Batch, Run, SendBuffer, Sender};
use crate::router::MediaOutput;

impl Worker {
    pub(super) fn poll_output(&mut self, out: &mut SendBuffer) -> Option<Output> {
        self.poll_control(out)
            .or_else(|| self.poll_news())
            .or_else(|| self.poll_resends(out))
            .or_else(|| self.poll_media(out))
            .or_else(|| self.turn.effects.take_missed().map(|events| Output::Missed { events }))
    }

    /// What the application hears of, and the sockets that go.
    fn poll_news(&mut self) -> Option<Output> {
        self.tell_moves();
        self.tell_scores();
        if let Some(event) = self.turn.effects.events.pop_front() {
            self.turn.log.event(&event);
            return Some(Output::Event(event));
        }
        if let Some((request, result)) = self.replies.pop_front() {
            return Some(Output::Reply { request, result });
        }
        if let Some(message) = self.turn.effects.next_message() {
            return Some(Output::Message(message));
        }
        self.turn.effects.closing.pop().map(Output::CloseSocket)
    }

    /// Lets go of packets that nobody polled: their bytes are those of a batch that is about to be replaced.
    pub(super) fn abandon(&mut self) {
        self.turn.resends.take_run();
        while let Some(key) = self.turn.effects.dirty.pop() {
            if let Some(router) = self.routers.get_mut(key) {
                router.abandon();
            }
        }
    }

    fn poll_control(&mut self, out: &mut SendBuffer) -> Option<Output> {
        while let Some((wrap, packet)) = self.turn.effects.control.front() {
            if out.room() < packet.len() + crate::srtp::OVERHEAD_MAX {
                return Some(Output::Flush);
            }
            let written = match wrap {
                Wrap::Plain(tuple) => {
                    out.spare()[..packet.len()].copy_from_slice(packet);
                    Some((tuple, packet.len(), self.paths.by_tuple(tuple)))
                }
                Wrap::Rtcp(router, transport) => self
                    .routers
                    .get_mut(router)
                    .and_then(|router| router.transports.get_mut(transport))
                    .and_then(|transport| transport.protect_rtcp(packet, out.spare()))
                    .map(|(tuple, len)| (tuple, len, Some(TransportAt { router, transport }))),
            };
            self.turn.effects.control.pop();
            if let Some((tuple, len, at)) = written {
                self.count_sent(at, len);
                return Some(Output::Send(Run::new(tuple, Sender::Control, out.commit(len), len)));
            }
        }
        None
    }

    fn count_sent(&mut self, at: Option<TransportAt>, len: usize) {
        let transport = at.and_then(|at| self.routers.get_mut(at.router)?.transports.get_mut(at.transport));
        if let Some(transport) = transport {
            transport.traffic.sent.count(self.turn.now, len);
        }
    }

    /// What was asked for again, in as few runs as it makes: it is late already.
    fn poll_resends(&mut self, out: &mut SendBuffer) -> Option<Output> {
        let Turn { resends, effects, now, .. } = &mut self.turn;
        while let Some(job) = resends.front() {
            let router = self.routers.get_mut(job.router);
            let run = match router.and_then(|router| router.resend(effects, *now, &job, out)) {
                Some(MediaOutput::Run(packet)) => resends.gather(packet),
                Some(MediaOutput::Full) => {
                    return Some(resends.take_run().map_or(Output::Flush, Output::Send));
                }
                None => None,
            };
            resends.pop();
            if let Some(run) = run {
                return Some(Output::Send(run));
            }
        }
        resends.take_run().map(Output::Send)
    }

    fn poll_media(&mut self, out: &mut SendBuffer) -> Option<Output> {
        let empty = Batch::default();
        while let Some(key) = self.turn.effects.dirty.last().copied() {
            let batch = self.batch.as_ref().unwrap_or(&empty);
            let router = self.routers.get_mut(key);
            match router.and_then(|router| router.poll_media(&mut self.turn, batch, out)) {
                Some(MediaOutput::Run(run)) => return Some(Output::Send(run)),
                Some(MediaOutput::Full) => return Some(Output::Flush),
                None => drop(self.turn.effects.dirty.pop()),
            }
        }
        None
    }

    fn tell_moves(&mut self) {
        while let Some(at) = self.turn.effects.moved.pop() {
            let Some((router, turn, paths)) = self.split(at) else { continue };
            if let Some(transport) = router.transports.get_mut(at.transport) {
                transport.settle(turn, paths, at);
            }
        }
    }

    fn tell_scores(&mut self) {
        while let Some(key) = self.turn.effects.scored.pop() {
            if let Some(router) = self.routers.get_mut(key) {
                router.tell_scores(&mut self.turn);
            }
        }
    }
}
