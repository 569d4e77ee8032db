//! From the streams to the send buffer: for each stream that has packets, for each row, for each packet.
//!
//! So each Consumer's packets of a turn lie together and leave as few runs. The work can stop anywhere, when the buffer is full,
//! and go on after a flush.

use std::ops::Range;

use slotmap::SlotMap;

use super::outlet::{Media, Outlet, Written};
use super::{Router, StreamKey, TransportKey};
use crate::Now;
use crate::buffer::{Batch, Run, SendBuffer};
use crate::consumer::Row;
use crate::producer::{Arrival, Carried, Formats, ProducerStream};
use crate::stream::PayloadRing;
use crate::transport::Transport;
use crate::worker::Turn;
use crate::worker::resends::ResendJob;
use crate::worker::turn::Effects;

/// Packets behind a late beginning that are made up for: a key frame's. One that is larger is better asked for anew.
const LATE_MAX: u64 = 256;

/// What forwarding has for the driver.
#[derive(Debug)]
pub(crate) enum MediaOutput {
    /// Packets to send.
    Run(Run),
    /// No room for the next packet.
    Full,
}

/// Where forwarding stands in a stream.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    row: usize,
    /// Among this turn's packets.
    arrival: usize,
    /// Packets that came before the one that the row has begun with, though they belong behind it.
    late: Range<u64>,
    run: Option<Run>,
}

/// Where a stream's packets are to be had.
struct Source<'a> {
    now: Now,
    arrivals: &'a [Arrival],
    batch: &'a Batch,
    ring: &'a PayloadRing<Carried>,
    formats: &'a Formats,
}

impl Router {
    /// The next run of what is to be forwarded; `None` when all is done.
    pub(crate) fn poll_media(
        &mut self,
        turn: &mut Turn,
        batch: &Batch,
        out: &mut SendBuffer,
    ) -> Option<MediaOutput> {
        while let Some(key) = self.dirty.last().copied() {
            if let Some(output) = self.poll_stream(turn, key, batch, out) {
                return Some(output);
            }
            self.dirty.pop();
            self.cursor = Cursor::default();
            if let Some(stream) = self.streams.get_mut(key) {
                stream.keep(turn.now, batch);
            }
        }
        None
    }

    /// Lets go of all that waits to be polled.
    pub(crate) fn abandon(&mut self) {
        self.cursor = Cursor::default();
        for key in self.dirty.drain(..) {
            if let Some(stream) = self.streams.get_mut(key) {
                stream.arrivals.clear();
            }
        }
    }

    fn poll_stream(
        &mut self,
        turn: &mut Turn,
        key: StreamKey,
        batch: &Batch,
        out: &mut SendBuffer,
    ) -> Option<MediaOutput> {
        let ProducerStream { rows, arrivals, ring, formats, .. } = self.streams.get_mut(key)?;
        let now = turn.now;
        let source = Source { now, arrivals, batch, ring, formats };
        while let Some(row) = rows.get_mut(self.cursor.row) {
            if let Some(mut outlet) = Outlet::open(now, row, &mut self.transports)
                && let Some(output) = self.cursor.forward(turn, &mut outlet, &source, out)
            {
                return Some(output);
            }
            let run = self.cursor.next_row();
            warm(rows, self.cursor.row, arrivals.len(), &self.transports);
            if let Some(run) = run {
                return Some(MediaOutput::Run(run));
            }
        }
        None
    }

    /// Sends a packet again, as a run of its own; `None` if it is gone, or its receiver can't be sent to.
    pub(crate) fn resend(
        &mut self,
        effects: &mut Effects,
        now: Now,
        job: &ResendJob,
        out: &mut SendBuffer,
    ) -> Option<MediaOutput> {
        let consumer = self.transports.get(job.transport)?.consumers.get(&job.consumer)?;
        let (_, place) = consumer.rows_at().find(|(stream, _)| *stream == job.stream)?;
        let ProducerStream { rows, ring, numbering, formats, .. } = self.streams.get_mut(job.stream)?;
        let row = rows.get_mut(place)?;
        if *numbering != job.numbering {
            return None;
        }
        let mut outlet = Outlet::open(now, row, &mut self.transports)?;
        let index = job.resend.in_index;
        let Some(stored) = ring.get(now, index) else {
            outlet.discard_resend();
            return None;
        };
        let media = Media::of_ring(index, stored);
        if out.room() < media.room() {
            return Some(MediaOutput::Full);
        }
        let written = outlet.resend(&media, &job.resend, out)?;
        if outlet.is_traced() {
            outlet.trace(effects, formats, &media, &written, out);
        }
        Some(MediaOutput::Run(outlet.run(&written)))
    }
}

