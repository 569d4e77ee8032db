//! AES-GCM over a whole packet, written once for vectors of any width.
//!
//! Cipher and hash are woven into each other, since they keep different units of the CPU busy: while one group of text is
//! encrypted, the group before is hashed. Each block of a group is multiplied with its own power of H, and the sum reduced
//! once. The last group takes the block of lengths along; in the cipher, that lane computes the mask of the tag. So a packet
//! of up to 15 blocks, header and all, is one pass and one reduction.

/// Defines `seal` and `open`. Expects a module `vector` beside it; `features` are those of the widest instructions in it. The
/// list counts the vectors that the last group can have.
macro_rules! packet_kernel {
    ($features:literal, $($count:literal)*) => {
        use crate::srtp::kernel::ghash;
        use crate::srtp::kernel::key::{POWERS, VectorKey};
        use vector::{LANES, Vector, WIDTH};

        /// Blocks of a full group.
        const GROUP_BLOCKS: usize = 16;

        /// Vectors of a full group.
        const GROUP: usize = GROUP_BLOCKS / LANES;

        /// Bytes of a full group.
        const GROUP_LEN: usize = GROUP * WIDTH;

        /// The round of the cipher beside which hashing begins: so that the first rounds, which wait for nothing, come before
        /// the first products, which wait for the ciphertext of the group before. Measured for 1,200 bytes: from the first round
        /// on costs 2 % more, from the fourth 7 %.
        const HASH_FROM_ROUND: usize = 3;

        /// Beside how many rounds a group is hashed; AES-128 has seven left.
        const PARTS: usize = 4;

        // Where a function is called from, as a parameter of its type. So each instance is called once, which is when the
        // compiler inlines it whatever its size; as calls they pass their vectors through memory, and a packet of 1,200 bytes
        // took 184 ns instead of 132. (`#[inline(always)]` can't stand beside `#[target_feature]`.)
        const SEAL: u8 = 0;
        const SEAL_END: u8 = 1;
        const OPEN: u8 = 2;
        const OPEN_END: u8 = 3;

        /// Encrypts both pieces, the first at most 32 bytes, one after the other into `out` of their length. Returns the tag.
        #[target_feature(enable = $features)]
        pub(super) fn seal<const ROUNDS: usize>(
            key: &VectorKey,
            nonce: [u8; 12],
            aad: &[u8],
            [prefix, payload]: [&[u8]; 2],
            out: &mut [u8],
        ) -> u128 {
            let mut counters = Counters::new(nonce);
            let mut hash = Hash::new::<ROUNDS, SEAL>(key, aad, out.len());
            let (mut first, mut rest) =
                if prefix.is_empty() { take(payload) } else { take_joined(prefix, payload) };
            let mut sealed = None;
            let (groups, tail) = out.as_chunks_mut::<GROUP_LEN>();
            if let Some((group, groups)) = groups.split_first_mut() {
                let (text, after) = rest.split_at(GROUP_LEN - WIDTH);
                let text = gather::<ROUNDS, GROUP, SEAL>(first, text);
                (first, rest) = take(after);
                let mut ciphertext = xor_all(encrypt::<ROUNDS, GROUP, SEAL>(key, counters.next()), text);
                scatter(ciphertext, group);
                for group in groups {
                    let (text, after) = rest.split_at(GROUP_LEN - WIDTH);
                    let text = gather::<ROUNDS, GROUP, SEAL>(first, text);
                    (first, rest) = take(after);
                    let stream = encrypt_and_hash::<ROUNDS, GROUP, SEAL>(key, counters.next(), &mut hash, ciphertext);
                    ciphertext = xor_all(stream, text);
                    scatter(ciphertext, group);
                }
                sealed = Some(ciphertext);
            }
            let end = End { first, rest, sealed };
            match tail.len().div_ceil(16) / LANES + 1 {
                $($count => seal_end::<ROUNDS, $count>(key, &counters, hash, end, tail),)*
                _ => unreachable!("what is shorter than a group fits into the vectors of one and the lengths"),
            }
        }

        /// Decrypts in place. Returns the tag that the text should have.
        #[target_feature(enable = $features)]
        pub(super) fn open<const ROUNDS: usize>(
            key: &VectorKey,
            nonce: [u8; 12],
            aad: &[u8],
            text: &mut [u8],
        ) -> u128 {
            let mut counters = Counters::new(nonce);
            let mut hash = Hash::new::<ROUNDS, OPEN>(key, aad, text.len());
            let (groups, tail) = text.as_chunks_mut::<GROUP_LEN>();
            for group in groups {
                let (first, rest) = take(group);
                let ciphertext = gather::<ROUNDS, GROUP, OPEN>(first, rest);
                let stream = encrypt_and_hash::<ROUNDS, GROUP, OPEN>(key, counters.next(), &mut hash, ciphertext);
                scatter(xor_all(stream, ciphertext), group);
            }
            match tail.len().div_ceil(16) / LANES + 1 {
                $($count => open_end::<ROUNDS, $count>(key, &counters, hash, tail),)*
                _ => unreachable!("what is shorter than a group fits into the vectors of one and the lengths"),
            }
        }

        /// What is left to do when no full group is left.
        struct End<'a> {
            first: Vector,
            rest: &'a [u8],
            sealed: Option<[Vector; GROUP]>,
        }

        /// Seals the last group, text and lengths in `N` vectors.
        #[inline]
        #[target_feature(enable = $features)]
        fn seal_end<const ROUNDS: usize, const N: usize>(
            key: &VectorKey,
            counters: &Counters,
            mut hash: Hash,
            end: End<'_>,
            out: &mut [u8],
        ) -> u128 {
            let blocks = out.len().div_ceil(16);
            let stream = match end.sealed {
                Some(group) => {
                    encrypt_and_hash::<ROUNDS, N, SEAL_END>(key, counters.last(blocks), &mut hash, group)
                }
                None => encrypt::<ROUNDS, N, SEAL_END>(key, counters.last(blocks)),
            };
            let mut ciphertext = xor_all(stream, gather::<ROUNDS, N, SEAL_END>(end.first, end.rest));
            for at in 0..N {
                ciphertext[at] = vector::keep(ciphertext[at], out.len().saturating_sub(at * WIDTH));
            }
            scatter(ciphertext, out);
            hash.finish::<ROUNDS, N, SEAL_END>(key, ciphertext, stream, blocks)
        }

        /// Opens the last group.
        #[inline]
        #[target_feature(enable = $features)]
        fn open_end<const ROUNDS: usize, const N: usize>(
            key: &VectorKey,
            counters: &Counters,
            hash: Hash,
            text: &mut [u8],
        ) -> u128 {
            let blocks = text.len().div_ceil(16);
            let stream = encrypt::<ROUNDS, N, OPEN_END>(key, counters.last(blocks));
            let (first, rest) = take(text);
            let ciphertext = gather::<ROUNDS, N, OPEN_END>(first, rest);
            scatter(xor_all(stream, ciphertext), text);
            hash.finish::<ROUNDS, N, OPEN_END>(key, ciphertext, stream, blocks)
        }

        /// Encrypts counter blocks.
        #[inline]
        #[target_feature(enable = $features)]
        fn encrypt<const ROUNDS: usize, const N: usize, const SITE: u8>(key: &VectorKey, counters: [Vector; N]) -> [Vector; N] {
            let mut state = first_round(key, counters);
            for round in 1..ROUNDS {
                state = next_round(key, round, state);
            }
            last_round::<ROUNDS, N>(key, state)
        }

        /// Encrypts counter blocks, and hashes a full group meanwhile.
        #[inline]
        #[target_feature(enable = $features)]
        fn encrypt_and_hash<const ROUNDS: usize, const N: usize, const SITE: u8>(
            key: &VectorKey,
            counters: [Vector; N],
            hash: &mut Hash,
            group: [Vector; GROUP],
        ) -> [Vector; N] {
            let mut state = first_round(key, counters);
            for round in 1..HASH_FROM_ROUND {
                state = next_round(key, round, state);
            }
            let mut products = Products::none();
            for part in 0..PARTS {
                state = next_round(key, HASH_FROM_ROUND + part, state);
                for at in part * (GROUP / PARTS)..(part + 1) * (GROUP / PARTS) {
                    let numbers = vector::reverse(vector::in_order(group[at]));
                    let numbers = if at == 0 { vector::xor(numbers, hash.so_far) } else { numbers };
                    products = products.and(numbers, powers(key, GROUP_BLOCKS - at * LANES));
                }
            }
            for round in HASH_FROM_ROUND + PARTS..ROUNDS {
                state = next_round(key, round, state);
            }
            hash.so_far = products.total();
            last_round::<ROUNDS, N>(key, state)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn first_round<const N: usize>(key: &VectorKey, mut state: [Vector; N]) -> [Vector; N] {
            let round_key = vector::broadcast(key.round_key(0));
            for at in 0..N {
                state[at] = vector::xor(vector::reverse(state[at]), round_key);
            }
            state
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn next_round<const N: usize>(key: &VectorKey, round: usize, mut state: [Vector; N]) -> [Vector; N] {
            let round_key = vector::broadcast(key.round_key(round));
            for at in 0..N {
                state[at] = vector::in_order(vector::round(state[at], round_key));
            }
            state
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn last_round<const ROUNDS: usize, const N: usize>(
            key: &VectorKey,
            mut state: [Vector; N],
        ) -> [Vector; N] {
            let round_key = vector::broadcast(key.round_key(ROUNDS));
            for at in 0..N {
                state[at] = vector::last_round(state[at], round_key);
            }
            state
        }

        /// The first vector of a text, with zeros behind a short one, and what follows.
        ///
        /// What follows may be empty but still points behind the text: an access of which a mask leaves nothing is slow where
        /// no memory is mapped.
        #[inline]
        #[target_feature(enable = $features)]
        fn take(text: &[u8]) -> (Vector, &[u8]) {
            let (start, rest) = text.split_at(text.len().min(WIDTH));
            (vector::load_up_to(start), rest)
        }

        /// The same of a text in two pieces, the first no longer than a vector.
        #[inline]
        #[target_feature(enable = $features)]
        fn take_joined<'a>(prefix: &[u8], payload: &'a [u8]) -> (Vector, &'a [u8]) {
            let (start, rest) = payload.split_at(payload.len().min(WIDTH - prefix.len()));
            (vector::load_joined(prefix, start), rest)
        }

        /// A vector and what follows it as `N` vectors, zeros behind the text.
        #[inline]
        #[target_feature(enable = $features)]
        fn gather<const ROUNDS: usize, const N: usize, const SITE: u8>(first: Vector, mut rest: &[u8]) -> [Vector; N] {
            let mut vectors = [first; N];
            for at in 1..N {
                (vectors[at], rest) = take(rest);
            }
            vectors
        }

        /// Writes as much of `N` vectors as `out` has room for.
        #[inline]
        #[target_feature(enable = $features)]
        fn scatter<const N: usize>(vectors: [Vector; N], mut out: &mut [u8]) {
            for at in 0..N {
                let (start, rest) = out.split_at_mut(out.len().min(WIDTH));
                vector::store_up_to(start, vectors[at]);
                out = rest;
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn xor_all<const N: usize>(mut a: [Vector; N], b: [Vector; N]) -> [Vector; N] {
            for at in 0..N {
                a[at] = vector::xor(a[at], b[at]);
            }
            a
        }

        /// The counter blocks of a packet, as numbers.
        struct Counters {
            /// The next vector.
            next: Vector,
            /// The block that masks the tag, in every lane (NIST SP 800-38D §7.1): the one before the first of text.
            tag: Vector,
        }

        impl Counters {
            #[inline]
            #[target_feature(enable = $features)]
            fn new(nonce: [u8; 12]) -> Self {
                let mut block = [0; 16];
                block[..12].copy_from_slice(&nonce);
                block[15] = 1;
                let tag = vector::broadcast(ghash::from_number(u128::from_be_bytes(block)));
                Self { next: vector::add(later(tag, 1), vector::ascending()), tag }
            }

            /// Those of the next group.
            #[inline]
            #[target_feature(enable = $features)]
            fn next(&mut self) -> [Vector; GROUP] {
                let vectors = self.following();
                self.next = later(self.next, GROUP_BLOCKS);
                vectors
            }

            /// Those of the last group: behind so many blocks of text, the one that masks the tag.
            #[inline]
            #[target_feature(enable = $features)]
            fn last<const N: usize>(&self, blocks: usize) -> [Vector; N] {
                let mut vectors = self.following();
                for at in 0..N {
                    vectors[at] = vector::replace(vectors[at], self.tag, blocks, at);
                }
                vectors
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn following<const N: usize>(&self) -> [Vector; N] {
                let mut vectors = [self.next; N];
                for at in 1..N {
                    vectors[at] = later(self.next, at * LANES);
                }
                vectors
            }
        }

        /// Counters so many blocks on.
        #[inline]
        #[target_feature(enable = $features)]
        fn later(counters: Vector, blocks: usize) -> Vector {
            vector::add(counters, vector::broadcast(ghash::from_number(blocks as u128)))
        }

        /// GHASH (NIST SP 800-38D §6.4), between groups.
        #[derive(Clone, Copy)]
        struct Hash {
            /// The hash so far, to be added to the next block; in the first lane alone.
            so_far: Vector,
            /// Products of associated data that wait for those of the last group.
            pending: Products,
            /// The last block, as a number.
            lengths: u128,
        }

        impl Hash {
            /// Takes the associated data in. When all of the packet fits into one group, its reduction is left to the end.
            #[inline]
            #[target_feature(enable = $features)]
            fn new<const ROUNDS: usize, const SITE: u8>(key: &VectorKey, aad: &[u8], text_len: usize) -> Self {
                let lengths = (aad.len() as u128) << 67 | (text_len as u128) << 3;
                let (so_far, pending) = (vector::zero(), Products::none());
                let (blocks, behind) = (aad.len().div_ceil(16), text_len.div_ceil(16) + 1);
                if aad.len() > WIDTH {
                    return Self { so_far: digest(key, aad), pending, lengths };
                }
                let numbers = vector::reverse(vector::load_up_to(aad));
                if blocks + behind <= POWERS {
                    let pending = Products::of(numbers, powers(key, blocks + behind));
                    return Self { so_far, pending, lengths };
                }
                let products = Products::of(numbers, powers(key, blocks.max(1)));
                Self { so_far: products.total(), pending, lengths }
            }

            /// Takes the last group in, zeros behind its text, and gives the tag. `stream` has the mask at the place of the
            /// lengths.
            #[inline]
            #[target_feature(enable = $features)]
            fn finish<const ROUNDS: usize, const N: usize, const SITE: u8>(
                self,
                key: &VectorKey,
                ciphertext: [Vector; N],
                stream: [Vector; N],
                blocks: usize,
            ) -> u128 {
                let lengths = vector::broadcast(ghash::from_number(self.lengths));
                let (mut products, mut mask) = (self.pending, vector::zero());
                for at in 0..N {
                    let numbers = vector::replace(vector::reverse(ciphertext[at]), lengths, blocks, at);
                    let numbers = if at == 0 { vector::xor(numbers, self.so_far) } else { numbers };
                    products = products.and(numbers, powers(key, blocks + 1 - at * LANES));
                    mask = vector::replace(mask, stream[at], blocks, at);
                }
                let tag = vector::xor(vector::reverse(products.reduce()), mask);
                ghash::to_number(vector::sum(tag))
            }
        }

        /// The hash of many bytes, in groups of their own.
        #[target_feature(enable = $features)]
        fn digest(key: &VectorKey, bytes: &[u8]) -> Vector {
            let mut so_far = vector::zero();
            for group in bytes.chunks(GROUP_LEN) {
                let mut products = Products::none();
                let mut blocks = group.len().div_ceil(16);
                for part in group.chunks(WIDTH) {
                    let numbers = vector::xor(vector::reverse(vector::load_up_to(part)), so_far);
                    products = products.and(numbers, powers(key, blocks));
                    so_far = vector::zero();
                    blocks = blocks.saturating_sub(LANES);
                }
                so_far = products.total();
            }
            so_far
        }

        /// Powers of H, the highest in the first lane.
        #[inline]
        #[target_feature(enable = $features)]
        fn powers(key: &VectorKey, highest: usize) -> Vector {
            vector::load_powers(key.powers(highest))
        }

        /// Sums of products, not reduced yet.
        #[derive(Clone, Copy)]
        struct Products {
            low: Vector,
            middle: Vector,
            high: Vector,
        }

        impl Products {
            #[inline]
            #[target_feature(enable = $features)]
            fn none() -> Self {
                Self { low: vector::zero(), middle: vector::zero(), high: vector::zero() }
            }

            /// Each lane's product.
            #[inline]
            #[target_feature(enable = $features)]
            fn of(a: Vector, b: Vector) -> Self {
                let middle = vector::xor(vector::multiply::<0x01>(a, b), vector::multiply::<0x10>(a, b));
                Self { low: vector::multiply::<0x00>(a, b), middle, high: vector::multiply::<0x11>(a, b) }
            }

            /// The same and each lane's product of these.
            #[inline]
            #[target_feature(enable = $features)]
            fn and(self, a: Vector, b: Vector) -> Self {
                let more = Self::of(a, b);
                Self {
                    low: vector::xor(self.low, more.low),
                    middle: vector::xor(self.middle, more.middle),
                    high: vector::xor(self.high, more.high),
                }
            }

            /// One number per lane, whose sum is the hash; as [`ghash::multiply`] does it.
            #[inline]
            #[target_feature(enable = $features)]
            fn reduce(self) -> Vector {
                let middle = vector::xor(self.middle, fold(self.low));
                vector::xor(self.high, fold(middle))
            }

            /// The hash, in the first lane.
            #[inline]
            #[target_feature(enable = $features)]
            fn total(self) -> Vector {
                vector::extend(vector::sum(self.reduce()))
            }
        }

        /// What a part of a product adds to the part 64 bits above it.
        #[inline]
        #[target_feature(enable = $features)]
        fn fold(part: Vector) -> Vector {
            let polynomial = vector::broadcast(ghash::polynomial());
            vector::xor(vector::swap(part), vector::multiply::<0x01>(polynomial, part))
        }
    };
}

pub(super) use packet_kernel;
