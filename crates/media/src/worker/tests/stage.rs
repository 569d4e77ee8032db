//! A stage for tests of one Worker: virtual time, and peers that come through ICE and are keyed by hand, without DTLS.

use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::{Duration, Instant};

use mafalda_api::id::{ConsumerId, ProducerId, RouterId, SessionId, TransportId, WebRtcServerId, WorkerId};
use mafalda_api::labels::Labels;
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::{
    MediaKind, MimeTypeAudio, MimeTypeVideo, RtcpFeedback, RtpCapabilities, RtpCodecCapability,
    RtpCodecParameters, RtpCodecParametersParameters, RtpEncodingParameters, RtpEncodingParametersRtx,
    RtpHeaderExtension, RtpHeaderExtensionDirection, RtpHeaderExtensionParameters, RtpHeaderExtensionUri,
    RtpParameters,
};
use mafalda_api::waist::{
    Call, Command, Consume, CreateRouter, CreateWebRtcServer, CreateWebRtcTransport, Event, Failure, Listen,
    Produce, Reply,
};

use super::super::*;
use super::peer::{Ledger, Peer, keys};
use crate::buffer::Run;
use crate::srtp::{SrtpReceiver, SrtpSender};
use crate::transport::{Protection, Settled, Srtp, WebRtc};

pub(in crate::worker) const VIDEO_CLOCK: NonZeroU32 = NonZeroU32::new(90_000).unwrap();
const AUDIO_CLOCK: NonZeroU32 = NonZeroU32::new(48_000).unwrap();
const STEREO: NonZeroU8 = NonZeroU8::new(2).unwrap();
/// Payload types of what peers send.
pub(in crate::worker) const VP8: u8 = 96;
pub(in crate::worker) const VP8_RTX: u8 = 97;
pub(in crate::worker) const OPUS: u8 = 111;
/// A turn that takes more polls than that never ends.
const POLLS_MAX: usize = 100_000;

/// A packet that left.
#[derive(Clone, Debug)]
pub(in crate::worker) struct Sent {
    pub(in crate::worker) tuple: Tuple,
    pub(in crate::worker) sender: Sender,
    pub(in crate::worker) bytes: Vec<u8>,
}

/// A Worker with one Router.
pub(in crate::worker) struct Stage {
    pub(in crate::worker) worker: Worker,
    pub(in crate::worker) now: Now,
    pub(in crate::worker) router: RouterId,
    pub(in crate::worker) events: Vec<Event>,
    /// Passing events that were left out.
    pub(in crate::worker) missed: u64,
    pub(in crate::worker) sent: Vec<Sent>,
    pub(in crate::worker) closed: Vec<SocketId>,
    pub(in crate::worker) flushes: usize,
    /// Runs that left.
    pub(in crate::worker) runs: usize,
    out: SendBuffer,
    replies: Vec<Result<Reply, Failure>>,
    sockets: u32,
    ledger: Ledger,
}

