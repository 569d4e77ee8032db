//! How operations fail, as the handles tell it: one enum per operation, with mediasoup's names where mediasoup has one.
//!
//! Below the handles there is only [`Failure`]; each enum here is made from one and keeps its [`ErrorCode`].

use thiserror::Error;

use crate::id::{DataProducerId, ObjectId, ProducerId};
use crate::ortc::{
    ConsumerRtpParametersError, RtpCapabilitiesError, RtpParametersError, RtpParametersMappingError,
};
use crate::waist::{Cause, ErrorCode, Failure, MediaError};

/// Why a request failed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The backend has ended or can't be reached.
    #[error("Channel already closed")]
    ChannelClosed,
    /// The object, or one that the request names, does not exist (any more).
    #[error("{detail}")]
    NotFound {
        /// Which one, where the backend says it.
        subject: Option<ObjectId>,
        /// A sentence for people.
        detail: String,
    },
    /// An object with this id exists.
    #[error("{detail}")]
    AlreadyExists {
        /// Which one, where the backend says it.
        subject: Option<ObjectId>,
        /// A sentence for people.
        detail: String,
    },
    /// A parameter is wrong.
    #[error("{detail}")]
    InvalidArgument {
        /// Which one and why, for people.
        detail: String,
    },
    /// RTP parameters or capabilities don't fit, in a way that the operation's own error has no variant for.
    #[error("{detail}")]
    Negotiation {
        /// A sentence for people.
        detail: String,
        /// What was found wrong.
        cause: Option<Cause>,
    },
    /// The object can't do this.
    #[error("{detail}")]
    Unsupported {
        /// A sentence for people.
        detail: String,
    },
    /// The object is not in a state for this, for example connected already.
    #[error("{detail}")]
    WrongState {
        /// A sentence for people.
        detail: String,
    },
    /// Each port that may be used is in use.
    #[error("{detail}")]
    NoPort {
        /// A sentence for people.
        detail: String,
    },
    /// The address is not one of the serving machine, or may not be bound.
    #[error("{detail}")]
    AddressUnavailable {
        /// A sentence for people.
        detail: String,
    },
    /// The backend has more to do than it can; try again later.
    #[error("{detail}")]
    Overloaded {
        /// A sentence for people.
        detail: String,
    },
    /// The operating system refused something (a thread, a file).
    #[error("{detail}")]
    System {
        /// A sentence for people.
        detail: String,
    },
    /// A failure of a kind that this build doesn't know.
    #[error("Received response error: {reason}")]
    Response {
        /// What the backend says.
        reason: String,
    },
}

impl RequestError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::ChannelClosed => ErrorCode::Disconnected,
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::InvalidArgument { .. } => ErrorCode::InvalidArgument,
            Self::Negotiation { .. } => ErrorCode::Negotiation,
            Self::Unsupported { .. } => ErrorCode::Unsupported,
            Self::WrongState { .. } => ErrorCode::WrongState,
            Self::NoPort { .. } => ErrorCode::NoPort,
            Self::AddressUnavailable { .. } => ErrorCode::AddressUnavailable,
            Self::Overloaded { .. } => ErrorCode::Overloaded,
            Self::System { .. } => ErrorCode::System,
            Self::Response { .. } => ErrorCode::Unknown,
        }
    }
}

impl From<Failure> for RequestError {
    fn from(failure: Failure) -> Self {
        let Failure { code, subject, detail, cause } = failure;
        match code {
            ErrorCode::AlreadyExists => Self::AlreadyExists { subject, detail },
            ErrorCode::NotFound => Self::NotFound { subject, detail },
            ErrorCode::InvalidArgument => Self::InvalidArgument { detail },
            ErrorCode::Negotiation => Self::Negotiation { detail, cause },
            ErrorCode::Unsupported => Self::Unsupported { detail },
            ErrorCode::WrongState => Self::WrongState { detail },
            ErrorCode::NoPort => Self::NoPort { detail },
            ErrorCode::AddressUnavailable => Self::AddressUnavailable { detail },
            ErrorCode::Overloaded => Self::Overloaded { detail },
            ErrorCode::Disconnected => Self::ChannelClosed,
            ErrorCode::System => Self::System { detail },
            ErrorCode::Unknown => Self::Response { reason: detail },
        }
    }
}

