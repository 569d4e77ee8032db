//! Consumers: what they are given, pausing on both sides, end.

use std::sync::Arc;

use mafalda_api::consumer::{Consumer, ConsumerRtpStreamStat, ConsumerScore, ConsumerType};
use mafalda_api::ortc::ConsumerRtpParametersError;
use mafalda_api::prelude::*;
use mafalda_api::subscription::Observed;
use mafalda_api::waist::{CloseCause, ErrorCode, Event};
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{calls, on_each_backend};
use crate::parameters;
use crate::scene::Scene;

on_each_backend! {
    it_is_given_what_the_endpoint_needs,
    mids_are_counted_or_given,
    retransmissions_can_be_chosen,
    an_endpoint_may_have_numbers_of_its_own,
    capabilities_that_do_not_fit_are_refused,
    an_unknown_producer_is_named,
    a_dump_tells_what_it_is,
    statistics_begin_at_zero,
    it_pauses_and_resumes,
    its_producers_pauses_are_told,
    key_frames_can_be_asked_for,
    closing_leaves_the_producer,
    a_closing_transport_is_told,
    dropping_the_last_handle_closes,
    events_tell_its_life_in_order,
}

async fn it_is_given_what_the_endpoint_needs(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (audio, video) = (scene.audio().await, scene.video().await);
    let (send, created) = calls();
    let on_new = Arc::new(move |consumer: &Consumer| send.send(consumer.id()).expect("the body waits"));
    let _handler = scene.second.on_new_consumer(on_new);
    let mut options = ConsumerOptions::new(audio.id(), parameters::client_capabilities());
    options.labels.insert("for", "bob");
    let consumer = scene.second.consume(options).await.expect("a Consumer");
    assert_eq!(created.next(), consumer.id());
    assert_eq!((consumer.producer_id(), consumer.kind()), (audio.id(), MediaKind::Audio));
    assert_eq!(
        (consumer.r#type(), consumer.paused(), consumer.producer_paused()),
        (ConsumerType::Simple, false, false)
    );
    assert_eq!(consumer.transport().id(), scene.second.id());
    assert_eq!(consumer.labels().get("for"), Some("bob"));
    let given = consumer.rtp_parameters();
    assert_eq!(given.codecs.len(), 1);
    assert_eq!((given.codecs[0].payload_type(), given.codecs[0].mime_type().as_str()), (100, "audio/opus"));
    let ids: Vec<_> = given.header_extensions.iter().map(|it| (it.uri.as_str(), it.id)).collect();
    assert!(ids.contains(&("urn:ietf:params:rtp-hdrext:ssrc-audio-level", 6)), "{ids:?}");
    assert_eq!(given.rtcp.cname.as_deref(), Some("FOOBAR"));
    assert_eq!(consumer.score(), ConsumerScore { score: 10, producer_score: 0, producer_scores: vec![0] });

    let consumer = scene.consume(&video).await;
    let given = consumer.rtp_parameters();
    let codecs: Vec<_> = given.codecs.iter().map(|it| (it.payload_type(), it.mime_type().as_str())).collect();
    assert_eq!(codecs, [(101, "video/VP8"), (102, "video/rtx")]);
    let encoding = &given.encodings[0];
    let rtx = encoding.rtx.as_ref().map(|rtx| rtx.ssrc);
    assert!(encoding.ssrc.is_some() && rtx.is_some() && encoding.ssrc != rtx);
    assert_ne!(encoding.ssrc, Some(22_222_222));

    let dump = scene.second.dump().await.expect("a dump");
    assert_eq!(dump.consumer_ids.len(), 2);
    assert_eq!(dump.map_rtx_ssrc_consumer_id.get(&rtx.expect("there is one")), Some(&consumer.id()));
    let dump = scene.router.dump().await.expect("a dump");
    assert_eq!(dump.map_consumer_id_producer_id.get(&consumer.id()), Some(&video.id()));
}

async fn mids_are_counted_or_given(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let mids = [None, Some("custom-mid"), None];
    let mut given = Vec::new();
    let mut consumers = Vec::new();
    for mid in mids {
        let mut options = ConsumerOptions::new(audio.id(), parameters::client_capabilities());
        options.mid = mid.map(Into::into);
        let consumer = scene.second.consume(options).await.expect("a Consumer");
        given.push(consumer.rtp_parameters().mid.clone());
        consumers.push(consumer);
    }
    let given: Vec<_> = given.iter().map(Option::as_deref).collect();
    assert_eq!(given, [Some("0"), Some("custom-mid"), Some("1")]);
}

async fn retransmissions_can_be_chosen(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let (audio, video) = (scene.audio().await, scene.video().await);
    for (producer, enable_rtx, nack) in [
        (&audio, None, false),
        (&audio, Some(true), true),
        (&video, None, true),
        (&video, Some(false), false),
    ] {
        let mut options = ConsumerOptions::new(producer.id(), parameters::client_capabilities());
        options.enable_rtx = enable_rtx;
        let consumer = scene.second.consume(options).await.expect("a Consumer");
        let codec = &consumer.rtp_parameters().codecs[0];
        let what = (consumer.kind(), enable_rtx);
        assert_eq!(codec.rtcp_feedback().contains(&RtcpFeedback::Nack), nack, "{what:?}");
        let rtx = consumer.rtp_parameters().encodings[0].rtx.is_some();
        assert_eq!(
            rtx,
            nack && consumer.kind() == MediaKind::Video,
            "{what:?}: the client has RTX for video alone"
        );
    }
}

async fn an_endpoint_may_have_numbers_of_its_own(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let mut options = ConsumerOptions::new(video.id(), parameters::offering_capabilities());
    options.remote_numbers = true;
    let consumer = scene.second.consume(options).await.expect("a Consumer");
    let given = consumer.rtp_parameters();
    let payload_types: Vec<_> = given.codecs.iter().map(|codec| codec.payload_type()).collect();
    assert_eq!(payload_types, [96, 97]);
    let ids: Vec<_> = given.header_extensions.iter().map(|it| (it.uri, it.id)).collect();
    assert_eq!(ids, [(RtpHeaderExtensionUri::Mid, 14), (RtpHeaderExtensionUri::VideoOrientation, 2)]);
    let dump = consumer.dump().await.expect("a dump");
    assert_eq!(dump.supported_codec_payload_types, [96]);
    let params = &dump.rtp_streams[0].params;
    assert_eq!((params.payload_type, params.rtx_payload_type), (96, Some(97)));
    assert_eq!(&dump.rtp_parameters, given);

    let mut options = ConsumerOptions::new(video.id(), parameters::offering_capabilities());
    options.remote_numbers = true;
    options.rtp_capabilities.codecs.retain(|codec| codec.mime_type().is_rtx());
    let error = scene.second.consume(options).await.expect_err("no codec fits");
    let unfit = ConsumeError::BadConsumerRtpParameters(ConsumerRtpParametersError::NoCompatibleMediaCodecs);
    assert_eq!(error.to_string(), unfit.to_string());
}

async fn capabilities_that_do_not_fit_are_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let options = ConsumerOptions::new(audio.id(), parameters::other_capabilities());
    let error = scene.second.consume(options).await.expect_err("no codec fits");
    assert!(
        matches!(
            error,
            ConsumeError::BadConsumerRtpParameters(ConsumerRtpParametersError::NoCompatibleMediaCodecs)
        ),
        "{error:?}"
    );
    assert!(scene.second.dump().await.expect("a dump").consumer_ids.is_empty());
}

