//! From rows to figures: what the rows say, and whether that is enough.

use super::forward::Measured;
use super::matrix::{Device, Load, Via};
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

const NUMBERS_ALONE: &str = "numbers in the packets alone: nobody answers with feedback on this device";

/// The ways out that are judged, with what they are called in figures: a socket for each Consumer, one for all, and one with
/// transport-wide numbers.
const JUDGED: [(Via, &str, &str); 3] = [
    (Via::Plain, "a socket each", ""),
    (Via::WebRtcServer, "one socket", ""),
    (Via::WebRtcServerTwcc, "transport-wide numbers", NUMBERS_ALONE),
];

const ON_LOOPBACK: &str = "not judged: on loopback the kernel's part is another, and the peer estimates bandwidth from what it is told, ours does not yet";

/// Devices on which the kernel delivers. The bare forwarder is what can be done there, and the target is set from it.
const RECEIVED: [Device; 3] = [Device::Lo, Device::LoPlain, Device::Veth];

const ELSEWHERE: &str =
    "not judged: targets against the peer are for a device that takes messages to be cut apart";

/// What is compared without a target.
const MANY: [(Load, &str); 2] =
    [(Load::MEETING, "meeting of 30, audio and video"), (Load::VOICES, "audio of 10 to 300")];

/// A comparison to be made.
struct Comparison<'a> {
    case: String,
    peer_target: Option<f64>,
    note: &'static str,
    find: &'a dyn Fn(Kind) -> Option<&'a Measured>,
}

/// The figures of a run. Targets against the peer hold for the null device at 100 Consumers under GCM, those against the bare
/// forwarder on each device, those for delay on loopback; whatever was not measured has no figure.
pub(super) fn figures(measured: &[Measured]) -> Vec<Figure> {
    let cases = JUDGED.into_iter().flat_map(|via| PEER_TARGETS.map(|target| (via, target)));
    let forwarded = cases.flat_map(|((via, name, note), (burst, target))| {
        let find = |kind| headline(measured, Device::Null, via, burst, kind);
        let case = format!("{name}, burst {burst}");
        Comparison { case, peer_target: Some(target), note, find: &find }.figures()
    });
    let many = MANY.into_iter().flat_map(|(load, name)| {
        let find = |kind: Kind| {
            let is_it = |one: &&Measured| one.case.load == load && one.row.subject == kind.name();
            measured.iter().find(is_it)
        };
        Comparison { case: name.to_owned(), peer_target: None, note: "", find: &find }.figures()
    });
    let answered = [16, 4, 1].into_iter().flat_map(|burst| {
        let find = |kind| headline(measured, Device::Lo, Via::WebRtcServerFeedback, burst, kind);
        let case = format!("transport-wide feedback, burst {burst}");
        Comparison { case, peer_target: None, note: ON_LOOPBACK, find: &find }.figures()
    });
    let received = RECEIVED.into_iter().flat_map(|device| [16, 4, 1].map(|burst| (device, burst)));
    let received = received.flat_map(|(device, burst)| {
        let find = |kind| headline(measured, device, Via::WebRtcServer, burst, kind);
        let case = format!("one socket, {}, burst {burst}", device.name());
        Comparison { case, peer_target: None, note: ELSEWHERE, find: &find }.figures()
    });
    let delays = [16, 4, 1].into_iter().filter_map(|burst| {
        let ours = headline(measured, Device::Lo, Via::WebRtcServer, burst, Kind::Mafalda)?;
        let name = format!("p99 added delay at half load on loopback, burst {burst}");
        let figure = Figure::new(name, ours.row.delay_p99_us?, "us");
        Some(figure.with_target(Target::AtMost(DELAY_TARGET_US)))
    });
    forwarded.chain(received).chain(answered).chain(many).chain(delays).collect()
}

impl Comparison<'_> {
    /// What each subject can do in a case, and how that compares.
    fn figures(&self) -> Vec<Figure> {
        let Self { case, note, .. } = self;
        let of = |kind| (self.find)(kind);
        let (ours, peer, bare) = (of(Kind::Mafalda), of(Kind::Mediasoup), of(Kind::Prototype));
        let mut figures = Vec::new();
        for (kind, found) in [(Kind::Mafalda, ours), (Kind::Mediasoup, peer), (Kind::Prototype, bare)] {
            figures.extend(found.iter().flat_map(|found| own(found, kind, case)));
        }
        let ratio = |dividend: Option<&Measured>, divisor: Option<&Measured>| {
            median_ratio(&dividend?.series.cost, &divisor?.series.cost)
        };
        figures.extend(ratio(peer, ours).map(|ratio| {
            let figure = Figure::new(format!("CPU of mediasoup over ours, {case}"), ratio, "times");
            let figure = figure.with_note(*note);
            self.peer_target
                .into_iter()
                .fold(figure, |figure, target| figure.with_target(Target::AtLeast(target)))
        }));
        let most = |found: Option<&Measured>| found?.row.packets_per_s_max;
        figures.extend(most(ours).zip(most(peer)).map(|(ours, peer)| {
            // Nothing is asked of this one: targets are of cost at the same rate. At their highest rates both have more to do at a time.
            let name = format!("most packets per second of ours over mediasoup's, {case}");
            Figure::new(name, ours / peer, "times")
        }));
        figures.extend(ratio(ours, bare).map(|ratio| {
            let figure = Figure::new(format!("CPU of ours over the prototype, {case}"), ratio, "times");
            let figure = figure.with_target(Target::AtMost(PROTOTYPE_TARGET));
            if peer.is_none() { figure.with_note(NO_PEER) } else { figure }
        }));
        figures
    }
}

/// Cost and highest rate of one subject.
fn own(found: &Measured, kind: Kind, case: &str) -> Vec<Figure> {
    let name = |what: &str| format!("{what} of {}, {case}", kind.name());
    let cost = Figure::new(name("CPU per million packets"), found.row.cpu_s_per_million, "s");
    let most = found.row.packets_per_s_max.map(|most| {
        let figure = Figure::new(name("most packets per second on one core"), most, "packets/s");
        let note = if found.row.source_was_limit { "the source's limit, not the subject's" } else { "" };
        figure.with_note(note)
    });
    [Some(cost), most].into_iter().flatten().collect()
}

/// 100 Consumers of one stream under GCM.
pub(super) fn headline(
    measured: &[Measured],
    device: Device,
    via: Via,
    burst: u16,
    kind: Kind,
) -> Option<&Measured> {
    measured.iter().find(|measured| {
        let case = &measured.case;
        let is_case = (case.via, case.destinations, case.load) == (via, 100, Load::bursts(burst));
        let is_case = is_case && case.suite.is_gcm();
        is_case && measured.device == device && measured.row.subject == kind.name()
    })
}