/// Why something was not sent. All but the first are added to mediasoup's, which has no bound and drops what it can't read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The object is closed, or the backend has ended or can't be reached.
    #[error("Channel already closed")]
    ChannelClosed,
    /// As much waits for the Worker as may; try again later.
    #[error("as much waits to be sent as may")]
    QueueFull,
    /// It is larger than may be.
    #[error("{len} bytes are more than {max}")]
    TooLarge {
        /// How many bytes it has.
        len: usize,
        /// How many it may have.
        max: usize,
    },
    /// It is not what is sent there.
    #[error("it can't be read: {0}")]
    Malformed(&'static str),
}

impl NotificationError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::ChannelClosed => ErrorCode::Disconnected,
            Self::QueueFull => ErrorCode::Overloaded,
            Self::TooLarge { .. } | Self::Malformed(_) => ErrorCode::InvalidArgument,
        }
    }
}

impl From<MediaError> for NotificationError {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Full => Self::QueueFull,
            MediaError::Ended => Self::ChannelClosed,
        }
    }
}

/// Why a WebRtcServer could not be created.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CreateWebRtcServerError {
    /// The request failed.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl CreateWebRtcServerError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for CreateWebRtcServerError {
    fn from(failure: Failure) -> Self {
        Self::Request(failure.into())
    }
}

/// Why a Router could not be created.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CreateRouterError {
    /// The media codecs don't make RTP capabilities.
    #[error("RTP capabilities generation error: {0}")]
    FailedRtpCapabilitiesGeneration(RtpCapabilitiesError),
    /// Anything else.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl CreateRouterError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::FailedRtpCapabilitiesGeneration(_) => ErrorCode::Negotiation,
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for CreateRouterError {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            Some(Cause::Capabilities(error)) => Self::FailedRtpCapabilitiesGeneration(error),
            _ => Self::Request(failure.into()),
        }
    }
}

/// Why a Router didn't take other codecs.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum UpdateMediaCodecsError {
    /// The media codecs don't make RTP capabilities.
    #[error("RTP capabilities generation error: {0}")]
    FailedRtpCapabilitiesGeneration(RtpCapabilitiesError),
    /// Anything else: what only an event can tell.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl UpdateMediaCodecsError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::FailedRtpCapabilitiesGeneration(_) => ErrorCode::Negotiation,
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for UpdateMediaCodecsError {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            Some(Cause::Capabilities(error)) => Self::FailedRtpCapabilitiesGeneration(error),
            _ => Self::Request(failure.into()),
        }
    }
}

/// Why a Producer could not be created.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ProduceError {
    /// A Producer with this id exists.
    #[error("Producer with the same id \"{0}\" already exists")]
    AlreadyExists(ProducerId),
    /// The RTP parameters are wrong in themselves.
    #[error("Incorrect RTP parameters: {0}")]
    IncorrectRtpParameters(RtpParametersError),
    /// The RTP parameters don't fit the Router's capabilities.
    #[error("RTP mapping error: {0}")]
    FailedRtpParametersMapping(RtpParametersMappingError),
    /// Anything else.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl ProduceError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AlreadyExists(_) => ErrorCode::AlreadyExists,
            Self::IncorrectRtpParameters(_) | Self::FailedRtpParametersMapping(_) => ErrorCode::Negotiation,
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for ProduceError {
    fn from(failure: Failure) -> Self {
        match (failure.code, failure.subject, failure.cause) {
            (ErrorCode::AlreadyExists, Some(ObjectId::Producer(id)), _) => Self::AlreadyExists(id),
            (_, _, Some(Cause::Parameters(error))) => Self::IncorrectRtpParameters(error),
            (_, _, Some(Cause::Mapping(error))) => Self::FailedRtpParametersMapping(error),
            (code, subject, cause) => {
                Self::Request(Failure { code, subject, cause, detail: failure.detail }.into())
            }
        }
    }
}

