//! Packets of somebody who wants to do harm: junk, and what was overheard, cut off, changed or sent again.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng};

use crate::Packet;

/// Longest junk: longer than a network's usual packet.
const JUNK_MAX: usize = 1600;

/// Makes them, by a seed.
#[derive(Debug)]
pub struct Hostility {
    rng: StdRng,
}

impl Hostility {
    /// Chance comes from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    /// Some packets, each in the name of one that was overheard: from where that came to where it went. One of them is that one
    /// itself, again; not if it is a connectivity check, which is as good the second time (RFC 8445 has no replay protection).
    pub fn packets(&mut self, overheard: &VecDeque<Packet>) -> Vec<Packet> {
        if overheard.is_empty() {
            return Vec::new();
        }
        let original = overheard[self.rng.random_range(0..overheard.len())].clone();
        let mut variants = vec![self.junk(), self.truncated(&original.bytes), self.changed(&original.bytes)];
        if original.bytes.first().is_some_and(|first| *first >= 20) {
            variants.push(original.bytes.clone());
        }
        variants.into_iter().map(|bytes| Packet { bytes, ..original }).collect()
    }

    /// Random bytes; the first one is most often that of a protocol that is listened for (RFC 7983).
    pub fn junk(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; self.rng.random_range(0..JUNK_MAX)];
        self.rng.fill_bytes(&mut bytes);
        if let Some(first) = bytes.first_mut() {
            let kinds = [0..=3, 20..=63, 128..=191, 0..=255];
            let kind = kinds[self.rng.random_range(0..kinds.len())].clone();
            *first = self.rng.random_range(kind);
        }
        bytes
    }

    fn truncated(&mut self, bytes: &[u8]) -> Vec<u8> {
        bytes[..self.rng.random_range(0..bytes.len().max(1))].to_vec()
    }

    /// Changes some bytes, of the first ones more often than of others.
    fn changed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let len = bytes.len();
        for _ in 0..self.rng.random_range(1..4) {
            let within = if self.rng.random_bool(0.5) { len.min(24) } else { len };
            if let Some(byte) = bytes.get_mut(self.rng.random_range(0..within.max(1))) {
                *byte ^= self.rng.random_range(1..=255_u8);
            }
        }
        bytes
    }
}
