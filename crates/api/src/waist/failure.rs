//! The only error that crosses the waist. Handles turn it into one error enum per operation.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::ObjectId;
use crate::ortc::{
    ConsumerRtpParametersError, RtpCapabilitiesError, RtpParametersError, RtpParametersMappingError,
};

/// Why an operation failed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{detail}")]
pub struct Failure {
    /// The stable kind of the failure.
    pub code: ErrorCode,
    /// The object that it is about, where there is one.
    pub subject: Option<ObjectId>,
    /// A sentence for people, lower case, that names what is wrong.
    pub detail: String,
    /// What the negotiation found, where it was the negotiation that failed.
    pub cause: Option<Cause>,
}

impl Failure {
    /// A failure with a sentence for people.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, subject: None, detail: detail.into(), cause: None }
    }

    /// The object does not exist (any more).
    #[must_use]
    pub fn not_found(subject: impl Into<ObjectId>) -> Self {
        let subject = subject.into();
        Self {
            code: ErrorCode::NotFound,
            subject: Some(subject),
            detail: format!("{subject} not found"),
            cause: None,
        }
    }

    /// An object with this id exists.
    #[must_use]
    pub fn already_exists(subject: impl Into<ObjectId>) -> Self {
        let subject = subject.into();
        let detail = format!("{subject} already exists");
        Self { code: ErrorCode::AlreadyExists, subject: Some(subject), detail, cause: None }
    }

    /// The same failure, about this object.
    #[must_use]
    pub fn about(mut self, subject: impl Into<ObjectId>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

/// The kind of a failure; stable on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ErrorCode {
    /// An object with this id exists.
    AlreadyExists,
    /// No object with this id exists.
    NotFound,
    /// A parameter is wrong; the detail names it.
    InvalidArgument,
    /// The RTP parameters or capabilities don't fit; the cause says how.
    Negotiation,
    /// The operation is known, but this object can't do it.
    Unsupported,
    /// The operation does not fit the object's state (for example a second `connect`).
    WrongState,
    /// Each port that may be used is in use.
    NoPort,
    /// The address is not one of this machine, or may not be bound.
    AddressUnavailable,
    /// The backend has more to do than it can; try again later.
    Overloaded,
    /// The backend has ended or can't be reached.
    Disconnected,
    /// The operating system refused something (a thread, a file).
    System,
    /// A kind that this build doesn't know; the detail is all that there is.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Every code that this build knows, and [`ErrorCode::Unknown`].
    pub const ALL: [Self; 12] = [
        Self::AlreadyExists,
        Self::NotFound,
        Self::InvalidArgument,
        Self::Negotiation,
        Self::Unsupported,
        Self::WrongState,
        Self::NoPort,
        Self::AddressUnavailable,
        Self::Overloaded,
        Self::Disconnected,
        Self::System,
        Self::Unknown,
    ];
}

const _: () = {
    let mut at = 0;
    while at < ErrorCode::ALL.len() {
        assert!(ErrorCode::ALL[at] as usize == at, "in the order of the enum");
        at += 1;
    }
    assert!(ErrorCode::Unknown as usize + 1 == ErrorCode::ALL.len(), "none is forgotten");
};

/// What the negotiation found wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Cause {
    /// The Producer's RTP parameters are wrong in themselves.
    #[error(transparent)]
    Parameters(#[from] RtpParametersError),
    /// The Producer's RTP parameters don't fit the Router's capabilities.
    #[error(transparent)]
    Mapping(#[from] RtpParametersMappingError),
    /// The RTP capabilities are wrong in themselves.
    #[error(transparent)]
    Capabilities(#[from] RtpCapabilitiesError),
    /// The Consumer's capabilities don't fit the Producer.
    #[error(transparent)]
    Consumer(#[from] ConsumerRtpParametersError),
}

impl<E: Into<Cause>> From<E> for Failure {
    fn from(error: E) -> Self {
        let cause = error.into();
        Self { code: ErrorCode::Negotiation, subject: None, detail: cause.to_string(), cause: Some(cause) }
    }
}
