//! What a bench writes down: the same JSON for every bench, so that a script can hold it against its targets.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::statistic::rounded;

/// A run of a bench.
#[derive(Debug, Serialize)]
pub(super) struct Record<R> {
    pub(super) bench: &'static str,
    pub(super) machine: BTreeMap<&'static str, String>,
    pub(super) figures: Vec<Figure>,
    pub(super) rows: Vec<R>,
}

/// One number that says something, and what it should be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// What it should be: at least or at most so much.
    pub(super) target: Option<String>,
    /// Whether it is, where that can be judged.
    pub(super) met: Option<bool>,
    pub(super) note: String,
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    /// A figure that nothing is asked of.
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let value = rounded(value);
        Self { name: name.into(), value, unit, target: None, met: None, note: String::new() }
    }

    /// Judges it.
    pub(super) fn with_target(mut self, target: Target) -> Self {
        let (text, met) = match target {
            Target::AtLeast(least) => (format!(">= {least}"), self.value >= least),
            Target::AtMost(most) => (format!("<= {most}"), self.value <= most),
        };
        (self.target, self.met) = (Some(text), Some(met));
        self
    }

    pub(super) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<58} {:>9} {:<9}", self.name, self.value, self.unit)?;
        if let (Some(target), Some(met)) = (&self.target, self.met) {
            write!(f, " {target}: {}", if met { "met" } else { "NOT MET" })?;
        }
        if !self.note.is_empty() {
            write!(f, " ({})", self.note)?;
        }
        Ok(())
    }
}

/// What was measured of one subject in one case: the raw material of figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) device: &'static str,
    pub(super) transport: &'static str,
    pub(super) suite: &'static str,
    pub(super) load: &'static str,
    pub(super) publishers: u16,
    /// Of all destinations together.
    pub(super) consumers: usize,
    /// The most packets that come at a time.
    pub(super) burst: u16,
    pub(super) subject: &'static str,
    /// What the subject was given, in packets per second.
    pub(super) rate_in: f64,
    pub(super) rounds: usize,
    /// Median over the rounds.
    pub(super) cpu_s_per_million: f64,
    pub(super) cpu_s_per_million_min: f64,
    pub(super) cpu_s_per_million_max: f64,
    /// The most that was missing in a round, as a part of one.
    pub(super) loss_max: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets_per_s_max: Option<f64>,
    /// Whether that is what the source could publish rather than what the subject could forward.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) source_was_limit: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay_p50_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delay_p99_us: Option<f64>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu_s_per_million: cost, cpu_s_per_million_min: min, cpu_s_per_million_max: max, .. } =
            self;
        write!(f, "{:<10} {cost:>7} CPU-s/M ({min} to {max})", self.subject)?;
        if self.loss_max > 0.0 {
            write!(f, ", loss up to {:.2} %", self.loss_max * 100.0)?;
        }
        if let Some(most) = self.packets_per_s_max {
            let bound = if self.source_was_limit { "at least " } else { "" };
            write!(f, ", {bound}{most} packets/s")?;
        }
        if let (Some(p50), Some(p99)) = (self.delay_p50_us, self.delay_p99_us) {
            write!(f, ", delay p50 {p50} us, p99 {p99} us")?;
        }
        Ok(())
    }
}

impl<R: Serialize> Record<R> {
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_judged_and_no_target_is_not() {
        let figure = |value| Figure::new("ratio", value, "times");
        assert_eq!(figure(8.0).with_target(Target::AtLeast(8.0)).met, Some(true));
        assert_eq!(figure(7.9).with_target(Target::AtLeast(8.0)).met, Some(false));
        assert_eq!(figure(1.71).with_target(Target::AtMost(1.7)).met, Some(false));
        assert_eq!(figure(1.0).met, None);
    }

    #[test]
    fn the_json_has_all_fields_and_judges_nothing_without_a_target() {
        let plain = serde_json::to_value(Figure::new("a", 1.0, "s")).unwrap();
        let wanted = serde_json::json!({
            "name": "a", "value": 1.0, "unit": "s", "target": null, "met": null, "note": ""
        });
        assert_eq!(plain, wanted);
        let judged = Figure::new("a", 1.0, "s").with_target(Target::AtMost(2.0)).with_note("why");
        let wanted = serde_json::json!({
            "name": "a", "value": 1.0, "unit": "s", "target": "<= 2", "met": true, "note": "why"
        });
        assert_eq!(serde_json::to_value(judged).unwrap(), wanted);
    }
}
