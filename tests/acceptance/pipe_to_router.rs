//! `pipe_producer_to_router`: a Producer of one Router is one of another Router too, with all that happens to it.

use std::collections::HashSet;

use futures_lite::future::zip;
use mafalda_api::consumer::ConsumerType;
use mafalda_api::error::PipeProducerToRouterError as PipeError;
use mafalda_api::prelude::*;
use mafalda_api::producer::{Producer, ProducerType};
use mafalda_api::router::{PipeProducerToRouterPair, PipeToRouterOptions, Router};
use mafalda_api::types::data_structures::TransportTuple;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{self, Fixture, Local, calls, closed, on_each_backend};
use crate::parameters;
use crate::scene::{self, Scene, listen_info};

on_each_backend! {
    sound_is_carried_with_its_id,
    picture_is_carried_with_its_id,
    all_streams_of_a_simulcast_are_carried,
    a_carried_producer_is_consumed_like_any_other,
    pausing_and_resuming_is_carried,
    what_was_paused_before_is_paused_there,
    the_end_of_either_is_the_end_of_both,
    dropping_what_is_piped_does_not_close_it,
    what_was_taken_out_closes_when_it_is_dropped,
    piping_more_and_both_ways_makes_one_pair,
    piping_at_the_same_time_makes_one_pair,
    a_pair_that_has_gone_is_made_anew,
    one_worker_needs_another_id,
    one_router_needs_another_id,
    a_producer_goes_over_several_hops,
    srtp_and_rtx_are_those_of_the_pair,
    each_end_can_listen_elsewhere,
    an_unknown_producer_is_refused,
    ends_that_cannot_be_had_leave_nothing_behind,
    a_producer_that_ends_meanwhile_is_refused,
    what_the_other_router_cannot_take_is_refused,
}

async fn other_router(manager: &WorkerManager) -> Router {
    scene::router(&scene::worker(manager).await).await
}

async fn pipe(from: &Router, producer: &Producer, to: &Router) -> PipeProducerToRouterPair {
    let options = PipeToRouterOptions::new(to.clone());
    from.pipe_producer_to_router(producer.id(), options).await.expect("a pipe")
}

async fn refusal(from: &Router, producer: ProducerId, options: PipeToRouterOptions) -> PipeError {
    from.pipe_producer_to_router(producer, options).await.expect_err("it can't be")
}

async fn transports(router: &Router) -> HashSet<TransportId> {
    router.dump().await.expect("a dump").transport_ids
}

/// What a client of another Router gets.
async fn consume(router: &Router, producer: &ProducerId) -> Consumer {
    let transport = scene::transport(router).await;
    let options = ConsumerOptions::new(*producer, parameters::client_capabilities());
    transport.consume(options).await.expect("a Consumer")
}

