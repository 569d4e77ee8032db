//! From what was measured to figures, and whether they are enough.

use super::super::record::{Figure, Target};
use super::super::statistic::{median, median_ratio};
use super::super::subject::Kind;
use super::{Case, Measured, Quantity, Via};

/// What stands for the crate that shakes hands, without anything around it.
pub(super) const BARE: &str = "bare crate";

/// The same behind our guard.
pub(super) const GUARDED: &str = "guarded crate";

/// On one core, beside media.
const OPERATIONS_TARGET: f64 = 10_000.0;

/// Of an idle Transport and its Consumer.
const MEMORY_TARGET_BYTES: f64 = 12_000.0;

/// Of the bare crate's handshakes per second.
const HANDSHAKES_TARGET: f64 = 0.8;

pub(super) fn of(all: &[Measured]) -> Vec<Figure> {
    all.iter().flat_map(|measured| figures(all, measured)).collect()
}

fn figures(all: &[Measured], measured: &Measured) -> Vec<Figure> {
    let Measured { case, subject, .. } = measured;
    let is_ours = *subject == Kind::Mafalda.name();
    let value = median(&measured.values).unwrap_or(f64::NAN);
    let figure = Figure::new(format!("{} of {subject}", case.name()), value, case.unit());
    let figure = figure.with_note(note(case, subject));
    let target = match case.quantity {
        Quantity::Operations { .. } => Some(Target::AtLeast(OPERATIONS_TARGET)),
        Quantity::Memory { .. } => Some(Target::AtMost(MEMORY_TARGET_BYTES)),
        Quantity::Handshakes => None,
    };
    let figure = target.filter(|_| is_ours).into_iter().fold(figure, Figure::with_target);
    let cpu_us = median(&measured.cpu_us)
        .map(|cpu_us| Figure::new(format!("CPU per operation, {} of {subject}", case.name()), cpu_us, "us"));
    let ratio = (is_ours && case.quantity == Quantity::Handshakes).then(|| {
        let bare = all.iter().find(|other| other.subject == BARE)?;
        let ratio = median_ratio(&measured.values, &bare.values)?;
        let figure = Figure::new("DTLS handshakes of ours over the bare crate's", ratio, "times");
        Some(figure.with_target(Target::AtLeast(HANDSHAKES_TARGET)))
    });
    [Some(figure), cpu_us, ratio.flatten()].into_iter().flatten().collect()
}

fn note(case: &Case, subject: &str) -> &'static str {
    let is_peer = subject == Kind::Mediasoup.name();
    match case.quantity {
        Quantity::Operations { .. } if is_peer => "worker and Node.js on one core",
        Quantity::Operations { .. } => "all threads on one core",
        Quantity::Memory { .. } if is_peer => "the worker's process alone, without Node.js",
        Quantity::Memory { is_connected: true } if case.via == Via::WebRtcServer => {
            "the whole process; ICE and DTLS are done"
        }
        Quantity::Memory { .. } => "the whole process",
        Quantity::Handshakes if [BARE, GUARDED].contains(&subject) => "the server's end in memory",
        Quantity::Handshakes => "the Worker's thread, with ICE and sockets",
    }
}

#[cfg(test)]
mod tests {
    use super::super::With;
    use super::*;

    fn measured(quantity: Quantity, subject: &'static str, values: &[f64]) -> Measured {
        let case = Case { quantity, via: Via::WebRtcServer, with: With::Consumer };
        Measured { case, subject, values: values.to_vec(), cpu_us: Vec::new(), loss: Vec::new() }
    }

    #[test]
    fn only_ours_is_judged() {
        let memory = Quantity::Memory { is_connected: true };
        let all = [measured(memory, "mafalda", &[13_000.0]), measured(memory, "mediasoup", &[22_000.0])];
        let met: Vec<_> = of(&all).iter().map(|figure| figure.met).collect();
        assert_eq!(met, [Some(false), None]);
    }

    #[test]
    fn handshakes_are_held_against_the_bare_crate_round_by_round() {
        let ours = measured(Quantity::Handshakes, "mafalda", &[90.0, 180.0]);
        let bare = measured(Quantity::Handshakes, BARE, &[100.0, 200.0]);
        let figures = of(&[ours, bare]);
        assert_eq!(figures.len(), 3);
        let ratio = &figures[1];
        assert_eq!((ratio.value, ratio.met), (0.9, Some(true)));
    }
}
