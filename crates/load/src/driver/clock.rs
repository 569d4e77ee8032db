//! The two clocks, read by whoever drives machines, and by nobody else.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use mafalda_media::Now;

#[expect(clippy::disallowed_methods, reason = "drivers read the clocks")]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

/// Both clocks together.
pub(crate) fn now() -> Now {
    #[expect(clippy::disallowed_methods, reason = "drivers read the clocks")]
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { at: clock(), unix }
}
