//! Producers: what is accepted, pausing, end.

use mafalda_api::prelude::*;
use mafalda_api::producer::ProducerType;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, closed, on_each_backend};
use crate::parameters;
use crate::scene::{self, Scene};

on_each_backend! {
    what_an_endpoint_sends_is_taken,
    a_simulcast_is_taken_whole,
    wrong_parameters_are_refused,
    codecs_that_the_router_lacks_are_refused,
    names_in_use_are_refused,
    an_encoding_needs_a_name,
    its_consumable_parameters_are_the_routers,
    a_transport_has_one_cname,
    a_dump_tells_what_it_is,
    statistics_begin_with_the_first_packet,
    it_pauses_and_resumes,
    closing_is_told_to_all,
    dropping_the_last_handle_closes,
    it_is_found_by_its_id,
}

async fn what_an_endpoint_sends_is_taken(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (send, created) = calls();
    let on_new = std::sync::Arc::new(move |producer: &mafalda_api::producer::Producer| {
        send.send(producer.id()).expect("the body waits");
    });
    let _handler = scene.first.on_new_producer(on_new);
    let mut options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
    options.labels.insert("source", "microphone");
    options.app_data = AppData::new(1_u32);
    let audio = scene.first.produce(options).await.expect("a Producer");
    assert_eq!(created.next(), audio.id());
    assert_eq!(
        (audio.kind(), audio.r#type(), audio.paused()),
        (MediaKind::Audio, ProducerType::Simple, false)
    );
    assert_eq!(audio.rtp_parameters(), &parameters::audio());
    assert_eq!(audio.transport().id(), scene.first.id());
    assert_eq!(
        (audio.labels().get("source"), audio.app_data().downcast_ref()),
        (Some("microphone"), Some(&1_u32))
    );

    let video = scene.video().await;
    assert_eq!(video.kind(), MediaKind::Video);
    let dump = scene.router.dump().await.expect("a dump");
    assert_eq!(dump.map_producer_id_consumer_ids.len(), 2);
    let dump = scene.first.dump().await.expect("a dump");
    assert_eq!(dump.producer_ids.len(), 2);
    assert!(dump.rtp_listener.ssrc_table.contains(&(22_222_223, video.id())), "{:?}", dump.rtp_listener);
    assert!(
        dump.rtp_listener.mid_table.contains(&("AUDIO".to_owned(), audio.id())),
        "{:?}",
        dump.rtp_listener
    );
}

async fn refused(scene: &Scene, kind: MediaKind, parameters: RtpParameters) -> ProduceError {
    let error = scene.first.produce(ProducerOptions::new(kind, parameters)).await.expect_err("it is wrong");
    assert!(
        scene.first.dump().await.expect("a dump").rtp_listener.ssrc_table.len() <= 3,
        "nothing is left behind"
    );
    error
}

async fn a_simulcast_is_taken_whole(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene::produce(&scene.first, MediaKind::Video, parameters::simulcast()).await;
    assert_eq!(
        (producer.r#type(), producer.rtp_parameters()),
        (ProducerType::Simulcast, &parameters::simulcast())
    );
    let consumable = producer.consumable_rtp_parameters();
    let bitrates: Vec<_> = consumable.encodings.iter().map(|encoding| encoding.max_bitrate).collect();
    assert_eq!(bitrates, [Some(100_000), Some(300_000), Some(900_000)]);
    let dump = producer.dump().await.expect("a dump");
    assert_eq!((dump.r#type, dump.rtp_mapping.encodings.len()), (ProducerType::Simulcast, 3));
    let dump = scene.first.dump().await.expect("a dump");
    assert_eq!(dump.rtp_listener.ssrc_table.len(), 6, "three streams, and their retransmissions");
    let consumer = scene.consume(&producer).await;
    assert_eq!(consumer.r#type(), mafalda_api::consumer::ConsumerType::Simulcast);
    assert_eq!((consumer.rtp_parameters().encodings.len(), consumer.score().producer_scores.len()), (1, 3));
    // Those of another Producer don't fit beside them, nor do codecs that have their layers in one stream.
    let mut other = parameters::simulcast();
    other.mid = Some("OTHER".into());
    let refusal =
        scene.first.produce(ProducerOptions::new(MediaKind::Video, other)).await.expect_err("in use");
    assert_eq!(refusal.code(), ErrorCode::InvalidArgument, "{refusal}");
    let mut sound = parameters::audio();
    sound.encodings = parameters::simulcast().encodings;
    let refusal =
        scene.second.produce(ProducerOptions::new(MediaKind::Audio, sound)).await.expect_err("sound");
    assert_eq!(refusal.code(), ErrorCode::Unsupported, "{refusal}");
}

async fn wrong_parameters_are_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let mut without_codecs = parameters::audio();
    without_codecs.codecs.clear();
    let error = refused(&scene, MediaKind::Audio, without_codecs).await;
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error:?}");

    let mut rtx_of_nothing = parameters::video();
    let RtpCodecParameters::Video { parameters, .. } = &mut rtx_of_nothing.codecs[1] else {
        panic!("it is video")
    };
    parameters.insert("apt", 111_u8);
    let error = refused(&scene, MediaKind::Video, rtx_of_nothing).await;
    assert_eq!(error.code(), ErrorCode::Negotiation, "{error:?}");

    let error = refused(&scene, MediaKind::Video, parameters::audio()).await;
    assert!(matches!(error.code(), ErrorCode::Negotiation | ErrorCode::InvalidArgument), "{error:?}");
    assert!(scene.first.dump().await.expect("a dump").producer_ids.is_empty());
}

async fn codecs_that_the_router_lacks_are_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let mut vp9 = parameters::video();
    let RtpCodecParameters::Video { mime_type, .. } = &mut vp9.codecs[0] else { panic!("it is video") };
    *mime_type = MimeTypeVideo::Vp9;
    let error = refused(&scene, MediaKind::Video, vp9).await;
    assert!(matches!(error, ProduceError::FailedRtpParametersMapping(_)), "{error:?}");
}

async fn names_in_use_are_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let _first = scene.video().await;
    let mut same_mid = parameters::video();
    same_mid.encodings[0].ssrc = Some(1);
    same_mid.encodings[0].rtx = None;
    let mut same_ssrc = parameters::video();
    same_ssrc.mid = Some("OTHER".into());
    for (parameters, name) in [(same_mid, "VIDEO"), (same_ssrc, "22222222")] {
        let error = refused(&scene, MediaKind::Video, parameters).await;
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
    // Another Transport has names of its own.
    scene::produce(&scene.second, MediaKind::Video, parameters::video()).await;
}

async fn an_encoding_needs_a_name(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let mut nameless = parameters::video();
    nameless.mid = None;
    nameless.encodings = vec![RtpEncodingParameters::default()];
    let error = refused(&scene, MediaKind::Video, nameless.clone()).await;
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error:?}");
    nameless.mid = Some("1".into());
    scene::produce(&scene.first, MediaKind::Video, nameless).await;
}

async fn its_consumable_parameters_are_the_routers(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let consumable = video.consumable_rtp_parameters();
    let payload_types: Vec<u8> = consumable.codecs.iter().map(RtpCodecParameters::payload_type).collect();
    assert_eq!(payload_types, [101, 102]);
    assert_eq!(consumable.encodings.len(), 1);
    assert_ne!(consumable.encodings[0].ssrc, Some(22_222_222), "SSRCs are mapped");
}

async fn a_transport_has_one_cname(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let mut other = parameters::video();
    other.rtcp.cname = Some("ANOTHER".into());
    let video = scene::produce(&scene.first, MediaKind::Video, other).await;
    assert_eq!(audio.rtp_parameters().rtcp.cname.as_deref(), Some("FOOBAR"));
    assert_eq!(video.consumable_rtp_parameters().rtcp.cname.as_deref(), Some("FOOBAR"));
}

async fn a_dump_tells_what_it_is(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let dump = video.dump().await.expect("a dump");
    assert_eq!(
        (dump.id, dump.kind, dump.paused, dump.r#type),
        (video.id(), MediaKind::Video, false, ProducerType::Simple)
    );
    assert_eq!(&dump.rtp_parameters, video.rtp_parameters());
    let codecs: Vec<_> =
        dump.rtp_mapping.codecs.iter().map(|it| (it.payload_type, it.mapped_payload_type)).collect();
    assert_eq!(codecs, [(112, 101), (113, 102)]);
    let encoding = &dump.rtp_mapping.encodings[0];
    assert_eq!(encoding.ssrc, Some(22_222_222));
    assert_eq!(Some(encoding.mapped_ssrc), video.consumable_rtp_parameters().encodings[0].ssrc);
    assert!(dump.rtp_streams.is_empty(), "no packet has come");
}

async fn statistics_begin_with_the_first_packet(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    assert!(audio.score().is_empty());
    assert!(audio.get_stats().await.expect("statistics").is_empty());
}

async fn it_pauses_and_resumes(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let mut options = ProducerOptions::new(MediaKind::Audio, parameters::audio());
    options.paused = true;
    let audio = scene.first.produce(options).await.expect("a Producer");
    assert!(audio.paused() && audio.dump().await.expect("a dump").paused);
    let (send, told) = calls();
    let (pause, resume) = (send.clone(), send);
    let _handlers = [
        audio.on_pause(move || pause.send("paused").expect("the body waits")),
        audio.on_resume(move || resume.send("resumed").expect("the body waits")),
    ];
    audio.resume().await.expect("resumed");
    assert!(!audio.paused());
    audio.resume().await.expect("twice is no error");
    audio.pause().await.expect("paused");
    assert!(audio.paused() && audio.dump().await.expect("a dump").paused);
    assert_eq!([told.next(), told.next()], ["resumed", "paused"]);
}

async fn closing_is_told_to_all(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let consumer = scene.consume(&producer).await;
    let (send, told) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    producer.on_close(tell("producer")).detach();
    consumer.on_producer_close(tell("consumer, by its producer")).detach();
    consumer.on_close(tell("consumer")).detach();
    producer.close();
    assert_eq!(
        [told.next(), told.next(), told.next()],
        ["producer", "consumer, by its producer", "consumer"]
    );
    assert!(producer.closed() && consumer.closed());
    assert_eq!(producer.dump().await.expect_err("it is closed").code(), ErrorCode::NotFound);
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.map_producer_id_consumer_ids.is_empty() && dump.map_consumer_id_producer_id.is_empty());
    // Its names are free again.
    scene.audio().await;
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let weak = producer.downgrade();
    let consumer = scene.consume(&producer).await;
    drop(producer);
    assert!(weak.upgrade().is_none(), "a Consumer doesn't hold its Producer");
    assert!(scene.first.dump().await.expect("a dump").producer_ids.is_empty());
    closed!(consumer);
}

async fn it_is_found_by_its_id(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let producer = scene.audio().await;
    let found = manager.find_producer(producer.id()).expect("it is there");
    assert_eq!(found.rtp_parameters(), producer.rtp_parameters());
    drop(producer);
    assert!(!found.closed(), "every handle given out holds it");
    assert!(manager.find_producer(ProducerId::new()).is_none());
}
