//! DataConsumers: messages for the application, subchannels, pausing, end.

use std::sync::Arc;

use mafalda_api::data_consumer::DataConsumerType;
use mafalda_api::prelude::*;
use mafalda_api::waist::ErrorCode;
use mafalda_api::worker_manager::WorkerManager;

use crate::data::{Stage, send, send_to};
use crate::fixture::{calls, on_each_backend};
use crate::scene::Scene;

on_each_backend! {
    it_is_created,
    wrong_calls_are_refused,
    weak_handles_do_not_keep_it,
    a_dump_tells_what_it_is,
    its_statistics_begin_at_zero,
    messages_come_in_order_and_are_counted,
    messages_of_all_kinds_come_as_they_were_sent,
    subchannels_choose_who_gets_a_message,
    subchannels_are_set,
    a_subchannel_is_added_and_removed,
    it_pauses_and_resumes,
    nothing_is_buffered_for_an_application,
    a_message_has_a_size,
    methods_fail_when_it_is_closed,
    it_closes_with_its_data_producer,
    it_closes_with_its_transport,
}

async fn it_is_created(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (tell, told) = calls();
    let on_new = Arc::new(move |data_consumer: &DataConsumer| {
        tell.send(data_consumer.id()).expect("the body waits");
    });
    let _handler = stage.second.on_new_data_consumer(on_new);
    let mut options = DataConsumerOptions::new_direct(data_producer.id(), Some(vec![9, 1, 1]));
    assert!(!options.paused);
    options.paused = true;
    options.labels.insert("of", "the log");
    options.app_data = AppData::new("mine");
    let data_consumer = stage.second.consume_data(options).await.expect("a DataConsumer");
    assert_eq!(told.next(), data_consumer.id());
    assert_eq!(data_consumer.data_producer_id(), data_producer.id());
    assert_eq!(data_consumer.transport().id(), stage.second.id());
    assert!(matches!(data_consumer, DataConsumer::Direct(_)));
    assert_eq!(data_consumer.r#type(), DataConsumerType::Direct);
    assert_eq!((&**data_consumer.label(), &**data_consumer.protocol()), ("foo", "bar"));
    assert_eq!(data_consumer.labels().get("of"), Some("the log"));
    assert_eq!(data_consumer.app_data().downcast_ref(), Some(&"mine"));
    assert_eq!(data_consumer.subchannels(), [1, 9]);
    assert!(data_consumer.paused() && !data_consumer.producer_paused() && !data_consumer.closed());
    let dump = stage.router.dump().await.expect("a dump");
    assert_eq!(
        dump.map_data_consumer_id_data_producer_id.get(&data_consumer.id()),
        Some(&data_producer.id())
    );
    assert!(dump.map_data_producer_id_data_consumer_ids[&data_producer.id()].contains(&data_consumer.id()));
    let dump = stage.second.dump().await.expect("a dump");
    assert_eq!(dump.data_consumer_ids, [data_consumer.id()]);
}

async fn wrong_calls_are_refused(manager: &WorkerManager) {
    let scene = Scene::new(manager).await;
    let direct = scene.router.create_direct_transport(DirectTransportOptions::default()).await;
    let direct = direct.expect("a DirectTransport");
    let data_producer = direct.produce_data(DataProducerOptions::new_direct()).await.expect("a DataProducer");
    let options = DataConsumerOptions::new_direct(data_producer.id(), None);
    let error = scene.first.consume_data(options).await.expect_err("it has no SCTP");
    assert_eq!((error.code(), error), (ErrorCode::Unsupported, ConsumeDataError::NoSctpStreamId));

    let unknown = DataProducerId::new();
    let options = DataConsumerOptions::new_direct(unknown, None);
    let error = direct.consume_data(options.clone()).await.expect_err("there is no such DataProducer");
    assert_eq!((error.code(), error), (ErrorCode::NotFound, ConsumeDataError::DataProducerNotFound(unknown)));

    direct.close();
    let error = direct.consume_data(options).await.expect_err("it is closed");
    assert!(matches!(error, ConsumeDataError::Request(_)), "{error:?}");
    let error = direct.produce_data(DataProducerOptions::new_direct()).await.expect_err("it is closed");
    assert!(matches!(error, ProduceDataError::Request(_)), "{error:?}");
    assert_eq!(error.code(), ErrorCode::NotFound);
}

async fn weak_handles_do_not_keep_it(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    let weak = data_consumer.downgrade();
    assert_eq!(weak.upgrade().expect("there is a handle").id(), data_consumer.id());
    drop(data_consumer);
    assert!(weak.upgrade().is_none());
    assert!(stage.second.dump().await.expect("a dump").data_consumer_ids.is_empty());
}

async fn a_dump_tells_what_it_is(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, Some(vec![4, 2])).await;
    let dump = data_consumer.dump().await.expect("a dump");
    assert_eq!((dump.id, dump.data_producer_id), (data_consumer.id(), data_producer.id()));
    assert_eq!(dump.r#type, DataConsumerType::Direct);
    assert_eq!((&*dump.label, &*dump.protocol), ("foo", "bar"));
    assert_eq!((dump.buffered_amount, dump.buffered_amount_low_threshold), (0, 0));
    assert_eq!((dump.paused, dump.data_producer_paused), (false, false));
    assert_eq!(dump.subchannels, [2, 4]);
}

async fn its_statistics_begin_at_zero(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    let stats = data_consumer.get_stats().await.expect("statistics");
    let [it] = &stats[..] else { panic!("one entry: {stats:?}") };
    assert_eq!((&*it.label, &*it.protocol), ("foo", "bar"));
    assert_eq!((it.messages_sent, it.bytes_sent, it.buffered_amount, it.messages_lost), (0, 0, 0, 0));
    assert!(it.timestamp > 0);
}

async fn messages_come_in_order_and_are_counted(manager: &WorkerManager) {
    const MESSAGES: u64 = 200;
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, messages) = stage.consume(&data_producer, None).await;
    let mut bytes = 0;
    for number in 0..MESSAGES {
        let text = number.to_string();
        bytes += text.len() as u64;
        send(&data_producer, &text).expect("there is room");
    }
    for number in 0..MESSAGES {
        assert_eq!(messages.next(), number.to_string());
    }
    let stats = data_producer.get_stats().await.expect("statistics");
    assert_eq!((stats[0].messages_received, stats[0].bytes_received), (MESSAGES, bytes));
    let stats = data_consumer.get_stats().await.expect("statistics");
    assert_eq!((stats[0].messages_sent, stats[0].bytes_sent), (MESSAGES, bytes));
    let stats = stage.first.get_stats().await.expect("statistics");
    assert_eq!((stats[0].bytes_received, stats[0].rtp_bytes_received), (bytes, 0));
    let stats = stage.second.get_stats().await.expect("statistics");
    assert_eq!((stats[0].bytes_sent, stats[0].rtp_bytes_sent), (bytes, 0));
}