async fn an_unknown_producer_is_named(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let nobody = ProducerId::new();
    let options = ConsumerOptions::new(nobody, parameters::client_capabilities());
    let error = scene.second.consume(options).await.expect_err("there is no such Producer");
    assert_eq!(error, ConsumeError::ProducerNotFound(nobody));
    assert_eq!(error.code(), ErrorCode::NotFound);
}

async fn a_dump_tells_what_it_is(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let consumer = scene.consume(&video).await;
    let dump = consumer.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.producer_id, dump.kind), (consumer.id(), video.id(), MediaKind::Video));
    assert_eq!((dump.paused, dump.producer_paused, dump.r#type), (false, false, ConsumerType::Simple));
    assert_eq!(&dump.rtp_parameters, consumer.rtp_parameters());
    assert_eq!(dump.supported_codec_payload_types, [101]);
    assert_eq!(dump.consumable_rtp_encodings, video.consumable_rtp_parameters().encodings);
    let stream = &dump.rtp_streams[0];
    assert_eq!(Some(stream.params.ssrc), consumer.rtp_parameters().encodings[0].ssrc);
    assert_eq!((stream.params.clock_rate, stream.params.payload_type), (90_000, 101));
}

async fn statistics_begin_at_zero(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let stats = scene.consume(&video).await.get_stats().await.expect("statistics");
    let [ConsumerRtpStreamStat::Outbound(stat)] = stats.as_slice() else {
        panic!("nothing has come in: {stats:?}")
    };
    let counters =
        [stat.packet_count, stat.byte_count, stat.nack_count, stat.pli_count, stat.packets_retransmitted];
    assert_eq!(counters, [0; 5]);
    assert_eq!((stat.packets_lost, stat.fraction_lost, stat.bitrate, stat.score), (0, 0, 0, 10));
    assert_eq!(stat.mime_type, MimeType::Video(MimeTypeVideo::Vp8));
}

async fn it_pauses_and_resumes(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let mut options = ConsumerOptions::new(audio.id(), parameters::client_capabilities());
    options.paused = true;
    let consumer = scene.second.consume(options).await.expect("a Consumer");
    assert!(consumer.paused());
    let (send, told) = calls();
    let (pause, resume) = (send.clone(), send);
    let _handlers = [
        consumer.on_pause(move || pause.send("paused").expect("the body waits")),
        consumer.on_resume(move || resume.send("resumed").expect("the body waits")),
    ];
    consumer.resume().await.expect("resumed");
    assert!(!consumer.paused() && !consumer.dump().await.expect("a dump").paused);
    consumer.pause().await.expect("paused");
    assert!(consumer.paused());
    assert_eq!([told.next(), told.next()], ["resumed", "paused"]);
}

async fn its_producers_pauses_are_told(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    audio.pause().await.expect("paused");
    let consumer = scene.consume(&audio).await;
    assert!(consumer.producer_paused() && !consumer.paused());
    let (send, told) = calls();
    let (pause, resume) = (send.clone(), send);
    let _handlers = [
        consumer.on_producer_pause(move || pause.send("paused").expect("the body waits")),
        consumer.on_producer_resume(move || resume.send("resumed").expect("the body waits")),
    ];
    audio.resume().await.expect("resumed");
    audio.pause().await.expect("paused");
    assert_eq!([told.next(), told.next()], ["resumed", "paused"]);
    assert!(consumer.producer_paused() && consumer.dump().await.expect("a dump").producer_paused);
}

async fn key_frames_can_be_asked_for(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let video = scene.video().await;
    let consumer = scene.consume(&video).await;
    consumer.request_key_frame().await.expect("it is asked for");
    consumer.close();
    assert_eq!(consumer.request_key_frame().await.expect_err("it is closed").code(), ErrorCode::NotFound);
}

async fn closing_leaves_the_producer(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let consumer = scene.consume(&audio).await;
    let (send, told) = calls();
    consumer.on_close(move || send.send(()).expect("the body waits")).detach();
    consumer.close();
    told.next();
    assert!(consumer.closed() && !audio.closed());
    let dump = scene.router.dump().await.expect("a dump");
    assert_eq!(
        dump.map_producer_id_consumer_ids.get(&audio.id()).map(std::collections::HashSet::len),
        Some(0)
    );
}

async fn a_closing_transport_is_told(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let consumer = scene.consume(&audio).await;
    let (send, told) = calls();
    let tell = |what: &'static str| {
        let send = send.clone();
        move || send.send(what).expect("the body waits")
    };
    consumer.on_transport_close(tell("by its transport")).detach();
    consumer.on_close(tell("closed")).detach();
    scene.second.close();
    assert_eq!([told.next(), told.next()], ["by its transport", "closed"]);
    assert!(!audio.closed());
}

