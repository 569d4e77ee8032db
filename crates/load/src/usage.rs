//! What a process uses of the CPU, and what the kernel dropped at our sockets: read from `/proc`, where there is one.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::target::WORKER_THREAD_PREFIX;

/// Whose CPU time is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// This one.
    Own,
    /// Another of this machine.
    Other(u32),
}

/// CPU time that threads have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTime {
    /// Of the Workers' threads.
    pub(crate) workers: Duration,
    /// Of all threads that live.
    pub(crate) all: Duration,
}

impl CpuTime {
    /// What was used since then.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            workers: self.workers.saturating_sub(earlier.workers),
            all: self.all.saturating_sub(earlier.all),
        }
    }

    /// Reads it; `None` where it can't be read.
    pub(crate) fn read(process: Process) -> Option<Self> {
        let process = match process {
            Process::Own => PathBuf::from("/proc/self/task"),
            Process::Other(pid) => PathBuf::from(format!("/proc/{pid}/task")),
        };
        let mut time = Self::default();
        for task in fs::read_dir(process).ok()?.filter_map(Result::ok) {
            // Threads may end while they are counted.
            let Some(spent) =
                fs::read_to_string(task.path().join("schedstat")).ok().and_then(|it| spent(&it))
            else {
                continue;
            };
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            time.all += spent;
            if name.starts_with(WORKER_THREAD_PREFIX) {
                time.workers += spent;
            }
        }
        Some(time)
    }
}

/// A tick of the kernel's statistics: USER_HZ is 100 on all architectures that this runs on (proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// CPU time that all of this machine has used; `None` where it can't be read.
pub(crate) fn machine_time() -> Option<Duration> {
    busy(&fs::read_to_string("/proc/stat").ok()?)
}

/// The first line: user, nice, system, idle, iowait, irq, softirq, steal (proc(5)).
fn busy(stat: &str) -> Option<Duration> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().take(8);
    let ticks = fields.map(|field| field.parse::<u32>().ok()).collect::<Option<Vec<u32>>>()?;
    let idle = [3, 4];
    let busy = ticks.iter().enumerate().filter(|(field, _)| !idle.contains(field));
    Some(busy.map(|(_, ticks)| TICK * *ticks).sum())
}

/// The first field of schedstat: nanoseconds on a CPU (Documentation/scheduler/sched-stats.rst).
fn spent(schedstat: &str) -> Option<Duration> {
    schedstat.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Datagrams that the kernel dropped because a socket with one of these ports was full; `None` where it can't be read.
pub(crate) fn socket_drops(ports: &[u16]) -> Option<u64> {
    let tables = ["/proc/self/net/udp", "/proc/self/net/udp6"];
    let mut sum = None;
    for table in tables.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        let drops: u64 = table.lines().skip(1).filter_map(|line| drops_of(line, ports)).sum();
        *sum.get_or_insert(0) += drops;
    }
    sum
}

/// One line of that table: the local address is its second field, the drops are its last.
fn drops_of(line: &str, ports: &[u16]) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace();
    let (_, port) = fields.nth(1)?.rsplit_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    if ports.contains(&port) { fields.next_back()?.parse().ok() } else { None }
}

/// What this machine is, as far as figures depend on it. Not which one it is.
pub(crate) fn machine() -> BTreeMap<&'static str, String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    BTreeMap::from([
        ("cores", cores.to_string()),
        ("cpu", model.map_or("unknown", |(_, model)| model).to_owned()),
        ("kernel", kernel.split('-').next().unwrap_or_default().trim().to_owned()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_is_seen() {
        let before = CpuTime::read(Process::Own).unwrap();
        let handle = std::thread::Builder::new().name(format!("{WORKER_THREAD_PREFIX}1234")).spawn(|| {
            let mut sum = 0_u64;
            while CpuTime::read(Process::Own).is_some_and(|time| time.workers < Duration::from_millis(5)) {
                sum = (0..10_000).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
            }
            CpuTime::read(Process::Own).unwrap()
        });
        let after = handle.unwrap().join().unwrap();
        let used = after.since(before);
        // Threads of other tests end meanwhile, so all together may have used less than before.
        assert!(used.workers >= Duration::from_millis(5) && after.all >= after.workers, "{after:?}");
        assert_eq!(CpuTime::read(Process::Other(u32::MAX)), None);
    }

    #[test]
    fn drops_are_those_of_our_ports() {
        let line = "  12: 0100007F:1F90 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1234 2 0000000000000000 17";
        assert_eq!(drops_of(line, &[8080]), Some(17));
        assert_eq!(drops_of(line, &[8081]), None);
        assert_eq!(drops_of("", &[8080]), None);
        assert_eq!(socket_drops(&[]), Some(0));
    }

    #[test]
    fn the_machine_is_busy_when_it_is_not_idle() {
        let stat = "cpu  100 20 30 5000 600 7 8 9 1000 1000\ncpu0 1 1 1 1\n";
        assert_eq!(busy(stat), Some(Duration::from_millis(10 * (100 + 20 + 30 + 7 + 8 + 9))));
        assert_eq!((busy("cpu0 1"), busy("cpu  1 x"), busy("")), (None, None, None));
        assert!(machine_time().unwrap() > Duration::ZERO);
    }

    #[test]
    fn the_machine_is_told() {
        let machine = machine();
        assert!(machine["cores"].parse::<usize>().unwrap() > 0 && !machine["kernel"].contains('-'));
    }
}
