//! What came out: a table for people, JSON for scripts, a drawing for the page.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::case::Case;
use crate::chart::{Bar, chart};
use crate::cpu;
use crate::device::Device;

/// How much more than the bare prototype the engine may take, on a device with segmentation.
const PROTOTYPE_RATIO_MAX: f64 = 1.7;
/// Loss at which a measurement doesn't count: who drops packets has less to do.
const LOSS_MAX: f64 = 0.005;

/// One measurement of one contender.
#[derive(Debug)]
pub(crate) struct Measured {
    /// CPU time per forwarded packet, in microseconds: the same as seconds per million.
    pub(crate) cpu_us: f64,
    /// Share of packets that were not forwarded.
    pub(crate) loss: f64,
    /// On loopback and without encryption: how long packets were on their way, in microseconds.
    pub(crate) delays: Vec<u32>,
}

/// All measurements of a case.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) device: Device,
    pub(crate) case: Case,
    pub(crate) measured: Vec<(&'static str, Vec<Measured>)>,
    pub(crate) steal: f64,
    pub(crate) load: f64,
}

impl Outcome {
    /// The median CPU time per packet.
    fn cost(&self, name: &str) -> Option<f64> {
        let (_, rounds) = self.measured.iter().find(|(other, _)| *other == name)?;
        median(rounds.iter().map(|it| it.cpu_us))
    }

    fn loss(&self, name: &str) -> f64 {
        let rounds = self.measured.iter().find(|(other, _)| *other == name);
        rounds.into_iter().flat_map(|(_, rounds)| rounds).map(|it| it.loss).fold(0.0, f64::max)
    }

    /// How many times as much as the engine it takes, each round on its own, so that what disturbed both counts for neither.
    fn ratio(&self, name: &str) -> Option<f64> {
        let rounds = |name: &str| self.measured.iter().find(|(other, _)| *other == name).map(|(_, it)| it);
        let (ours, theirs) = (rounds("mafalda")?, rounds(name)?);
        median(theirs.iter().zip(ours).map(|(theirs, ours)| theirs.cpu_us / ours.cpu_us))
    }

    fn row(&self) -> Value {
        let contenders: Vec<Value> = self
            .measured
            .iter()
            .map(|(name, rounds)| {
                let mut delays: Vec<u32> = rounds.iter().flat_map(|it| &it.delays).copied().collect();
                delays.sort_unstable();
                json!({
                    "name": name, "cpu_s_per_million": median(rounds.iter().map(|it| it.cpu_us)),
                    "rounds": rounds.iter().map(|it| it.cpu_us).collect::<Vec<_>>(), "loss": self.loss(name),
                    "delay_us_p50": percentile(&delays, 0.5), "delay_us_p99": percentile(&delays, 0.99),
                })
            })
            .collect();
        json!({
            "device": self.device.name(), "case": self.case, "contenders": contenders,
            "steal_percent": self.steal, "load": self.load,
        })
    }

    fn figures(&self) -> Vec<Value> {
        let mut figures = Vec::new();
        let name = |what: &str| format!("{}, {}: {what}", self.device.name(), self.case);
        let judged = self.device == Device::Null;
        if let Some(ratio) = self.ratio("peer") {
            let target = self.case.target.filter(|_| judged);
            let fair = self.loss("peer") <= LOSS_MAX && self.loss("mafalda") <= LOSS_MAX;
            let met = target.filter(|_| fair).map(|target| ratio >= target);
            let note = if fair { "" } else { "packets were lost: not judged" };
            let name = name("times the peer's CPU time per packet is ours");
            figures.push(figure(
                &name,
                ratio,
                "times",
                target.map(|it| format!(">= {it}")).as_deref(),
                met,
                note,
            ));
        }
        if let Some(ratio) = self.ratio("prototype") {
            let ratio = 1.0 / ratio;
            let target = (judged && self.case.target.is_some()).then_some(PROTOTYPE_RATIO_MAX);
            let met = target.map(|target| ratio <= target);
            let name = name("CPU time per packet, in those of the bare prototype");
            figures.push(figure(
                &name,
                ratio,
                "times",
                target.map(|it| format!("<= {it}")).as_deref(),
                met,
                "",
            ));
        }
        if let Some(cost) = self.cost("mafalda") {
            figures.push(figure(&name("CPU time"), cost, "s per million packets", None, None, ""));
        }
        figures
    }
}

