//! Which bandwidth estimation a stream's parameters announce: transport-wide congestion control, REMB or none.

use crate::types::rtp_parameters::{RtcpFeedback, RtpHeaderExtensionUri, RtpParameters};

/// Leaves feedback of the best estimation whose header extension is there: transport-cc, else REMB.
pub(super) fn keep_best(rtp_parameters: &mut RtpParameters) {
    let has = |uri| rtp_parameters.header_extensions.iter().any(|extension| extension.uri == uri);
    if has(RtpHeaderExtensionUri::TransportWideCcDraft01) {
        remove_feedback(rtp_parameters, &[RtcpFeedback::GoogRemb]);
    } else if has(RtpHeaderExtensionUri::AbsSendTime) {
        remove_feedback(rtp_parameters, &[RtcpFeedback::TransportCc]);
    } else {
        remove_feedback(rtp_parameters, &[RtcpFeedback::GoogRemb, RtcpFeedback::TransportCc]);
    }
}

/// Leaves no trace of bandwidth estimation, neither header extensions nor feedback.
pub(super) fn remove_all(rtp_parameters: &mut RtpParameters) {
    rtp_parameters.header_extensions.retain(|extension| {
        !matches!(
            extension.uri,
            RtpHeaderExtensionUri::AbsSendTime | RtpHeaderExtensionUri::TransportWideCcDraft01
        )
    });
    remove_feedback(rtp_parameters, &[RtcpFeedback::GoogRemb, RtcpFeedback::TransportCc]);
}

fn remove_feedback(rtp_parameters: &mut RtpParameters, removed: &[RtcpFeedback]) {
    for codec in &mut rtp_parameters.codecs {
        codec.rtcp_feedback_mut().retain(|feedback| !removed.contains(feedback));
    }
}
