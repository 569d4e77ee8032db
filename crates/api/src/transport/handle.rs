//! What the handles of all kinds of Transports do alike.

use std::sync::Arc;

use event_listener_primitives::HandlerId;

use super::{Kind, Transport, TransportTraceEventData, TransportTraceEventType};
use crate::callbacks::Notice;
use crate::consumer::{Consumer, ConsumerOptions};
use crate::data_consumer::{DataConsumer, DataConsumerOptions};
use crate::data_producer::{DataProducer, DataProducerOptions};
use crate::error::{ConsumeDataError, ConsumeError, ProduceDataError, ProduceError, RequestError};
use crate::handle::by_parent;
use crate::id::{ConsumerId, DataConsumerId, DataProducerId, ObjectId, ProducerId, TransportId};
use crate::labels::Labels;
use crate::producer::{Producer, ProducerOptions};
use crate::router::Router;
use crate::subscription::Subscription;
use crate::types::data_structures::AppData;
use crate::waist::{
    BoxFuture, Consume, ConsumeData, Done, EnableTransportTraceEvents, Event, Produce, ProduceData,
};

impl<T: Kind> Transport for T {
    fn id(&self) -> TransportId {
        match self.handle().entry().id() {
            ObjectId::Transport(id) => id,
            _ => unreachable!("a handle's entry is of its kind"),
        }
    }

    fn router(&self) -> &Router {
        self.home()
    }

    fn app_data(&self) -> &AppData {
        &self.handle().fixed().app_data
    }

    fn labels(&self) -> &Labels {
        &self.handle().fixed().labels
    }

    fn closed(&self) -> bool {
        self.handle().closed()
    }

    fn close(&self) {
        self.handle().close();
    }

    fn detach(&self) {
        self.handle().detach();
    }

    fn is_owner(&self) -> bool {
        self.handle().is_owner()
    }

    fn claim(&self) -> bool {
        self.handle().claim()
    }

    fn events(&self) -> Subscription {
        self.handle().events()
    }

    fn produce(&self, producer_options: ProducerOptions) -> BoxFuture<'_, Result<Producer, ProduceError>> {
        Box::pin(async move {
            let id = ProducerId::new();
            let operation = Produce {
                id,
                transport: self.id(),
                kind: producer_options.kind,
                rtp_parameters: producer_options.rtp_parameters,
                paused: producer_options.paused,
                key_frame_request_delay: producer_options.key_frame_request_delay,
                alias: producer_options.alias,
                mapped_ssrcs: producer_options.mapped_ssrcs,
            };
            let ProducerOptions { labels, app_data, .. } = producer_options;
            let handle = self.handle().link().create(id, labels, app_data, operation).await?;
            Ok(Producer::from_handle(handle, Arc::new(self.clone())))
        })
    }

    fn consume(&self, consumer_options: ConsumerOptions) -> BoxFuture<'_, Result<Consumer, ConsumeError>> {
        Box::pin(async move {
            let id = ConsumerId::new();
            let operation = Consume {
                id,
                transport: self.id(),
                producer: consumer_options.producer_id,
                rtp_capabilities: consumer_options.rtp_capabilities,
                paused: consumer_options.paused,
                mid: consumer_options.mid,
                enable_rtx: consumer_options.enable_rtx,
                ignore_dtx: consumer_options.ignore_dtx,
                remote_numbers: consumer_options.remote_numbers,
                pipe: consumer_options.pipe,
            };
            let ConsumerOptions { labels, app_data, .. } = consumer_options;
            let handle = self.handle().link().create(id, labels, app_data, operation).await?;
            Ok(Consumer::from_handle(handle, Arc::new(self.clone())))
        })
    }

    fn produce_data(
        &self,
        data_producer_options: DataProducerOptions,
    ) -> BoxFuture<'_, Result<DataProducer, ProduceDataError>> {
        Box::pin(async move {
            let DataProducerOptions { label, protocol, paused, labels, app_data } = data_producer_options;
            let id = DataProducerId::new();
            let operation = ProduceData { id, transport: self.id(), label, protocol, paused };
            let handle = self.handle().link().create(id, labels, app_data, operation).await?;
            Ok(DataProducer::from_handle(handle, Arc::new(self.clone())))
        })
    }

    fn consume_data(
        &self,
        data_consumer_options: DataConsumerOptions,
    ) -> BoxFuture<'_, Result<DataConsumer, ConsumeDataError>> {
        Box::pin(async move {
            let DataConsumerOptions { data_producer_id, paused, subchannels, labels, app_data } =
                data_consumer_options;
            let id = DataConsumerId::new();
            let operation = ConsumeData {
                id,
                transport: self.id(),
                data_producer: data_producer_id,
                subchannels: subchannels.unwrap_or_default(),
                paused,
            };
            let handle = self.handle().link().create(id, labels, app_data, operation).await?;
            Ok(DataConsumer::from_handle(handle, Arc::new(self.clone())))
        })
    }

    fn on_new_producer(&self, callback: Arc<dyn Fn(&Producer) + Send + Sync>) -> HandlerId {
        self.handle().on_notice(move |notice| {
            if let Notice::NewProducer(producer) = notice {
                callback(producer);
            }
        })
    }

    fn on_new_consumer(&self, callback: Arc<dyn Fn(&Consumer) + Send + Sync>) -> HandlerId {
        self.handle().on_notice(move |notice| {
            if let Notice::NewConsumer(consumer) = notice {
                callback(consumer);
            }
        })
    }

    fn enable_trace_event(
        &self,
        types: Vec<TransportTraceEventType>,
    ) -> BoxFuture<'_, Result<(), RequestError>> {
        Box::pin(async move {
            let operation = EnableTransportTraceEvents { id: self.id(), types };
            let Done = self.handle().link().run(operation).await?;
            Ok(())
        })
    }

    fn on_trace(&self, callback: Arc<dyn Fn(&TransportTraceEventData) + Send + Sync>) -> HandlerId {
        self.handle().on_change(move |event| {
            if let Event::TransportTraced { trace, .. } = event {
                callback(trace);
            }
        })
    }

    fn on_new_data_producer(&self, callback: Arc<dyn Fn(&DataProducer) + Send + Sync>) -> HandlerId {
        self.handle().on_notice(move |notice| {
            if let Notice::NewDataProducer(data_producer) = notice {
                callback(data_producer);
            }
        })
    }

    fn on_new_data_consumer(&self, callback: Arc<dyn Fn(&DataConsumer) + Send + Sync>) -> HandlerId {
        self.handle().on_notice(move |notice| {
            if let Notice::NewDataConsumer(data_consumer) = notice {
                callback(data_consumer);
            }
        })
    }

    fn on_router_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId {
        self.handle().on_closing(by_parent, callback)
    }

    fn on_close(&self, callback: Box<dyn FnOnce() + Send>) -> HandlerId {
        self.handle().on_close(callback)
    }
}
