//! CPU time of processes, and what else goes on on the machine.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Pins all threads that a process has now, and so those that they will start.
pub(crate) fn pin(pid: u32, cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    for task in tasks(pid)? {
        sched_setaffinity(Pid::from_raw(task.cast_signed()), &set)
            .with_context(|| format!("can't pin {pid} to CPU {cpu}"))?;
    }
    Ok(())
}

/// What all threads of a process have run so far (`/proc/PID/task/TID/schedstat`, first figure, in nanoseconds).
pub(crate) fn run_time(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for task in tasks(pid)? {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{task}/schedstat"))?;
        total += text.split_whitespace().next().context("schedstat is empty")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

fn tasks(pid: u32) -> Result<Vec<u32>> {
    let folder = fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("no process {pid}"))?;
    let names = folder.map(|entry| Ok(entry?.file_name().to_string_lossy().parse()?));
    names.collect()
}

/// Jiffies of a CPU since the system's start: all, and those that the host took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ticks {
    total: u64,
    steal: u64,
}

impl Ticks {
    /// Those of all CPUs (proc(5), `/proc/stat`).
    pub(crate) fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        Self::parse(&text).context("/proc/stat has no line of all CPUs")
    }

    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line.split_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
        Some(Self { total: ticks.iter().sum(), steal: *ticks.get(7)? })
    }

    /// Percent of the time since then that the host took.
    pub(crate) fn steal_since(self, earlier: Self) -> f64 {
        let total = self.total.saturating_sub(earlier.total).max(1);
        self.steal.saturating_sub(earlier.steal) as f64 * 100.0 / total as f64
    }
}

/// The load average of the last minute.
pub(crate) fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split_whitespace().next().context("loadavg is empty")?.parse()?)
}

/// What the CPU calls itself.
pub(crate) fn model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_a_share_of_the_time_between() {
        let earlier = Ticks::parse("cpu  1 0 0 9 0 0 0 0 0 0\ncpu0 1").unwrap();
        let later = Ticks::parse("cpu  41 0 0 59 0 0 0 10 0 0\n").unwrap();
        assert!((later.steal_since(earlier) - 10.0).abs() < 1e-9);
        assert!(Ticks::parse("intr 1").is_none());
    }

    #[test]
    fn this_process_runs() {
        let own = std::process::id();
        assert!(run_time(own).unwrap() > Duration::ZERO);
        assert!(run_time(u32::MAX).is_err());
    }
}
