//! What a Producer stream keeps for retransmission and for links: each packet's payload, copied once.
//!
//! Each packet lies in a reference-counted block of its own, of one of a few sizes, and blocks are used again once nobody else holds
//! them. Larger blocks shared by many packets would save counts, but a link or another Worker's ring that
//! keeps one packet for seconds would pin all its neighbors, and safe code could not append to a block while somebody reads it. The
//! price is the unused end of each block.
//!
//! The ring holds payloads and what a Consumer needs to make the header anew; the headers themselves are each Consumer's.

use std::time::{Duration, Instant};

use super::{payload::Payload, window::IndexWindow};
use crate::Now;
use pool::BlockPool;

mod pool;

/// Packets kept at most, mediasoup's figure: four seconds at 750 packets a second, about 6 Mbit/s.
const PACKETS_MAX: usize = 3000;
/// Consecutive indices covered at most, holes included: a power of two above the packets so that some loss doesn't shorten the ring.
const SPAN_MAX: usize = 4096;

/// How much a ring keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLimits {
    /// How long a packet can be asked for again.
    pub age: Duration,
    /// Bytes of memory for payloads, blocks kept for use again included.
    pub bytes: usize,
    /// Packets; never more than 3000 are kept.
    pub packets: usize,
}

impl RingLimits {
    /// Video: 4 s, what a viewer on a bad path may need; 4 MiB are those 4 s at 8 Mbit/s.
    pub const VIDEO: Self = Self { age: Duration::from_millis(4000), bytes: 4 << 20, packets: PACKETS_MAX };
    /// Audio: 2 s, since nobody waits longer for sound; 512 KiB hold even uncompressed stereo.
    pub const AUDIO: Self = Self { age: Duration::from_millis(2000), bytes: 512 << 10, packets: PACKETS_MAX };
}

/// What is kept beside a payload: header fields, and extension values or whatever else the Router needs as `E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredMeta<E> {
    /// RTP timestamp as the producer sent it.
    pub timestamp: u32,
    /// The marker bit.
    pub marker: bool,
    /// Values of header extensions.
    pub extensions: E,
}

/// A packet found in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<'a, E> {
    /// Its header fields.
    pub meta: StoredMeta<E>,
    /// Its bytes behind the header.
    pub payload: &'a [u8],
}

/// Why a packet was not stored. It can be forwarded all the same; it only can't be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotStored {
    /// Longer than the largest block, 1536 bytes: such a packet fits into no datagram that we send.
    TooLarge,
    /// Further behind the newest than the ring reaches.
    TooOld,
    /// There already; the first one stays, since it may have been sent.
    Duplicate,
}

/// What a ring holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStats {
    /// Packets that can be found.
    pub packets: usize,
    /// Bytes of memory for payloads: of packets, of blocks to use again, and of own blocks that others still hold.
    pub bytes: usize,
    /// Blocks ever allocated. Stands still in steady state.
    pub allocations: u64,
}

/// The payloads of one Producer stream's last packets, by index.
#[derive(Debug)]
pub struct PayloadRing<E> {
    limits: RingLimits,
    window: IndexWindow<Slot<E>>,
    pool: BlockPool,
    packets: usize,
    /// Bytes of the blocks in `window`.
    bytes: usize,
}

#[derive(Debug)]
struct Slot<E> {
    at: Instant,
    meta: StoredMeta<E>,
    payload: Payload,
    /// Whether the block came from this ring's pool and goes back there.
    own: bool,
}

impl<E: Copy> PayloadRing<E> {
    /// An empty ring; memory is allocated as packets come.
    #[must_use]
    pub fn new(limits: RingLimits) -> Self {
        let limits = RingLimits { packets: limits.packets.clamp(1, PACKETS_MAX), ..limits };
        Self { limits, window: IndexWindow::new(SPAN_MAX), pool: BlockPool::default(), packets: 0, bytes: 0 }
    }

