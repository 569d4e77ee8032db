//! What of a consumable stream goes to another Router: all of it, but for what each Router does for itself.

use crate::types::rtp_parameters::{
    RtcpFeedback, RtpCodecParameters, RtpEncodingParameters, RtpEncodingParametersRtx,
    RtpHeaderExtensionParameters, RtpHeaderExtensionUri, RtpParameters,
};

/// Makes the parameters of a Consumer that sends all streams of its Producer to another Router.
///
/// No capabilities are asked for: a Router takes what it has codecs for. MID and bandwidth estimation are left out, each Router has
/// its own with its clients. Packets are asked for again only with `enable_rtx`. Encodings get the `ssrcs`, one each, drawn by the
/// caller; where the codecs have RTX, that gets the SSRC above.
#[must_use]
pub fn get_pipe_consumer_rtp_parameters(
    consumable: &RtpParameters,
    enable_rtx: bool,
    ssrcs: &[u32],
) -> RtpParameters {
    let codecs: Vec<_> = consumable
        .codecs
        .iter()
        .filter(|codec| enable_rtx || !codec.is_rtx())
        .map(|codec| piped(codec, enable_rtx))
        .collect();
    let has_rtx = codecs.iter().any(RtpCodecParameters::is_rtx);
    RtpParameters {
        mid: None,
        codecs,
        header_extensions: consumable
            .header_extensions
            .iter()
            .filter(|extension| !is_of_one_hop(extension))
            .cloned()
            .collect(),
        encodings: encodings(&consumable.encodings, ssrcs, has_rtx),
        rtcp: consumable.rtcp.clone(),
        msid: consumable.msid.clone(),
    }
}

fn piped(codec: &RtpCodecParameters, enable_rtx: bool) -> RtpCodecParameters {
    let mut codec = codec.clone();
    codec.rtcp_feedback_mut().retain(|feedback| match feedback {
        RtcpFeedback::GoogRemb | RtcpFeedback::TransportCc => false,
        RtcpFeedback::Nack => enable_rtx,
        _ => true,
    });
    codec
}

fn is_of_one_hop(extension: &RtpHeaderExtensionParameters) -> bool {
    use RtpHeaderExtensionUri::{AbsSendTime, Mid, TransportWideCcDraft01};
    matches!(extension.uri, Mid | AbsSendTime | TransportWideCcDraft01)
}

/// All streams as they are, under SSRCs of their own.
pub(super) fn encodings(
    consumable: &[RtpEncodingParameters],
    ssrcs: &[u32],
    has_rtx: bool,
) -> Vec<RtpEncodingParameters> {
    let encoding = |(encoding, ssrc): (&RtpEncodingParameters, &u32)| RtpEncodingParameters {
        ssrc: Some(*ssrc),
        rtx: has_rtx.then(|| RtpEncodingParametersRtx { ssrc: ssrc.wrapping_add(1) }),
        ..encoding.clone()
    };
    consumable.iter().zip(ssrcs).map(encoding).collect()
}
