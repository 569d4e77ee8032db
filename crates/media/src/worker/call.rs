//! Operations: what applications ask of a Worker.

mod consumer;
mod data;
mod end;
mod producer;
mod router;
mod rtp_observer;
mod trace;
mod transport;

use std::collections::BTreeSet;

use mafalda_api::waist::{Call, Command, Done, ErrorCode, Failure, Origin, Reply, UpdateWorkerSettings};
use mafalda_api::worker::{ChannelMessageHandlers, WorkerDump};

use super::{ListenSocket, Worker};
use crate::log::note;

impl Worker {
    pub(super) fn on_call(&mut self, request: u64, call: Call, sockets: &[ListenSocket]) {
        let target = call.command.target();
        note!(self.turn.log, Debug, Info, request, ?target, "call");
        let result = self.carry_out(call, sockets);
        if let Err(failure) = &result {
            self.turn.log.refusal(failure);
            self.turn.effects.closing.extend(sockets.iter().map(|socket| socket.socket));
        }
        self.replies.push_back((request, result));
    }

    fn carry_out(&mut self, call: Call, sockets: &[ListenSocket]) -> Result<Reply, Failure> {
        let origin = Origin { owner: Some(call.owner), labels: call.labels, tags: call.tags };
        match call.command {
            Command::CreateWorker(_) => {
                Err(Failure::new(ErrorCode::Unsupported, "this is for who runs workers, not for one of them"))
            }
            Command::GetWorkerResourceUsage(_) => {
                Err(Failure::new(ErrorCode::Unsupported, "its thread knows, the machine doesn't"))
            }
            Command::DumpWorker(_) => Ok(self.dump().into()),
            Command::UpdateWorkerSettings(it) => Ok(self.update_settings(&it).into()),
            Command::CreateWebRtcServer(it) => self.create_server(&it, origin, sockets).map(Into::into),
            Command::DumpWebRtcServer(it) => self.dump_server(it.id).map(Into::into),
            Command::CreateRouter(it) => self.create_router(&it, origin).map(Into::into),
            Command::UpdateMediaCodecs(it) => self.update_media_codecs(&it).map(Into::into),
            Command::DumpRouter(it) => self.dump_router(it.id).map(Into::into),
            Command::CreateWebRtcTransport(it) => self.create_transport(&it, origin, sockets).map(Into::into),
            Command::ConnectWebRtcTransport(it) => self.connect(&it).map(Into::into),
            Command::RestartIce(it) => self.restart_ice(it.id).map(Into::into),
            Command::DumpTransport(it) => self.dump_transport(it.id).map(Into::into),
            Command::GetTransportStats(it) => self.transport_stats(it.id).map(Into::into),
            Command::CreatePlainTransport(it) => {
                self.create_plain_transport(&it, origin, sockets).map(Into::into)
            }
            Command::ConnectPlainTransport(it) => self.connect_plain(&it).map(Into::into),
            Command::DumpPlainTransport(it) => self.dump_plain_transport(it.id).map(Into::into),
            Command::GetPlainTransportStats(it) => self.plain_transport_stats(it.id).map(Into::into),
            Command::CreateDirectTransport(it) => {
                self.create_direct_transport(&it, origin, sockets).map(Into::into)
            }
            Command::DumpDirectTransport(it) => self.dump_direct_transport(it.id).map(Into::into),
            Command::GetDirectTransportStats(it) => self.direct_transport_stats(it.id).map(Into::into),
            Command::CreatePipeTransport(it) => {
                self.create_pipe_transport(&it, origin, sockets).map(Into::into)
            }
            Command::ConnectPipeTransport(it) => self.connect_pipe(&it).map(Into::into),
            Command::DumpPipeTransport(it) => self.dump_pipe_transport(it.id).map(Into::into),
            Command::GetPipeTransportStats(it) => self.pipe_transport_stats(it.id).map(Into::into),
            Command::SetMaxIncomingBitrate(it) => self.limit_incoming(it.id, it.bitrate).map(Into::into),
            Command::EnableTransportTraceEvents(it) => self.trace_transport(it.id, &it.types).map(Into::into),
            Command::EnableProducerTraceEvents(it) => self.trace_producer(it.id, &it.types).map(Into::into),
            Command::EnableConsumerTraceEvents(it) => self.trace_consumer(it.id, &it.types).map(Into::into),
            Command::Produce(it) => self.produce(&it, origin).map(Into::into),
            Command::PauseProducer(it) => self.set_producer_paused(it.id, true).map(Into::into),
            Command::ResumeProducer(it) => self.set_producer_paused(it.id, false).map(Into::into),
            Command::DumpProducer(it) => self.dump_producer(it.id).map(Into::into),
            Command::GetProducerStats(it) => self.producer_stats(it.id).map(Into::into),
            Command::Consume(it) => self.consume(&it, origin).map(Into::into),
            Command::PauseConsumer(it) => self.set_consumer_paused(it.id, true).map(Into::into),
            Command::ResumeConsumer(it) => self.set_consumer_paused(it.id, false).map(Into::into),
            Command::RequestKeyFrame(it) => self.request_key_frame(it.id).map(Into::into),
            Command::DumpConsumer(it) => self.dump_consumer(it.id).map(Into::into),
            Command::GetConsumerStats(it) => self.consumer_stats(it.id).map(Into::into),
            Command::CreateAudioLevelObserver(it) => {
                self.create_audio_level_observer(&it, origin).map(Into::into)
            }
            Command::CreateActiveSpeakerObserver(it) => {
                self.create_active_speaker_observer(&it, origin).map(Into::into)
            }
            Command::PauseRtpObserver(it) => self.set_observer_paused(it.id, true).map(Into::into),
            Command::ResumeRtpObserver(it) => self.set_observer_paused(it.id, false).map(Into::into),
            Command::AddObservedProducer(it) => self.add_observed(&it).map(Into::into),
            Command::RemoveObservedProducer(it) => self.remove_observed(&it).map(Into::into),
            Command::ProduceData(it) => self.produce_data(it, origin).map(Into::into),
            Command::PauseDataProducer(it) => self.set_data_producer_paused(it.id, true).map(Into::into),
            Command::ResumeDataProducer(it) => self.set_data_producer_paused(it.id, false).map(Into::into),
            Command::DumpDataProducer(it) => self.dump_data_producer(it.id).map(Into::into),
            Command::GetDataProducerStats(it) => self.data_producer_stats(it.id).map(Into::into),
            Command::ConsumeData(it) => self.consume_data(&it, origin).map(Into::into),
            Command::PauseDataConsumer(it) => self.set_data_consumer_paused(it.id, true).map(Into::into),
            Command::ResumeDataConsumer(it) => self.set_data_consumer_paused(it.id, false).map(Into::into),
            Command::SetSubchannels(it) => {
                let subchannels = it.subchannels.into_iter().collect();
                self.subscribe(it.id, |subscribed| *subscribed = subchannels).map(Into::into)
            }
            Command::AddSubchannel(it) => {
                let add = |subscribed: &mut BTreeSet<u16>| {
                    subscribed.insert(it.subchannel);
                };
                self.subscribe(it.id, add).map(Into::into)
            }
            Command::RemoveSubchannel(it) => {
                let remove = |subscribed: &mut BTreeSet<u16>| {
                    subscribed.remove(&it.subchannel);
                };
                self.subscribe(it.id, remove).map(Into::into)
            }
            Command::GetBufferedAmount(it) => self.buffered_amount(it.id).map(Into::into),
            Command::SetBufferedAmountLowThreshold(it) => self.set_low_threshold(it.id).map(Into::into),
            Command::DumpDataConsumer(it) => self.dump_data_consumer(it.id).map(Into::into),
            Command::GetDataConsumerStats(it) => self.data_consumer_stats(it.id).map(Into::into),
            Command::Close(it) => {
                self.close_all(it.ids);
                Ok(Done.into())
            }
            Command::Detach(it) => {
                it.ids.into_iter().for_each(|id| self.detach(id));
                Ok(Done.into())
            }
        }
    }

