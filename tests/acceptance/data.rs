//! Two DirectTransports and messages between them.

use mafalda_api::prelude::*;
use mafalda_api::worker_manager::WorkerManager;

use crate::fixture::{Calls, calls};
use crate::scene;

/// Messages come in by the first Transport, and go out by the second.
pub(crate) struct Stage {
    pub(crate) router: Router,
    pub(crate) first: DirectTransport,
    pub(crate) second: DirectTransport,
}

impl Stage {
    pub(crate) async fn new(manager: &WorkerManager) -> Self {
        let router = scene::router(&scene::worker(manager).await).await;
        let direct = async || {
            let options = DirectTransportOptions::default();
            router.create_direct_transport(options).await.expect("a DirectTransport")
        };
        let (first, second) = (direct().await, direct().await);
        Self { router, first, second }
    }

    pub(crate) async fn produce(&self) -> DataProducer {
        let mut options = DataProducerOptions::new_direct();
        options.label = "foo".into();
        options.protocol = "bar".into();
        self.first.produce_data(options).await.expect("a DataProducer")
    }

    /// A DataConsumer and the texts that it gets; room for as many as a body may send.
    pub(crate) async fn consume(
        &self,
        data_producer: &DataProducer,
        subchannels: Option<Vec<u16>>,
    ) -> (DataConsumer, Calls<String>) {
        let options = DataConsumerOptions::new_direct(data_producer.id(), subchannels);
        let data_consumer = self.second.consume_data(options).await.expect("a DataConsumer");
        let (sent, messages) = calls();
        let on_message = move |message: &WebRtcMessage<'_>| {
            let WebRtcMessage::String(text) = message else { panic!("bodies send texts: {message:?}") };
            sent.send(String::from_utf8_lossy(text).into_owned()).expect("the body waits");
        };
        data_consumer.on_message(on_message).detach();
        (data_consumer, messages)
    }

    /// Waits until the Worker has taken so many messages.
    pub(crate) async fn all_taken(&self, data_producer: &DataProducer, messages: u64) {
        while data_producer.get_stats().await.expect("statistics")[0].messages_received != messages {}
    }
}

/// Sends a text to all.
pub(crate) fn send(data_producer: &DataProducer, text: &str) -> Result<(), NotificationError> {
    send_to(data_producer, text, None, None, None)
}

/// Sends a text.
pub(crate) fn send_to(
    data_producer: &DataProducer,
    text: &str,
    subchannels: Option<Vec<u16>>,
    required: Option<u16>,
    ignored: Option<u16>,
) -> Result<(), NotificationError> {
    let DataProducer::Direct(direct) = data_producer else { panic!("it is direct") };
    direct.send(WebRtcMessage::String(text.as_bytes().into()), subchannels, required, ignored)
}
