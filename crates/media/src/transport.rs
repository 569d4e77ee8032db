//! A Transport in the machine: the way to one peer, what protects its packets, and what is known of all its media together.
//!
//! Producers' streams and Consumers' rows lie in the Router's tables, where forwarding runs along them; here is what a packet
//! meets on its way between them and the network, and the Consumers' cold parts.

mod direct;
mod endpoints;
mod handshake;
mod identity;
mod listener;
mod listening;
mod pipe;
mod plain;
mod protection;
mod settle;
mod traffic;
mod way;
mod webrtc;

use std::sync::Arc;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use mafalda_api::id::{ConsumerId, ProducerId, TransportId};
use mafalda_api::transport::TransportTraceEventType;
use mafalda_api::types::data_structures::IceRole;
use mafalda_api::types::rtp_parameters::{RtcpFeedback, RtpHeaderExtensionUri, RtpParameters};
use mafalda_api::waist::{
    CreateDirectTransport, CreatePipeTransport, CreatePlainTransport, CreateWebRtcTransport,
    DirectTransportState, ErrorCode, Failure, ObjectState, Origin, PipeTransportState, PlainTransportState,
    WebRtcTransportState,
};
use rand::RngExt;

use crate::Now;
use crate::consumer::Consumer;
use crate::data::DataEnds;
use crate::ice::{IceConfig, IceLite};
use crate::router::StreamKey;
use crate::rtp::extension::{ExtensionIds, ExtensionKind};
use crate::stream::ArrivalLog;
use crate::sys;
use crate::trace::Traced;
use crate::worker::timers::Alarm;
use crate::worker::{ListenSocket, Turn};

pub(crate) use direct::Direct;
#[cfg(test)]
pub(crate) use endpoints::CONNECTIONS_MAX;
pub(crate) use endpoints::Endpoints;
pub(crate) use handshake::Handshake;
pub(crate) use identity::Identity;
pub(crate) use listener::{Names, RtpListener, Source};
pub(crate) use listening::{Listening, Preference, Wanted};
pub(crate) use pipe::Pipe;
pub(crate) use plain::{Channel, Plain};
pub(crate) use protection::{Opened, Protection, Srtp};
pub(crate) use settle::Settled;
pub(crate) use traffic::Traffic;
pub(crate) use way::Way;
pub(crate) use webrtc::WebRtc;

/// Between RTCP rounds: once a second, drawn from 1.0 to 1.5 of it so that many Transports don't report together
/// (RFC 3550 §6.3.1 has 0.5 to 1.5 of a longer interval).
const RTCP_INTERVAL: Duration = Duration::from_millis(1000);
/// Until the first round: soon, so that browsers learn the clock mapping for lip sync.
const RTCP_FIRST: Duration = Duration::from_millis(500);
/// Rounds of RTCP between two looks for memory that streams need no more: about ten seconds. More often, and what regular key
/// frames need would go too.
const TRIM_ROUNDS: u8 = 8;
/// How often the lifting of a limit is told, as in mediasoup: REMB has no acknowledgement.
const REMB_REPEATS: u8 = 4;
/// Where Consumers' SSRCs begin again: not at small numbers, which test tools and probes use.
const SSRC_FIRST: u32 = 100_000_000;
/// Where MIDs begin again, as in mediasoup: eight digits are what the extension's slot holds.
const MID_WRAP: u32 = 100_000_000;

/// Which Consumer an SSRC in feedback means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) consumer: ConsumerId,
    /// Which of the Consumer's streams.
    pub(crate) encoding: usize,
    /// Whether it is the Consumer's SSRC for retransmissions.
    pub(crate) rtx: bool,
}

/// A receiver's reference time, and when it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reference {
    pub(crate) ssrc: u32,
    pub(crate) ntp: u64,
    pub(crate) at: Instant,
}

