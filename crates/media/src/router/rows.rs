//! Rows that leave their table, also while forwarding stands in the middle of it.

use super::egress::Cursor;
use super::{Router, StreamKey};
use crate::consumer::{Place, Row};
use crate::producer::ProducerStream;

impl Router {
    /// Takes a row out. Others change their places so that the table has no hole, and each of them still gets what came in this turn
    /// once: those that had it stay in front of the cursor, those that will have it behind.
    pub(super) fn take_row(&mut self, key: StreamKey, index: usize) -> Option<Row> {
        let rows = self.streams.get(key).map(|stream| stream.rows.len()).filter(|rows| index < *rows)?;
        let mut hole = index;
        if self.dirty.last() == Some(&key) {
            for next in self.cursor.close_up(index, rows).into_iter().flatten() {
                self.swap_rows(key, hole, next);
                hole = next;
            }
        }
        let row = self.streams.get_mut(key)?.rows.swap_remove(hole);
        self.note_place(key, hole);
        Some(row)
    }

    /// A row has joined a table as its last. While forwarding stands in the middle of that table it goes in front of the cursor: it may
    /// have been there before, and had what came in this turn.
    pub(super) fn pass_over_last_row(&mut self, key: StreamKey) {
        let Some(rows) = self.streams.get(key).map(|stream| stream.rows.len()) else { return };
        if self.dirty.last() == Some(&key) {
            for (one, other) in self.cursor.make_room(rows).into_iter().flatten() {
                self.swap_rows(key, one, other);
                self.note_place(key, other);
            }
        }
    }

    /// Forgets packets of streams that are gone.
    pub(super) fn forget_streams(&mut self) {
        let at_work = self.dirty.last().copied();
        self.dirty.retain(|key| self.streams.contains_key(*key));
        if self.dirty.last().copied() != at_work {
            self.cursor = Cursor::default();
        }
    }

    fn swap_rows(&mut self, key: StreamKey, hole: usize, next: usize) {
        let Some(ProducerStream { rows, .. }) = self.streams.get_mut(key) else { return };
        rows.swap(hole, next);
        self.note_place(key, hole);
    }

    /// Tells a Consumer where its row is, if there is one.
    fn note_place(&mut self, key: StreamKey, index: usize) {
        let Some(row) = self.streams.get(key).and_then(|stream| stream.rows.get(index)) else { return };
        let consumers = self.transports.get_mut(row.transport).map(|transport| &mut transport.consumers);
        let consumer = consumers.and_then(|consumers| consumers.get_mut(&row.consumer));
        let places = consumer.map(|consumer| consumer.places.as_mut_slice()).unwrap_or_default();
        if let Some(place) = places.get_mut(row.encoding) {
            *place = Place::At { stream: key, index };
        }
    }
}
