//! A Producer in the machine: what was negotiated for it, and its streams.
//!
//! [`Producer`] is the cold part, looked at by calls; [`ProducerStream`] is what its packets meet.

mod format;
mod stream;

use std::sync::Arc;

use mafalda_api::id::ProducerId;
use mafalda_api::ortc::{self, RtpMapping};
use mafalda_api::producer::{
    ProducerScore, ProducerTraceEventType, ProducerType, ProducerVideoOrientation, Rotation,
};
use mafalda_api::types::rtp_parameters::{
    MediaKind, MimeType, MimeTypeVideo, RtpCapabilitiesFinalized, RtpParameters,
};
use mafalda_api::waist::{ErrorCode, Failure, Origin, Produce, ProducerState};

use crate::router::{ObserverKey, StreamKey, TransportKey};
use crate::rtp::extension::{LABEL_MAX, VideoOrientation};
use crate::trace::Traced;

pub(crate) use format::{Format, Formats, apt};
pub(crate) use stream::{Arrival, Carried, Inbound, Numbering, ProducerStream, StreamNews, StreamSettings};

/// Where a Router's first mapped SSRC is drawn from; the others follow. They name streams inside a Router, and between Routers.
pub(crate) const MAPPED_SSRC_RANGE: std::ops::RangeInclusive<u32> = 100_000_000..=999_999_999;

/// Streams of one Producer. Browsers send three at most; it bounds the work for one call.
const ENCODINGS_MAX: usize = 16;

/// A Producer's cold part.
#[derive(Debug)]
pub(crate) struct Producer {
    pub(crate) id: ProducerId,
    /// The id under which its Router knows it, where that is another.
    pub(crate) alias: Option<ProducerId>,
    pub(crate) origin: Origin,
    pub(crate) transport: TransportKey,
    pub(crate) kind: MediaKind,
    pub(crate) rtp_parameters: Arc<RtpParameters>,
    pub(crate) consumable: Arc<RtpParameters>,
    pub(crate) mapping: RtpMapping,
    pub(crate) paused: bool,
    pub(crate) traced: Traced<ProducerTraceEventType>,
    /// As it was told last.
    pub(crate) score: Vec<ProducerScore>,
    /// One per encoding, in their order.
    pub(crate) streams: Vec<StreamKey>,
    /// How its picture lies, once a packet has told.
    pub(crate) video_orientation: Option<ProducerVideoOrientation>,
    /// Who listens to it.
    pub(crate) observers: Vec<ObserverKey>,
}

/// What negotiation makes of a call to produce.
#[derive(Debug)]
pub(crate) struct Negotiated {
    pub(crate) rtp_parameters: Arc<RtpParameters>,
    pub(crate) consumable: Arc<RtpParameters>,
    pub(crate) mapping: RtpMapping,
}

impl Negotiated {
    /// Negotiates a Producer: happens here and nowhere else.
    ///
    /// # Errors
    /// What does not fit, by name.
    pub(crate) fn new(
        command: &Produce,
        cname: String,
        capabilities: &RtpCapabilitiesFinalized,
        first_mapped_ssrc: u32,
        enable_bwe: bool,
    ) -> Result<Self, Failure> {
        ortc::validate_rtp_parameters(&command.rtp_parameters)?;
        check(command)?;
        let parameters =
            ortc::complete_producer_rtp_parameters(command.rtp_parameters.clone(), Some(cname), enable_bwe);
        let mut mapping =
            ortc::get_producer_rtp_parameters_mapping(&parameters, capabilities, first_mapped_ssrc)?;
        keep_mapped_ssrcs(&mut mapping, &command.mapped_ssrcs)?;
        let consumable =
            ortc::get_consumable_rtp_parameters(command.kind, &parameters, capabilities, &mapping);
        Ok(Self { rtp_parameters: Arc::new(parameters), consumable: Arc::new(consumable), mapping })
    }
}

/// Streams that come from another Router are named inside this one as they are there.
fn keep_mapped_ssrcs(mapping: &mut RtpMapping, mapped_ssrcs: &[u32]) -> Result<(), Failure> {
    if mapped_ssrcs.is_empty() {
        return Ok(());
    }
    if mapped_ssrcs.len() != mapping.encodings.len() {
        let (given, encodings) = (mapped_ssrcs.len(), mapping.encodings.len());
        let detail = format!("there are {given} mapped SSRCs for {encodings} encodings");
        return Err(Failure::new(ErrorCode::InvalidArgument, detail));
    }
    for (encoding, ssrc) in mapping.encodings.iter_mut().zip(mapped_ssrcs) {
        encoding.mapped_ssrc = *ssrc;
    }
    Ok(())
}