/// Why a DataProducer could not be created.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ProduceDataError {
    /// A DataProducer with this id exists.
    #[error("Data producer with the same id \"{0}\" already exists")]
    AlreadyExists(DataProducerId),
    /// The Transport is no DirectTransport: its messages would come over SCTP, by a stream that is agreed on.
    #[error("SCTP stream parameters are required for this transport")]
    SctpStreamParametersRequired,
    /// Anything else.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl ProduceDataError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AlreadyExists(_) => ErrorCode::AlreadyExists,
            Self::SctpStreamParametersRequired => ErrorCode::Unsupported,
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for ProduceDataError {
    fn from(failure: Failure) -> Self {
        match (failure.code, failure.subject) {
            (ErrorCode::AlreadyExists, Some(ObjectId::DataProducer(id))) => Self::AlreadyExists(id),
            (ErrorCode::Unsupported, Some(ObjectId::Transport(_))) => Self::SctpStreamParametersRequired,
            _ => Self::Request(failure.into()),
        }
    }
}

/// Why a DataConsumer could not be created.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ConsumeDataError {
    /// The Router has no such DataProducer.
    #[error("Data producer with id \"{0}\" not found")]
    DataProducerNotFound(DataProducerId),
    /// The Transport is no DirectTransport, and has no SCTP stream to send by.
    #[error("No free sctp_stream_id available in transport")]
    NoSctpStreamId,
    /// Anything else.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl ConsumeDataError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::DataProducerNotFound(_) => ErrorCode::NotFound,
            Self::NoSctpStreamId => ErrorCode::Unsupported,
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for ConsumeDataError {
    fn from(failure: Failure) -> Self {
        match (failure.code, failure.subject) {
            (ErrorCode::NotFound, Some(ObjectId::DataProducer(id))) => Self::DataProducerNotFound(id),
            (ErrorCode::Unsupported, Some(ObjectId::Transport(_))) => Self::NoSctpStreamId,
            _ => Self::Request(failure.into()),
        }
    }
}

/// Why a Consumer could not be created.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ConsumeError {
    /// The Router has no such Producer.
    #[error("Producer with id \"{0}\" not found")]
    ProducerNotFound(ProducerId),
    /// The RTP capabilities are wrong in themselves.
    #[error("RTP capabilities error: {0}")]
    FailedRtpCapabilitiesValidation(RtpCapabilitiesError),
    /// The RTP capabilities don't fit the Producer.
    #[error("Bad consumer RTP parameters: {0}")]
    BadConsumerRtpParameters(ConsumerRtpParametersError),
    /// Anything else.
    #[error("Request to worker failed: {0}")]
    Request(#[from] RequestError),
}

impl ConsumeError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::ProducerNotFound(_) => ErrorCode::NotFound,
            Self::FailedRtpCapabilitiesValidation(_) | Self::BadConsumerRtpParameters(_) => {
                ErrorCode::Negotiation
            }
            Self::Request(error) => error.code(),
        }
    }
}

impl From<Failure> for ConsumeError {
    fn from(failure: Failure) -> Self {
        match (failure.code, failure.subject, failure.cause) {
            (ErrorCode::NotFound, Some(ObjectId::Producer(id)), _) => Self::ProducerNotFound(id),
            (_, _, Some(Cause::Capabilities(error))) => Self::FailedRtpCapabilitiesValidation(error),
            (_, _, Some(Cause::Consumer(error))) => Self::BadConsumerRtpParameters(error),
            (code, subject, cause) => {
                Self::Request(Failure { code, subject, cause, detail: failure.detail }.into())
            }
        }
    }
}

/// Why a Producer could not be carried to another Router.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum PipeProducerToRouterError {
    /// It would have the same id there as it has already.
    #[error("Destination router must be different")]
    SameRouter,
    /// The Router has no such Producer.
    #[error("Producer with id \"{0}\" not found")]
    ProducerNotFound(ProducerId),
    /// A PipeTransport could not be created or connected.
    #[error("Failed to create or connect Pipe transport: \"{0}\"")]
    TransportFailed(#[from] RequestError),
    /// The pipe Consumer could not be created.
    #[error("Failed to consume: \"{0}\"")]
    ConsumeFailed(#[from] ConsumeError),
    /// The Producer at the other end could not be created.
    #[error("Failed to produce: \"{0}\"")]
    ProduceFailed(#[from] ProduceError),
}

impl PipeProducerToRouterError {
    /// The stable kind of the failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::SameRouter => ErrorCode::InvalidArgument,
            Self::ProducerNotFound(_) => ErrorCode::NotFound,
            Self::TransportFailed(error) => error.code(),
            Self::ConsumeFailed(error) => error.code(),
            Self::ProduceFailed(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests;
