//! Real sockets on loopback against the engine in this process.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test shall fail it")]

use std::num::NonZeroU32;
use std::time::Duration;

use mafalda_core::types::srtp_parameters::SrtpCryptoSuite;
use mafalda_load::{
    Arrangement, ClimbOptions, Codec, End, EngineTarget, EngineTransport, Figures, Limits, Observer,
    Progress, Ramp, RunOptions, Scenario, ScenarioOptions, Step, StopFlag, Summary, Target, run,
};

/// Counts what it is told.
#[derive(Default)]
struct Listener {
    lines: usize,
    steps: Vec<(usize, bool)>,
}

impl Observer for Listener {
    fn on_progress(&mut self, progress: &Progress) {
        assert!(!progress.to_string().is_empty());
        self.lines += 1;
    }

    fn on_step(&mut self, step: &Step) {
        self.steps.push((step.size, step.is_good));
    }
}

fn options() -> ScenarioOptions {
    ScenarioOptions {
        arrangement: Arrangement::Broadcast { publishers: 2, subscribers: 3 },
        codecs: vec![Codec::Vp8, Codec::Opus],
        duration: Duration::from_millis(1200),
        verify_every: 4,
        ..ScenarioOptions::default()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn measure(options: ScenarioOptions, run_options: RunOptions, listener: &mut Listener) -> Summary {
    runtime().block_on(async {
        let scenario = Scenario::new(options).unwrap();
        let target = Target::Engine(EngineTarget::start(1).await.unwrap());
        run(scenario, target, run_options, listener, &StopFlag::default()).await.unwrap()
    })
}

#[test]
fn two_publishers_reach_three_subscribers_and_nothing_is_lost() {
    let mut listener = Listener::default();
    let summary = measure(options(), RunOptions::default(), &mut listener);
    assert!(summary.is_verified(), "{summary}");
    assert_eq!((summary.clients, summary.joined, summary.failed), (5, 5, 0), "{summary}");
    assert_eq!((summary.streams, summary.lost, summary.received.duplicates), (12, 0, 0), "{summary}");
    assert!(summary.window.received > 1000 && summary.received.verified > 200, "{summary}");
    assert!(summary.window.server_cpus() > Some(0.0) && summary.window.load_cpus() > Some(0.0));
    assert!(summary.join.max < Duration::from_secs(10) && summary.first_media.max >= summary.join.p50);
    assert!(listener.lines >= 1, "a line for each second");

    let figures = Figures::of(&summary);
    let value = |name: &str| figures.figures.iter().find(|figure| figure.name == name).unwrap().value;
    assert_eq!((value("total lost"), value("broken"), value("streams")), (0.0, 0.0, 12.0));
    assert!(value("delay p99") >= value("delay p50") && value("server CPU per million packets") > 0.0);
}

#[test]
fn plain_clients_get_the_same_and_their_server_is_named_so() {
    let suites = [
        (None, "no SRTP"),
        (Some(SrtpCryptoSuite::AeadAes128Gcm), "AEAD_AES_128_GCM"),
        (Some(SrtpCryptoSuite::AesCm128HmacSha180), "AES_CM_128_HMAC_SHA1_80"),
    ];
    for (suite, name) in suites {
        let summary = runtime().block_on(async {
            let engine = EngineTarget::start(1).await.unwrap().with_transport(EngineTransport::Plain(suite));
            let scenario = Scenario::new(options()).unwrap();
            let stop = StopFlag::default();
            let target = Target::Engine(engine);
            run(scenario, target, RunOptions::default(), &mut Listener::default(), &stop).await.unwrap()
        });
        assert!(summary.is_verified() && summary.to_string().contains(name), "{summary}");
        assert_eq!((summary.joined, summary.streams, summary.lost), (5, 12, 0), "{summary}");
        assert!(summary.window.received > 1000 && summary.received.verified > 200, "{summary}");
    }
}

#[test]
fn each_worker_has_a_room_with_publishers_of_its_own() {
    let summary = runtime().block_on(async {
        let target = Target::Engine(EngineTarget::start(2).await.unwrap());
        let scenario = Scenario::new(options()).unwrap();
        let stop = StopFlag::default();
        run(scenario, target, RunOptions::default(), &mut Listener::default(), &stop).await.unwrap()
    });
    assert!(summary.is_verified(), "{summary}");
    assert_eq!((summary.clients, summary.streams, summary.lost), (2 * 2 + 3, 12, 0), "{summary}");
}

#[test]
fn spoiled_content_fails_the_run() {
    let spoiled = ScenarioOptions { spoil_every: NonZeroU32::new(5), ..options() };
    let summary = measure(spoiled, RunOptions::default(), &mut Listener::default());
    assert!(!summary.is_verified(), "{summary}");
    assert!(summary.received.broken > 10 && summary.to_string().contains("a payload is not what was sent"));
}

#[test]
fn a_meeting_hears_itself() {
    let meeting = ScenarioOptions {
        arrangement: Arrangement::Meeting { members: 4 },
        codecs: vec![Codec::Opus],
        threads: 2,
        peers_per_socket: 1,
        ..options()
    };
    let summary = measure(meeting, RunOptions::default(), &mut Listener::default());
    assert!(summary.is_verified(), "{summary}");
    assert_eq!((summary.clients, summary.streams, summary.lost), (8, 12, 0), "{summary}");
}

#[test]
fn capacity_ends_with_the_last_good_step() {
    let mut listener = Listener::default();
    // A delay that nobody can keep: the first step is too much, and once more.
    let limits = Limits { p99: Duration::ZERO, ..Limits::default() };
    let climb = ClimbOptions { ramp: Ramp::Receivers, limits, step: Duration::from_millis(400) };
    let run_options = RunOptions { climb: Some(climb), ..RunOptions::default() };
    let summary = measure(options(), run_options, &mut listener);
    assert_eq!(listener.steps, [(3, false), (3, false)]);
    let capacity = summary.capacity.clone().unwrap();
    assert_eq!((capacity.best, capacity.end), (None, End::TooMuch));
    assert!(summary.is_verified(), "an overload is no failure: {summary}");
    assert_eq!(Figures::of(&summary).rows.len(), 2);
}

#[test]
fn a_run_that_is_stopped_sums_up_what_it_has() {
    let stop = StopFlag::default();
    let summary = runtime().block_on(async {
        let scenario = Scenario::new(ScenarioOptions { duration: Duration::from_secs(600), ..options() });
        let target = Target::Engine(EngineTarget::start(1).await.unwrap());
        let mut stopper = Stopper(stop.clone());
        run(scenario.unwrap(), target, RunOptions::default(), &mut stopper, &stop).await.unwrap()
    });
    assert!(summary.is_verified() && summary.window.elapsed < Duration::from_secs(60), "{summary}");
}

/// Stops at the first line of what was measured.
struct Stopper(StopFlag);

impl Observer for Stopper {
    fn on_progress(&mut self, progress: &Progress) {
        if progress.window.is_some() {
            self.0.stop();
        }
    }

    fn on_step(&mut self, _: &Step) {}
}
