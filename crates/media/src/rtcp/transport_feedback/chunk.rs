//! Packet status chunks (draft §3.1.1–3.1.4): 16 bits that say of one or more packets whether they arrived, and how many
//! bytes their deltas take.
//!
//! A packet's symbol is that number of bytes: 0 not received, 1 small delta, 2 large delta; 3 is reserved.

/// Symbol of a packet that has not arrived.
pub(super) const LOST: u16 = 0;
/// Symbol of a delta in 8 bits without sign.
pub(super) const SMALL: u16 = 1;
/// Symbol of a delta in 16 bits with sign.
pub(super) const LARGE: u16 = 2;

/// Symbols in a vector of one bit each: lost or small.
const ONE_BIT_LEN: u16 = 14;
/// Symbols in a vector of two bits each.
const TWO_BIT_LEN: u16 = 7;
/// Most repetitions of a symbol in a run-length chunk: 13 bits.
const RUN_LEN_MAX: u16 = 0x1fff;

/// A chunk as it lies in the packet. The default is an empty run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chunk(pub(super) u16);

impl Chunk {
    const fn is_vector(self) -> bool {
        self.0 & 0x8000 != 0
    }

    const fn has_two_bits(self) -> bool {
        self.0 & 0x4000 != 0
    }

    /// How many packets it speaks of.
    pub(super) const fn len(self) -> u16 {
        match (self.is_vector(), self.has_two_bits()) {
            (false, _) => self.0 & RUN_LEN_MAX,
            (true, false) => ONE_BIT_LEN,
            (true, true) => TWO_BIT_LEN,
        }
    }

    /// The symbol of packet `index`, which is below [`Chunk::len`].
    pub(super) const fn symbol(self, index: u16) -> u16 {
        match (self.is_vector(), self.has_two_bits()) {
            (false, _) => self.0 >> 13 & 3,
            (true, false) => self.0 >> (ONE_BIT_LEN - 1 - index) & 1,
            (true, true) => self.0 >> ((TWO_BIT_LEN - 1 - index) * 2) & 3,
        }
    }

    /// Bytes of the deltas of its first `count` packets; `None` when one of their symbols is reserved.
    pub(super) fn deltas_len(self, count: u16) -> Option<usize> {
        if self.is_vector() {
            return (0..count).try_fold(0, |len, index| match self.symbol(index) {
                symbol @ LOST..=LARGE => Some(len + usize::from(symbol)),
                _ => None,
            });
        }
        let symbol = self.symbol(0);
        (symbol <= LARGE || count == 0).then_some(usize::from(symbol) * usize::from(count))
    }
}

/// Symbols that wait to become chunks. Greedy: it fills a run, or a vector of small symbols, for as long as it can.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chunker {
    /// Two bits for each of the first 14 symbols, the first one lowest.
    symbols: u32,
    /// Number of symbols; beyond 14 only when they are all the same.
    len: u16,
    /// Whether two of them differ.
    mixed: bool,
    /// Whether one of them is large.
    large: bool,
}

impl Chunker {
    /// Adds `count` times `symbol`; chunks that are complete go to `emit`.
    pub(super) fn push(&mut self, symbol: u16, mut count: u16, mut emit: impl FnMut(Chunk)) {
        while count > 0 {
            let fitting = self.room(symbol).min(count);
            if fitting == 0 {
                emit(self.take_full());
            } else {
                self.add(symbol, fitting);
                count -= fitting;
            }
        }
    }

    /// The last chunk, if anything waits: what waits always fits into one. Its surplus symbols are lost ones, beyond the
    /// packet's count and so never read.
    pub(super) fn finish(self) -> Option<Chunk> {
        match (self.len, self.mixed, self.large) {
            (0, ..) => None,
            (_, false, _) => Some(self.run()),
            (_, true, false) => Some(self.one_bit_vector()),
            (_, true, true) => Some(self.two_bit_vector()),
        }
    }

    fn symbol(self, index: u16) -> u16 {
        (self.symbols >> (index * 2) & 3) as u16
    }

    /// How often `symbol` can be added before a chunk must go.
    fn room(self, symbol: u16) -> u16 {
        if self.len == 0 || !self.mixed && self.symbol(0) == symbol {
            return RUN_LEN_MAX - self.len;
        }
        let vector_len = if self.large || symbol == LARGE { TWO_BIT_LEN } else { ONE_BIT_LEN };
        vector_len.saturating_sub(self.len)
    }

    fn add(&mut self, symbol: u16, count: u16) {
        self.mixed |= self.len != 0 && self.symbol(0) != symbol;
        self.large |= symbol == LARGE;
        for index in self.len..(self.len + count).min(ONE_BIT_LEN) {
            self.symbols |= u32::from(symbol) << (index * 2);
        }
        self.len += count;
    }

    /// Takes a chunk off because a symbol didn't fit: then there are seven symbols at least.
    fn take_full(&mut self) -> Chunk {
        if !self.mixed {
            return std::mem::take(self).run();
        }
        if self.len == ONE_BIT_LEN {
            return std::mem::take(self).one_bit_vector();
        }
        // Seven symbols with large ones, or up to 13 small ones before a large one: the first seven go.
        let chunk = self.two_bit_vector();
        let kept = *self;
        *self = Self::default();
        for index in TWO_BIT_LEN..kept.len {
            self.add(kept.symbol(index), 1);
        }
        chunk
    }

    fn run(self) -> Chunk {
        Chunk(self.symbol(0) << 13 | self.len)
    }

    fn one_bit_vector(self) -> Chunk {
        Chunk((0..ONE_BIT_LEN).fold(0b10, |bits, index| bits << 1 | self.symbol(index)))
    }

    fn two_bit_vector(self) -> Chunk {
        Chunk((0..TWO_BIT_LEN).fold(0b11, |bits, index| bits << 2 | self.symbol(index)))
    }
}