/// A Transport of any kind.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) id: TransportId,
    pub(crate) origin: Origin,
    pub(crate) way: Way,
    pub(crate) protection: Protection,
    pub(crate) listener: RtpListener,
    /// Ids of header extensions in what comes in, of all Producers together.
    pub(crate) extension_ids: ExtensionIds,
    pub(crate) recv_extensions: RecvExtensions,
    pub(crate) producers: Vec<ProducerId>,
    /// The streams of these Producers.
    pub(crate) streams: Vec<StreamKey>,
    /// Boxed: a table has room for four when it holds one, as many Transports do.
    pub(crate) consumers: HashMap<ConsumerId, Box<Consumer>>,
    pub(crate) targets: HashMap<u32, Target>,
    /// `None`: it carries no data.
    pub(crate) data: Option<Box<DataEnds>>,
    pub(crate) cname: Option<String>,
    next_mid: u32,
    /// The SSRC of the next Consumer. See [`Transport::take_ssrc`].
    next_ssrc: u32,
    /// What to acknowledge with transport-wide feedback, once a Producer has it.
    pub(crate) arrivals: Option<ArrivalLog>,
    /// The stream that the newest of these packets was of. The acknowledgement names one, though it is for all of them.
    pub(crate) acknowledged_ssrc: u32,
    /// The SSRC that our own feedback comes from: RTCP needs one, and there is no stream of ours behind it.
    pub(crate) feedback_ssrc: u32,
    pub(crate) next_rtcp: Instant,
    rtcp_rounds: u8,
    /// Counts packets sent for the receiver's transport-wide feedback.
    pub(crate) next_transport_cc: u16,
    pub(crate) max_incoming_bitrate: Option<u64>,
    pub(crate) next_remb: Option<Instant>,
    /// How often the lifting of a limit is still to be told.
    remb_repeats: u8,
    /// The receiver's clock, to be echoed for its round-trip time (RFC 3611 §4.4).
    pub(crate) reference: Option<Reference>,
    /// What the receiver says it can take (REMB), in bits per second.
    pub(crate) available_outgoing_bitrate: Option<u64>,
    /// The round trip to the peer, as it was measured last on any of the streams.
    pub(crate) round_trip: Option<Duration>,
    pub(crate) traffic: Traffic,
    /// What is told of it; there is nothing yet that could be.
    pub(crate) traced: Traced<TransportTraceEventType>,
    pub(crate) alarm: Alarm,
    /// For its RTCP round.
    pub(crate) round: Alarm,
}

/// Ids of the header extensions that serve the Transport itself, for dumps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RecvExtensions {
    pub(crate) mid: Option<u8>,
    pub(crate) rid: Option<u8>,
    pub(crate) rrid: Option<u8>,
    pub(crate) abs_send_time: Option<u8>,
    pub(crate) transport_wide_cc01: Option<u8>,
}

impl Transport {
    /// A WebRtcTransport.
    pub(crate) fn webrtc(
        turn: &mut Turn,
        command: &CreateWebRtcTransport,
        origin: Origin,
        identity: &Identity,
        endpoints: Endpoints,
    ) -> Result<Self, Failure> {
        let consent_timeout = match command.ice_consent_timeout {
            0 => None,
            seconds => Some(Duration::from_secs(seconds.into())),
        };
        if endpoints.candidates().is_empty() {
            return Err(Failure::new(
                ErrorCode::InvalidArgument,
                "a transport needs an address to listen on",
            ));
        }
        let ice = IceLite::new(IceConfig { consent_timeout }, &mut turn.rng);
        let way = WebRtc { ice, handshake: Box::new(Handshake::new(identity)), endpoints, lost: false };
        let mut transport = Self::new(turn, command.id, origin, Way::WebRtc(way), Protection::Awaited);
        transport.max_incoming_bitrate = command.max_incoming_bitrate.filter(|bitrate| *bitrate > 0);
        Ok(transport)
    }

