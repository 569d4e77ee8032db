//! What a thread has taken of the machine, as the system counts it.

use mafalda_api::waist::{ErrorCode, Failure};
use mafalda_api::worker::WorkerResourceUsage;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};

/// The usage of the thread that asks.
pub(super) fn of_this_thread() -> Result<WorkerResourceUsage, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)
        .map_err(|error| Failure::new(ErrorCode::System, format!("the system doesn't tell: {error}")))?;
    Ok(WorkerResourceUsage {
        ru_utime: ms(usage.user_time()),
        ru_stime: ms(usage.system_time()),
        ru_minflt: count(usage.minor_page_faults()),
        ru_majflt: count(usage.major_page_faults()),
        ru_inblock: count(usage.block_reads()),
        ru_oublock: count(usage.block_writes()),
        ru_nvcsw: count(usage.voluntary_context_switches()),
        ru_nivcsw: count(usage.involuntary_context_switches()),
    })
}

fn ms(time: TimeVal) -> u64 {
    u64::try_from(time.num_milliseconds()).unwrap_or_default()
}

/// The system counts in signed words, from 0 upwards.
fn count(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn work_and_waits_of_this_thread_are_counted_and_no_others() {
        let busy = std::thread::spawn(|| {
            let begin = of_this_thread().unwrap();
            let mut sum = 0_u64;
            loop {
                (0..1_000_000).for_each(|number| sum = black_box(sum.wrapping_add(number)));
                let now = of_this_thread().unwrap();
                if now.ru_utime + now.ru_stime >= begin.ru_utime + begin.ru_stime + 50 {
                    return now;
                }
            }
        });
        let here = of_this_thread().unwrap();
        let there = busy.join().unwrap();
        let after = of_this_thread().unwrap();
        assert!(there.ru_utime >= 25, "{there:?}");
        assert!(after.ru_utime + after.ru_stime < here.ru_utime + here.ru_stime + 25, "{after:?}");
        assert!(after.ru_nvcsw > here.ru_nvcsw, "it has waited for the other");
    }
}