impl Stage {
    pub(in crate::worker) fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
        let now = Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        let config = WorkerConfig { id: WorkerId::new(), certificate: Certificate::generate().unwrap() };
        let mut stage = Self {
            worker: Worker::new(config, [7; 32], now),
            now,
            router: RouterId::new(),
            events: Vec::new(),
            missed: 0,
            sent: Vec::new(),
            closed: Vec::new(),
            flushes: 0,
            runs: 0,
            out: SendBuffer::new(64 * 1024),
            replies: Vec::new(),
            sockets: 0,
            ledger: Ledger::default(),
        };
        let worker = stage.worker.id;
        stage.call(CreateRouter { id: stage.router, worker, media_codecs: codecs() }).unwrap();
        stage
    }

    /// The same Worker that can write only so many bytes between two flushes.
    pub(in crate::worker) fn with_send_buffer(mut self, capacity: usize) -> Self {
        self.out = SendBuffer::new(capacity);
        self
    }

    pub(in crate::worker) fn call(&mut self, command: impl Into<Command>) -> Result<Reply, Failure> {
        self.call_with(command, Vec::new())
    }

    fn call_with(
        &mut self,
        command: impl Into<Command>,
        sockets: Vec<ListenSocket>,
    ) -> Result<Reply, Failure> {
        self.hand_in_call(command, sockets);
        self.drain();
        self.reply().expect("each call has its reply")
    }

    /// A call whose reply is still to be polled.
    pub(in crate::worker) fn hand_in_call(
        &mut self,
        command: impl Into<Command>,
        sockets: Vec<ListenSocket>,
    ) {
        let call = Call {
            owner: SessionId::new(),
            labels: Labels::default(),
            tags: Vec::new(),
            command: command.into(),
        };
        self.worker.handle(self.now, Input::Call { request: 1, call: Box::new(call), sockets });
    }

    pub(in crate::worker) fn reply(&mut self) -> Option<Result<Reply, Failure>> {
        self.replies.pop()
    }

    /// One input, then the drain.
    pub(in crate::worker) fn input(&mut self, input: Input) {
        self.worker.handle(self.now, input);
        self.drain();
    }

    pub(in crate::worker) fn drain(&mut self) {
        assert!((0..POLLS_MAX).any(|_| self.drain_to_flush()), "the drain doesn't end");
    }

    /// As far as the next flush; whether there is no more.
    pub(in crate::worker) fn drain_to_flush(&mut self) -> bool {
        let mut runs = Vec::new();
        for _ in 0..POLLS_MAX {
            match self.worker.poll(&mut self.out) {
                Some(Output::Send(run)) => runs.push(run),
                Some(Output::Flush) => {
                    self.flushes += 1;
                    self.flush(&mut runs);
                    return false;
                }
                Some(Output::Event(event)) => self.events.push(event),
                Some(Output::Missed { events }) => self.missed += events,
                Some(Output::Reply { result, .. }) => self.replies.push(result),
                Some(Output::Message(message)) => panic!("nobody sends {message:?}"),
                Some(Output::CloseSocket(socket)) => self.closed.push(socket),
                None => {
                    self.flush(&mut runs);
                    return true;
                }
            }
        }
        panic!("the drain doesn't end");
    }

    fn flush(&mut self, runs: &mut Vec<Run>) {
        self.runs += runs.len();
        for run in runs.drain(..) {
            let packets = self.out.packets(&run).map(<[u8]>::to_vec);
            let sent = packets.map(|bytes| Sent { tuple: run.tuple, sender: run.sender, bytes });
            let sent: Vec<Sent> = sent.collect();
            sent.iter().for_each(|sent| self.ledger.check(sent));
            self.sent.extend(sent);
        }
        self.out.clear();
    }

    /// Datagrams that come in together.
    pub(in crate::worker) fn datagrams(&mut self, datagrams: impl IntoIterator<Item = (Tuple, Vec<u8>)>) {
        self.hand_in(datagrams);
        self.drain();
        self.worker.reclaim().expect("the batch comes back after its drain");
    }

    /// Datagrams whose packets are still to be polled.
    pub(in crate::worker) fn hand_in(&mut self, datagrams: impl IntoIterator<Item = (Tuple, Vec<u8>)>) {
        let mut batch = Batch::default();
        for (tuple, datagram) in datagrams {
            assert!(batch.push(tuple, &datagram));
        }
        self.worker.handle(self.now, Input::Datagrams(batch));
    }

    /// Lets time pass, deadline by deadline.
    pub(in crate::worker) fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        let mut turns = 0;
        while let Some(at) = self.worker.timeout().filter(|at| *at <= end.at) {
            self.now = self.now.after(at.saturating_duration_since(self.now.at));
            self.input(Input::Timeout);
            turns += 1;
            assert!(turns < 10_000, "a deadline that stays due");
        }
        self.now = end;
    }

    pub(in crate::worker) fn ms(&mut self, ms: u64) {
        self.pass(Duration::from_millis(ms));
    }

    /// A Transport that nobody has connected to.
    pub(in crate::worker) fn transport(&mut self, protocol: Protocol) -> (TransportId, SocketId) {
        let id = TransportId::new();
        let socket = self.bind(0);
        let command = self.transport_command(id, Listen::Individual(vec![ListenInfo::of_place(protocol)]));
        self.call_with(command, vec![socket]).unwrap();
        (id, socket.socket)
    }

    /// A Transport on a WebRtcServer.
    pub(in crate::worker) fn on_server(&mut self, server: WebRtcServerId) -> TransportId {
        let id = TransportId::new();
        let command = self.transport_command(id, Listen::Server(server));
        self.call(command).unwrap();
        id
    }

    pub(in crate::worker) fn transport_command(
        &self,
        id: TransportId,
        listen: Listen,
    ) -> CreateWebRtcTransport {
        CreateWebRtcTransport {
            id,
            router: self.router,
            listen,
            enable_udp: true,
            enable_tcp: true,
            prefer_udp: false,
            prefer_tcp: false,
            ice_consent_timeout: 30,
            max_incoming_bitrate: None,
        }
    }

    /// A WebRtcServer with a socket for UDP and one for TCP.
    pub(in crate::worker) fn server(&mut self) -> (WebRtcServerId, [SocketId; 2]) {
        let (id, worker) = (WebRtcServerId::new(), self.worker.id);
        let sockets = [self.bind(0), self.bind(1)];
        let listen_infos = [Protocol::Udp, Protocol::Tcp].map(ListenInfo::of_place).into();
        self.call_with(CreateWebRtcServer { id, worker, listen_infos }, sockets.into()).unwrap();
        (id, sockets.map(|it| it.socket))
    }

    fn bind(&mut self, info: usize) -> ListenSocket {
        let socket = SocketId(self.sockets);
        self.sockets += 1;
        ListenSocket {
            socket,
            info,
            local: SocketAddr::from(([10, 0, 0, 1], 4000 + socket.0 as u16)),
            buffers: SocketBuffers::default(),
        }
    }

    /// A Transport whose peer has come through ICE, but has no keys.
    pub(in crate::worker) fn reachable(&mut self) -> Peer {
        let (id, socket) = self.transport(Protocol::Udp);
        let remote = SocketAddr::from(([192, 0, 2, 1], 5000 + socket.0 as u16));
        let mut peer = Peer::new(id, Tuple { socket, remote });
        self.check(&mut peer);
        peer
    }

    /// A second Router.
    pub(in crate::worker) fn create_router(&mut self) -> RouterId {
        let (id, worker) = (RouterId::new(), self.worker.id);
        self.call(CreateRouter { id, worker, media_codecs: codecs() }).unwrap();
        id
    }

    /// A check from where the peer is.
    pub(in crate::worker) fn check(&mut self, peer: &mut Peer) {
        let check = peer.check(&self.webrtc(peer.id).ice);
        self.datagrams([(peer.tuple, check)]);
    }

    /// A Transport with a peer that can send and receive media.
    pub(in crate::worker) fn peer(&mut self) -> Peer {
        let peer = self.reachable();
        self.key(&peer);
        peer
    }

    /// What DTLS would bring about.
    pub(in crate::worker) fn key(&mut self, peer: &Peer) {
        let at = self.worker.transports[&peer.id];
        let (router, turn, _) = self.worker.split(at).unwrap();
        let transport = &mut router.transports[at.transport];
        let (ours, theirs) = keys(peer.tuple.socket);
        transport.protection = Protection::Srtp(Srtp {
            sender: SrtpSender::new(ours),
            receiver: Box::new(SrtpReceiver::new(theirs)),
        });
        router.on_settled(turn, at.transport, Settled { connected: true, reachable: false });
        self.drain();
    }

    pub(in crate::worker) fn webrtc(&self, id: TransportId) -> &WebRtc {
        self.machine(id).as_webrtc().expect("a WebRtcTransport")
    }

    pub(in crate::worker) fn machine(&self, id: TransportId) -> &crate::transport::Transport {
        let at = self.worker.transports[&id];
        &self.worker.routers[at.router].transports[at.transport]
    }

    pub(in crate::worker) fn produce(&mut self, peer: &Peer, rtp_parameters: RtpParameters) -> ProducerId {
        let command = self.produce_command(peer, rtp_parameters);
        let id = command.id;
        self.call(command).unwrap();
        id
    }

    pub(in crate::worker) fn produce_command(&self, peer: &Peer, rtp_parameters: RtpParameters) -> Produce {
        let audio = matches!(rtp_parameters.codecs[0], RtpCodecParameters::Audio { .. });
        let kind = if audio { MediaKind::Audio } else { MediaKind::Video };
        Produce {
            id: ProducerId::new(),
            transport: peer.id,
            kind,
            rtp_parameters,
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        }
    }

    pub(in crate::worker) fn consume(&mut self, peer: &Peer, producer: ProducerId, rtx: bool) -> ConsumerId {
        let id = ConsumerId::new();
        let command = self.consume_command(peer, id, producer, rtx);
        self.call(command).unwrap();
        id
    }

    pub(in crate::worker) fn consume_command(
        &self,
        peer: &Peer,
        id: ConsumerId,
        producer: ProducerId,
        rtx: bool,
    ) -> Consume {
        Consume {
            id,
            transport: peer.id,
            producer,
            rtp_capabilities: capabilities(rtx),
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        }
    }

    /// Takes what was sent to a peer.
    pub(in crate::worker) fn take_sent(&mut self, peer: &Peer) -> Vec<Vec<u8>> {
        let (own, others) = std::mem::take(&mut self.sent).into_iter().partition(|it| it.tuple == peer.tuple);
        self.sent = others;
        let own: Vec<Sent> = own;
        own.into_iter().map(|sent| sent.bytes).collect()
    }
}

