//! Codecs: `rtpmap`, `fmtp` and `rtcp-fb` to RTP parameters and back.

use std::borrow::Cow;
use std::num::{NonZeroU8, NonZeroU32};

use mafalda_api::types::rtp_parameters::{
    MimeType, RtcpFeedback, RtpCodecParameters, RtpCodecParametersParameters,
    RtpCodecParametersParametersValue,
};
use rtc_sdp::description::common::Attribute;

use super::SdpError;
use super::attribute::{fits_line, unreadable, values};

/// What needs no `rtpmap` (RFC 3551 §6), of the codecs that are known.
const STATIC: [(u8, &str); 3] = [(0, "PCMU/8000"), (8, "PCMA/8000"), (9, "G722/8000")];

const STEREO: NonZeroU8 = NonZeroU8::new(2).expect("not zero");

/// Most parameters of a codec that are looked at: they are kept, and copied for each who gets the codec. Clients write some ten.
const PARAMETERS_MAX: usize = 64;

/// Parameters that are text even if they have digits alone.
const TEXTS: [&str; 3] = ["profile-level-id", "sprop-parameter-sets", "config"];

/// The codecs of a section that are known, in its order. Those that are not can't be taken anyway.
pub(super) fn read(
    kind: &str,
    formats: &[String],
    attributes: &[Attribute],
) -> Result<Vec<RtpCodecParameters>, SdpError> {
    let mut codecs = Vec::new();
    let mut seen = 0_u128;
    for format in formats {
        let payload_type = format.parse().ok().filter(|number| *number < 128);
        let payload_type: u8 = payload_type.ok_or_else(|| unreadable("rtpmap", format))?;
        // Once each, however often the line has it: each time all attributes are gone through.
        let bit = 1 << payload_type;
        if seen & bit != 0 {
            continue;
        }
        seen |= bit;
        let map = of_format(attributes, "rtpmap", format).next();
        let fixed = STATIC.iter().find(|(number, _)| *number == payload_type).map(|(_, map)| *map);
        let Some(map) = map.or(fixed) else { continue };
        if let Some(codec) = codec(kind, format, payload_type, map, attributes)? {
            codecs.push(codec);
        }
    }
    Ok(codecs)
}

fn codec(
    kind: &str,
    format: &str,
    payload_type: u8,
    map: &str,
    attributes: &[Attribute],
) -> Result<Option<RtpCodecParameters>, SdpError> {
    let bad = || unreadable("rtpmap", map);
    let mut parts = map.split('/');
    let name = parts.next().unwrap_or_default();
    let clock_rate: NonZeroU32 = parts.next().and_then(|rate| rate.trim().parse().ok()).ok_or_else(bad)?;
    let channels = match parts.next() {
        Some(channels) => channels.trim().parse().map_err(|_| bad())?,
        // RFC 7587 §7: it is always 2. There are clients that leave it out.
        None if name.eq_ignore_ascii_case("opus") => STEREO,
        None => NonZeroU8::MIN,
    };
    let rtcp_feedback = feedback(format, attributes);
    let parameters = parameters(format, attributes);
    Ok(match format!("{kind}/{name}").parse() {
        Ok(MimeType::Audio(mime_type)) => Some(RtpCodecParameters::Audio {
            mime_type,
            payload_type,
            clock_rate,
            channels,
            parameters,
            rtcp_feedback,
        }),
        Ok(MimeType::Video(mime_type)) => {
            Some(RtpCodecParameters::Video { mime_type, payload_type, clock_rate, parameters, rtcp_feedback })
        }
        Err(_) => None,
    })
}

/// Values of an attribute that begins with a payload type, without it.
fn of_format<'a>(
    attributes: &'a [Attribute],
    name: &'static str,
    format: &str,
) -> impl Iterator<Item = &'a str> {
    values(attributes, name).filter_map(move |value| {
        let (of, rest) = value.split_once(' ')?;
        (of == format || (of == "*" && name == "rtcp-fb")).then_some(rest.trim())
    })
}

/// `key=value` with `;` between them. What has no `=` means nothing to the codecs that are known.
fn parameters(format: &str, attributes: &[Attribute]) -> RtpCodecParametersParameters {
    let mut parameters = RtpCodecParametersParameters::default();
    for (key, value) in of_format(attributes, "fmtp", format)
        .flat_map(|line| line.split(';'))
        .filter_map(|it| it.split_once('='))
        .take(PARAMETERS_MAX)
    {
        let (key, value) = (key.trim(), value.trim());
        // Digits are a number where writing it gives the same again.
        let number = value.parse::<u32>().ok().filter(|number| number.to_string() == value);
        match number.filter(|_| !TEXTS.contains(&key)) {
            Some(number) => parameters.insert(key.to_owned(), number),
            None => parameters.insert(key.to_owned(), value.to_owned()),
        };
    }
    parameters
}

fn feedback(format: &str, attributes: &[Attribute]) -> Vec<RtcpFeedback> {
    let mut known = Vec::new();
    for line in of_format(attributes, "rtcp-fb", format) {
        let (kind, parameter) = line.split_once(' ').unwrap_or((line, ""));
        if let Ok(feedback) = RtcpFeedback::from_type_parameter(kind, parameter.trim())
            && !known.contains(&feedback)
        {
            known.push(feedback);
        }
    }
    known
}

/// A codec in an answer.
pub(super) fn attributes(codec: &RtpCodecParameters) -> Vec<Attribute> {
    let payload_type = codec.payload_type();
    let attribute = |name: &str, value: String| Attribute::new(name.into(), Some(value));
    let mime_type = codec.mime_type();
    let name = mime_type.as_str().split_once('/').map_or(mime_type.as_str(), |(_, name)| name);
    let mut map = format!("{payload_type} {name}/{}", codec.clock_rate());
    if let RtpCodecParameters::Audio { channels, .. } = codec
        && channels.get() > 1
    {
        map += &format!("/{channels}");
    }
    let mut attributes = vec![attribute("rtpmap", map)];
    let parameters: Vec<_> = codec.parameters().iter().filter_map(parameter).collect();
    if !parameters.is_empty() {
        attributes.push(attribute("fmtp", format!("{payload_type} {}", parameters.join(";"))));
    }
    for feedback in codec.rtcp_feedback() {
        let line = match feedback.as_type_parameter() {
            (kind, "") => format!("{payload_type} {kind}"),
            (kind, parameter) => format!("{payload_type} {kind} {parameter}"),
        };
        attributes.push(attribute("rtcp-fb", line));
    }
    attributes
}

/// A parameter that can't stand in the line is left out.
fn parameter((key, value): (&Cow<'static, str>, &RtpCodecParametersParametersValue)) -> Option<String> {
    let fits = |text: &str| fits_line(text) && !text.contains(';');
    match value {
        _ if !fits(key) => None,
        RtpCodecParametersParametersValue::String(text) => fits(text).then(|| format!("{key}={text}")),
        RtpCodecParametersParametersValue::Number(number) => Some(format!("{key}={number}")),
    }
}
