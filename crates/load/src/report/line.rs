//! One line for people: of a second, or of a step.

use std::fmt;
use std::time::Duration;

use super::{Progress, Step, Window};
use crate::capacity::Ramp;

/// Milliseconds, with as many digits as mean something.
pub(super) struct Ms(pub(super) Duration);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_secs_f64() * 1000.0;
        if ms < 10.0 { write!(f, "{ms:.2} ms") } else { write!(f, "{ms:.0} ms") }
    }
}

/// Bits per second.
pub(super) struct Rate(pub(super) f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            rate if rate >= 1e9 => write!(f, "{:.2} Gbit/s", rate / 1e9),
            rate if rate >= 1e6 => write!(f, "{:.1} Mbit/s", rate / 1e6),
            rate => write!(f, "{:.0} kbit/s", rate / 1e3),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} packets/s, {}", self.packet_rate(), Rate(self.bitrate()))?;
        write!(f, ", {:.3} % lost", self.loss() * 100.0)?;
        if self.samples > 0 {
            write!(f, ", p50 {}, p99 {}", Ms(self.p50), Ms(self.p99))?;
        }
        let cpus =
            [("server", self.server_cpus()), ("load", self.load_cpus()), ("others", self.other_cpus())];
        for (whose, cpus) in cpus.into_iter().filter_map(|(whose, cpus)| Some((whose, cpus?))) {
            write!(f, ", {whose} {:.0} %", cpus * 100.0)?;
        }
        if self.silent > 0 {
            write!(f, ", {} silent", self.silent)?;
        }
        Ok(())
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4.0} s  {}/{} joined", self.elapsed.as_secs_f64(), self.joined, self.clients)?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        if self.broken > 0 {
            write!(f, ", {} BROKEN", self.broken)?;
        }
        self.window.map_or(Ok(()), |window| write!(f, "  {window}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ramp {
            Ramp::Receivers => write!(f, "{:>6} receivers", self.size)?,
            Ramp::Bitrate => write!(f, "{:>12}", Rate(self.size as f64).to_string())?,
        }
        write!(f, "  {}  {}", if self.is_good { "good    " } else { "too much" }, self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cpu;

    fn window() -> Window {
        Window {
            elapsed: Duration::from_secs(2),
            received: 2000,
            received_bytes: 2_400_000,
            expected: 2002,
            lost: 2,
            p50: Duration::from_micros(412),
            p99: Duration::from_millis(21),
            cpu: Some(Cpu {
                server: Some(Duration::from_millis(500)),
                load: Duration::from_millis(700),
                others: Duration::ZERO,
            }),
            samples: 40,
            ..Window::default()
        }
    }

    #[test]
    fn a_line_says_what_counts() {
        let line = "1000 packets/s, 9.6 Mbit/s, 0.100 % lost, p50 0.41 ms, p99 21 ms, server 25 %, load 35 %, others 0 %";
        assert_eq!(window().to_string(), line);
        let progress = Progress {
            elapsed: Duration::from_secs(7),
            clients: 3,
            joined: 2,
            failed: 1,
            broken: 4,
            window: None,
        };
        assert_eq!(progress.to_string(), "   7 s  2/3 joined, 1 failed, 4 BROKEN");
        let step = Step { ramp: Ramp::Receivers, size: 12, window: window(), is_good: false };
        assert_eq!(step.to_string(), format!("    12 receivers  too much  {line}"));
        let step = Step { ramp: Ramp::Bitrate, size: 1_500_000, is_good: true, ..step };
        assert!(step.to_string().starts_with("  1.5 Mbit/s  good"));
    }

    #[test]
    fn a_window_without_time_or_packets_divides_by_nothing() {
        let empty = Window::default();
        assert_eq!((empty.loss(), empty.packet_rate(), empty.cpu_per_million()), (0.0, 0.0, None));
        assert_eq!(window().cpu_per_million(), Some(250.0));
    }
}