fn codecs() -> Vec<RtpCodecCapability> {
    vec![
        RtpCodecCapability::Audio {
            mime_type: MimeTypeAudio::Opus,
            preferred_payload_type: Some(OPUS),
            clock_rate: AUDIO_CLOCK,
            channels: STEREO,
            parameters: RtpCodecParametersParameters::default(),
            rtcp_feedback: vec![RtcpFeedback::Nack, RtcpFeedback::TransportCc],
        },
        RtpCodecCapability::Video {
            mime_type: MimeTypeVideo::Vp8,
            preferred_payload_type: Some(VP8),
            clock_rate: VIDEO_CLOCK,
            parameters: RtpCodecParametersParameters::default(),
            rtcp_feedback: video_feedback(),
        },
    ]
}

fn video_feedback() -> Vec<RtcpFeedback> {
    vec![RtcpFeedback::Nack, RtcpFeedback::NackPli, RtcpFeedback::CcmFir, RtcpFeedback::TransportCc]
}

fn capabilities(rtx: bool) -> RtpCapabilities {
    let mut codecs = codecs();
    if rtx {
        codecs.push(RtpCodecCapability::Video {
            mime_type: MimeTypeVideo::Rtx,
            preferred_payload_type: Some(VP8_RTX),
            clock_rate: VIDEO_CLOCK,
            parameters: RtpCodecParametersParameters::from([("apt", VP8.into())]),
            rtcp_feedback: Vec::new(),
        });
    }
    let header_extensions = [MediaKind::Audio, MediaKind::Video].into_iter().flat_map(|kind| {
        EXTENSIONS.into_iter().map(move |(uri, preferred_id)| RtpHeaderExtension {
            kind,
            uri,
            preferred_id,
            preferred_encrypt: false,
            direction: RtpHeaderExtensionDirection::SendRecv,
        })
    });
    RtpCapabilities { codecs, header_extensions: header_extensions.collect() }
}

