//! The demo's gateway on a port of loopback, reached over its own signalling.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test shall fail it")]

use std::time::Duration;

use mafalda_core::types::data_structures::{ListenInfo, Protocol};
use mafalda_core::webrtc_transport::WebRtcTransportListenInfos;
use mafalda_core::worker::WorkerSettings;
use mafalda_core::worker_manager::WorkerManager;
use mafalda_gateway::{Gateway, GatewayOptions, JoinToken, serve};
use mafalda_load::{
    Arrangement, ClimbOptions, Codec, DemoAddress, DemoTarget, End, Limits, Observer, Progress, Ramp,
    RunError, RunOptions, Scenario, ScenarioOptions, Step, StopFlag, Summary, Target, TargetError, run,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

struct Nobody;

impl Observer for Nobody {
    fn on_progress(&mut self, _: &Progress) {}
    fn on_step(&mut self, _: &Step) {}
}

/// A gateway that asks for `asked`, its address with `given` as token, and the task that serves it.
async fn start(asked: Option<&str>, given: Option<&str>) -> (Gateway, Target, JoinHandle<()>) {
    let worker = WorkerManager::new().create_worker(WorkerSettings::default()).await.unwrap();
    let mut options = GatewayOptions::default();
    let info = ListenInfo { ip: [127, 0, 0, 1].into(), ..ListenInfo::of_place(Protocol::Udp) };
    options.listen_infos = WebRtcTransportListenInfos::new(info);
    options.token = asked.map(JoinToken::new);
    let gateway = Gateway::new(vec![worker], options);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let http = gateway.http();
    let serving = tokio::spawn(async {
        serve(listener, http, |stream| async { Ok(stream) }).await;
    });
    let link = given.map_or(url.clone(), |token| format!("{url}#token={token}"));
    let target = DemoTarget::new(link.parse::<DemoAddress>().unwrap(), "load".into(), None);
    (gateway, Target::Demo(target), serving)
}

fn scenario(arrangement: Arrangement) -> Scenario {
    Scenario::new(ScenarioOptions {
        arrangement,
        codecs: vec![Codec::Vp8, Codec::Opus],
        bitrate: 100_000,
        // For a line of progress at least, which comes every second.
        duration: Duration::from_millis(1200),
        verify_every: 4,
        ..ScenarioOptions::default()
    })
    .unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Counts the rooms that are there while it is measured.
struct Counter {
    gateway: Gateway,
    rooms: usize,
}

impl Observer for Counter {
    fn on_progress(&mut self, _: &Progress) {
        self.rooms = self.rooms.max(self.gateway.room_count());
    }

    fn on_step(&mut self, _: &Step) {}
}

/// What came of a run, and how many rooms there were at once.
fn measure(
    arrangement: Arrangement,
    asked: Option<&str>,
    given: Option<&str>,
) -> Result<(Summary, usize), RunError> {
    runtime().block_on(async {
        let (gateway, target, _serving) = start(asked, given).await;
        let mut counter = Counter { gateway, rooms: 0 };
        let (scenario, stop) = (scenario(arrangement), StopFlag::default());
        let summary = run(scenario, target, RunOptions::default(), &mut counter, &stop).await?;
        Ok((summary, counter.rooms))
    })
}

#[test]
fn participants_join_over_websockets_and_hear_each_other() {
    let arrangement = Arrangement::Broadcast { publishers: 2, subscribers: 3 };
    let (summary, rooms) = measure(arrangement, Some("s3cret"), Some("s3cret")).unwrap();
    assert!(summary.is_verified(), "{summary}");
    assert_eq!((summary.joined, summary.streams, summary.lost, rooms), (5, 12, 0, 1), "{summary}");
    assert!(summary.window.server_cpus().is_none(), "nobody said which process it is");
}

#[test]
fn who_does_not_fit_into_a_room_goes_into_the_next() {
    let arrangement = Arrangement::Broadcast { publishers: 1, subscribers: 70 };
    let (summary, rooms) = measure(arrangement, None, None).unwrap();
    assert!(summary.received.broken == 0 && summary.received.verified > 0, "{summary}");
    assert_eq!((summary.joined, summary.streams, rooms), (72, 140, 2), "{summary}");
}

#[test]
fn a_wrong_token_is_told() {
    let arrangement = Arrangement::Broadcast { publishers: 1, subscribers: 1 };
    let refusal = measure(arrangement, Some("s3cret"), Some("guess")).unwrap_err();
    let RunError::Target(TargetError::Refused { code, .. }) = refusal else { panic!("{refusal}") };
    assert_eq!(code, "wrongToken");
}

/// Lets nobody else in after a step.
struct Doorkeeper(JoinHandle<()>);

impl Observer for Doorkeeper {
    fn on_progress(&mut self, _: &Progress) {}

    fn on_step(&mut self, step: &Step) {
        assert!(step.is_good, "{step}");
        self.0.abort();
    }
}

#[test]
fn a_server_that_lets_nobody_else_in_ends_the_search_with_what_was_good() {
    let summary = runtime().block_on(async {
        let (_gateway, target, serving) = start(None, None).await;
        let limits = Limits { p99: Duration::from_secs(1), loss: 0.05 };
        let climb = ClimbOptions { ramp: Ramp::Receivers, limits, step: Duration::from_millis(400) };
        let options = RunOptions { climb: Some(climb), ..RunOptions::default() };
        let arrangement = Arrangement::Broadcast { publishers: 1, subscribers: 2 };
        let mut keeper = Doorkeeper(serving);
        run(scenario(arrangement), target, options, &mut keeper, &StopFlag::default()).await.unwrap()
    });
    let capacity = summary.capacity.clone().unwrap();
    let End::Refused(reason) = &capacity.end else { panic!("{summary}") };
    assert!(capacity.best == Some(2) && reason.contains("no connection") && !capacity.is_reached());
    assert!(summary.is_verified() && summary.to_string().contains("there may be more: no connection"));
}

#[test]
fn a_process_that_is_not_there_is_told() {
    let refusal = runtime().block_on(async {
        let (_gateway, target, _serving) = start(None, None).await;
        let options = RunOptions { server_pid: Some(u32::MAX), ..RunOptions::default() };
        let scenario = scenario(Arrangement::Meeting { members: 2 });
        run(scenario, target, options, &mut Nobody, &StopFlag::default()).await.unwrap_err()
    });
    assert!(matches!(refusal, RunError::NoProcess(u32::MAX)), "{refusal}");
}

#[test]
fn what_is_no_demo_is_told() {
    let refusal = |reply: &'static str| {
        runtime().block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
            tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 1000]).await;
                stream.write_all(reply.as_bytes()).await.unwrap();
            });
            let target = Target::Demo(DemoTarget::new(address, "load".into(), None));
            let scenario = scenario(Arrangement::Meeting { members: 2 });
            let stop = StopFlag::default();
            run(scenario, target, RunOptions::default(), &mut Nobody, &stop).await.unwrap_err().to_string()
        })
    };
    for reply in ["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-x\r\n"] {
        let told = refusal(reply);
        assert!(
            told.contains("no connection to http://127.0.0.1:") && told.contains("no mafalda-demo"),
            "{told}"
        );
    }
}
