//! Blocks of a few sizes that are used again and again.
//!
//! A block is free when its count is one; then safe code may write to it. Blocks that a link or another Worker still holds when the
//! ring lets go of them wait in a line, which is looked at from its old end when a block is needed: others keep packets for about as
//! long as the ring does, so the oldest come free first.

use std::{collections::VecDeque, sync::Arc};

use crate::stream::payload::Payload;

/// Block sizes. Steps of a quarter kilobyte where video packets are, powers of two where audio is; the last holds what an Ethernet
/// frame can.
const SIZES: [usize; 7] = [128, 256, 512, 768, 1024, 1280, 1536];
/// Blocks waiting for others to let go. More are dropped, which costs an allocation later.
pub(super) const LENT_MAX: usize = 1024;

/// How many places a shelf may have for each block on it: less waste is left, so that what comes and goes doesn't allocate.
const SPARSE: usize = 8;

/// One of the block sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(usize);

impl Class {
    pub(super) fn size(self) -> usize {
        SIZES[self.0]
    }
}

/// The smallest class that holds `len` bytes.
pub(super) fn class_for(len: usize) -> Option<Class> {
    SIZES.iter().position(|&size| len <= size).map(Class)
}

/// The blocks that no packet is in.
#[derive(Debug, Default)]
pub(super) struct BlockPool {
    free: [Shelf; SIZES.len()],
    lent: VecDeque<Arc<[u8]>>,
    /// Bytes of the blocks on the shelves and in the line.
    bytes: usize,
    allocations: u64,
}

#[derive(Debug, Default)]
struct Shelf {
    blocks: Vec<Arc<[u8]>>,
    /// The fewest blocks that lay here since the last trim: so many were of no use.
    idle: usize,
}

impl BlockPool {
    /// Copies `bytes` into a free block of `class` and takes it out of the pool; `None` if there is no free one.
    pub(super) fn fill(&mut self, class: Class, bytes: &[u8]) -> Option<Payload> {
        self.reclaim();
        let shelf = &mut self.free[class.0];
        let mut block = shelf.blocks.pop()?;
        shelf.idle = shelf.idle.min(shelf.blocks.len());
        self.bytes -= block.len();
        // Only unshared blocks come on a shelf, and nobody can share one there.
        Arc::get_mut(&mut block)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Payload::front_of(block, bytes.len()))
    }

    /// Allocates one free block.
    pub(super) fn grow(&mut self, class: Class) {
        self.allocations += 1;
        self.bytes += class.size();
        self.free[class.0].blocks.push(std::iter::repeat_n(0, class.size()).collect());
    }

    /// Takes a block of this pool back, whoever else may hold it still.
    pub(super) fn give_back(&mut self, payload: Payload) {
        let block = payload.into_block();
        self.bytes += block.len();
        self.lend_or_shelve(block);
        if self.lent.len() > LENT_MAX {
            self.discard_lent();
        }
    }

    /// Drops one block, one that others hold first; `false` if the pool is empty.
    pub(super) fn discard(&mut self) -> bool {
        if self.discard_lent() {
            return true;
        }
        let block = self.free.iter_mut().rev().find_map(|shelf| shelf.blocks.pop());
        self.free.iter_mut().for_each(|shelf| shelf.idle = shelf.idle.min(shelf.blocks.len()));
        self.bytes -= block.as_ref().map_or(0, |block| block.len());
        block.is_some()
    }

    /// Drops the blocks that nobody needed since the last call.
    pub(super) fn trim(&mut self) {
        self.reclaim();
        for shelf in &mut self.free {
            let kept = shelf.blocks.len().saturating_sub(shelf.idle);
            self.bytes -= shelf.blocks.drain(kept..).map(|block| block.len()).sum::<usize>();
            shelf.idle = kept;
            if shelf.blocks.capacity() / SPARSE > kept {
                shelf.blocks.shrink_to(kept * 2);
            }
        }
    }

    /// Bytes of all blocks that the pool knows of.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Blocks ever allocated.
    pub(super) fn allocations(&self) -> u64 {
        self.allocations
    }

    /// Shelves what came free at the old end of the line, at most a few blocks at a time so that no packet pays for many.
    fn reclaim(&mut self) {
        const STEPS: usize = 4;
        for _ in 0..STEPS {
            let Some(block) = self.lent.pop_front_if(|block| Arc::get_mut(block).is_some()) else { return };
            self.lend_or_shelve(block);
        }
    }

    fn lend_or_shelve(&mut self, mut block: Arc<[u8]>) {
        if Arc::get_mut(&mut block).is_none() {
            self.lent.push_back(block);
        } else if let Some(class) = class_for(block.len()) {
            self.free[class.0].blocks.push(block);
        }
    }

    fn discard_lent(&mut self) -> bool {
        let block = self.lent.pop_front();
        self.bytes -= block.as_ref().map_or(0, |block| block.len());
        block.is_some()
    }
}
