//! What the machine is, and what else it did.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

/// Run time of a process: of all its threads, in seconds.
pub(super) fn run_time(process: u32) -> Result<f64> {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{process}/task")).context("the subject has gone")? {
        // A thread may have ended meanwhile; its time is then no longer to be had.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanos += first_number(&text).context("schedstat has another form")?;
    }
    Ok(nanos as f64 / 1e9)
}

/// Run time of one thread, in seconds.
pub(super) fn thread_run_time(thread: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{thread}/schedstat")).context("the thread has gone")?;
    Ok(first_number(&text).context("schedstat has another form")? as f64 / 1e9)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Time that all CPUs spent, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticks {
    total: u64,
    steal: u64,
}

impl Ticks {
    pub(super) fn now() -> Result<Self> {
        Self::parse(&fs::read_to_string("/proc/stat")?).context("/proc/stat has another form")
    }

    /// The first line: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)).
    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text
            .lines()
            .next()?
            .split_whitespace()
            .skip(1)
            .take(8)
            .map_while(|word| word.parse().ok())
            .collect();
        Some(Self { total: numbers.iter().sum(), steal: *numbers.get(7)? })
    }

    /// The part that was taken by other machines since then, in percent.
    pub(super) fn steal_percent_since(self, before: Self) -> f64 {
        let total = self.total.saturating_sub(before.total).max(1);
        self.steal.saturating_sub(before.steal) as f64 * 100.0 / total as f64
    }
}

/// The load average of the last minute.
pub(super) fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    text.split(' ').next().and_then(|word| word.parse().ok()).context("/proc/loadavg has another form")
}

/// What a reader must know to compare: CPU, cores, kernel, socket buffers. Not which machine it is.
pub(super) fn describe() -> Result<BTreeMap<&'static str, String>> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let version = fs::read_to_string("/proc/version")?;
    let buffer = fs::read_to_string("/proc/sys/net/core/rmem_max")?;
    let flags = field(&info, "flags").unwrap_or_default();
    let has = |flag: &str| flags.split(' ').any(|other| other == flag);
    let vectors: Vec<&str> =
        ["vaes", "vpclmulqdq", "avx2", "avx512f", "sha_ni"].into_iter().filter(|flag| has(flag)).collect();
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    Ok(BTreeMap::from([
        ("cores", cores.to_string()),
        ("cpu", field(&info, "model name").unwrap_or("unknown").to_owned()),
        ("cpu_family", field(&info, "cpu family").unwrap_or("unknown").to_owned()),
        ("cpu_model", field(&info, "model\t").unwrap_or("unknown").to_owned()),
        ("cpu_flags", vectors.join(" ")),
        (
            "kernel",
            version.split(' ').nth(2).and_then(|text| text.split('-').next()).unwrap_or("unknown").to_owned(),
        ),
        ("rmem_max", buffer.trim().to_owned()),
    ]))
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let line = info.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_a_part_of_all_time() {
        let ticks = |text: &str| Ticks::parse(text).unwrap();
        let before = ticks("cpu  100 0 0 100 0 0 0 10 0 0\ncpu0 1\n");
        let after = ticks("cpu  150 0 0 140 0 0 0 20 0 0\n");
        assert_eq!(after.steal_percent_since(before), 10.0);
        assert_eq!(Ticks::parse("cpu 1 2"), None);
    }

    #[test]
    fn this_process_has_run() {
        assert!(run_time(std::process::id()).unwrap() > 0.0);
        // The first thread's number is the process'.
        assert!(thread_run_time(std::process::id()).unwrap() <= run_time(std::process::id()).unwrap());
        assert_eq!(first_number("123 4 5\n"), Some(123));
    }

    #[test]
    fn this_machine_has_cores() {
        let machine = describe().unwrap();
        assert!(machine["cores"].parse::<u32>().unwrap() > 0);
        assert!(load().unwrap() >= 0.0);
    }

    #[test]
    fn a_field_is_what_stands_behind_its_name() {
        let info = "model\t\t: 17\nmodel name\t: X Y\n";
        assert_eq!(field(info, "model\t"), Some("17"));
        assert_eq!(field(info, "model name"), Some("X Y"));
        assert_eq!(field(info, "flags"), None);
    }
}
