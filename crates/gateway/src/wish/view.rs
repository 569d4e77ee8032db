//! From an offer's sections to what is consumed: what a participant sends, for somebody who watches.

use mafalda_api::consumer::{Consumer, ConsumerOptions};
use mafalda_api::router::Router;
use mafalda_api::transport::Transport;
use mafalda_api::types::rtp_parameters::{
    RtpCapabilities, RtpCodecCapability, RtpCodecParameters, RtpHeaderExtension, RtpHeaderExtensionDirection,
};
use mafalda_api::webrtc_transport::WebRtcTransport;
use tokio::sync::OwnedSemaphorePermit;

use super::problem::Problem;
use super::publish::nothing;
use crate::error::RequestFailure;
use crate::response::ProducerView;
use crate::room::Performer;
use crate::sdp::{Content, Offer, Outcome};

/// What somebody watches. Fields close in this order.
#[derive(Debug)]
pub(super) struct View {
    consumers: Vec<Consumer>,
    _permit: OwnedSemaphorePermit,
}

/// What an offer's sections get of a performer: a Producer each, or why none.
type Cast = Vec<Result<ProducerView, &'static str>>;

impl View {
    /// Consumes what an offer's sections have room for. Nothing flows before [`start`](Self::start).
    pub(super) async fn new(
        offer: &Offer,
        performer: &Performer,
        transport: &WebRtcTransport,
        permit: OwnedSemaphorePermit,
    ) -> Result<(Self, Vec<Outcome>), Problem> {
        let cast = cast(offer, performer, transport.router())?;
        let mut consumers = Vec::new();
        let mut outcomes = Vec::new();
        for (section, part) in offer.sections.iter().zip(cast) {
            let (Ok(producer), Ok(content)) = (part, &section.content) else {
                outcomes.push(Outcome::Rejected);
                continue;
            };
            let mut options = ConsumerOptions::new(producer.id, capabilities(content));
            options.paused = true;
            options.mid.clone_from(&section.mid);
            options.remote_numbers = true;
            let consumer = transport.consume(options).await.map_err(RequestFailure::from)?;
            outcomes.push(Outcome::Sends {
                rtp_parameters: consumer.rtp_parameters().clone(),
                stream: performer.peer_id.to_string(),
                track: producer.id.to_string(),
            });
            consumers.push(consumer);
        }
        Ok((Self { consumers, _permit: permit }, outcomes))
    }

    pub(super) fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }
}

/// Gives each section one of the performer's Producers, in order.
///
/// An answer can't be amended, so who has just come and may not send everything yet is not watched with half of it; who has been
/// there for a while has no more to show.
fn cast(offer: &Offer, performer: &Performer, router: &Router) -> Result<Cast, Problem> {
    let mut left = performer.producers.clone();
    let mut cast = Vec::new();
    for section in &offer.sections {
        cast.push(match &section.content {
            Ok(content) if content.direction.receives() => {
                let capabilities = capabilities(content);
                let fits = |producer: &ProducerView| {
                    producer.kind == content.kind && router.can_consume(&producer.id, &capabilities)
                };
                match left.iter().position(fits) {
                    Some(found) => Ok(left.remove(found)),
                    None if left.iter().any(|producer| producer.kind == content.kind) => {
                        Err("no codec in common")
                    }
                    None => Err(NOT_SENT),
                }
            }
            Ok(_) => Err("nothing would be received"),
            Err(why) => Err(*why),
        });
    }
    let lacks = cast.contains(&Err(NOT_SENT));
    if lacks && (!performer.settled || cast.iter().all(Result::is_err)) {
        return Err(Problem::not_yet("the participant doesn't send that (yet)"));
    }
    if cast.iter().all(Result::is_err) {
        let reasons: Vec<_> = offer
            .sections
            .iter()
            .zip(&cast)
            .filter_map(|(section, part)| Some((section, part.err()?)))
            .collect();
        return Err(nothing(&reasons));
    }
    Ok(cast)
}

const NOT_SENT: &str = "the participant sends nothing of the kind";

/// What a section's client can receive, under its own numbers.
fn capabilities(content: &Content) -> RtpCapabilities {
    let extensions = content.header_extensions.iter().filter(|(_, direction)| direction.receives());
    let header_extensions = extensions.map(|(extension, _)| RtpHeaderExtension {
        kind: content.kind,
        uri: extension.uri,
        preferred_id: extension.id,
        preferred_encrypt: false,
        direction: RtpHeaderExtensionDirection::SendRecv,
    });
    RtpCapabilities {
        codecs: content.codecs.iter().map(capability).collect(),
        header_extensions: header_extensions.collect(),
    }
}

fn capability(codec: &RtpCodecParameters) -> RtpCodecCapability {
    match codec.clone() {
        RtpCodecParameters::Audio {
            mime_type,
            payload_type,
            clock_rate,
            channels,
            parameters,
            rtcp_feedback,
        } => RtpCodecCapability::Audio {
            mime_type,
            preferred_payload_type: Some(payload_type),
            clock_rate,
            channels,
            parameters,
            rtcp_feedback,
        },
        RtpCodecParameters::Video { mime_type, payload_type, clock_rate, parameters, rtcp_feedback } => {
            RtpCodecCapability::Video {
                mime_type,
                preferred_payload_type: Some(payload_type),
                clock_rate,
                parameters,
                rtcp_feedback,
            }
        }
    }
}
