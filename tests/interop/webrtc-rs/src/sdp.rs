//! Between mediasoup's parameters, which the gateway speaks, and SDP, which webrtc-rs speaks: writes what a Transport is as
//! a remote description, and reads from a local description what the gateway must know.
//!
//! Only what one bundled Transport with an ICE-lite remote needs; nothing of this is a general SDP library.

use std::fmt::{self, Write as _};

use anyhow::{Context, Result, bail};

use crate::parameters::{DtlsParameters, Fingerprint, HeaderExtension, RtpParameters, Transport};

/// Who opens the DTLS handshake, seen from the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// The gateway does: it is the DTLS client.
    Active,
    /// The other side chooses; only in an offer.
    ActiveOrPassive,
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::ActiveOrPassive => "actpass",
        })
    }
}

/// One m-section of the gateway's description.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    /// `audio` or `video`.
    pub(crate) kind: &'a str,
    pub(crate) direction: Direction,
    pub(crate) parameters: &'a RtpParameters,
}

/// Which way the media of a section goes, seen from the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Sends,
    Receives,
}

/// Writes the description that a gateway with this Transport would give, as an offer or as an answer.
pub(crate) fn describe(transport: &Transport, setup: Setup, sections: &[Section<'_>]) -> Result<String> {
    let mut sdp = String::new();
    let mids: Vec<_> = sections.iter().map(|section| section.parameters.mid.as_str()).collect();
    write!(sdp, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")?;
    if transport.ice_parameters.ice_lite {
        write!(sdp, "a=ice-lite\r\n")?;
    }
    write!(sdp, "a=group:BUNDLE {}\r\na=msid-semantic:WMS *\r\n", mids.join(" "))?;
    for section in sections {
        write_media(&mut sdp, section)?;
        write_transport(&mut sdp, transport, setup)?;
    }
    Ok(sdp)
}

fn write_media(sdp: &mut String, section: &Section<'_>) -> fmt::Result {
    let RtpParameters { mid, codecs, header_extensions, encodings, rtcp } = section.parameters;
    let payload_types: Vec<_> = codecs.iter().map(|codec| codec.payload_type.to_string()).collect();
    write!(sdp, "m={} 9 UDP/TLS/RTP/SAVPF {}\r\n", section.kind, payload_types.join(" "))?;
    write!(sdp, "c=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n")?;
    for codec in codecs {
        let payload_type = codec.payload_type;
        let name = codec.mime_type.split('/').next_back().unwrap_or_default();
        write!(sdp, "a=rtpmap:{payload_type} {name}/{}", codec.clock_rate)?;
        match codec.channels {
            Some(channels) if channels > 1 => write!(sdp, "/{channels}\r\n")?,
            _ => write!(sdp, "\r\n")?,
        }
        if !codec.parameters.is_empty() {
            write!(sdp, "a=fmtp:{payload_type} {}\r\n", codec.format_parameters())?;
        }
        for feedback in &codec.rtcp_feedback {
            let text = format!("{} {}", feedback.kind, feedback.parameter);
            write!(sdp, "a=rtcp-fb:{payload_type} {}\r\n", text.trim_end())?;
        }
    }
    for HeaderExtension { id, uri } in header_extensions {
        write!(sdp, "a=extmap:{id} {uri}\r\n")?;
    }
    if section.direction == Direction::Receives {
        return write!(sdp, "a=recvonly\r\n");
    }
    write!(sdp, "a=sendonly\r\na=msid:{0} {0}-{mid}\r\n", rtcp.cname)?;
    for encoding in encodings {
        if let Some(rtx) = encoding.rtx {
            write!(sdp, "a=ssrc-group:FID {} {}\r\n", encoding.ssrc, rtx.ssrc)?;
        }
        for ssrc in [Some(encoding.ssrc), encoding.rtx.map(|rtx| rtx.ssrc)].into_iter().flatten() {
            write!(sdp, "a=ssrc:{ssrc} cname:{}\r\n", rtcp.cname)?;
        }
    }
    Ok(())
}

fn write_transport(sdp: &mut String, transport: &Transport, setup: Setup) -> fmt::Result {
    let ice = &transport.ice_parameters;
    write!(sdp, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", ice.username_fragment, ice.password)?;
    for Fingerprint { algorithm, value } in &transport.dtls_parameters.fingerprints {
        if algorithm == "sha-256" {
            write!(sdp, "a=fingerprint:{algorithm} {value}\r\n")?;
        }
    }
    write!(sdp, "a=setup:{setup}\r\n")?;
    for candidate in &transport.ice_candidates {
        if candidate.protocol == "udp" {
            let (foundation, priority) = (&candidate.foundation, candidate.priority);
            let (address, port) = (&candidate.address, candidate.port);
            write!(sdp, "a=candidate:{foundation} 1 udp {priority} {address} {port} typ host\r\n")?;
        }
    }
    write!(sdp, "a=end-of-candidates\r\n")
}

/// What the gateway must know of a local description.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Local {
    fingerprints: Vec<Fingerprint>,
    setup: String,
    sections: Vec<LocalSection>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalSection {
    pub(crate) mid: String,
    pub(crate) header_extensions: Vec<HeaderExtension>,
}

impl Local {
    /// Reads a description that webrtc-rs has written.
    pub(crate) fn read(sdp: &str) -> Result<Self> {
        let mut local = Self { fingerprints: Vec::new(), setup: String::new(), sections: Vec::new() };
        for line in sdp.lines() {
            if line.starts_with("m=") {
                local.sections.push(LocalSection::default());
            } else if let Some((key, value)) = line.strip_prefix("a=").and_then(|text| text.split_once(':')) {
                local.attribute(key, value)?;
            }
        }
        Ok(local)
    }

    /// The sections in their order.
    pub(crate) fn sections(&self) -> &[LocalSection] {
        &self.sections
    }

    /// What goes to `connectTransport`, if the gateway's side of the handshake is `remote`.
    pub(crate) fn dtls_parameters(&self, remote: Setup) -> Result<DtlsParameters> {
        let role = match (self.setup.as_str(), remote) {
            ("active", Setup::ActiveOrPassive) => "client",
            ("passive", Setup::ActiveOrPassive) | ("actpass", Setup::Active) => "server",
            (local, remote) => bail!("setup:{local} doesn't go with setup:{remote}"),
        };
        Ok(DtlsParameters { role: role.to_owned(), fingerprints: self.fingerprints.clone() })
    }

    fn attribute(&mut self, key: &str, value: &str) -> Result<()> {
        match (key, self.sections.last_mut()) {
            ("fingerprint", _) => {
                let (algorithm, value) = value.split_once(' ').context("a fingerprint has two parts")?;
                let fingerprint = Fingerprint { algorithm: algorithm.to_owned(), value: value.to_owned() };
                if !self.fingerprints.contains(&fingerprint) {
                    self.fingerprints.push(fingerprint);
                }
            }
            ("setup", _) => value.clone_into(&mut self.setup),
            ("mid", Some(section)) => value.clone_into(&mut section.mid),
            ("extmap", Some(section)) => {
                let (id, uri) = value.split_once(' ').context("an extmap has two parts")?;
                let extension = HeaderExtension { uri: uri.to_owned(), id: id.parse()? };
                section.header_extensions.push(extension);
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_description_tells_what_the_gateway_needs() {
        let local = Local::read(
            "v=0\r\na=fingerprint:sha-256 AB:CD\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=setup:actpass\r\na=mid:0\r\n\
             a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendonly\r\n",
        )
        .unwrap();
        assert_eq!(local.sections()[0].mid, "0");
        assert_eq!(local.sections()[0].header_extensions[0].id, 1);
        assert_eq!(local.dtls_parameters(Setup::Active).unwrap().role, "server");
        assert!(local.dtls_parameters(Setup::ActiveOrPassive).is_err());
    }
}
