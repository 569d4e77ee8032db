//! The summary for programs, in the form that all benches of the project write.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::{Step, Summary, Window};
use crate::capacity::Ramp;
use crate::usage::machine;

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What it should be, if anything is asked of it.
    pub target: Option<String>,
    /// Whether it is, where that can be judged.
    pub met: Option<bool>,
    /// What else is to be known.
    pub note: String,
}

impl Figure {
    /// One that nothing is asked of.
    fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, target: None, met: None, note: String::new() }
    }

    fn at_most(self, most: f64) -> Self {
        Self { target: Some(format!("<= {most}")), met: Some(self.value <= most), ..self }
    }

    fn at_least(self, least: f64) -> Self {
        Self { target: Some(format!(">= {least}")), met: Some(self.value >= least), ..self }
    }

    fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What grew.
    pub ramp: &'static str,
    /// How far.
    pub size: usize,
    /// Whether it was within the limits.
    pub good: bool,
    /// Packets per second that subscribers got.
    pub packets_per_second: f64,
    /// Bits per second that subscribers got.
    pub bitrate: f64,
    /// Share of packets lost, 0 to 1.
    pub loss: f64,
    /// Median of the added delay, where any was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 99th percentile of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// Streams from which nothing came.
    pub silent: usize,
    /// CPUs that the server used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpus: Option<f64>,
    /// CPUs that the load used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_cpus: Option<f64>,
    /// CPUs that all else on the machine used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_cpus: Option<f64>,
}

/// The whole document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Always `load`.
    pub bench: &'static str,
    /// Where it ran.
    pub machine: BTreeMap<&'static str, String>,
    /// What was found.
    pub figures: Vec<Figure>,
    /// Steps of the search for capacity.
    pub rows: Vec<Row>,
}

impl Figures {
    /// Those of a run.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        let mut figures = people(summary);
        figures.extend(window_figures(&summary.window));
        figures.extend(totals(summary));
        figures.extend(capacity(summary));
        Self { bench: "load", machine: machine(), figures, rows: summary.steps.iter().map(row).collect() }
    }
}

fn people(summary: &Summary) -> Vec<Figure> {
    let clients = summary.clients as f64;
    let joined = Figure::new("joined", summary.joined as f64, "clients");
    let silent = Figure::new("silent", summary.silent as f64, "streams");
    let mut figures = vec![
        Figure::new("clients", clients, "clients").with_note(format!("against {}", summary.target)),
        Figure::new("streams", summary.streams as f64, "streams"),
    ];
    // A search for capacity goes on until the server is overloaded: who is left out then is no failure.
    figures.extend(match summary.capacity {
        None => [joined.at_least(clients), silent.at_most(0.0)],
        Some(_) => [joined, silent],
    });
    for (name, durations) in [("join", &summary.join), ("first media", &summary.first_media)] {
        for (part, value) in [("p50", durations.p50), ("p99", durations.p99), ("max", durations.max)] {
            figures.push(Figure::new(format!("{name} {part}"), ms(value), "ms"));
        }
    }
    figures
}

fn window_figures(window: &Window) -> Vec<Figure> {
    let mut figures = vec![
        Figure::new("measured", window.elapsed.as_secs_f64(), "s"),
        Figure::new("packets per second", window.packet_rate(), "packets/s"),
        Figure::new("bitrate", window.bitrate(), "bit/s"),
        Figure::new("loss", window.loss(), "share"),
        Figure::new("delay samples", window.samples as f64, "packets"),
        Figure::new("frames skipped", window.frames_skipped as f64, "frames"),
    ];
    let delays = [
        ("delay p50", window.p50),
        ("delay p99", window.p99),
        ("delay p99.9", window.p999),
        ("delay max", window.max),
    ];
    let delays = delays.into_iter().filter(|_| window.samples > 0);
    figures.extend(delays.map(|(name, delay)| Figure::new(name, ms(delay), "ms")));
    let cpus = [
        ("server CPU", window.server_cpus(), "CPUs"),
        ("load CPU", window.load_cpus(), "CPUs"),
        ("other CPU", window.other_cpus(), "CPUs"),
        ("server CPU per million packets", window.cpu_per_million(), "CPU-s"),
    ];
    figures.extend(cpus.into_iter().filter_map(|(name, value, unit)| Some(Figure::new(name, value?, unit))));
    figures
}

fn totals(summary: &Summary) -> Vec<Figure> {
    let received = &summary.received;
    let broken = Figure::new("broken", received.broken as f64, "packets");
    let mut figures = vec![
        Figure::new("total lost", summary.lost as f64, "packets"),
        Figure::new("total received", received.packets as f64, "packets"),
        Figure::new("repaired", received.repaired as f64, "packets"),
        Figure::new("verified", received.verified as f64, "packets"),
        if received.verified > 0 { broken.at_most(0.0) } else { broken.with_note("nothing was looked into") },
    ];
    figures.extend(summary.own_drops.map(|drops| {
        let note = "dropped at the load's own sockets; part of what is lost";
        Figure::new("own drops", drops as f64, "packets").with_note(note)
    }));
    figures
}

fn capacity(summary: &Summary) -> Option<Figure> {
    let capacity = summary.capacity.as_ref()?;
    let note = match (capacity.is_reached(), capacity.best) {
        (_, None) => "no step was within the limits",
        (true, _) => "the last step within the limits",
        (false, _) => "the largest that was tried; there may be more",
    };
    let unit = if capacity.ramp == Ramp::Receivers { "receivers" } else { "bit/s" };
    Some(Figure::new("capacity", capacity.best.unwrap_or(0) as f64, unit).with_note(note))
}

fn row(step: &Step) -> Row {
    let window = &step.window;
    let delay = |delay| (window.samples > 0).then(|| ms(delay));
    Row {
        ramp: if step.ramp == Ramp::Receivers { "receivers" } else { "bitrate" },
        size: step.size,
        good: step.is_good,
        packets_per_second: window.packet_rate(),
        bitrate: window.bitrate(),
        loss: window.loss(),
        p50_ms: delay(window.p50),
        p99_ms: delay(window.p99),
        silent: window.silent,
        server_cpus: window.server_cpus(),
        load_cpus: window.load_cpus(),
        other_cpus: window.other_cpus(),
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_all_fields_and_is_judged_by_its_target_alone() {
        let plain = serde_json::to_value(Figure::new("a", 1.0, "s")).unwrap();
        let expected = serde_json::json!({"name": "a", "value": 1.0, "unit": "s", "target": null, "met": null, "note": ""});
        assert_eq!(plain, expected);
        let judged = |value| Figure::new("a", value, "s").at_most(0.0);
        assert_eq!((judged(0.0).met, judged(1.0).met), (Some(true), Some(false)));
        assert_eq!(judged(1.0).target.as_deref(), Some("<= 0"));
        assert_eq!(Figure::new("a", 2.0, "s").at_least(3.0).met, Some(false));
    }

    #[test]
    fn delays_that_were_not_measured_have_no_figure() {
        let named = |window: &Window| window_figures(window).into_iter().any(|it| it.name == "delay p99");
        assert!(!named(&Window::default()) && named(&Window { samples: 1, ..Window::default() }));
    }
}