/// Peers use the Router's own ids.
const EXTENSIONS: [(RtpHeaderExtensionUri, u16); 7] = [
    (RtpHeaderExtensionUri::Mid, 1),
    (RtpHeaderExtensionUri::RtpStreamId, 2),
    (RtpHeaderExtensionUri::RepairRtpStreamId, 3),
    (RtpHeaderExtensionUri::AbsSendTime, 4),
    (RtpHeaderExtensionUri::TransportWideCcDraft01, 5),
    (RtpHeaderExtensionUri::SsrcAudioLevel, 6),
    (RtpHeaderExtensionUri::VideoOrientation, 8),
];

fn header_extensions() -> Vec<RtpHeaderExtensionParameters> {
    EXTENSIONS.map(|(uri, id)| RtpHeaderExtensionParameters { uri, id, encrypt: false }).into()
}

/// VP8 with RTX under the next SSRC; without an SSRC it is found by its MID.
pub(in crate::worker) fn video(mid: &str, ssrc: Option<u32>) -> RtpParameters {
    let media = RtpCodecParameters::Video {
        mime_type: MimeTypeVideo::Vp8,
        payload_type: VP8,
        clock_rate: VIDEO_CLOCK,
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: video_feedback(),
    };
    let rtx = RtpCodecParameters::Video {
        mime_type: MimeTypeVideo::Rtx,
        payload_type: VP8_RTX,
        clock_rate: VIDEO_CLOCK,
        parameters: RtpCodecParametersParameters::from([("apt", VP8.into())]),
        rtcp_feedback: Vec::new(),
    };
    parameters(mid, ssrc, vec![media, rtx], true)
}

/// Opus; without an SSRC it is found by its MID.
pub(in crate::worker) fn audio(mid: &str, ssrc: Option<u32>) -> RtpParameters {
    let media = RtpCodecParameters::Audio {
        mime_type: MimeTypeAudio::Opus,
        payload_type: OPUS,
        clock_rate: AUDIO_CLOCK,
        channels: STEREO,
        parameters: RtpCodecParametersParameters::default(),
        rtcp_feedback: vec![RtcpFeedback::Nack, RtcpFeedback::TransportCc],
    };
    parameters(mid, ssrc, vec![media], false)
}

fn parameters(mid: &str, ssrc: Option<u32>, codecs: Vec<RtpCodecParameters>, rtx: bool) -> RtpParameters {
    let encoding = RtpEncodingParameters {
        ssrc,
        rtx: ssrc.filter(|_| rtx).map(|ssrc| RtpEncodingParametersRtx { ssrc: ssrc + 1 }),
        ..RtpEncodingParameters::default()
    };
    RtpParameters {
        mid: Some(mid.into()),
        codecs,
        header_extensions: header_extensions(),
        encodings: vec![encoding],
        ..RtpParameters::default()
    }
}