    fn update_settings(&mut self, command: &UpdateWorkerSettings) -> Done {
        if let Some(level) = command.log_level {
            self.turn.log.set_level(level);
        }
        if let Some(tags) = &command.log_tags {
            self.turn.log.set_tags(tags);
        }
        Done
    }

    fn dump(&self) -> WorkerDump {
        let transports = self.transports.keys().map(|id| (*id).into());
        let producers = self.producers.keys().map(|id| (*id).into());
        let data_producers = self.data_producers.keys().map(|id| (*id).into());
        let notified: Vec<_> = transports.chain(producers).chain(data_producers).collect();
        let servers = self.servers.keys().map(|id| (*id).into());
        let routers = self.router_ids.keys().map(|id| (*id).into());
        let consumers = self.consumers.keys().map(|id| (*id).into());
        let data_consumers = self.data_consumers.keys().map(|id| (*id).into());
        let observers = self.observers.keys().map(|id| (*id).into());
        let others = servers.chain(routers).chain(consumers).chain(data_consumers).chain(observers);
        let channel_message_handlers = ChannelMessageHandlers {
            channel_request_handlers: others.chain(notified.iter().copied()).collect(),
            channel_notification_handlers: notified,
        };
        WorkerDump {
            router_ids: self.routers.values().map(|router| router.id).collect(),
            webrtc_server_ids: self.servers.keys().copied().collect(),
            channel_message_handlers,
        }
    }
}
