//! A browser-like client on str0m: full ICE, DTLS in either role, SRTP, NACK, RTX, PLI, reports and transport-wide feedback.
//!
//! It is told what an application tells a browser: the Transport's parameters, what to send, what a Consumer's parameters are;
//! and gives what a browser gives: DTLS and RTP parameters. Packets are given and taken; whoever owns it moves its time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mafalda_api::types::data_structures::{
    DtlsFingerprint, DtlsParameters, DtlsRole, IceCandidate, IceParameters, Protocol,
};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpCapabilities, RtpParameters};
use mafalda_media::Now;
use rand::SeedableRng;
use rand::rngs::StdRng;
use str0m::change::DirectApi;
use str0m::config::Fingerprint;
use str0m::media::{KeyframeRequestKind, MediaKind as StrMediaKind};
use str0m::net::Receive;
use str0m::{Candidate, IceCreds, Input, Output, Rtc, RtcConfig};

use crate::capability;
use crate::network::Packet;

mod log;
pub use log::{Log, RtcpKind};

mod track;
pub use track::{TrackId, TrackSettings};

use track::Track;

/// Streams that it answers NACKs for are kept this long.
const RESEND_AGE: Duration = Duration::from_secs(3);

/// Packets kept for NACKs, per stream.
const RESEND_PACKETS: usize = 2048;

/// How a peer is made.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// Its own address.
    pub address: SocketAddr,
    /// What it sends over.
    pub protocol: Protocol,
    /// Its part in the DTLS handshake. With [`DtlsRole::Auto`] it waits: the ICE-controlled side begins then.
    pub dtls_role: DtlsRole,
    /// Its payload types and header extension ids.
    pub capabilities: RtpCapabilities,
    /// Seed of its SSRCs and sequence numbers.
    pub seed: u64,
}

/// The client.
#[derive(Debug)]
pub struct Peer {
    settings: PeerSettings,
    rtc: Box<Rtc>,
    rng: StdRng,
    begin: Instant,
    /// The address that others see it at.
    outside: SocketAddr,
    /// Those before.
    left: Vec<SocketAddr>,
    timeout: Instant,
    tracks: Vec<Track>,
    log: Log,
}

impl Peer {
    /// A peer whose time begins now.
    #[must_use]
    pub fn new(now: Now, settings: PeerSettings) -> Self {
        let config = RtcConfig::new()
            .set_rtp_mode(true)
            .enable_raw_packets(true)
            .set_rtcp_report_interval_audio(Duration::from_secs(1))
            .set_rtcp_report_interval_video(Duration::from_secs(1));
        let mut rtc = capability::configure(config, &settings.capabilities).build(now.at);
        rtc.add_local_candidate(candidate(settings.address, settings.protocol));
        rtc.direct_api().set_ice_controlling(true);
        Self {
            rng: StdRng::seed_from_u64(settings.seed),
            outside: settings.address,
            left: Vec::new(),
            settings,
            rtc: Box::new(rtc),
            begin: now.at,
            timeout: now.at,
            tracks: Vec::new(),
            log: Log::default(),
        }
    }

    /// Its role and fingerprint, for the Transport's `connect`.
    pub fn dtls_parameters(&mut self) -> DtlsParameters {
        let direct = self.rtc.direct_api();
        let value = direct.local_dtls_fingerprint().bytes.as_slice();
        let value = value.try_into().expect("str0m's own fingerprint is SHA-256");
        DtlsParameters {
            role: self.settings.dtls_role,
            fingerprints: vec![DtlsFingerprint::Sha256 { value }],
        }
    }

    /// What it can send and receive.
    #[must_use]
    pub fn capabilities(&self) -> &RtpCapabilities {
        &self.settings.capabilities
    }