async fn messages_of_all_kinds_come_as_they_were_sent(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let DataProducer::Direct(data_producer) = stage.produce().await else { panic!("it is direct") };
    let options = DataConsumerOptions::new_direct(DataProducer::from(data_producer.clone()).id(), None);
    let data_consumer = stage.second.consume_data(options).await.expect("a DataConsumer");
    let (tell, told) = calls();
    let on_message = move |message: &WebRtcMessage<'_>| {
        tell.send(message.clone().into_owned()).expect("the body waits");
    };
    data_consumer.on_message(on_message).detach();
    for message in [
        WebRtcMessage::String(b"text".as_slice().into()),
        WebRtcMessage::Binary(vec![0; 100_000].into()),
        WebRtcMessage::EmptyString,
        WebRtcMessage::EmptyBinary,
    ] {
        data_producer.send(message.clone(), None, None, None).expect("there is room");
        assert_eq!(told.next(), message.into_owned());
    }
}

async fn subchannels_choose_who_gets_a_message(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (_one, first) = stage.consume(&data_producer, Some(vec![1, 11, 666])).await;
    let (two, second) = stage.consume(&data_producer, Some(vec![2, 22, 666])).await;
    let to = |text: &str, subchannels: Option<Vec<u16>>, required, ignored| {
        send_to(&data_producer, text, subchannels, required, ignored).expect("there is room");
    };
    to("both", None, None, None);
    to("both too", Some(Vec::new()), None, None);
    to("both again", Some(vec![1, 2]), None, None);
    to("first", Some(vec![11, 99]), Some(666), None);
    to("nobody", Some(vec![1, 2]), Some(7), None);
    to("nobody", Some(vec![7]), Some(666), None);
    to("second", Some(vec![666]), None, Some(11));
    to("nobody", None, None, Some(666));
    // Messages pass beside calls: this one may overtake them.
    stage.all_taken(&data_producer, 8).await;
    two.set_subchannels(vec![1]).await.expect("set");
    to("both at last", Some(vec![1]), None, None);
    let texts = |messages: &crate::fixture::Calls<String>| -> Vec<String> {
        (0..5).map(|_| messages.next()).collect()
    };
    assert_eq!(texts(&first), ["both", "both too", "both again", "first", "both at last"]);
    assert_eq!(texts(&second), ["both", "both too", "both again", "second", "both at last"]);
    assert!(first.is_empty() && second.is_empty());
}

async fn subchannels_are_set(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    assert!(data_consumer.subchannels().is_empty());
    data_consumer.set_subchannels(vec![999, 999, 998, 65_535]).await.expect("set");
    assert_eq!(data_consumer.subchannels(), [998, 999, 65_535]);
    data_consumer.set_subchannels(Vec::new()).await.expect("set");
    assert!(data_consumer.subchannels().is_empty());
}