/// While a row is at work, what the next two need comes near: rows and Transports of a large Router are too many for the caches to
/// hold until the next frame.
fn warm(rows: &[Row], at: usize, packets: usize, transports: &SlotMap<TransportKey, Box<Transport>>) {
    if let Some(row) = rows.get(at + 2) {
        row.warm();
    }
    if let Some(row) = rows.get(at + 1) {
        // It came near when this was said of the row before.
        row.send.warm(packets);
        if let Some(transport) = transports.get(row.transport) {
            transport.warm();
        }
    }
}

impl Cursor {
    /// The packets of one row, until a run is whole or the buffer full.
    fn forward(
        &mut self,
        turn: &mut Turn,
        outlet: &mut Outlet<'_>,
        source: &Source<'_>,
        out: &mut SendBuffer,
    ) -> Option<MediaOutput> {
        while let Some(media) = self.next(source) {
            if out.room() < media.room() {
                return Some(self.run.take().map_or(MediaOutput::Full, MediaOutput::Run));
            }
            let waited = outlet.row.is_waiting();
            let written = outlet.forward(&media, out);
            self.step(source, waited && !outlet.row.is_waiting());
            let Some(written) = written else { continue };
            if outlet.is_traced() {
                outlet.trace(&mut turn.effects, source.formats, &media, &written, out);
            }
            if let Some(run) = self.gather(outlet, &written) {
                return Some(MediaOutput::Run(run));
            }
        }
        None
    }

    /// The packet that is next: of those that came too early for the row, then of this turn's.
    fn next<'a>(&mut self, source: &Source<'a>) -> Option<Media<'a>> {
        while let Some(index) = self.late.clone().next() {
            if let Some(media) = source.earlier(index, self.arrival) {
                return Some(media);
            }
            self.late.start += 1;
        }
        source.arrivals.get(self.arrival).map(|arrival| source.media(arrival))
    }

    /// Goes on behind the packet that was next. The row may have begun with it.
    fn step(&mut self, source: &Source<'_>, begun: bool) {
        if !self.late.is_empty() {
            self.late.start += 1;
            return;
        }
        if let Some(arrival) = source.arrivals.get(self.arrival).filter(|_| begun) {
            let first = arrival.index + 1;
            self.late = first..first + arrival.behind.min(LATE_MAX);
        }
        self.arrival += 1;
    }

    /// Joins a packet to the run; gives back what is whole with that.
    fn gather(&mut self, outlet: &Outlet<'_>, packet: &Written) -> Option<Run> {
        let joined = self.run.as_mut().is_some_and(|run| run.extend(packet.start, packet.len));
        if joined { None } else { self.run.replace(outlet.run(packet)) }
    }

    /// A row of the stream goes, of so many. Its place is taken by another, whose place by another again: gives those in order. The
    /// last of these places is then free for the last row.
    pub(super) fn close_up(&mut self, index: usize, rows: usize) -> [Option<usize>; 2] {
        if index == self.row {
            *self = Self { row: index, ..Self::default() };
        }
        if index >= self.row {
            return [None; 2];
        }
        // The last of those that had everything, and the one that is at work.
        let (last, at_work) = (self.row - 1, self.row);
        self.row = last;
        [Some(last).filter(|last| *last != index), Some(at_work).filter(|at_work| *at_work < rows)]
    }

    /// A row has come as the last of so many, and is to be in front: which ones change places for that, in order.
    pub(super) fn make_room(&mut self, rows: usize) -> [Option<(usize, usize)>; 2] {
        let (at_work, last) = (self.row, rows.saturating_sub(1));
        if at_work > last {
            return [None; 2];
        }
        self.row += 1;
        // The first of those that wait goes to the end, the one at work to its place.
        let first = Some((at_work + 1, last)).filter(|(first, last)| first < last);
        [first, Some((at_work, at_work + 1)).filter(|_| at_work < last)]
    }

    fn next_row(&mut self) -> Option<Run> {
        let run = self.run.take();
        *self = Self { row: self.row + 1, ..Self::default() };
        run
    }
}

impl<'a> Source<'a> {
    fn media(&self, arrival: &Arrival) -> Media<'a> {
        Media::of_turn(arrival, self.batch.bytes(arrival.range()))
    }

    /// A packet that came before this turn's packet at `arrival`. Those behind it come to the row by themselves, and no index is
    /// used twice.
    fn earlier(&self, index: u64, arrival: usize) -> Option<Media<'a>> {
        if let Some(stored) = self.ring.get(self.now, index) {
            return Some(Media::of_ring(index, stored));
        }
        let passed = self.arrivals.iter().take(arrival);
        passed.rev().find(|arrival| arrival.index == index).map(|arrival| self.media(arrival))
    }
}
