//! Fragments of descriptions that tell of ICE alone (RFC 8840 §9), in `application/trickle-ice-sdpfrag`.

use std::fmt::Write;

use rtc_sdp::description::common::Attribute;

use super::ice::check_candidate;
use super::{IceCredentials, LocalTransport, SdpError, Section};

/// Most candidates of a fragment. A client has a handful for each of its addresses.
pub const CANDIDATES_MAX: usize = 256;

/// What a client tells. A lite server doesn't check towards its candidates, so they are looked at and forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Its credentials, where it says them.
    pub ice: Option<IceCredentials>,
    /// How many candidates it tells.
    pub candidates: usize,
    /// Whether there will be no more.
    pub end_of_candidates: bool,
}

impl Fragment {
    /// Reads a fragment.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        let mut credentials = Vec::new();
        let mut fragment = Self { ice: None, candidates: 0, end_of_candidates: false };
        for (index, line) in text.lines().map(str::trim_end).enumerate() {
            let Some(attribute) = line.strip_prefix("a=") else {
                if line.is_empty() || line.starts_with("m=") {
                    continue;
                }
                return Err(SdpError::Line { line: index + 1 });
            };
            let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
            match name {
                "candidate" => {
                    check_candidate(value)?;
                    fragment.candidates += 1;
                }
                "end-of-candidates" => fragment.end_of_candidates = true,
                "ice-ufrag" | "ice-pwd" => credentials.push(Attribute::new(name.into(), Some(value.into()))),
                _ => {}
            }
        }
        if fragment.candidates > CANDIDATES_MAX {
            return Err(SdpError::TooManyCandidates { max: CANDIDATES_MAX });
        }
        fragment.ice = IceCredentials::read(&credentials)?;
        Ok(fragment)
    }
}

/// What we tell after a restart: our new credentials, and where we listen (RFC 9725 §4.3.3).
#[must_use]
pub fn write_fragment(transport: &LocalTransport, sections: &[&Section]) -> String {
    let mut text = String::from("a=ice-lite\r\n");
    let mids: Vec<_> = sections.iter().filter_map(|section| section.mid.as_deref()).collect();
    if !mids.is_empty() {
        write(&mut text, format_args!("a=group:BUNDLE {}\r\n", mids.join(" ")));
    }
    // RFC 8840 §4.4: only the section that speaks for the bundle.
    if let Some(section) = sections.first() {
        let media = &section.media;
        let formats = media.formats.join(" ");
        write(&mut text, format_args!("m={} 9 {} {formats}\r\n", media.name, media.protocol.join("/")));
    }
    if let Some(mid) = mids.first() {
        write(&mut text, format_args!("a=mid:{mid}\r\n"));
    }
    let of_ice = |attribute: &&Attribute| {
        matches!(attribute.key.as_str(), "ice-ufrag" | "ice-pwd" | "candidate" | "end-of-candidates")
    };
    for attribute in transport.attributes().iter().filter(of_ice) {
        write(&mut text, format_args!("a={attribute}\r\n"));
    }
    text
}

fn write(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a string takes everything");
}