async fn dropping_the_last_handle_closes(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let consumer = scene.consume(&audio).await;
    let (id, weak) = (consumer.id(), consumer.downgrade());
    assert!(manager.find_consumer(id).is_some() && weak.upgrade().is_some());
    drop(consumer);
    assert!(weak.upgrade().is_none());
    assert!(scene.second.dump().await.expect("a dump").consumer_ids.is_empty());
    assert!(manager.find_consumer(id).is_none());
}

async fn events_tell_its_life_in_order(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let audio = scene.audio().await;
    let consumer = scene.consume(&audio).await;
    let mut events = consumer.events();
    consumer.pause().await.expect("paused");
    audio.pause().await.expect("paused");
    consumer.resume().await.expect("resumed");
    audio.close();
    let mut told = Vec::new();
    while let Some(Observed::Event(event)) = events.next().await {
        told.push(match event {
            Event::ConsumerPaused { .. } => "paused",
            Event::ConsumerProducerPaused { .. } => "producer paused",
            Event::ConsumerResumed { .. } => "resumed",
            Event::Closed { cause: CloseCause::ProducerClosed, .. } => "closed by its producer",
            _ => "something else",
        });
    }
    assert_eq!(told, ["paused", "producer paused", "resumed", "closed by its producer"]);
}