/// What the negotiation takes for granted.
fn check(command: &Produce) -> Result<(), Failure> {
    let invalid = |detail: String| Err(Failure::new(ErrorCode::InvalidArgument, detail));
    let parameters = &command.rtp_parameters;
    if parameters.codecs.iter().all(mafalda_api::types::rtp_parameters::RtpCodecParameters::is_rtx) {
        return invalid("the RTP parameters have no media codec".into());
    }
    if let Some(codec) = parameters.codecs.iter().find(|codec| kind_of(codec) != command.kind) {
        return invalid(format!("{} is no codec for {:?}", codec.mime_type().as_str(), command.kind));
    }
    if let Some(extension) = parameters.header_extensions.iter().find(|it| it.id == 0 || it.id > 255) {
        return invalid(format!("header extension id {} is not in 1 to 255", extension.id));
    }
    if parameters.mid.as_ref().is_some_and(|mid| mid.is_empty() || mid.len() > LABEL_MAX) {
        return invalid(format!("a MID has 1 to {LABEL_MAX} bytes"));
    }
    check_encodings(parameters)
}

/// What several streams of one source take for granted.
fn check_encodings(parameters: &RtpParameters) -> Result<(), Failure> {
    let encodings = &parameters.encodings;
    let invalid = |detail: String| Err(Failure::new(ErrorCode::InvalidArgument, detail));
    if encodings.len() > ENCODINGS_MAX {
        return invalid(format!("{} encodings are more than {ENCODINGS_MAX}", encodings.len()));
    }
    let rids = encodings.iter().filter_map(|encoding| encoding.rid.as_ref());
    if let Some(rid) = rids.into_iter().find(|rid| rid.is_empty() || rid.len() > LABEL_MAX) {
        return invalid(format!("a RID has 1 to {LABEL_MAX} bytes, {rid:?} has {}", rid.len()));
    }
    if encodings.len() <= 1 {
        return Ok(());
    }
    if encodings.iter().any(|encoding| encoding.ssrc.is_none() && encoding.rid.is_none()) {
        return invalid("of several encodings each needs an ssrc or a rid to be found by".into());
    }
    let media = parameters.codecs.iter().filter(|codec| !codec.is_rtx());
    let unfit = media.into_iter().find(|codec| !can_be_several(codec.mime_type()));
    match unfit {
        Some(codec) => {
            let name = codec.mime_type().as_str();
            Err(Failure::new(ErrorCode::Unsupported, format!("{name} has no simulcast: send one encoding")))
        }
        None => Ok(()),
    }
}

/// Whether a source may send several streams with this codec. Others have their layers in one stream, or none.
fn can_be_several(mime_type: MimeType) -> bool {
    use MimeTypeVideo::{AV1, Vp9};
    !matches!(mime_type, MimeType::Audio(_) | MimeType::Video(Vp9 | AV1))
}

fn kind_of(codec: &mafalda_api::types::rtp_parameters::RtpCodecParameters) -> MediaKind {
    use mafalda_api::types::rtp_parameters::RtpCodecParameters;
    match codec {
        RtpCodecParameters::Audio { .. } => MediaKind::Audio,
        RtpCodecParameters::Video { .. } => MediaKind::Video,
    }
}

impl From<VideoOrientation> for ProducerVideoOrientation {
    fn from(it: VideoOrientation) -> Self {
        let rotation = match it.rotation() {
            90 => Rotation::Clockwise,
            180 => Rotation::Rotate180,
            270 => Rotation::CounterClockwise,
            _ => Rotation::None,
        };
        Self { camera: it.back_camera(), flip: it.flipped(), rotation }
    }
}

impl Producer {
    /// The id that applications know it by.
    pub(crate) fn known_as(&self) -> ProducerId {
        self.alias.unwrap_or(self.id)
    }

    pub(crate) fn r#type(&self) -> ProducerType {
        ortc::producer_type(&self.rtp_parameters)
    }

    /// What others know of it.
    pub(crate) fn state(
        &self,
        transport: mafalda_api::id::TransportId,
        score: Vec<ProducerScore>,
    ) -> ProducerState {
        ProducerState {
            id: self.id,
            alias: self.alias,
            origin: self.origin.clone(),
            transport,
            kind: self.kind,
            r#type: self.r#type(),
            rtp_parameters: self.rtp_parameters.clone(),
            consumable_rtp_parameters: self.consumable.clone(),
            paused: self.paused,
            score,
            video_orientation: self.video_orientation,
        }
    }
}
