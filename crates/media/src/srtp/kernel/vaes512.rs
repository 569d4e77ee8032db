//! Vectors of four blocks: AVX-512 with VAES and VPCLMULQDQ.
//!
//! Masked loads and stores take a text of any length, and its own start at any length, without a copy over the stack.

use super::packet::packet_kernel;

mod vector;

packet_kernel!("avx512f,avx512bw,bmi2,vaes,vpclmulqdq", 1 2 3 4 5);
