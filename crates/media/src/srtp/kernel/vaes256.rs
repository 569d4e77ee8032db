//! Vectors of two blocks: AVX2 with VAES and VPCLMULQDQ, for CPUs that have no AVX-512.
//!
//! There are no masks, so the ends of a text go through general registers, in two or three accesses that overlap.

use super::packet::packet_kernel;

mod vector;

packet_kernel!("avx2,vaes,vpclmulqdq", 1 2 3 4 5 6 7 8 9);
