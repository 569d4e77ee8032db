//! From an offer's sections to what is produced: which codec of each, and under which numbers it comes.

use axum::http::StatusCode;
use mafalda_api::ortc::get_producer_rtp_parameters_mapping;
use mafalda_api::producer::{Producer, ProducerOptions};
use mafalda_api::router::Router;
use mafalda_api::transport::Transport;
use mafalda_api::types::rtp_parameters::{
    MediaKind, RtcpFeedback, RtcpParameters, RtpCapabilitiesFinalized, RtpCodecCapabilityFinalized,
    RtpCodecParameters, RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
    RtpParameters,
};
use mafalda_api::webrtc_transport::WebRtcTransport;

use super::problem::Problem;
use crate::error::RequestFailure;
use crate::presence::PRODUCERS_PER_PEER_MAX;
use crate::response::ProducerView;
use crate::room::Seat;
use crate::sdp::{Content, Offer, Outcome, Section};

/// What somebody produces, and the place in the room that goes with it. Fields close in this order.
#[derive(Debug)]
pub(super) struct Publication {
    producers: Vec<Producer>,
    seat: Seat,
}

impl Publication {
    pub(super) fn new(producers: Vec<Producer>, seat: Seat) -> Self {
        Self { producers, seat }
    }

    /// Produces what an offer's sections hold, and says what became of each.
    pub(super) async fn produce(
        offer: &Offer,
        transport: &WebRtcTransport,
        router: &Router,
    ) -> Result<(Vec<Producer>, Vec<Outcome>), Problem> {
        let capabilities = router.rtp_capabilities();
        let mut producers = Vec::new();
        let (mut outcomes, mut reasons) = (Vec::new(), Vec::new());
        for section in &offer.sections {
            let planned = plan(section, &capabilities).and_then(|planned| match producers.len() {
                PRODUCERS_PER_PEER_MAX => Err("more than a participant may send"),
                _ => Ok(planned),
            });
            match planned {
                Ok((kind, rtp_parameters)) => {
                    let options = ProducerOptions::new(kind, rtp_parameters.clone());
                    producers.push(transport.produce(options).await.map_err(RequestFailure::from)?);
                    outcomes.push(Outcome::Receives(rtp_parameters));
                }
                Err(why) => {
                    reasons.push((section, why));
                    outcomes.push(Outcome::Rejected);
                }
            }
        }
        match producers.is_empty() {
            true => Err(nothing(&reasons)),
            false => Ok((producers, outcomes)),
        }
    }

    /// Tells the room.
    pub(super) fn announce(&self) {
        for producer in &self.producers {
            let view = ProducerView { id: producer.id(), kind: producer.kind(), paused: false };
            self.seat.announce(view);
        }
    }
}

/// No section can be taken: says of each why.
pub(super) fn nothing(reasons: &[(&Section, &str)]) -> Problem {
    let each = reasons.iter().map(|(section, why)| {
        let mid = section.mid.as_deref().unwrap_or("-");
        format!("{mid} ({}): {why}", section.media.name)
    });
    let detail = format!("no media section can be taken: {}", each.collect::<Vec<_>>().join("; "));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

/// What a section's client shall send: its favorite among the codecs that the Router has, with retransmissions where both can.
///
/// One codec, so that no client changes it in the middle. One stream: of a simulcast the answer takes one, and clients send one
/// then (RFC 8853 §5.3.2), since there is nothing yet that would choose among several.
fn plan(
    section: &Section,
    router: &RtpCapabilitiesFinalized,
) -> Result<(MediaKind, RtpParameters), &'static str> {
    let content = section.content.as_ref().map_err(|why| *why)?;
    if !content.direction.sends() {
        return Err("nothing would be sent");
    }
    let header_extensions = header_extensions(content, router);
    let codecs = codecs(&content.codecs, &header_extensions, router).ok_or("no codec in common")?;
    let has_mid = header_extensions.iter().any(|it| it.uri == RtpHeaderExtensionUri::Mid);
    if content.encoding.is_none() && !(has_mid && section.mid.is_some()) {
        return Err("neither an SSRC nor a MID in the packets tells which they are");
    }
    let rtp_parameters = RtpParameters {
        mid: section.mid.clone(),
        codecs,
        header_extensions,
        encodings: content.encoding.clone().into_iter().collect(),
        rtcp: RtcpParameters { cname: content.cname.clone(), reduced_size: true },
        msid: content.msid.clone(),
    };
    Ok((content.kind, rtp_parameters))
}

fn codecs(
    offered: &[RtpCodecParameters],
    extensions: &[RtpHeaderExtensionParameters],
    router: &RtpCapabilitiesFinalized,
) -> Option<Vec<RtpCodecParameters>> {
    let media = offered.iter().filter(|codec| !codec.is_rtx());
    let (mut media, number) =
        media.filter_map(|codec| Some((codec.clone(), mapped(&[codec], router)?))).next()?;
    let ours = router.codecs.iter().find(|ours| ours.preferred_payload_type() == number)?;
    let (RtpCodecCapabilityFinalized::Audio { rtcp_feedback: taken, .. }
    | RtpCodecCapabilityFinalized::Video { rtcp_feedback: taken, .. }) = ours;
    media
        .rtcp_feedback_mut()
        .retain(|feedback| taken.contains(feedback) && feedback_serves(*feedback, extensions));
    let rtx = offered.iter().find(|rtx| rtx.is_rtx() && mapped(&[&media, rtx], router).is_some()).cloned();
    Some(std::iter::once(media).chain(rtx).collect())
}

/// The Router's number for the first of some codecs, if it has all of them.
fn mapped(codecs: &[&RtpCodecParameters], router: &RtpCapabilitiesFinalized) -> Option<u8> {
    let codecs = codecs.iter().copied().cloned().collect();
    let parameters = RtpParameters { codecs, ..RtpParameters::default() };
    let mapping = get_producer_rtp_parameters_mapping(&parameters, router, 0).ok()?;
    mapping.codecs.first().map(|codec| codec.mapped_payload_type)
}

/// One way of estimating bandwidth: the better one that the header extensions allow.
fn feedback_serves(feedback: RtcpFeedback, extensions: &[RtpHeaderExtensionParameters]) -> bool {
    let has = |uri| extensions.iter().any(|extension| extension.uri == uri);
    let transport_cc = has(RtpHeaderExtensionUri::TransportWideCcDraft01);
    match feedback {
        RtcpFeedback::TransportCc => transport_cc,
        RtcpFeedback::GoogRemb => !transport_cc && has(RtpHeaderExtensionUri::AbsSendTime),
        _ => true,
    }
}

/// What of a section's header extensions the Router reads, under the client's ids.
fn header_extensions(
    content: &Content,
    router: &RtpCapabilitiesFinalized,
) -> Vec<RtpHeaderExtensionParameters> {
    let reads = |uri| {
        router.header_extensions.iter().any(|ours| {
            ours.kind == content.kind
                && ours.uri == uri
                && matches!(
                    ours.direction,
                    RtpHeaderExtensionDirection::SendRecv | RtpHeaderExtensionDirection::RecvOnly
                )
        })
    };
    let offered = content.header_extensions.iter();
    offered
        .filter(|(extension, direction)| direction.sends() && reads(extension.uri))
        .map(|(extension, _)| extension.clone())
        .collect()
}

#[cfg(test)]
mod tests;
