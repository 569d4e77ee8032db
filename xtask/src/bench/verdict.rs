//! From rows to figures: what the rows say, and whether that is enough.

use super::forward::Measured;
use super::matrix::{Device, Suite};
use super::record::{Figure, Target};
use super::statistic::median_ratio;
use super::subject::Kind;

/// How many times less CPU than the peer, for packets that come so many at a time.
const PEER_TARGETS: [(u16, f64); 3] = [(16, 8.0), (4, 4.0), (1, 2.0)];

/// How many times the CPU of the bare forwarder.
const PROTOTYPE_TARGET: f64 = 1.7;

/// Added delay at half the highest rate, for 99 of 100 packets, in microseconds.
const DELAY_TARGET_US: f64 = 1000.0;

const NO_PEER: &str = "the peer took no part in this run";

/// The figures of a run. Targets hold for the null device at 100 Consumers under GCM, and for delay on loopback; whatever was not
/// measured has no figure.
pub(super) fn figures(measured: &[Measured]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (burst, target) in PEER_TARGETS {
        let find = |kind| headline(measured, Device::Null, burst, kind);
        let (ours, peer, bare) = (find(Kind::Mafalda), find(Kind::Mediasoup), find(Kind::Prototype));
        for (kind, found) in [(Kind::Mafalda, ours), (Kind::Mediasoup, peer), (Kind::Prototype, bare)] {
            figures.extend(found.iter().flat_map(|found| own(found, kind, burst)));
        }
        let ratio = |dividend: Option<&Measured>, divisor: Option<&Measured>| {
            median_ratio(&dividend?.series.cost, &divisor?.series.cost)
        };
        let name = format!("CPU of mediasoup over ours, burst {burst}");
        figures.extend(
            ratio(peer, ours)
                .map(|ratio| Figure::new(name, ratio, "times").with_target(Target::AtLeast(target))),
        );
        let name = format!("CPU of ours over the prototype, burst {burst}");
        figures.extend(ratio(ours, bare).map(|ratio| {
            let figure = Figure::new(name, ratio, "times").with_target(Target::AtMost(PROTOTYPE_TARGET));
            if peer.is_none() { figure.with_note(NO_PEER) } else { figure }
        }));
    }
    for burst in [16, 1] {
        let ours = headline(measured, Device::Lo, burst, Kind::Mafalda);
        figures.extend(ours.and_then(|ours| ours.row.delay_p99_us).map(|delay| {
            Figure::new(format!("p99 added delay at half load on loopback, burst {burst}"), delay, "us")
                .with_target(Target::AtMost(DELAY_TARGET_US))
        }));
    }
    figures
}

/// Cost and highest rate of one subject.
fn own(found: &Measured, kind: Kind, burst: u16) -> Vec<Figure> {
    let name = |what: &str| format!("{what} of {}, burst {burst}", kind.name());
    let cost = Figure::new(name("CPU per million packets"), found.row.cpu_s_per_million, "s");
    let most = found.row.packets_per_s_max.map(|most| {
        let figure = Figure::new(name("most packets per second on one core"), most, "packets/s");
        if found.row.source_was_limit {
            figure.with_note("the source's limit, not the subject's")
        } else {
            figure
        }
    });
    [Some(cost), most].into_iter().flatten().collect()
}

/// 100 Consumers under GCM.
pub(super) fn headline(measured: &[Measured], device: Device, burst: u16, kind: Kind) -> Option<&Measured> {
    measured.iter().find(|measured| {
        let case = &measured.case;
        let is_case = (case.suite, case.consumers, case.burst) == (Suite::Gcm, 100, burst);
        is_case && measured.device == device && measured.row.subject == kind.name()
    })
}
