//! An answer: for each section of an offer, whether and how media goes.

use mafalda_api::types::rtp_parameters::RtpParameters;
use rtc_sdp::description::common::{Address, Attribute, ConnectionInformation};
use rtc_sdp::description::media::{MediaName, RangedPort};
use rtc_sdp::description::session::{Origin, TimeDescription};
use rtc_sdp::{MediaDescription, SessionDescription};

use super::attribute::fits_line;
use super::{Direction, LocalTransport, Section, codec};

/// What became of a section.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Nothing.
    Rejected,
    /// Media comes from the client.
    Receives(RtpParameters),
    /// Media goes to the client; stream and track have these names there.
    Sends {
        /// Codecs, header extensions and SSRCs.
        rtp_parameters: RtpParameters,
        /// The stream's name.
        stream: String,
        /// The track's name.
        track: String,
    },
}

/// An answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer<'a> {
    /// Random; names the session in `o=`.
    pub session_id: u64,
    /// Our side of the transport.
    pub transport: &'a LocalTransport,
    /// The offer's sections, in order, and what became of each.
    pub sections: Vec<(&'a Section, Outcome)>,
}

impl Answer<'_> {
    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let flag = |name: &str| Attribute::new(name.into(), None);
        let mut attributes = vec![flag("ice-lite")];
        let mids: Vec<_> = self.accepted().filter_map(|section| section.mid.as_deref()).collect();
        if !mids.is_empty() {
            attributes.push(Attribute::new("group".into(), Some(format!("BUNDLE {}", mids.join(" ")))));
        }
        attributes.push(Attribute::new("msid-semantic".into(), Some("WMS *".into())));
        attributes.extend(self.transport.shared_attributes());
        let description = SessionDescription {
            origin: Origin {
                username: "-".into(),
                // RFC 9429 §5.2.1: 63 bits.
                session_id: self.session_id >> 1,
                session_version: 1,
                network_type: "IN".into(),
                address_type: "IP4".into(),
                unicast_address: "0.0.0.0".into(),
            },
            session_name: "-".into(),
            time_descriptions: vec![TimeDescription::default()],
            attributes,
            media_descriptions: self
                .sections
                .iter()
                .map(|(section, outcome)| self.media(section, outcome))
                .collect(),
            ..SessionDescription::default()
        };
        description.marshal()
    }

    fn accepted(&self) -> impl Iterator<Item = &Section> {
        let accepted = self.sections.iter().filter(|(_, outcome)| *outcome != Outcome::Rejected);
        accepted.map(|(section, _)| *section)
    }

    fn media(&self, section: &Section, outcome: &Outcome) -> MediaDescription {
        match outcome {
            Outcome::Rejected => rejected(section),
            Outcome::Receives(parameters) => self.taken(section, Direction::RecvOnly, parameters, Vec::new()),
            Outcome::Sends { rtp_parameters, stream, track } => {
                let source = source(rtp_parameters, stream, track);
                self.taken(section, Direction::SendOnly, rtp_parameters, source)
            }
        }
    }

    fn taken(
        &self,
        section: &Section,
        direction: Direction,
        parameters: &RtpParameters,
        source: Vec<Attribute>,
    ) -> MediaDescription {
        let flag = |name: &str| Attribute::new(name.into(), None);
        let formats = parameters.codecs.iter().map(|codec| codec.payload_type().to_string()).collect();
        let mut attributes = mid(section);
        attributes.push(flag(direction.as_str()));
        attributes.extend([flag("rtcp-mux"), flag("rtcp-rsize")]);
        attributes.extend(self.transport.attributes());
        attributes.extend(parameters.codecs.iter().flat_map(codec::attributes));
        attributes.extend(parameters.header_extensions.iter().map(|extension| {
            Attribute::new("extmap".into(), Some(format!("{} {}", extension.id, extension.uri.as_str())))
        }));
        attributes.extend(source);
        // RFC 8839 §4.2.1.2: the default candidate's; any client looks at the others.
        let (address, port) =
            self.transport.ice_candidates.first().map_or(("0.0.0.0", 9), |it| (&it.address, it.port));
        MediaDescription {
            media_name: media_name(section, port, formats),
            connection_information: Some(connection(address)),
            attributes,
            ..MediaDescription::default()
        }
    }
}

/// RFC 3264 §6: port 0, and something of the formats.
fn rejected(section: &Section) -> MediaDescription {
    MediaDescription {
        media_name: media_name(section, 0, section.media.formats.clone()),
        connection_information: Some(connection("0.0.0.0")),
        attributes: mid(section).into_iter().chain([Attribute::new("inactive".into(), None)]).collect(),
        ..MediaDescription::default()
    }
}

fn mid(section: &Section) -> Vec<Attribute> {
    section.mid.iter().map(|mid| Attribute::new("mid".into(), Some(mid.clone()))).collect()
}

fn media_name(section: &Section, port: u16, formats: Vec<String>) -> MediaName {
    MediaName {
        media: section.media.name.clone(),
        port: RangedPort { value: port as isize, range: None },
        protos: section.media.protocol.clone(),
        formats,
    }
}

fn connection(address: &str) -> ConnectionInformation {
    ConnectionInformation {
        network_type: "IN".into(),
        address_type: if address.contains(':') { "IP6" } else { "IP4" }.into(),
        address: Some(Address { address: address.into(), ttl: None, range: None }),
    }
}

/// Where what we send comes from: stream and track (RFC 8830), SSRCs with the source's name (RFC 5576).
fn source(parameters: &RtpParameters, stream: &str, track: &str) -> Vec<Attribute> {
    let attribute = |name: &str, value: String| Attribute::new(name.into(), Some(value));
    let mut attributes = vec![attribute("msid", format!("{stream} {track}"))];
    let Some((encoding, ssrc)) =
        parameters.encodings.first().and_then(|encoding| Some((encoding, encoding.ssrc?)))
    else {
        return attributes;
    };
    if let Some(rtx) = encoding.rtx {
        attributes.push(attribute("ssrc-group", format!("FID {ssrc} {}", rtx.ssrc)));
    }
    let cname = parameters.rtcp.cname.as_deref().filter(|cname| fits_line(cname)).unwrap_or(stream);
    for ssrc in std::iter::once(ssrc).chain(encoding.rtx.map(|rtx| rtx.ssrc)) {
        attributes.push(attribute("ssrc", format!("{ssrc} cname:{cname}")));
        attributes.push(attribute("ssrc", format!("{ssrc} msid:{stream} {track}")));
    }
    attributes
}
