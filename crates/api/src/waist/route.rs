//! Which object an operation goes to, and which one it makes: what everybody who hands calls on has to know.

use super::Command;
use crate::id::ObjectId;

impl Command {
    /// The object whose holder carries the operation out; for a create that is the parent. `None` where there is no such
    /// single object: for `CreateWorker`, `Close` and `Detach`.
    #[must_use]
    pub fn target(&self) -> Option<ObjectId> {
        Some(match self {
            Self::CreateWorker(_) | Self::Close(_) | Self::Detach(_) => return None,
            Self::DumpWorker(it) => it.id.into(),
            Self::UpdateWorkerSettings(it) => it.id.into(),
            Self::GetWorkerResourceUsage(it) => it.id.into(),
            Self::CreateWebRtcServer(it) => it.worker.into(),
            Self::DumpWebRtcServer(it) => it.id.into(),
            Self::CreateRouter(it) => it.worker.into(),
            Self::UpdateMediaCodecs(it) => it.id.into(),
            Self::DumpRouter(it) => it.id.into(),
            Self::CreateWebRtcTransport(it) => it.router.into(),
            Self::ConnectWebRtcTransport(it) => it.id.into(),
            Self::CreatePlainTransport(it) => it.router.into(),
            Self::ConnectPlainTransport(it) => it.id.into(),
            Self::DumpPlainTransport(it) => it.id.into(),
            Self::GetPlainTransportStats(it) => it.id.into(),
            Self::CreateDirectTransport(it) => it.router.into(),
            Self::DumpDirectTransport(it) => it.id.into(),
            Self::GetDirectTransportStats(it) => it.id.into(),
            Self::CreatePipeTransport(it) => it.router.into(),
            Self::ConnectPipeTransport(it) => it.id.into(),
            Self::DumpPipeTransport(it) => it.id.into(),
            Self::GetPipeTransportStats(it) => it.id.into(),
            Self::ProduceData(it) => it.transport.into(),
            Self::ConsumeData(it) => it.transport.into(),
            Self::PauseDataProducer(it) => it.id.into(),
            Self::ResumeDataProducer(it) => it.id.into(),
            Self::DumpDataProducer(it) => it.id.into(),
            Self::GetDataProducerStats(it) => it.id.into(),
            Self::PauseDataConsumer(it) => it.id.into(),
            Self::ResumeDataConsumer(it) => it.id.into(),
            Self::SetSubchannels(it) => it.id.into(),
            Self::AddSubchannel(it) => it.id.into(),
            Self::RemoveSubchannel(it) => it.id.into(),
            Self::GetBufferedAmount(it) => it.id.into(),
            Self::SetBufferedAmountLowThreshold(it) => it.id.into(),
            Self::DumpDataConsumer(it) => it.id.into(),
            Self::GetDataConsumerStats(it) => it.id.into(),
            Self::RestartIce(it) => it.id.into(),
            Self::SetMaxIncomingBitrate(it) => it.id.into(),
            Self::DumpTransport(it) => it.id.into(),
            Self::GetTransportStats(it) => it.id.into(),
            Self::EnableTransportTraceEvents(it) => it.id.into(),
            Self::Produce(it) => it.transport.into(),
            Self::PauseProducer(it) => it.id.into(),
            Self::ResumeProducer(it) => it.id.into(),
            Self::EnableProducerTraceEvents(it) => it.id.into(),
            Self::DumpProducer(it) => it.id.into(),
            Self::GetProducerStats(it) => it.id.into(),
            Self::Consume(it) => it.transport.into(),
            Self::PauseConsumer(it) => it.id.into(),
            Self::ResumeConsumer(it) => it.id.into(),
            Self::RequestKeyFrame(it) => it.id.into(),
            Self::EnableConsumerTraceEvents(it) => it.id.into(),
            Self::DumpConsumer(it) => it.id.into(),
            Self::GetConsumerStats(it) => it.id.into(),
            Self::CreateAudioLevelObserver(it) => it.router.into(),
            Self::CreateActiveSpeakerObserver(it) => it.router.into(),
            Self::PauseRtpObserver(it) => it.id.into(),
            Self::ResumeRtpObserver(it) => it.id.into(),
            Self::AddObservedProducer(it) => it.id.into(),
            Self::RemoveObservedProducer(it) => it.id.into(),
        })
    }

    /// The object that the operation makes.
    #[must_use]
    pub fn creates(&self) -> Option<ObjectId> {
        match self {
            Self::CreateWorker(it) => Some(it.id.into()),
            Self::CreateWebRtcServer(it) => Some(it.id.into()),
            Self::CreateRouter(it) => Some(it.id.into()),
            Self::CreateWebRtcTransport(it) => Some(it.id.into()),
            Self::CreatePlainTransport(it) => Some(it.id.into()),
            Self::CreateDirectTransport(it) => Some(it.id.into()),
            Self::CreatePipeTransport(it) => Some(it.id.into()),
            Self::ProduceData(it) => Some(it.id.into()),
            Self::ConsumeData(it) => Some(it.id.into()),
            Self::Produce(it) => Some(it.id.into()),
            Self::Consume(it) => Some(it.id.into()),
            Self::CreateAudioLevelObserver(it) => Some(it.id.into()),
            Self::CreateActiveSpeakerObserver(it) => Some(it.id.into()),
            _ => None,
        }
    }
}
