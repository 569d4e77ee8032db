//! An offer: what a client wants to send or to receive, and over what.

use std::collections::HashSet;
use std::io::Cursor;

use rtc_sdp::SessionDescription;

use super::attribute::{has, values};
use super::{RemoteTransport, SdpError, Section};

/// Most media sections of an offer. A client has one for each track, and a participant as many tracks as the gateway lets it
/// produce; twice that leaves room for sections that were used once.
pub const SECTIONS_MAX: usize = 16;

/// What a client says.
#[derive(Clone, PartialEq, Debug)]
pub struct Offer {
    /// Its media sections, in order.
    pub sections: Vec<Section>,
    /// What all of them go over.
    pub transport: RemoteTransport,
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    /// When it can't be read, or nothing could come of it whatever the media.
    pub fn parse(text: &str) -> Result<Self, SdpError> {
        let session = SessionDescription::unmarshal(&mut Cursor::new(text))
            .map_err(|error| SdpError::Syntax(error.to_string()))?;
        if session.media_descriptions.is_empty() {
            return Err(SdpError::NoSections);
        }
        if session.media_descriptions.len() > SECTIONS_MAX {
            return Err(SdpError::TooManySections { max: SECTIONS_MAX });
        }
        // RFC 8839 §5.3.
        if has(&session.attributes, "ice-lite") {
            return Err(SdpError::BothIceLite);
        }
        let bundled = bundled(&session);
        let mut sections = Vec::new();
        for description in &session.media_descriptions {
            sections.push(Section::read(description, &session.attributes, bundled.as_deref())?);
        }
        check_mids(&sections)?;
        let usable = |section: &Section| section.content.is_ok();
        if bundled.is_none() && sections.iter().filter(|section| usable(section)).count() > 1 {
            return Err(SdpError::NotBundled);
        }
        let speaker = speaker(&sections, bundled.as_deref());
        let own = session.media_descriptions.get(speaker).map_or(&[][..], |section| &section.attributes);
        let transport = RemoteTransport::read(own, &session.attributes)?;
        Ok(Self { sections, transport })
    }
}

/// The sections that share a transport (RFC 9143 §5).
fn bundled(session: &SessionDescription) -> Option<Vec<&str>> {
    let mut groups = values(&session.attributes, "group").filter_map(|group| group.strip_prefix("BUNDLE"));
    groups.next().map(|group| group.split_ascii_whitespace().collect())
}

fn check_mids(sections: &[Section]) -> Result<(), SdpError> {
    let mut seen = HashSet::new();
    match sections.iter().filter_map(|section| section.mid.as_deref()).find(|mid| !seen.insert(*mid)) {
        Some(twice) => Err(SdpError::SameMid(twice.to_owned())),
        None => Ok(()),
    }
}

/// The section that speaks for the transport: the first of the bundle (RFC 9143 §7.1), or the only one.
fn speaker(sections: &[Section], bundled: Option<&[&str]>) -> usize {
    let tag = bundled.and_then(|bundled| bundled.first());
    let tagged = tag.and_then(|tag| sections.iter().position(|it| it.mid.as_deref() == Some(tag)));
    tagged.or_else(|| sections.iter().position(|it| it.content.is_ok())).unwrap_or_default()
}