    /// Copies a payload into the ring.
    ///
    /// # Errors
    /// Why it was not stored.
    pub fn store(
        &mut self,
        now: Now,
        index: u64,
        meta: StoredMeta<E>,
        payload: &[u8],
    ) -> Result<(), NotStored> {
        let class = pool::class_for(payload.len()).filter(|class| class.size() <= self.limits.bytes);
        let class = class.ok_or(NotStored::TooLarge)?;
        self.make_room(now, index, 0)?;
        loop {
            if let Some(payload) = self.pool.fill(class, payload) {
                return self.insert(index, Slot { at: now.at, meta, payload, own: true });
            }
            if self.held() + class.size() <= self.limits.bytes {
                self.pool.grow(class);
            } else if !self.pool.discard() {
                self.evict_oldest();
            }
        }
    }

    /// Takes a payload in that another ring copied, without copying it.
    ///
    /// # Errors
    /// Why it was not stored.
    pub fn store_shared(
        &mut self,
        now: Now,
        index: u64,
        meta: StoredMeta<E>,
        payload: Payload,
    ) -> Result<(), NotStored> {
        if payload.capacity() > self.limits.bytes {
            return Err(NotStored::TooLarge);
        }
        self.make_room(now, index, payload.capacity())?;
        self.insert(index, Slot { at: now.at, meta, payload, own: false })
    }

    /// The packet at `index`, unless it never came or is older than the ring's age.
    #[must_use]
    pub fn get(&self, now: Now, index: u64) -> Option<Stored<'_, E>> {
        let slot = self.window.get(index).filter(|slot| !self.expired(now, slot))?;
        Some(Stored { meta: slot.meta, payload: &slot.payload })
    }

    /// A share of the payload at `index`, for a link.
    #[must_use]
    pub fn payload(&self, index: u64) -> Option<Payload> {
        self.window.get(index).map(|slot| slot.payload.clone())
    }

    /// Lets go of what expired and of blocks that were of no use since the last call. To be called about every ten seconds, so that
    /// a stream that became slow or quiet gives its memory back; more often, and the memory of regular key frames goes too.
    pub fn trim(&mut self, now: Now) {
        self.evict_expired(now);
        self.window.trim();
        self.pool.trim();
    }

    /// Forgets all packets and gives all memory back.
    pub fn clear(&mut self) {
        *self = Self::new(self.limits);
    }

    /// What the ring holds.
    #[must_use]
    pub fn stats(&self) -> RingStats {
        RingStats { packets: self.packets, bytes: self.held(), allocations: self.pool.allocations() }
    }

    /// Evicts until `index` and `bytes` more fit within the limits, or says why they can't.
    fn make_room(&mut self, now: Now, index: u64, bytes: usize) -> Result<(), NotStored> {
        if self.window.get(index).is_some() {
            return Err(NotStored::Duplicate);
        }
        self.evict_expired(now);
        while self.packets >= self.limits.packets || self.window.overflows(index) {
            self.evict_oldest();
        }
        while self.held() + bytes > self.limits.bytes {
            if !self.pool.discard() {
                self.evict_oldest();
            }
        }
        Ok(())
    }

    fn insert(&mut self, index: u64, slot: Slot<E>) -> Result<(), NotStored> {
        let capacity = slot.payload.capacity();
        match self.window.insert(index, slot) {
            Ok(()) => {
                self.packets += 1;
                self.bytes += capacity;
                Ok(())
            }
            Err(slot) => {
                self.recycle(slot);
                Err(NotStored::TooOld)
            }
        }
    }

    fn evict_expired(&mut self, now: Now) {
        while self.window.oldest().is_some_and(|slot| self.expired(now, slot)) {
            self.evict_oldest();
        }
    }

    fn evict_oldest(&mut self) {
        if let Some(slot) = self.window.pop_oldest() {
            self.packets -= 1;
            self.bytes -= slot.payload.capacity();
            self.recycle(slot);
        }
    }

    fn recycle(&mut self, slot: Slot<E>) {
        if slot.own {
            self.pool.give_back(slot.payload);
        }
    }

    fn expired(&self, now: Now, slot: &Slot<E>) -> bool {
        now.at.saturating_duration_since(slot.at) > self.limits.age
    }

    fn held(&self) -> usize {
        self.bytes + self.pool.bytes()
    }
}

#[cfg(test)]
mod tests;
