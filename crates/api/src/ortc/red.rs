//! RED (RFC 2198): a codec whose packets hold those of another, named by their payload types.
//!
//! mediasoup has nothing here; the rules are those of RTX, as far as they fit. What RED holds is in its parameters, `111/111` in
//! SDP: a value without a name. As JSON it is either a name without a value, which is how parsers of SDP read it and how it is
//! written here, or the value of the empty name, which is how browsers tell it. Some leave it out; then it is Opus.

use crate::types::rtp_parameters::{
    MimeType, MimeTypeAudio, RtpCodecParameters, RtpCodecParametersParameters,
    RtpCodecParametersParametersValue as Value,
};

/// What a packet holds where nobody says it: the newest frame and the one before it, as browsers send it.
const FRAMES: usize = 2;

/// The payload types of the frames in RED's packets, the newest first; `None` where the parameters don't say.
pub(super) fn frames(parameters: &RtpCodecParametersParameters) -> Option<Vec<u8>> {
    parameters.iter().find_map(|(name, value)| match (name.as_ref(), value) {
        ("", Value::Number(number)) => u8::try_from(*number).ok().map(|single| vec![single]),
        ("", Value::String(text)) => list(text),
        (name, _) => list(name),
    })
}

/// The parameters that say it.
pub(super) fn parameters_of(frames: &[u8]) -> RtpCodecParametersParameters {
    let frames: Vec<String> = frames.iter().map(u8::to_string).collect();
    RtpCodecParametersParameters::from([(frames.join("/"), "".into())])
}

/// The parameters of RED that holds this codec alone.
pub(super) fn parameters_of_codec(payload_type: u8) -> RtpCodecParametersParameters {
    parameters_of(&[payload_type; FRAMES])
}

/// The payload types of what an endpoint's RED holds: what it says, else its first Opus. `None` when that isn't a media codec that
/// it has.
pub(super) fn frames_of(red: &RtpCodecParameters, codecs: &[RtpCodecParameters]) -> Option<Vec<u8>> {
    let may_be_held = |codec: &&RtpCodecParameters| !codec.is_rtx() && !is_red(codec.mime_type());
    let mut held = codecs.iter().filter(may_be_held);
    match frames(red.parameters()) {
        Some(frames) => {
            let held: Vec<u8> = held.map(RtpCodecParameters::payload_type).collect();
            Some(frames).filter(|frames| frames.iter().all(|frame| held.contains(frame)))
        }
        None => held.find(|codec| is_opus(codec.mime_type())).map(|opus| vec![opus.payload_type(); FRAMES]),
    }
}

pub(super) fn is_red(mime_type: MimeType) -> bool {
    mime_type == MimeType::Audio(MimeTypeAudio::Red)
}

pub(super) fn is_opus(mime_type: MimeType) -> bool {
    mime_type == MimeType::Audio(MimeTypeAudio::Opus)
}

fn list(text: &str) -> Option<Vec<u8>> {
    text.split('/').map(|frame| frame.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_in_each_form_and_written_in_one() {
        let text = |name: &'static str, value: &'static str| {
            RtpCodecParametersParameters::from([(name, value.into())])
        };
        assert_eq!(frames(&text("111/111", "")), Some(vec![111, 111]));
        assert_eq!(frames(&text("", "111/9/111")), Some(vec![111, 9, 111]));
        assert_eq!(frames(&RtpCodecParametersParameters::from([("", 111_u8.into())])), Some(vec![111]));
        assert_eq!(frames(&text("111", "")), Some(vec![111]));
        for (name, value) in [("", ""), ("", "111/"), ("111/300", ""), ("minptime", "10"), ("111 / 111", "")]
        {
            assert_eq!(frames(&text(name, value)), None, "{name}={value}");
        }
        assert_eq!(parameters_of(&[100, 100]), text("100/100", ""));
        assert_eq!(frames(&parameters_of_codec(100)), Some(vec![100, 100]));
    }
}