    /// The address that others see it at.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.outside
    }

    /// Begins to connect to a Transport.
    ///
    /// # Panics
    /// When it has begun already, or the Transport gives no SHA-256 fingerprint.
    pub fn connect(&mut self, ice: &IceParameters, candidates: &[IceCandidate], dtls: &DtlsParameters) {
        self.add_remote_candidates(candidates);
        let fingerprint = dtls.fingerprints.iter().find_map(sha256).expect("there is a SHA-256 fingerprint");
        let active = self.settings.dtls_role == DtlsRole::Client;
        let mut direct = self.rtc.direct_api();
        direct.set_remote_ice_credentials(credentials(ice));
        direct.set_remote_fingerprint(fingerprint);
        direct.start_dtls(active).expect("a peer connects once");
        direct.enable_twcc_feedback();
    }

    /// Goes on with the Transport's new ICE credentials, and new ones of its own.
    pub fn restart_ice(&mut self, ice: &IceParameters, candidates: &[IceCandidate]) {
        // Pairs that had failed are tried again.
        self.rtc.add_local_candidate(candidate(self.settings.address, self.settings.protocol));
        self.add_remote_candidates(candidates);
        let mut direct = self.rtc.direct_api();
        direct.set_local_ice_credentials(IceCreds::new());
        direct.set_remote_ice_credentials(credentials(ice));
    }

    /// Moves it behind another address, as a NAT does that has forgotten its mapping: the peer doesn't notice.
    pub fn rebind(&mut self, outside: SocketAddr) {
        self.left.push(std::mem::replace(&mut self.outside, outside));
    }

    /// Whether others see it at this address, or saw it there.
    #[must_use]
    pub fn has_been_at(&self, address: SocketAddr) -> bool {
        self.outside == address || self.left.contains(&address)
    }

    /// Begins to send; the RTP parameters are what `produce` wants.
    pub fn send(&mut self, now: Now, settings: &TrackSettings) -> (TrackId, RtpParameters) {
        let id = TrackId(self.tracks.len());
        let (track, parameters) = Track::new(id, now, settings, &self.settings.capabilities, &mut self.rng);
        let kind = media_kind(settings.codec.kind());
        let mut direct = self.rtc.direct_api();
        direct.declare_media(track.mid(), kind);
        let stream = direct.declare_stream_tx(track.ssrc(), track.rtx_ssrc(), track.mid(), None);
        stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, None);
        self.tracks.push(track);
        (id, parameters)
    }

    /// Stops sending a track, or goes on with it.
    pub fn mute(&mut self, now: Now, track: TrackId, muted: bool) {
        self.tracks[track.0].mute(now, muted);
    }

    /// How many packets a track has sent, without retransmissions.
    #[must_use]
    pub fn sent(&self, track: TrackId) -> u64 {
        self.tracks[track.0].packets()
    }

    /// The id that a track's source has in what arrives of it.
    #[must_use]
    pub fn source(&self, track: TrackId) -> u32 {
        self.tracks[track.0].source_id()
    }

    /// Makes a track's next frame a key frame.
    pub fn key_frame(&mut self, track: TrackId) {
        self.tracks[track.0].want_key_frame();
    }

    /// Gets ready for what a Consumer sends.
    ///
    /// # Panics
    /// When the parameters lack what a Consumer's always have.
    pub fn receive(&mut self, kind: MediaKind, parameters: &RtpParameters) {
        let mid = parameters.mid.as_deref().expect("a consumer has a mid");
        let encoding = parameters.encodings.first().expect("a consumer has one encoding");
        let ssrc = encoding.ssrc.expect("a consumer has an ssrc");
        let rtx = encoding.rtx.as_ref().map(|rtx| rtx.ssrc.into());
        let mut direct = self.rtc.direct_api();
        direct.declare_media(mid.into(), media_kind(kind));
        direct.expect_stream_rx(ssrc.into(), rtx, mid.into(), None);
    }

    /// Asks for a key frame of a stream that it receives.
    ///
    /// # Panics
    /// When it isn't ready for such a stream.
    pub fn request_key_frame(&mut self, ssrc: u32, full_intra_request: bool) {
        let kind = if full_intra_request { KeyframeRequestKind::Fir } else { KeyframeRequestKind::Pli };
        let mut direct = self.rtc.direct_api();
        direct.stream_rx(&ssrc.into()).expect("the stream is received").request_keyframe(kind);
    }

    /// Closes DTLS, as a page does that is left.
    pub fn close(&mut self) {
        self.rtc.close().expect("closing begins in any state");
    }

    /// What it has seen.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether ICE and DTLS are up.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.rtc.is_connected()
    }

    /// Low-level access, for what no method is there for.
    pub fn direct(&mut self) -> DirectApi<'_> {
        self.rtc.direct_api()
    }

    /// When it wants to be [turned](Self::turn) next.
    #[must_use]
    pub fn timeout(&self) -> Instant {
        // Frames wait for the connection: a packet that brings it also brings a turn.
        let sending = self.rtc.is_connected();
        let frames = self.tracks.iter().filter(|_| sending).filter_map(Track::next_frame).min();
        frames.map_or(self.timeout, |frame| frame.min(self.timeout))
    }

    /// Takes in a packet. It is an error of str0m's that a test should see, so it panics on one.
    ///
    /// # Panics
    /// When str0m gives an error.
    pub fn handle(&mut self, now: Now, packet: &Packet) {
        if packet.to != self.outside {
            return self.log.count_unreadable();
        }
        let Ok(contents) = packet.bytes.as_slice().try_into() else {
            return self.log.count_unreadable();
        };
        let receive = Receive {
            proto: match self.settings.protocol {
                Protocol::Udp => str0m::net::Protocol::Udp,
                Protocol::Tcp => str0m::net::Protocol::Tcp,
            },
            source: packet.from,
            destination: self.settings.address,
            contents,
        };
        self.rtc.handle_input(Input::Receive(now.at, receive)).expect("str0m takes any datagram");
    }

    /// Does what is due, and gives what it wants sent. To be called after each change and at [`Self::timeout`].
    ///
    /// # Panics
    /// When str0m gives an error.
    pub fn turn(&mut self, now: Now, sent: &mut Vec<Packet>) {
        if self.rtc.is_connected() {
            self.write_frames(now);
        } else {
            self.tracks.iter_mut().for_each(|track| track.postpone(now));
        }
        self.rtc.handle_input(Input::Timeout(now.at)).expect("time passes");
        loop {
            match self.rtc.poll_output().expect("str0m goes on") {
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
                Output::Transmit(it) => {
                    sent.push(Packet { from: self.outside, to: it.destination, bytes: it.contents.to_vec() });
                }
                Output::Event(event) => self.observe(now, &event),
            }
        }
    }

    fn add_remote_candidates(&mut self, candidates: &[IceCandidate]) {
        for it in candidates {
            let ip = it.address.parse().expect("candidates of a test are IP addresses");
            self.rtc.add_remote_candidate(candidate(SocketAddr::new(ip, it.port), it.protocol));
        }
    }

    fn write_frames(&mut self, now: Now) {
        for track in &mut self.tracks {
            while let Some(packets) = track.due(now) {
                let mut direct = self.rtc.direct_api();
                let stream = direct.stream_tx(&track.ssrc()).expect("each track has its stream");
                packets.into_iter().for_each(|packet| stream.write_rtp(packet));
            }
        }
    }

    fn observe(&mut self, now: Now, event: &str0m::Event) {
        let at = now.at - self.begin;
        if let str0m::Event::KeyframeRequest(request) = event {
            for track in self.tracks.iter_mut().filter(|track| track.mid() == request.mid) {
                track.want_key_frame();
            }
        }
        self.log.observe(at, event);
    }
}

fn candidate(address: SocketAddr, protocol: Protocol) -> Candidate {
    let protocol = match protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp => "tcp",
    };
    Candidate::host(address, protocol).expect("an address of a host")
}

fn credentials(ice: &IceParameters) -> IceCreds {
    IceCreds { ufrag: ice.username_fragment.clone(), pass: ice.password.clone() }
}

fn sha256(fingerprint: &DtlsFingerprint) -> Option<Fingerprint> {
    match fingerprint {
        DtlsFingerprint::Sha256 { value } => {
            Some(Fingerprint { hash_func: "sha-256".to_owned(), bytes: value.to_vec() })
        }
        _ => None,
    }
}

fn media_kind(kind: MediaKind) -> StrMediaKind {
    match kind {
        MediaKind::Audio => StrMediaKind::Audio,
        MediaKind::Video => StrMediaKind::Video,
    }
}

#[cfg(test)]
mod tests;