    /// A PlainTransport.
    pub(crate) fn plain(
        turn: &mut Turn,
        command: &CreatePlainTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Self, Failure> {
        let plain = Plain::new(command, sockets, &mut turn.rng)?;
        let protection = plain.first_protection();
        let mut transport = Self::new(turn, command.id, origin, Way::Plain(plain), protection);
        transport.max_incoming_bitrate = command.max_incoming_bitrate.filter(|bitrate| *bitrate > 0);
        Ok(transport)
    }

    /// A DirectTransport. Packets can come and go at once.
    pub(crate) fn direct(
        turn: &mut Turn,
        command: &CreateDirectTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Self, Failure> {
        let way = Way::Direct(Direct::new(command, sockets)?);
        let ends = DataEnds::new(command.max_send_message_size, command.max_receive_message_size);
        let mut transport = Self::new(turn, command.id, origin, way, Protection::Absent);
        transport.data = Some(Box::new(ends));
        Ok(transport)
    }

    /// A PipeTransport.
    pub(crate) fn pipe(
        turn: &mut Turn,
        command: &CreatePipeTransport,
        origin: Origin,
        sockets: &[ListenSocket],
    ) -> Result<Self, Failure> {
        let pipe = Pipe::new(command, sockets, &mut turn.rng)?;
        let protection = pipe.first_protection();
        Ok(Self::new(turn, command.id, origin, Way::Pipe(pipe), protection))
    }

    fn new(turn: &mut Turn, id: TransportId, origin: Origin, way: Way, protection: Protection) -> Self {
        Self {
            id,
            origin,
            way,
            protection,
            listener: RtpListener::default(),
            extension_ids: ExtensionIds::new(),
            recv_extensions: RecvExtensions::default(),
            producers: Vec::new(),
            streams: Vec::new(),
            consumers: HashMap::new(),
            targets: HashMap::new(),
            data: None,
            cname: None,
            next_mid: 0,
            next_ssrc: turn.rng.random_range(SSRC_FIRST..=u32::MAX),
            arrivals: None,
            acknowledged_ssrc: 0,
            feedback_ssrc: turn.rng.random(),
            next_rtcp: turn.now.at + RTCP_FIRST,
            rtcp_rounds: 0,
            next_transport_cc: 0,
            max_incoming_bitrate: None,
            next_remb: None,
            remb_repeats: 0,
            reference: None,
            available_outgoing_bitrate: None,
            round_trip: None,
            traced: Traced::default(),
            traffic: Traffic::new(),
            alarm: Alarm::default(),
            round: Alarm::default(),
        }
    }

    /// Brings near what sending a packet needs of it.
    pub(crate) fn warm(&self) {
        self.protection.warm();
        self.way.warm();
        self.traffic.warm();
        sys::prefetch(&self.next_transport_cc);
    }

    /// What others know of it.
    pub(crate) fn state(&self, router: mafalda_api::id::RouterId) -> ObjectState {
        let (id, origin) = (self.id, self.origin.clone());
        match &self.way {
            Way::WebRtc(webrtc) => ObjectState::WebRtcTransport(Arc::new(WebRtcTransportState {
                id,
                origin,
                router,
                webrtc_server: webrtc.endpoints.server(),
                ice_role: IceRole::Controlled,
                ice_parameters: Arc::new(webrtc.ice_parameters()),
                ice_candidates: webrtc.endpoints.candidates().clone(),
                ice_state: webrtc.ice_state(),
                ice_selected_tuple: webrtc.selected_tuple(),
                dtls_parameters: webrtc.handshake.parameters().clone(),
                dtls_state: webrtc.handshake.state(),
                dtls_remote_cert: None,
            })),
            Way::Plain(plain) => ObjectState::PlainTransport(Arc::new(PlainTransportState {
                id,
                origin,
                router,
                tuple: plain.describe_rtp(),
                rtcp_tuple: plain.describe_rtcp(),
                srtp_parameters: plain.srtp_parameters(),
            })),
            Way::Direct(direct) => ObjectState::DirectTransport(Arc::new(DirectTransportState {
                id,
                origin,
                router,
                max_receive_message_size: direct.max_receive_message_size,
            })),
            Way::Pipe(pipe) => ObjectState::PipeTransport(Arc::new(PipeTransportState {
                id,
                origin,
                router,
                tuple: pipe.describe(),
                srtp_parameters: pipe.srtp_parameters(),
            })),
        }
    }

    pub(crate) fn as_webrtc(&self) -> Option<&WebRtc> {
        match &self.way {
            Way::WebRtc(webrtc) => Some(webrtc),
            _ => None,
        }
    }

    pub(crate) fn as_webrtc_mut(&mut self) -> Option<&mut WebRtc> {
        match &mut self.way {
            Way::WebRtc(webrtc) => Some(webrtc),
            _ => None,
        }
    }

    pub(crate) fn as_plain(&self) -> Option<&Plain> {
        match &self.way {
            Way::Plain(plain) => Some(plain),
            _ => None,
        }
    }

    pub(crate) fn as_plain_mut(&mut self) -> Option<&mut Plain> {
        match &mut self.way {
            Way::Plain(plain) => Some(plain),
            _ => None,
        }
    }

    pub(crate) fn as_pipe(&self) -> Option<&Pipe> {
        match &self.way {
            Way::Pipe(pipe) => Some(pipe),
            _ => None,
        }
    }

    pub(crate) fn as_pipe_mut(&mut self) -> Option<&mut Pipe> {
        match &mut self.way {
            Way::Pipe(pipe) => Some(pipe),
            _ => None,
        }
    }

    pub(crate) fn as_direct(&self) -> Option<&Direct> {
        match &self.way {
            Way::Direct(direct) => Some(direct),
            _ => None,
        }
    }

    pub(crate) fn as_direct_mut(&mut self) -> Option<&mut Direct> {
        match &mut self.way {
            Way::Direct(direct) => Some(direct),
            _ => None,
        }
    }

    /// Whether bandwidth may be estimated: between an application and its own Router there is none to be found out.
    pub(crate) fn may_estimate_bandwidth(&self) -> bool {
        !matches!(self.way, Way::Direct(_))
    }

    /// Whether packets can go out: there are a way and what protects them on it.
    pub(crate) fn is_open(&self) -> bool {
        self.protection.is_ready() && self.way.selected().is_some()
    }

    /// Media flow from now on: the peer hears of the clocks soon.
    pub(crate) fn begin_reports(&mut self, now: Now) {
        self.next_rtcp = now.at + RTCP_FIRST;
    }

    /// The MID for a Consumer whose application gave none.
    pub(crate) fn next_mid(&mut self) -> String {
        let mid = self.next_mid;
        self.next_mid = (mid + 1) % MID_WRAP;
        mid.to_string()
    }

    /// An SSRC for a Consumer's media; its successor is for retransmissions.
    ///
    /// They are counted on, not drawn: one that comes back after its Consumer has gone would begin its indices anew under the same
    /// key (RFC 3711 §9.1). After two thousand million Consumers they do come back.
    pub(crate) fn take_ssrc(&mut self) -> u32 {
        loop {
            let ssrc = self.next_ssrc;
            self.next_ssrc = ssrc.checked_add(2).filter(|next| *next < u32::MAX).unwrap_or(SSRC_FIRST);
            let free = |ssrc: u32| {
                !self.targets.contains_key(&ssrc)
                    && self.listener.by_ssrc(ssrc).is_none()
                    && ssrc != self.feedback_ssrc
            };
            if ssrc < u32::MAX && free(ssrc) && free(ssrc + 1) {
                return ssrc;
            }
        }
    }

    /// Takes over which header extensions a Producer's packets have.
    pub(crate) fn learn_extensions(&mut self, parameters: &RtpParameters) {
        for extension in &parameters.header_extensions {
            let Some(kind) = extension_kind(extension.uri) else { continue };
            let Some(id) = u8::try_from(extension.id).ok().and_then(std::num::NonZeroU8::new) else {
                continue;
            };
            self.extension_ids.insert(id, kind);
            let told = &mut self.recv_extensions;
            let slot = match kind {
                ExtensionKind::Mid => &mut told.mid,
                ExtensionKind::RtpStreamId => &mut told.rid,
                ExtensionKind::RepairedRtpStreamId => &mut told.rrid,
                ExtensionKind::AbsSendTime => &mut told.abs_send_time,
                ExtensionKind::TransportCc => &mut told.transport_wide_cc01,
                _ => continue,
            };
            *slot = Some(id.get());
        }
        let feedback =
            parameters.codecs.iter().any(|codec| codec.rtcp_feedback().contains(&RtcpFeedback::TransportCc));
        if feedback && self.recv_extensions.transport_wide_cc01.is_some() && self.arrivals.is_none() {
            self.arrivals = Some(ArrivalLog::new());
        }
    }

    /// Limits what the peer shall send; `None` lifts the limit.
    pub(crate) fn limit_incoming(&mut self, now: Now, bitrate: Option<u64>) {
        if self.max_incoming_bitrate.is_some() && bitrate.is_none() {
            self.remb_repeats = REMB_REPEATS;
        }
        self.max_incoming_bitrate = bitrate;
        self.next_remb = (bitrate.is_some() || self.remb_repeats > 0).then_some(now.at);
    }

    /// Whether REMB is to be sent once more after this time.
    pub(crate) fn remb_left(&mut self) -> bool {
        if self.max_incoming_bitrate.is_some() {
            return true;
        }
        self.remb_repeats = self.remb_repeats.saturating_sub(1);
        self.remb_repeats > 0
    }

    /// Draws when the next RTCP round is; whether it is time to look for memory that nobody needs, too.
    pub(crate) fn schedule_rtcp(&mut self, turn: &mut Turn) -> bool {
        self.next_rtcp = turn.now.at + RTCP_INTERVAL.mul_f64(turn.rng.random_range(1.0..1.5));
        self.rtcp_rounds = self.rtcp_rounds.wrapping_add(1);
        self.rtcp_rounds.is_multiple_of(TRIM_ROUNDS)
    }

    /// When its next RTCP round may begin.
    pub(crate) fn next_round(&self) -> Option<Instant> {
        self.protection.is_ready().then_some(self.next_rtcp)
    }

    /// The earliest of its own deadlines, beside that round.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        let ready = self.protection.is_ready();
        let feedback = self.arrivals.as_ref().filter(|_| ready).and_then(ArrivalLog::timeout);
        let remb = self.next_remb.filter(|_| ready);
        let webrtc = self.as_webrtc();
        let ice = webrtc.and_then(|webrtc| webrtc.ice.timeout());
        let handshake = webrtc.and_then(|webrtc| webrtc.handshake.timeout());
        [ice, handshake, feedback, remb].into_iter().flatten().min()
    }
}

/// The engine's name of a header extension; `None` for one that it leaves alone.
pub(crate) fn extension_kind(uri: RtpHeaderExtensionUri) -> Option<ExtensionKind> {
    use RtpHeaderExtensionUri as Uri;
    Some(match uri {
        Uri::Mid => ExtensionKind::Mid,
        Uri::RtpStreamId => ExtensionKind::RtpStreamId,
        Uri::RepairRtpStreamId => ExtensionKind::RepairedRtpStreamId,
        Uri::AbsSendTime => ExtensionKind::AbsSendTime,
        Uri::TransportWideCcDraft01 => ExtensionKind::TransportCc,
        Uri::SsrcAudioLevel => ExtensionKind::AudioLevel,
        Uri::VideoOrientation => ExtensionKind::VideoOrientation,
        Uri::AbsCaptureTime => ExtensionKind::AbsCaptureTime,
        Uri::PlayoutDelay => ExtensionKind::PlayoutDelay,
        Uri::DependencyDescriptor | Uri::MediasoupPacketId | Uri::Unsupported => return None,
    })
}
