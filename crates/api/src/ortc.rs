//! Negotiation as pure functions: what a Router can do, how a Producer's stream is mapped to it, what of it each
//! Consumer gets.
//!
//! The way of a stream's parameters is [`generate_router_rtp_capabilities`] once per Router; per Producer
//! [`validate_rtp_parameters`], [`complete_producer_rtp_parameters`], [`get_producer_rtp_parameters_mapping`] and
//! [`get_consumable_rtp_parameters`]; per Consumer [`can_consume`] and [`get_consumer_rtp_parameters`], or
//! [`get_pipe_consumer_rtp_parameters`] where it goes to another Router. The rules are mediasoup's, so its clients need no
//! changes; what is beyond them is [`get_remote_numbers`].
//!
//! There is no state here and no randomness: SSRCs, CNAMEs and MIDs are drawn by the caller, which knows what its
//! transport has used already. Whether encodings clash with those of other Producers, or fit the packets that come, is
//! for the media engine to say.

mod bandwidth;
mod codec_match;
mod consumable;
mod consumer;
mod error;
mod h264;
mod h265;
mod mapping;
mod pipe;
mod producer;
mod red;
mod remote_numbers;
mod router;
mod validation;

pub use consumable::get_consumable_rtp_parameters;
pub use consumer::{ConsumerNegotiation, ConsumerStreams, can_consume, get_consumer_rtp_parameters};
pub use error::{
    ConsumerRtpParametersError, RtpCapabilitiesError, RtpParametersError, RtpParametersMappingError,
};
pub use mapping::{RtpMapping, RtpMappingCodec, RtpMappingEncoding, get_producer_rtp_parameters_mapping};
pub use pipe::get_pipe_consumer_rtp_parameters;
pub use producer::{ProducerType, complete_producer_rtp_parameters, producer_type};
pub use remote_numbers::{RemoteNumbers, get_remote_numbers};
pub use router::generate_router_rtp_capabilities;
pub use validation::{validate_rtp_capabilities, validate_rtp_parameters};
