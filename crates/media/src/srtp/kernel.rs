//! The AES-GCM kernels that are our own, and which kernel this CPU is to use.
//!
//! They differ from `ring` in what they take, not in what they compute: text in two pieces, read where it lies and written where
//! it leaves, and packets of a few blocks as often as of a hundred. What is unsafe in this crate is in here: a few accesses to
//! memory by vector, and the calls that need instructions which not every CPU has.
//!
//! Not here: how a nonce is made, and what of a packet is authenticated.

use std::fmt;

#[cfg(target_arch = "x86_64")]
mod ghash;
#[cfg(target_arch = "x86_64")]
mod key;
#[cfg(target_arch = "x86_64")]
mod packet;
#[cfg(target_arch = "x86_64")]
mod partial;
#[cfg(target_arch = "x86_64")]
mod vaes;
#[cfg(target_arch = "x86_64")]
mod vaes256;
#[cfg(target_arch = "x86_64")]
mod vaes512;

#[cfg(target_arch = "x86_64")]
pub(super) use vaes::{VaesKey, Width};

/// A way to compute AES-GCM that this CPU has.
///
/// All give the same bytes; they differ in speed. Contexts choose the [best](Self::best) by themselves; to name one is for
/// tests and measurements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GcmKernel(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    #[cfg(target_arch = "x86_64")]
    Vaes(Width),
    Ring,
}

impl GcmKernel {
    /// Those that this CPU has, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let own = Width::available().map(Kind::Vaes);
        #[cfg(not(target_arch = "x86_64"))]
        let own = std::iter::empty();
        own.chain([Kind::Ring]).map(Self)
    }

    /// The fastest of them.
    #[must_use]
    pub fn best() -> Self {
        Self::available().next().unwrap_or(Self(Kind::Ring))
    }

    /// What it is called in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Vaes(width) => width.name(),
            Kind::Ring => "ring",
        }
    }
}

impl fmt::Debug for GcmKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
