//! RTCP feedback that a codec takes (RFC 4585).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Kind of RTCP feedback; in JSON `{"type": …, "parameter": …}`.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub enum RtcpFeedback {
    /// Generic NACK (RFC 4585 section 6.2.1).
    Nack,
    /// Picture loss indication (RFC 4585 section 6.3.1).
    NackPli,
    /// Full intra request (RFC 5104 section 4.3.1).
    CcmFir,
    /// Receiver-estimated maximum bitrate.
    GoogRemb,
    /// Transport-wide congestion control.
    TransportCc,
    /// Feedback that is not known here; ignored in negotiation.
    Unsupported,
}

/// Error of [`RtcpFeedback::from_type_parameter`].
#[derive(Debug, Error, Eq, PartialEq)]
pub enum RtcpFeedbackFromTypeParameterError {
    /// Feedback that is not known here.
    #[error("Unsupported")]
    Unsupported,
}

impl RtcpFeedback {
    /// Reads type and parameter; no parameter is the empty one.
    ///
    /// # Errors
    /// When the pair is not known.
    pub fn from_type_parameter(
        r#type: &str,
        parameter: &str,
    ) -> Result<Self, RtcpFeedbackFromTypeParameterError> {
        match (r#type, parameter) {
            ("nack", "") => Ok(Self::Nack),
            ("nack", "pli") => Ok(Self::NackPli),
            ("ccm", "fir") => Ok(Self::CcmFir),
            ("goog-remb", "") => Ok(Self::GoogRemb),
            ("transport-cc", "") => Ok(Self::TransportCc),
            ("unknown", "") => Ok(Self::Unsupported),
            _ => Err(RtcpFeedbackFromTypeParameterError::Unsupported),
        }
    }

    /// Type and parameter; no parameter is the empty one.
    pub fn as_type_parameter(&self) -> (&'static str, &'static str) {
        match self {
            Self::Nack => ("nack", ""),
            Self::NackPli => ("nack", "pli"),
            Self::CcmFir => ("ccm", "fir"),
            Self::GoogRemb => ("goog-remb", ""),
            Self::TransportCc => ("transport-cc", ""),
            Self::Unsupported => ("unknown", ""),
        }
    }
}

/// The JSON form. A parameter that is absent or `null` is the empty one.
#[derive(Deserialize, Serialize)]
#[serde(rename = "RtcpFeedback")]
struct FeedbackText<'a> {
    r#type: Cow<'a, str>,
    parameter: Option<Cow<'a, str>>,
}

impl Serialize for RtcpFeedback {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (r#type, parameter) = self.as_type_parameter();
        FeedbackText { r#type: r#type.into(), parameter: Some(parameter.into()) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RtcpFeedback {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let FeedbackText { r#type, parameter } = FeedbackText::deserialize(deserializer)?;
        let feedback = Self::from_type_parameter(&r#type, parameter.as_deref().unwrap_or_default());
        Ok(feedback.unwrap_or(Self::Unsupported))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json, to_value};

    use super::*;

    #[test]
    fn type_and_parameter_name_the_feedback() {
        let pli = json!({ "type": "nack", "parameter": "pli" });
        assert_eq!(from_value::<RtcpFeedback>(pli.clone()).unwrap(), RtcpFeedback::NackPli);
        assert_eq!(to_value(RtcpFeedback::NackPli).unwrap(), pli);
        assert_eq!(from_value::<RtcpFeedback>(json!({ "type": "nack" })).unwrap(), RtcpFeedback::Nack);
        let null = json!({ "type": "transport-cc", "parameter": null });
        assert_eq!(from_value::<RtcpFeedback>(null).unwrap(), RtcpFeedback::TransportCc);
    }

    #[test]
    fn unknown_feedback_parses() {
        for json in [json!({ "type": "goog-lntf" }), json!({ "type": "nack", "parameter": "sli" })] {
            assert_eq!(from_value::<RtcpFeedback>(json).unwrap(), RtcpFeedback::Unsupported);
        }
        assert!(from_value::<RtcpFeedback>(json!({ "parameter": "pli" })).is_err());
    }
}