async fn check_carried(scene: &Scene, producer: &Producer, there: &Router) {
    let (told, created) = calls();
    let _handler = there.on_new_transport(move |it| told.send(it.id()).expect("the body waits"));
    let pair = pipe(&scene.router, producer, there).await;
    let (consumer, piped) = (&pair.pipe_consumer, &pair.pipe_producer);
    assert_eq!((consumer.kind(), consumer.r#type()), (producer.kind(), ConsumerType::Pipe));
    assert_eq!(consumer.producer_id(), producer.id());
    assert_eq!((consumer.paused(), consumer.producer_paused(), consumer.closed()), (false, false, false));
    assert_eq!((consumer.score().score, consumer.score().producer_score), (10, 10));
    assert_eq!(consumer.rtp_parameters().mid, None);
    assert_eq!(
        (piped.id(), piped.kind(), piped.r#type()),
        (producer.id(), producer.kind(), producer.r#type())
    );
    assert_eq!((piped.paused(), piped.closed()), (false, false));
    assert_eq!(piped.rtp_parameters(), consumer.rtp_parameters());
    assert_eq!(piped.rtp_parameters().rtcp.cname, producer.rtp_parameters().rtcp.cname);
    // Endpoints can't tell whether a Producer comes from elsewhere, not even by the names of its streams in the Router.
    assert_eq!(piped.consumable_rtp_parameters(), producer.consumable_rtp_parameters());
    assert_eq!((created.next(), piped.transport().router().id()), (piped.transport().id(), there.id()));
    assert_eq!(consumer.transport().router().id(), scene.router.id());
    assert_eq!(piped.dump().await.expect("a dump").id, producer.id());
    let dump = there.dump().await.expect("a dump");
    assert!(dump.map_producer_id_consumer_ids.contains_key(&producer.id()));
    assert!(there.can_consume(&producer.id(), &parameters::client_capabilities()));
    assert!(!there.can_consume(&producer.id(), &parameters::other_capabilities()));
    piped.get_stats().await.expect("statistics");
}

async fn sound_is_carried_with_its_id(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    check_carried(&scene, &scene.audio().await, &other_router(manager).await).await;
}

async fn picture_is_carried_with_its_id(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    check_carried(&scene, &scene.video().await, &other_router(manager).await).await;
}

async fn all_streams_of_a_simulcast_are_carried(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene::produce(&scene.first, MediaKind::Video, parameters::simulcast()).await;
    assert_eq!(producer.r#type(), ProducerType::Simulcast);
    let there = other_router(manager).await;
    check_carried(&scene, &producer, &there).await;
    let pair = pipe(&scene.router, &producer, &other_router(manager).await).await;
    let encodings = &pair.pipe_consumer.rtp_parameters().encodings;
    let ssrcs: HashSet<_> = encodings.iter().filter_map(|encoding| encoding.ssrc).collect();
    assert_eq!((encodings.len(), ssrcs.len()), (3, 3));
    let dump = pair.pipe_consumer.dump().await.expect("a dump");
    assert_eq!(dump.rtp_streams.iter().map(|it| it.params.encoding_idx).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(pair.pipe_consumer.get_stats().await.expect("statistics").len(), 3);
    assert_eq!(pair.pipe_consumer.score().producer_scores.len(), 3);
}

async fn a_carried_producer_is_consumed_like_any_other(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.video().await;
    let there = other_router(manager).await;
    let pair = pipe(&scene.router, &producer, &there).await;
    let (here, far) = (scene.consume(&producer).await, consume(&there, &producer.id()).await);
    assert_eq!(far.producer_id(), producer.id());
    assert_eq!((far.kind(), far.r#type()), (here.kind(), here.r#type()));
    assert_eq!(far.rtp_parameters().codecs, here.rtp_parameters().codecs);
    assert_eq!(far.rtp_parameters().header_extensions, here.rtp_parameters().header_extensions);
    let dump = there.dump().await.expect("a dump");
    assert_eq!(dump.map_consumer_id_producer_id.get(&far.id()), Some(&producer.id()));
    assert_eq!(far.dump().await.expect("a dump").producer_id, producer.id());
    // The same id means another Producer in each Router.
    let found = manager.find_producer(producer.id()).expect("the first");
    assert_eq!(found.transport().router().id(), scene.router.id());
    drop(pair);
}

async fn pausing_and_resuming_is_carried(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.video().await;
    let there = other_router(manager).await;
    let pair = pipe(&scene.router, &producer, &there).await;
    let far = consume(&there, &producer.id()).await;
    let (told, changes) = calls();
    let again = told.clone();
    far.on_producer_pause(move || told.send(true).expect("the body waits")).detach();
    far.on_producer_resume(move || again.send(false).expect("the body waits")).detach();
    producer.pause().await.expect("paused");
    assert!(changes.next() && far.producer_paused() && pair.pipe_producer.paused());
    assert!(pair.pipe_consumer.producer_paused());
    producer.resume().await.expect("resumed");
    assert!(!changes.next() && !far.producer_paused() && !pair.pipe_producer.paused());
    // The pipe itself can be paused too, and then both must be resumed.
    pair.pipe_consumer.pause().await.expect("paused");
    assert!(changes.next());
    producer.pause().await.expect("paused");
    pair.pipe_consumer.resume().await.expect("resumed");
    producer.resume().await.expect("resumed");
    assert!(!changes.next());
    // Many changes in a row come to the last of them.
    for _ in 0..20 {
        producer.pause().await.expect("paused");
        producer.resume().await.expect("resumed");
    }
    producer.pause().await.expect("paused");
    while !pair.pipe_producer.paused() || !far.producer_paused() {
        changes.next();
    }
}

async fn what_was_paused_before_is_paused_there(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    producer.pause().await.expect("paused");
    let there = other_router(manager).await;
    let pair = pipe(&scene.router, &producer, &there).await;
    assert!(pair.pipe_consumer.producer_paused() && pair.pipe_producer.paused());
    assert!(consume(&there, &producer.id()).await.producer_paused());
    let (told, resumed) = calls();
    pair.pipe_producer.on_resume(move || told.send(()).expect("the body waits")).detach();
    producer.resume().await.expect("resumed");
    resumed.next();
}

type End = fn(&Producer, &PipeProducerToRouterPair);

async fn the_end_of_either_is_the_end_of_both(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = other_router(manager).await;
    let ends: [(&str, End); 4] = [
        ("producer", |producer, _| producer.close()),
        ("consumer", |_, pair| pair.pipe_consumer.close()),
        ("piped producer", |_, pair| pair.pipe_producer.close()),
        ("its transport", |_, pair| pair.pipe_producer.transport().close()),
    ];
    for (name, end) in ends {
        let producer = scene.audio().await;
        let pair = pipe(&scene.router, &producer, &there).await;
        let far = consume(&there, &producer.id()).await;
        end(&producer, &pair);
        closed!(pair.pipe_consumer);
        closed!(pair.pipe_producer);
        closed!(far);
        assert_eq!(producer.closed(), name == "producer", "{name}");
        assert!(!there.can_consume(&producer.id(), &parameters::client_capabilities()), "{name}");
        producer.close();
    }
}

async fn dropping_what_is_piped_does_not_close_it(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let there = other_router(manager).await;
    let PipeProducerToRouterPair { pipe_consumer, pipe_producer, .. } =
        pipe(&scene.router, &producer, &there).await;
    let weak = pipe_producer.downgrade();
    drop(pipe_producer);
    let far = consume(&there, &producer.id()).await;
    assert!(!far.closed() && weak.upgrade().is_some_and(|it| !it.closed()));
    producer.pause().await.expect("paused");
    let (told, paused) = calls();
    far.on_producer_pause(move || told.send(()).expect("the body waits")).detach();
    if !far.producer_paused() {
        paused.next();
    }
    // It lives as long as what it carries.
    drop(pipe_consumer);
    producer.resume().await.expect("resumed");
    let again = consume(&there, &producer.id()).await;
    assert!(!far.closed() && !again.closed());
    producer.close();
    closed!(far);
    closed!(again);
    assert!(weak.upgrade().is_none_or(|it| it.closed()));
}

async fn what_was_taken_out_closes_when_it_is_dropped(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let there = other_router(manager).await;
    let pair = pipe(&scene.router, &producer, &there).await;
    let piped = pair.pipe_producer.into_inner();
    let far = consume(&there, &producer.id()).await;
    drop(piped);
    closed!(far);
    closed!(pair.pipe_consumer);
    assert!(!producer.closed());
}

async fn piping_more_and_both_ways_makes_one_pair(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (here, there) = (&scene.router, other_router(manager).await);
    let (before, before_there) = (transports(here).await.len(), transports(&there).await.len());
    let (audio, video) = (scene.audio().await, scene.video().await);
    let first = pipe(here, &audio, &there).await;
    let second = pipe(here, &video, &there).await;
    let back = scene::transport(&there).await;
    let other = scene::produce(&back, MediaKind::Audio, parameters::audio()).await;
    let third = pipe(&there, &other, here).await;
    assert_eq!(first.pipe_consumer.transport().id(), second.pipe_consumer.transport().id());
    assert_eq!(first.pipe_producer.transport().id(), third.pipe_consumer.transport().id());
    assert_eq!(first.pipe_consumer.transport().id(), third.pipe_producer.transport().id());
    assert_eq!(transports(here).await.len(), before + 1);
    assert_eq!(transports(&there).await.len(), before_there + 2, "the pair's and that of the endpoint there");
    // Twice the same: the id is taken there, unless it is to be another one.
    let options = PipeToRouterOptions::new(there.clone());
    let error = refusal(here, audio.id(), options).await;
    assert_eq!(error, PipeError::ProduceFailed(ProduceError::AlreadyExists(audio.id())));
    let mut options = PipeToRouterOptions::new(there.clone());
    options.keep_id = false;
    let again = here.pipe_producer_to_router(audio.id(), options).await.expect("another Producer");
    assert_ne!(again.pipe_producer.id(), audio.id());
    assert_eq!(transports(here).await.len(), before + 1);
    assert!(!first.pipe_consumer.closed(), "what was there is not touched");
}

async fn piping_at_the_same_time_makes_one_pair(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (here, there) = (&scene.router, other_router(manager).await);
    let before = transports(here).await.len();
    let (audio, video) = (scene.audio().await, scene.video().await);
    let back = scene::transport(&there).await;
    let other = scene::produce(&back, MediaKind::Audio, parameters::audio()).await;
    // One that is given up in the middle of it is in nobody's way.
    let given_up = Box::pin(pipe(here, &audio, &there));
    let mut polled = given_up;
    let once = futures_lite::future::poll_once(polled.as_mut()).await;
    assert!(once.is_none(), "it takes more than a moment");
    drop(polled);
    let ((first, second), third) =
        zip(zip(pipe(here, &audio, &there), pipe(here, &video, &there)), pipe(&there, &other, here)).await;
    assert_eq!(first.pipe_consumer.transport().id(), second.pipe_consumer.transport().id());
    assert_eq!(first.pipe_producer.transport().id(), third.pipe_consumer.transport().id());
    assert_eq!(transports(here).await.len(), before + 1);
}

async fn a_pair_that_has_gone_is_made_anew(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (here, there) = (&scene.router, other_router(manager).await);
    let producer = scene.audio().await;
    let before = transports(here).await;
    let first = pipe(here, &producer, &there).await;
    let ends = [first.pipe_consumer.transport().id(), first.pipe_producer.transport().id()];
    // Nobody needs it any more.
    first.pipe_consumer.close();
    drop(first);
    assert_eq!((transports(here).await, transports(&there).await.len()), (before.clone(), 0));
    let second = pipe(here, &producer, &there).await;
    assert!(!ends.contains(&second.pipe_consumer.transport().id()));
    // One end closes, and the other with it, though there are handles of both.
    second.pipe_consumer.transport().close();
    closed!(second.pipe_producer);
    assert!(second.pipe_producer.transport().closed());
    let third = pipe(here, &producer, &there).await;
    assert!(!third.pipe_consumer.closed());
    assert_eq!(transports(here).await.len(), before.len() + 1);
}

async fn one_worker_needs_another_id(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = scene::router(&scene.worker).await;
    let producer = scene.audio().await;
    let error = refusal(&scene.router, producer.id(), PipeToRouterOptions::new(there.clone())).await;
    assert_eq!(error, PipeError::ProduceFailed(ProduceError::AlreadyExists(producer.id())));
    assert_eq!(error.code(), ErrorCode::AlreadyExists);
    assert!(transports(&there).await.is_empty(), "nothing is left");
    let mut options = PipeToRouterOptions::new(there.clone());
    options.keep_id = false;
    let pair = scene.router.pipe_producer_to_router(producer.id(), options).await.expect("a pipe");
    let id = pair.pipe_producer.id();
    assert_ne!(id, producer.id());
    assert_eq!(consume(&there, &id).await.producer_id(), id);
    assert!(!there.can_consume(&producer.id(), &parameters::client_capabilities()));
    assert_eq!(manager.find_producer(id).map(|it| it.id()), Some(id));
}

async fn one_router_needs_another_id(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let mut options = PipeToRouterOptions::new(scene.router.clone());
    options.keep_id = false;
    let pair = scene.router.pipe_producer_to_router(producer.id(), options).await.expect("a pipe");
    assert_ne!(pair.pipe_consumer.transport().id(), pair.pipe_producer.transport().id());
    assert_eq!(pair.pipe_producer.transport().router().id(), scene.router.id());
    let options = PipeToRouterOptions::new(scene.router.clone());
    let error = refusal(&scene.router, producer.id(), options).await;
    assert_eq!((error.clone(), error.code()), (PipeError::SameRouter, ErrorCode::InvalidArgument));
}

async fn a_producer_goes_over_several_hops(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (second, third) = (other_router(manager).await, other_router(manager).await);
    let producer = scene.video().await;
    let first_hop = pipe(&scene.router, &producer, &second).await;
    let second_hop = pipe(&second, &first_hop.pipe_producer, &third).await;
    assert_eq!(second_hop.pipe_producer.id(), producer.id());
    assert_eq!(second_hop.pipe_producer.consumable_rtp_parameters(), producer.consumable_rtp_parameters());
    let far = consume(&third, &producer.id()).await;
    let (told, paused) = calls();
    far.on_producer_pause(move || told.send(()).expect("the body waits")).detach();
    producer.pause().await.expect("paused");
    paused.next();
    producer.close();
    closed!(far);
    closed!(second_hop.pipe_producer);
}

async fn srtp_and_rtx_are_those_of_the_pair(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = other_router(manager).await;
    let mut options = PipeToRouterOptions::new(there.clone());
    (options.enable_rtx, options.enable_srtp) = (true, true);
    let producer = scene.video().await;
    let pair = scene.router.pipe_producer_to_router(producer.id(), options).await.expect("a pipe");
    let [here, far] = [pair.pipe_consumer.transport(), pair.pipe_producer.transport()]
        .map(|end| manager.find_pipe_transport(end.id()).expect("it is one"));
    for end in [&here, &far] {
        let dump = end.dump().await.expect("a dump");
        assert!(dump.rtx && dump.srtp_parameters.is_some());
        assert!(matches!(dump.tuple, TransportTuple::WithRemote { .. }));
    }
    assert_ne!(here.srtp_parameters(), far.srtp_parameters());
    assert_eq!(here.tuple().remote_port(), Some(far.tuple().local_port()));
    assert_eq!(far.tuple().remote_port(), Some(here.tuple().local_port()));
    assert!(pair.pipe_consumer.rtp_parameters().encodings[0].rtx.is_some());
    assert!(pair.pipe_producer.rtp_parameters().codecs.iter().any(|codec| codec.is_rtx()));
}

async fn each_end_can_listen_elsewhere(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = other_router(manager).await;
    let mut options = PipeToRouterOptions::new(there);
    assert_eq!((options.listen_info.ip, options.keep_id), ([127, 0, 0, 1].into(), true));
    assert_eq!((options.enable_rtx, options.enable_srtp), (false, false));
    options.listen_info.ip = [127, 0, 0, 2].into();
    options.remote_listen_info = Some(ListenInfo { ip: [127, 0, 0, 3].into(), ..listen_info(Protocol::Udp) });
    let producer = scene.audio().await;
    let pair = scene.router.pipe_producer_to_router(producer.id(), options).await.expect("a pipe");
    let tuples = [pair.pipe_consumer.transport(), pair.pipe_producer.transport()]
        .map(|end| manager.find_pipe_transport(end.id()).expect("it is one").tuple());
    assert_eq!(tuples.map(|tuple| tuple.local_address().clone()), ["127.0.0.2", "127.0.0.3"]);
}

async fn an_unknown_producer_is_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = other_router(manager).await;
    let unknown = ProducerId::new();
    let error = refusal(&scene.router, unknown, PipeToRouterOptions::new(there.clone())).await;
    assert_eq!((error.clone(), error.code()), (PipeError::ProducerNotFound(unknown), ErrorCode::NotFound));
    // One of another Router is unknown, too, and one that is closed.
    let producer = scene.audio().await;
    let options = || PipeToRouterOptions::new(scene.router.clone());
    assert_eq!(refusal(&there, producer.id(), options()).await, PipeError::ProducerNotFound(producer.id()));
    producer.close();
    let error = refusal(&scene.router, producer.id(), PipeToRouterOptions::new(there)).await;
    assert_eq!(error, PipeError::ProducerNotFound(producer.id()));
}

async fn ends_that_cannot_be_had_leave_nothing_behind(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = other_router(manager).await;
    let producer = scene.audio().await;
    let before = transports(&scene.router).await;
    let foreign = ListenInfo { ip: [192, 0, 2, 1].into(), ..listen_info(Protocol::Udp) };
    let named = ListenInfo { announced_address: Some("pipe.example".into()), ..listen_info(Protocol::Udp) };
    let cases = [
        (foreign.clone(), None, ErrorCode::AddressUnavailable),
        (listen_info(Protocol::Udp), Some(foreign), ErrorCode::AddressUnavailable),
        (listen_info(Protocol::Udp), Some(named), ErrorCode::InvalidArgument),
        (listen_info(Protocol::Tcp), None, ErrorCode::InvalidArgument),
    ];
    for (here, far, code) in cases {
        let mut options = PipeToRouterOptions::new(there.clone());
        (options.listen_info, options.remote_listen_info) = (here, far);
        let error = refusal(&scene.router, producer.id(), options).await;
        assert!(matches!(error, PipeError::TransportFailed(_)), "{error}");
        assert_eq!(error.code(), code, "{error}");
    }
    assert_eq!((transports(&scene.router).await, transports(&there).await.len()), (before, 0));
    // And nothing that would be in the way of the next.
    pipe(&scene.router, &producer, &there).await;
    there.close();
    let error = refusal(&scene.router, producer.id(), PipeToRouterOptions::new(there)).await;
    assert_eq!(error.code(), ErrorCode::NotFound, "{error}");
}

async fn a_producer_that_ends_meanwhile_is_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let there = other_router(manager).await;
    let producer = scene.audio().await;
    let id = producer.id();
    let _handler = there.on_new_transport(move |_| producer.close());
    let error = refusal(&scene.router, id, PipeToRouterOptions::new(there.clone())).await;
    assert_eq!(error, PipeError::ConsumeFailed(ConsumeError::ProducerNotFound(id)));
    assert_eq!((error.code(), transports(&there).await.len()), (ErrorCode::NotFound, 0));
}

async fn what_the_other_router_cannot_take_is_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let worker = scene::worker(manager).await;
    let codecs = parameters::media_codecs().into_iter().take(1).collect();
    let there = worker.create_router(RouterOptions::new(codecs)).await.expect("a Router for sound alone");
    let (audio, video) = (scene.audio().await, scene.video().await);
    let pair = pipe(&scene.router, &audio, &there).await;
    let error = refusal(&scene.router, video.id(), PipeToRouterOptions::new(there.clone())).await;
    assert!(
        matches!(error, PipeError::ProduceFailed(ProduceError::FailedRtpParametersMapping(_))),
        "{error}"
    );
    let stats = scene.router.dump().await.expect("a dump");
    assert!(stats.map_producer_id_consumer_ids[&video.id()].is_empty(), "its pipe Consumer is gone");
    assert!(!pair.pipe_consumer.closed());
}

/// Handles are all that a pipe needs: the two Routers may have nothing in common.
#[test]
fn a_producer_goes_from_one_backend_to_another() {
    let body: fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>> = || {
        Box::pin(async {
            let (one, other) = (Local::start(), Local::start());
            let scene = Scene::new(one.manager()).await;
            let there = other_router(other.manager()).await;
            let producer = scene.video().await;
            let pair = pipe(&scene.router, &producer, &there).await;
            let far = consume(&there, &producer.id()).await;
            let (told, paused) = calls();
            far.on_producer_pause(move || told.send(()).expect("the test waits")).detach();
            producer.pause().await.expect("paused");
            paused.next();
            assert_eq!(pair.pipe_producer.id(), producer.id());
            producer.close();
            closed!(far);
            closed!(pair.pipe_producer);
        })
    };
    fixture::run::<Local>(async move |_: &WorkerManager| body().await);
}
