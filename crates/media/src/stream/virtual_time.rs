//! Virtual time for the tests of this module: one real instant per process, and arithmetic from there.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use crate::Now;

#[expect(clippy::disallowed_methods, reason = "virtual time needs some instant to count from")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The moment `ms` milliseconds after the start of virtual time.
pub(in crate::stream) fn at_ms(ms: u64) -> Now {
    let start = Now { at: *START, unix: Duration::from_secs(1_700_000_000) };
    start.after(Duration::from_millis(ms))
}