fn figure(name: &str, value: f64, unit: &str, target: Option<&str>, met: Option<bool>, note: &str) -> Value {
    json!({ "name": name, "value": value, "unit": unit, "target": target, "met": met, "note": note })
}

/// The outcomes so far.
#[derive(Debug)]
pub(crate) struct Output {
    outcomes: Vec<Outcome>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self { outcomes: Vec::new() }
    }

    /// Tells of an outcome at once: the next one takes a while.
    pub(crate) fn add(&mut self, outcome: Outcome) -> Result<()> {
        let mut line = format!("{:<18} {:<20}", outcome.device.name(), outcome.case.to_string());
        for (name, _) in &outcome.measured {
            let cost = outcome.cost(name).unwrap_or_default();
            line += &format!("  {name} {cost:.3}");
            let loss = outcome.loss(name);
            if loss > LOSS_MAX {
                line += &format!(" (lost {:.1} %)", loss * 100.0);
            }
        }
        for name in ["peer", "prototype"] {
            if let Some(ratio) = outcome.ratio(name) {
                line += &format!("  {name}/mafalda {ratio:.2}");
            }
        }
        line += &format!("  steal {:.1} %  load {:.1}\n", outcome.steal, outcome.load);
        std::io::stdout().lock().write_all(line.as_bytes())?;
        self.outcomes.push(outcome);
        Ok(())
    }

    pub(crate) fn finish(&self, json: Option<&Path>, svg: Option<&Path>) -> Result<()> {
        if let Some(path) = json {
            let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
            let text = json!({
                "bench": "forward",
                "machine": { "cpu": cpu::model(), "cpus_of_this_process": cpus },
                "figures": self.outcomes.iter().flat_map(Outcome::figures).collect::<Vec<_>>(),
                "rows": self.outcomes.iter().map(Outcome::row).collect::<Vec<_>>(),
            });
            write(path, &serde_json::to_string_pretty(&text)?)?;
        }
        if let Some(path) = svg {
            write(path, &chart(&self.bars()))?;
        }
        Ok(())
    }

    fn bars(&self) -> Vec<Bar> {
        let null = self.outcomes.iter().filter(|outcome| outcome.device == Device::Null);
        let bars = null.flat_map(|outcome| {
            outcome.measured.iter().filter_map(|(name, _)| {
                let packets_per_second = 1e6 / outcome.cost(name)?;
                Some(Bar { group: outcome.case.to_string(), name, packets_per_second })
            })
        });
        bars.collect()
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// Of sorted values; `None` of none.
fn percentile(values: &[u32], share: f64) -> Option<u32> {
    values.get(((values.len() as f64 * share) as usize).min(values.len().saturating_sub(1))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::MATRIX;

    fn outcome(device: Device, ours: [f64; 3], peer: [f64; 3], loss: f64) -> Outcome {
        let rounds = |costs: [f64; 3], loss| {
            costs.map(|cpu_us| Measured { cpu_us, loss, delays: vec![1, 2, 3] }).into_iter().collect()
        };
        let measured = vec![("mafalda", rounds(ours, 0.0)), ("peer", rounds(peer, loss))];
        Outcome { device, case: MATRIX[0], measured, steal: 0.0, load: 0.0 }
    }

    #[test]
    fn medians_and_percentiles() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
        assert_eq!(percentile(&[1, 2, 3, 4], 0.99), Some(4));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn a_ratio_is_that_of_rounds_not_of_medians() {
        let outcome = outcome(Device::Null, [1.0, 2.0, 1.0], [8.0, 16.0, 9.0], 0.0);
        assert_eq!(outcome.ratio("peer"), Some(8.0));
        assert_eq!(outcome.figures()[0]["met"], true);
    }

    #[test]
    fn what_cannot_be_judged_is_not_met() {
        let elsewhere = outcome(Device::Lo, [1.0; 3], [9.0; 3], 0.0);
        assert!(elsewhere.figures()[0]["met"].is_null() && elsewhere.figures()[0]["target"].is_null());
        let lossy = outcome(Device::Null, [1.0; 3], [9.0; 3], 0.1);
        assert!(lossy.figures()[0]["met"].is_null());
        let missed = outcome(Device::Null, [1.0; 3], [7.0; 3], 0.0);
        assert_eq!(missed.figures()[0]["met"], false);
    }
}
