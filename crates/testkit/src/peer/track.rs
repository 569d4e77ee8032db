//! A stream that a peer sends.

use std::time::{Duration, Instant};

use mafalda_api::types::rtp_parameters::{
    MimeTypeVideo, RtcpParameters, RtpCapabilities, RtpCodecCapability, RtpCodecParameters,
    RtpCodecParametersParameters, RtpEncodingParameters, RtpEncodingParametersRtx,
    RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpParameters,
};
use mafalda_media::Now;
use rand::Rng as _;
use rand::rngs::StdRng;
use str0m::media::{Mid, Pt};
use str0m::rtp::{RtpWrite, Ssrc};

use crate::capability;
use crate::media::{Codec, Source, SourceSettings};

/// One of a peer's tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrackId(pub(super) usize);

/// What a peer is to send.
#[derive(Clone, Debug)]
pub struct TrackSettings {
    /// The codec.
    pub codec: Codec,
    /// How much of it.
    pub source: SourceSettings,
    /// Whether lost packets are sent again (RFC 4588), where the codec has RTX.
    pub rtx: bool,
    /// Whether the RTP parameters name the SSRCs. Without them a packet is known by its MID alone, until its SSRC is.
    pub ssrcs: bool,
}

impl TrackSettings {
    /// What a browser would send.
    #[must_use]
    pub fn usual(codec: Codec) -> Self {
        Self { codec, source: SourceSettings::usual(codec), rtx: codec != Codec::Opus, ssrcs: true }
    }
}

/// The sender's side of a stream.
#[derive(Debug)]
pub(super) struct Track {
    source: Source,
    source_id: u32,
    mid: Mid,
    ssrc: Ssrc,
    rtx_ssrc: Option<Ssrc>,
    payload_type: Pt,
    sequence: u64,
    timestamp: u32,
    /// When the first frame was due.
    begin: Instant,
    next_frame: Instant,
    muted: bool,
}

impl Track {
    pub(super) fn new(
        id: TrackId,
        now: Now,
        settings: &TrackSettings,
        capabilities: &RtpCapabilities,
        rng: &mut StdRng,
    ) -> (Self, RtpParameters) {
        let TrackSettings { codec, source, .. } = *settings;
        let capability = capability::find(capabilities, codec).expect("the peer can send that codec");
        let payload_type =
            capability.preferred_payload_type().expect("a peer's capabilities have payload types");
        let rtx_type = capability::rtx_of(capabilities, payload_type).filter(|_| settings.rtx);
        let [source_id, ssrc, rtx_ssrc, sequence, timestamp] = std::array::from_fn(|_| rng.next_u32());
        let mid = format!("s{}", id.0);
        let track = Self {
            source: Source::new(codec, source_id, source),
            source_id,
            mid: mid.as_str().into(),
            ssrc: ssrc.into(),
            rtx_ssrc: rtx_type.map(|_| rtx_ssrc.into()),
            payload_type: payload_type.into(),
            // Anywhere, so that numbers roll over in some runs (RFC 3550 §5.1).
            sequence: u64::from(sequence & 0xffff),
            timestamp,
            begin: now.at,
            next_frame: now.at,
            muted: false,
        };
        let rtx = rtx_type.map(|_| RtpEncodingParametersRtx { ssrc: rtx_ssrc });
        let named = RtpEncodingParameters { ssrc: Some(ssrc), rtx, ..RtpEncodingParameters::default() };
        let parameters = RtpParameters {
            mid: Some(mid),
            codecs: codecs(capability, payload_type, rtx_type),
            header_extensions: header_extensions(capabilities, codec),
            encodings: if settings.ssrcs { vec![named] } else { Vec::new() },
            rtcp: RtcpParameters { cname: Some("peer".to_owned()), reduced_size: true },
            msid: None,
        };
        (track, parameters)
    }

    pub(super) fn mid(&self) -> Mid {
        self.mid
    }

    pub(super) fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    pub(super) fn rtx_ssrc(&self) -> Option<Ssrc> {
        self.rtx_ssrc
    }

    pub(super) fn source_id(&self) -> u32 {
        self.source_id
    }

    pub(super) fn packets(&self) -> u64 {
        self.source.packets()
    }

    pub(super) fn want_key_frame(&mut self) {
        self.source.want_key_frame();
    }

    pub(super) fn mute(&mut self, now: Now, muted: bool) {
        self.muted = muted;
        self.postpone(now);
    }

    /// Puts the next frame off to now, if it was due earlier.
    pub(super) fn postpone(&mut self, now: Now) {
        if self.next_frame < now.at {
            self.begin += now.at - self.next_frame;
            self.next_frame = now.at;
        }
    }

    pub(super) fn next_frame(&self) -> Option<Instant> {
        (!self.muted).then_some(self.next_frame)
    }

    /// The frame that is due.
    pub(super) fn due(&mut self, now: Now) -> Option<Vec<RtpWrite>> {
        if self.next_frame()? > now.at {
            return None;
        }
        let captured = self.next_frame;
        self.next_frame += self.source.settings().interval.max(Duration::from_millis(1));
        let ticks = self.source.codec().ticks(captured - self.begin);
        let time = self.timestamp.wrapping_add(u32::try_from(ticks & 0xffff_ffff).expect("masked"));
        let frame = self.source.frame();
        Some(
            frame
                .into_iter()
                .map(|packet| self.write(packet.payload, packet.marker, time, captured))
                .collect(),
        )
    }

    fn write(&mut self, payload: Vec<u8>, marker: bool, time: u32, captured: Instant) -> RtpWrite {
        let sequence = self.sequence;
        self.sequence += 1;
        RtpWrite::new(self.payload_type, sequence.into(), time, captured, payload)
            .marker(marker)
            .nackable(self.rtx_ssrc.is_some())
    }
}

fn codecs(capability: &RtpCodecCapability, payload_type: u8, rtx: Option<u8>) -> Vec<RtpCodecParameters> {
    match capability.clone() {
        RtpCodecCapability::Audio { mime_type, clock_rate, channels, parameters, rtcp_feedback, .. } => {
            vec![RtpCodecParameters::Audio {
                mime_type,
                payload_type,
                clock_rate,
                channels,
                parameters,
                rtcp_feedback,
            }]
        }
        RtpCodecCapability::Video { mime_type, clock_rate, parameters, rtcp_feedback, .. } => {
            let media =
                RtpCodecParameters::Video { mime_type, payload_type, clock_rate, parameters, rtcp_feedback };
            let rtx = rtx.map(|rtx| RtpCodecParameters::Video {
                mime_type: MimeTypeVideo::Rtx,
                payload_type: rtx,
                clock_rate,
                parameters: RtpCodecParametersParameters::from([("apt", payload_type.into())]),
                rtcp_feedback: Vec::new(),
            });
            std::iter::once(media).chain(rtx).collect()
        }
    }
}

fn header_extensions(capabilities: &RtpCapabilities, codec: Codec) -> Vec<RtpHeaderExtensionParameters> {
    capabilities
        .header_extensions
        .iter()
        .filter(|it| it.kind == codec.kind() && it.direction == RtpHeaderExtensionDirection::SendRecv)
        .map(|it| RtpHeaderExtensionParameters { uri: it.uri, id: it.preferred_id, encrypt: false })
        .collect()
}