async fn a_subchannel_is_added_and_removed(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    data_consumer.add_subchannel(5).await.expect("added");
    data_consumer.add_subchannel(10).await.expect("added");
    data_consumer.add_subchannel(5).await.expect("twice is no error");
    assert_eq!(data_consumer.subchannels(), [5, 10]);
    data_consumer.remove_subchannel(666).await.expect("it was not there: no error");
    data_consumer.remove_subchannel(5).await.expect("removed");
    assert_eq!(data_consumer.subchannels(), [10]);
    assert_eq!(data_consumer.dump().await.expect("a dump").subchannels, [10]);
}

async fn it_pauses_and_resumes(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, messages) = stage.consume(&data_producer, None).await;
    let (tell, told) = calls();
    let resume = tell.clone();
    let _handlers = [
        data_consumer.on_pause(move || tell.send("paused").expect("the body waits")),
        data_consumer.on_resume(move || resume.send("resumed").expect("the body waits")),
    ];
    data_consumer.pause().await.expect("paused");
    data_consumer.pause().await.expect("twice is no error");
    assert!(data_consumer.paused() && data_consumer.dump().await.expect("a dump").paused);
    send(&data_producer, "missed").expect("there is room");
    stage.all_taken(&data_producer, 1).await;
    data_consumer.resume().await.expect("resumed");
    assert!(!data_consumer.paused());
    send(&data_producer, "heard").expect("there is room");
    assert_eq!(messages.next(), "heard");
    assert_eq!([told.next(), told.next()], ["paused", "resumed"]);
    assert!(told.is_empty());
}

async fn nothing_is_buffered_for_an_application(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    let error = data_consumer.get_buffered_amount().await.expect_err("there is no SCTP");
    assert_eq!(error.code(), ErrorCode::Unsupported);
    let error = data_consumer.set_buffered_amount_low_threshold(10).await.expect_err("there is no SCTP");
    assert_eq!(error.code(), ErrorCode::Unsupported);
}

async fn a_message_has_a_size(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let mut options = DirectTransportOptions::default();
    options.max_receive_message_size = 10;
    options.max_send_message_size = 5;
    let narrow = stage.router.create_direct_transport(options).await.expect("a DirectTransport");
    let data_producer = narrow.produce_data(DataProducerOptions::new_direct()).await.expect("a DataProducer");
    let options = DataConsumerOptions::new_direct(data_producer.id(), None);
    let few = narrow.consume_data(options).await.expect("a DataConsumer");
    let (_all, messages) = stage.consume(&data_producer, None).await;
    let error = send(&data_producer, "eleven byte").expect_err("it is too large to come in");
    assert_eq!(error, NotificationError::TooLarge { len: 11, max: 10 });
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    send(&data_producer, "ten bytes!").expect("this one is not");
    assert_eq!(messages.next(), "ten bytes!");
    let stats = few.get_stats().await.expect("statistics");
    assert_eq!((stats[0].messages_sent, stats[0].messages_lost), (0, 1), "it is too large to go out there");
}

async fn methods_fail_when_it_is_closed(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    data_consumer.close();
    assert!(data_consumer.closed() && !data_producer.closed());
    let errors = [
        data_consumer.dump().await.err(),
        data_consumer.get_stats().await.err(),
        data_consumer.pause().await.err(),
        data_consumer.resume().await.err(),
        data_consumer.set_subchannels(vec![1]).await.err(),
        data_consumer.add_subchannel(1).await.err(),
        data_consumer.remove_subchannel(1).await.err(),
        data_consumer.get_buffered_amount().await.err(),
        data_consumer.set_buffered_amount_low_threshold(1).await.err(),
    ];
    for error in errors {
        assert_eq!(error.expect("it is closed").code(), ErrorCode::NotFound);
    }
    let dump = stage.router.dump().await.expect("a dump");
    assert!(dump.map_data_consumer_id_data_producer_id.is_empty());
}

async fn it_closes_with_its_data_producer(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    let (tell, told) = calls();
    let closed = tell.clone();
    let on_producer = move || tell.send("by its data producer").expect("the body waits");
    data_consumer.on_data_producer_close(on_producer).detach();
    data_consumer.on_transport_close(|| panic!("its transport is there")).detach();
    data_consumer.on_close(move || closed.send("closed").expect("the body waits")).detach();
    data_producer.close();
    assert_eq!([told.next(), told.next()], ["by its data producer", "closed"]);
}

async fn it_closes_with_its_transport(manager: &WorkerManager) {
    let stage = Stage::new(manager).await;
    let data_producer = stage.produce().await;
    let (data_consumer, _) = stage.consume(&data_producer, None).await;
    let (tell, told) = calls();
    let closed = tell.clone();
    data_consumer.on_transport_close(move || tell.send("by its transport").expect("the body waits")).detach();
    data_consumer.on_close(move || closed.send("closed").expect("the body waits")).detach();
    stage.second.close();
    assert_eq!([told.next(), told.next()], ["by its transport", "closed"]);
    assert!(data_consumer.closed() && !data_producer.closed());
}
