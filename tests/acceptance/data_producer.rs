//! DataProducers: messages that the application sends, pausing, end.

use std::sync::Arc;

use mafalda_api::data_producer::DataProducerType;
use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::data::{Stage, send};
use crate::fixture::{calls, on_each_backend};
use crate::scene::Scene;

on_each_backend! {
    it_is_created,
    a_transport_without_sctp_refuses_it,
    names_have_a_bound,
    weak_handles_do_not_keep_it,
    a_dump_tells_what_it_is,
    its_statistics_begin_at_zero,
    it_pauses_and_resumes,
    methods_fail_when_it_is_closed,
    it_closes_with_its_transport,
    it_is_found_by_its_id,
}

async fn it_is_created(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let (send, told) = calls();
    let on_new = Arc::new(move |data_producer: &DataProducer| {
        send.send(data_producer.id()).expect("the body waits");
    });
    let _handler = stage.first.on_new_data_producer(on_new);
    let mut options = DataProducerOptions::new_direct();
    assert_eq!((&*options.label, &*options.protocol, options.paused), ("", "", false));
    options.label = "chat".into();
    options.protocol = "lines".into();
    options.labels.insert("of", "the room");
    options.app_data = AppData::new(7_u32);
    let data_producer = stage.first.produce_data(options).await.expect("a DataProducer");
    assert_eq!(told.next(), data_producer.id());
    assert!(matches!(data_producer, DataProducer::Direct(_)));
    assert_eq!(data_producer.r#type(), DataProducerType::Direct);
    assert_eq!((&**data_producer.label(), &**data_producer.protocol()), ("chat", "lines"));
    assert_eq!(data_producer.labels().get("of"), Some("the room"));
    assert_eq!(data_producer.app_data().downcast_ref(), Some(&7_u32));
    assert_eq!(data_producer.transport().id(), stage.first.id());
    assert!(!data_producer.paused() && !data_producer.closed());
    let dump = stage.first.dump().await.expect("a dump");
    assert_eq!(dump.data_producer_ids, [data_producer.id()]);
    assert!(dump.data_consumer_ids.is_empty());
    let dump = stage.router.dump().await.expect("a dump");
    let consumers = dump.map_data_producer_id_data_consumer_ids.get(&data_producer.id());
    assert!(consumers.expect("it is there").is_empty());
}

async fn a_transport_without_sctp_refuses_it(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let error =
        scene.first.produce_data(DataProducerOptions::new_direct()).await.expect_err("it has no SCTP");
    assert_eq!(error, ProduceDataError::SctpStreamParametersRequired);
    assert_eq!(error.code(), ErrorCode::Unsupported);
    let dump = scene.router.dump().await.expect("a dump");
    assert!(dump.map_data_producer_id_data_consumer_ids.is_empty());
}

async fn names_have_a_bound(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    for field in [0, 1] {
        let mut options = DataProducerOptions::new_direct();
        let name = if field == 0 { &mut options.label } else { &mut options.protocol };
        *name = "x".repeat(65_535);
        stage.first.produce_data(options.clone()).await.expect("a DataProducer");
        let name = if field == 0 { &mut options.label } else { &mut options.protocol };
        name.push('x');
        let error = stage.first.produce_data(options).await.expect_err("it is too long");
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error:?}");
        assert!(matches!(error, ProduceDataError::Request(_)));
    }
}

async fn weak_handles_do_not_keep_it(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let weak = data_producer.downgrade();
    assert_eq!(weak.upgrade().expect("there is a handle").id(), data_producer.id());
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    drop(data_producer);
    assert!(weak.upgrade().is_none(), "a DataConsumer doesn't hold its DataProducer");
    assert!(stage.first.dump().await.expect("a dump").data_producer_ids.is_empty());
    crate::fixture::closed!(data_consumer);
}

async fn a_dump_tells_what_it_is(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let dump = data_producer.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.r#type), (data_producer.id(), DataProducerType::Direct));
    assert_eq!((&*dump.label, &*dump.protocol, dump.paused), ("foo", "bar", false));
}

async fn its_statistics_begin_at_zero(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let stats = data_producer.get_stats().await.expect("statistics");
    let [it] = &stats[..] else { panic!("one entry: {stats:?}") };
    assert_eq!((&*it.label, &*it.protocol), ("foo", "bar"));
    assert_eq!((it.messages_received, it.bytes_received), (0, 0));
    assert!(it.timestamp > 0);
}

async fn it_pauses_and_resumes(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let mut options = DataProducerOptions::new_direct();
    options.paused = true;
    let data_producer = stage.first.produce_data(options).await.expect("a DataProducer");
    assert!(data_producer.paused());
    let (data_consumer, messages) = stage.consume(&data_producer, None).await;
    assert!(
        data_consumer.producer_paused() && data_consumer.dump().await.expect("a dump").data_producer_paused
    );
    let (tell, told) = calls();
    let adder = |what: &'static str| {
        let tell = tell.clone();
        move || tell.send(what).expect("the body waits")
    };
    let _handlers = [
        data_producer.on_pause(adder("paused")),
        data_producer.on_resume(adder("resumed")),
        data_consumer.on_data_producer_pause(adder("consumer: paused")),
        data_consumer.on_data_producer_resume(adder("consumer: resumed")),
    ];
    send(&data_producer, "missed").expect("there is room");
    stage.all_taken(&data_producer, 1).await;
    data_producer.resume().await.expect("resumed");
    assert!(!data_producer.paused() && !data_consumer.producer_paused());
    assert_eq!([told.next(), told.next()], ["resumed", "consumer: resumed"]);
    send(&data_producer, "heard").expect("there is room");
    assert_eq!(messages.next(), "heard");
    data_producer.pause().await.expect("paused");
    data_producer.pause().await.expect("twice is no error");
    assert!(data_producer.paused() && data_producer.dump().await.expect("a dump").paused);
    assert_eq!([told.next(), told.next()], ["paused", "consumer: paused"]);
    assert!(told.is_empty() && messages.is_empty());
}

async fn methods_fail_when_it_is_closed(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (tell, told) = calls();
    data_producer.on_close(move || tell.send(()).expect("the body waits")).detach();
    data_producer.close();
    told.next();
    let (dump, stats) = (data_producer.dump().await, data_producer.get_stats().await);
    let (pause, resume) = (data_producer.pause().await, data_producer.resume().await);
    let errors = [dump.err(), stats.err(), pause.err(), resume.err()];
    for error in errors {
        assert_eq!(error.expect("it is closed").code(), ErrorCode::NotFound);
    }
    assert_eq!(send(&data_producer, "x"), Err(NotificationError::ChannelClosed));
}

async fn it_closes_with_its_transport(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (tell, told) = calls();
    let closed = tell.clone();
    data_producer.on_transport_close(move || tell.send("by its transport").expect("the body waits")).detach();
    data_producer.on_close(move || closed.send("closed").expect("the body waits")).detach();
    stage.router.close();
    assert_eq!([told.next(), told.next()], ["by its transport", "closed"]);
    assert!(data_producer.closed());
}

async fn it_is_found_by_its_id(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    let found = manager.find_data_producer(data_producer.id()).expect("it is there");
    assert_eq!(found.label(), data_producer.label());
    drop(data_producer);
    assert!(!found.closed(), "every handle given out holds it");
    assert!(manager.find_data_producer(DataProducerId::new()).is_none());
    let found = manager.find_data_consumer(data_consumer.id()).expect("it is there");
    assert_eq!(found.data_producer_id(), data_consumer.data_producer_id());
    assert!(manager.find_data_consumer(DataConsumerId::new()).is_none());
}
