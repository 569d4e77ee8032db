//! The one clock that source and sink share: the wall clock, since the kernel stamps received packets with it.

use std::time::Duration;

use anyhow::Result;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// Nanoseconds since the Unix epoch: enough for 584 years.
pub(crate) fn nanos() -> Result<u64> {
    Ok(nanos_of(clock_gettime(ClockId::CLOCK_REALTIME)?))
}

/// The same of a time that the kernel gives; before the epoch there is none.
pub(crate) fn nanos_of(time: TimeSpec) -> u64 {
    u64::try_from(Duration::from(time).as_nanos()).unwrap_or(u64::MAX)
}

/// Sleeps until then. A signal may end it early, for the caller to look at the clock again.
pub(crate) fn sleep_until(nanos: u64) {
    let deadline = TimeSpec::from_duration(Duration::from_nanos(nanos));
    // An error is a signal or a time that has passed: either way there is nothing more to wait for.
    let _ = clock_nanosleep(ClockId::CLOCK_REALTIME, ClockNanosleepFlags::TIMER_ABSTIME, &deadline);
}
