use super::*;
use crate::id::{RouterId, TransportId};
use crate::worker::CreateWorkerError;

#[test]
fn every_error_keeps_every_code() {
    for code in ErrorCode::ALL {
        let failure = Failure::new(code, "why");
        assert_eq!(RequestError::from(failure.clone()).code(), code);
        assert_eq!(CreateRouterError::from(failure.clone()).code(), code);
        assert_eq!(UpdateMediaCodecsError::from(failure.clone()).code(), code);
        assert_eq!(ProduceError::from(failure.clone()).code(), code);
        assert_eq!(ConsumeError::from(failure.clone()).code(), code);
        assert_eq!(ProduceDataError::from(failure.clone()).code(), code);
        assert_eq!(ConsumeDataError::from(failure.clone()).code(), code);
        assert_eq!(CreateWebRtcServerError::from(failure.clone()).code(), code);
        assert_eq!(UpdateMediaCodecsError::from(failure.clone()).code(), code);
        assert_eq!(CreateWorkerError::from(failure).code(), code);
    }
}

#[test]
fn a_negotiation_error_comes_out_typed() {
    let error = RtpCapabilitiesError::CannotAllocate;
    let failure = Failure::from(error.clone());
    assert_eq!(
        CreateRouterError::from(failure.clone()),
        CreateRouterError::FailedRtpCapabilitiesGeneration(error.clone())
    );
    assert_eq!(
        UpdateMediaCodecsError::from(failure.clone()),
        UpdateMediaCodecsError::FailedRtpCapabilitiesGeneration(error.clone())
    );
    assert_eq!(ConsumeError::from(failure), ConsumeError::FailedRtpCapabilitiesValidation(error));

    let error = ConsumerRtpParametersError::NoCompatibleMediaCodecs;
    assert_eq!(
        ConsumeError::from(Failure::from(error.clone())),
        ConsumeError::BadConsumerRtpParameters(error.clone())
    );
    let ProduceError::Request(RequestError::Negotiation { cause, .. }) =
        ProduceError::from(Failure::from(error.clone()))
    else {
        panic!("an error of another operation stays a negotiation error");
    };
    assert_eq!(cause, Some(Cause::Consumer(error)));
}

#[test]
fn only_the_producer_itself_makes_the_producers_variants() {
    let producer = ProducerId::new();
    assert_eq!(ConsumeError::from(Failure::not_found(producer)), ConsumeError::ProducerNotFound(producer));
    assert_eq!(ProduceError::from(Failure::already_exists(producer)), ProduceError::AlreadyExists(producer));

    let transport = TransportId::new();
    let ConsumeError::Request(RequestError::NotFound { subject, .. }) =
        ConsumeError::from(Failure::not_found(transport))
    else {
        panic!("the Transport was not found, not the Producer");
    };
    assert_eq!(subject, Some(transport.into()));
}

#[test]
fn what_data_needs_is_told_by_its_own_variants() {
    let (data_producer, transport) = (DataProducerId::new(), TransportId::new());
    assert_eq!(
        ProduceDataError::from(Failure::already_exists(data_producer)),
        ProduceDataError::AlreadyExists(data_producer)
    );
    assert_eq!(
        ConsumeDataError::from(Failure::not_found(data_producer)),
        ConsumeDataError::DataProducerNotFound(data_producer)
    );
    let no_sctp = Failure::new(ErrorCode::Unsupported, "no SCTP").about(transport);
    assert_eq!(ProduceDataError::from(no_sctp.clone()), ProduceDataError::SctpStreamParametersRequired);
    assert_eq!(ConsumeDataError::from(no_sctp), ConsumeDataError::NoSctpStreamId);
    assert_eq!(ProduceDataError::AlreadyExists(data_producer).code(), ErrorCode::AlreadyExists);
    assert_eq!(ConsumeDataError::DataProducerNotFound(data_producer).code(), ErrorCode::NotFound);
    assert_eq!(ConsumeDataError::NoSctpStreamId.code(), ErrorCode::Unsupported);
    assert_eq!(ProduceDataError::SctpStreamParametersRequired.code(), ErrorCode::Unsupported);
    assert!(matches!(ProduceDataError::from(Failure::not_found(transport)), ProduceDataError::Request(_)));
}

#[test]
fn a_send_that_fails_says_why() {
    for (error, code) in [
        (NotificationError::from(MediaError::Ended), ErrorCode::Disconnected),
        (NotificationError::from(MediaError::Full), ErrorCode::Overloaded),
        (NotificationError::TooLarge { len: 2, max: 1 }, ErrorCode::InvalidArgument),
        (NotificationError::Malformed("it is RTCP, not RTP"), ErrorCode::InvalidArgument),
    ] {
        assert_eq!(error.code(), code);
    }
    assert_eq!(NotificationError::ChannelClosed.to_string(), RequestError::ChannelClosed.to_string());
}

#[test]
fn texts_are_those_that_logs_are_searched_for() {
    let router = RouterId::new();
    assert_eq!(
        RequestError::from(Failure::not_found(router)).to_string(),
        format!("router {router} not found")
    );
    assert_eq!(RequestError::ChannelClosed.to_string(), "Channel already closed");
    assert_eq!(
        RequestError::from(Failure::new(ErrorCode::Unknown, "too blue")).to_string(),
        "Received response error: too blue",
        "what a later build says"
    );
    let producer = ProducerId::new();
    assert_eq!(
        ConsumeError::ProducerNotFound(producer).to_string(),
        format!("Producer with id \"{producer}\" not found")
    );
}

#[test]
fn a_workers_refusal_has_the_kind_that_io_knows() {
    use std::io::{self, ErrorKind};
    for code in ErrorCode::ALL {
        let error = io::Error::from(CreateWorkerError::from(Failure::new(code, "why")));
        let expected = match code {
            ErrorCode::InvalidArgument => ErrorKind::InvalidInput,
            ErrorCode::AlreadyExists => ErrorKind::AlreadyExists,
            ErrorCode::NotFound => ErrorKind::NotFound,
            ErrorCode::Unsupported => ErrorKind::Unsupported,
            ErrorCode::AddressUnavailable => ErrorKind::AddrNotAvailable,
            ErrorCode::NoPort => ErrorKind::AddrInUse,
            ErrorCode::Overloaded => ErrorKind::ResourceBusy,
            ErrorCode::Disconnected => ErrorKind::NotConnected,
            _ => ErrorKind::Other,
        };
        assert_eq!(error.kind(), expected, "{code:?}");
        let source = error.get_ref().and_then(|source| source.downcast_ref::<CreateWorkerError>());
        assert_eq!(source.map(CreateWorkerError::code), Some(code));
    }
}
