//! What is kept for retransmission takes the memory of its packets, not of the buffers that they came in: counted by an allocator, for a
//! thousand streams of which each packet comes in a buffer of its own.

#[path = "memory/sys.rs"]
#[expect(unsafe_code, reason = "an allocator that counts")]
mod sys;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mafalda_api::id::{ConsumerId, ProducerId, RouterId, SessionId, TransportId, WorkerId};
use mafalda_api::labels::Labels;
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::MediaKind;
use mafalda_api::waist::{
    Call, Command, ConnectPlainTransport, Consume, CreatePlainTransport, CreateRouter, Produce,
};
use mafalda_media::buffer::{Batch, SendBuffer};
use mafalda_media::dtls::Certificate;
use mafalda_media::worker::{Input, ListenSocket, Output, SocketBuffers, Worker, WorkerConfig};
use mafalda_media::{Now, SocketId, Tuple};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: sys::Counting = sys::Counting;

/// How long a ring keeps a packet of video.
const AGE: Duration = Duration::from_secs(4);

/// Bytes of a stream and its Consumer beside what is kept of packets: windows of few places, counters, memory for a turn.
const STREAM_BYTES: usize = 4096;

/// A Consumer's log of a fast stream, which is small beside what it is about, and stays.
const LOG_BYTES: usize = 2048 * 16;

/// A publisher with all streams, a subscriber to each of them.
struct Stage {
    worker: Worker,
    now: Now,
    router: RouterId,
    sockets: u16,
    publisher: Tuple,
    out: SendBuffer,
    /// Of each stream, the number of its next packet.
    sequences: Vec<u16>,
    sent: usize,
}

impl Stage {
    fn new(streams: usize) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
        let now = Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        let id = WorkerId::new();
        let config = WorkerConfig { id, certificate: Certificate::generate().expect("a certificate") };
        let mut stage = Self {
            worker: Worker::new(config, [7; 32], now),
            now,
            router: RouterId::new(),
            sockets: 0,
            publisher: Tuple { socket: SocketId(0), remote: ([192, 0, 2, 1], 5000).into() },
            out: SendBuffer::new(64 * 1024),
            sequences: vec![1; streams],
            sent: 0,
        };
        let codecs = json!([{ "kind": "video", "mimeType": "video/VP8", "clockRate": 90000 }]);
        let media_codecs = parsed(codecs);
        stage.call(CreateRouter { id: stage.router, worker: id, media_codecs }, None);
        let (publisher, subscriber) = (stage.transport(true), stage.transport(false));
        let ip = Some([192, 0, 2, 2].into());
        let id = subscriber;
        stage.call(
            ConnectPlainTransport { id, ip, port: Some(6000), rtcp_port: None, srtp_parameters: None },
            None,
        );
        (0..streams).for_each(|stream| stage.stream(publisher, subscriber, stream));
        stage
    }

    fn transport(&mut self, comedia: bool) -> TransportId {
        let id = TransportId::new();
        let create = CreatePlainTransport {
            id,
            router: self.router,
            listen_infos: vec![ListenInfo::of_place(Protocol::Udp)],
            rtcp_mux: true,
            comedia,
            srtp_crypto_suite: None,
            max_incoming_bitrate: None,
        };
        let local = SocketAddr::from(([10, 0, 0, 1], 4000 + self.sockets));
        let socket = ListenSocket {
            socket: SocketId(self.sockets.into()),
            info: 0,
            local,
            buffers: SocketBuffers::default(),
        };
        self.sockets += 1;
        self.call(create, Some(socket));
        id
    }

    fn stream(&mut self, publisher: TransportId, subscriber: TransportId, stream: usize) {
        let producer = ProducerId::new();
        let feedback = json!([{ "type": "nack", "parameter": "" }]);
        let codec = json!({ "kind": "video", "mimeType": "video/VP8", "payloadType": 96,
            "preferredPayloadType": 96, "clockRate": 90000, "parameters": {}, "rtcpFeedback": feedback });
        let parameters = json!({
            "mid": stream.to_string(), "codecs": [codec], "encodings": [{ "ssrc": ssrc(stream) }],
        });
        let produce = Produce {
            id: producer,
            transport: publisher,
            kind: MediaKind::Video,
            rtp_parameters: parsed(parameters),
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        };
        self.call(produce, None);
        let consume = Consume {
            id: ConsumerId::new(),
            transport: subscriber,
            producer,
            rtp_capabilities: parsed(json!({ "codecs": [codec], "headerExtensions": [] })),
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        };
        self.call(consume, None);
    }

    fn call(&mut self, command: impl Into<Command>, socket: Option<ListenSocket>) {
        let (owner, labels) = (SessionId::new(), Labels::default());
        let call = Box::new(Call { owner, labels, tags: Vec::new(), command: command.into() });
        let sockets = socket.into_iter().collect();
        self.worker.handle(self.now, Input::Call { request: 1, call, sockets });
        self.drain();
    }

    /// Packets of one stream that come together, in a buffer that the driver gets back.
    fn packets(&mut self, stream: usize, count: u16, payload_len: usize) {
        let mut batch = Batch::for_receiving();
        for _ in 0..count {
            let sequence = self.sequences[stream];
            let mut packet = vec![0; 12 + payload_len];
            packet[..2].copy_from_slice(&[0x80, 0x80 | 96]);
            packet[2..4].copy_from_slice(&sequence.to_be_bytes());
            packet[4..8].copy_from_slice(&(u32::from(sequence) * 90_000).to_be_bytes());
            packet[8..12].copy_from_slice(&ssrc(stream).to_be_bytes());
            // VP8's descriptor (RFC 7741 §4.2) with the S bit, and a key frame's first byte (§4.3).
            packet[12..14].copy_from_slice(&[0x10, 0]);
            assert!(batch.push(self.publisher, &packet));
            self.sequences[stream] += 1;
        }
        self.worker.handle(self.now, Input::Datagrams(batch));
        self.drain();
        assert!(self.worker.reclaim().is_some_and(|batch| batch.is_empty()));
    }

    /// Each stream has one packet a second, all at different times.
    fn slowly(&mut self, time: Duration, payload_len: usize) {
        let streams = self.sequences.len();
        for _ in 0..time.as_secs() {
            for stream in 0..streams {
                self.pass(Duration::from_secs(1) / streams as u32);
                self.packets(stream, 1, payload_len);
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        while let Some(at) = self.worker.timeout().filter(|at| *at <= end.at) {
            self.now = self.now.after(at.saturating_duration_since(self.now.at));
            self.worker.handle(self.now, Input::Timeout);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.worker.poll(&mut self.out) {
            match output {
                Output::Send(run) => {
                    // RFC 5761 §4: what isn't of RTCP's types is media.
                    let packets = self.out.packets(&run);
                    self.sent += packets.filter(|packet| !(192..=223).contains(&packet[1])).count();
                }
                Output::Flush => self.out.clear(),
                Output::Reply { result, .. } => drop(result.expect("what is called is well-formed")),
                Output::Event(_) | Output::Missed { .. } | Output::Message(_) | Output::CloseSocket(_) => {}
            }
        }
        self.out.clear();
    }
}

fn ssrc(stream: usize) -> u32 {
    1000 + stream as u32
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("parameters as the api has them")
}

/// What streams of a packet a second may take, on top of what they had before the first.
fn bound(streams: usize, payload_len: usize) -> usize {
    let kept = AGE.as_secs() as usize + 1;
    streams * (2 * kept * payload_len + STREAM_BYTES)
}

// One test: the count is the process's.
#[test]
fn slow_streams_keep_their_packets_and_no_buffers() {
    for payload_len in [20, 1100] {
        let mut stage = Stage::new(1000);
        let before = sys::bytes();
        stage.slowly(Duration::from_secs(12), payload_len);
        let taken = sys::bytes() - before;
        assert_eq!(stage.sent, 12_000, "all of it was forwarded");
        let kept = 1000 * AGE.as_secs() as usize * payload_len;
        let bound = bound(1000, payload_len);
        assert!((kept..bound).contains(&taken), "{taken} bytes, of {bound}, for {kept} of payload");
    }

    // Those that were fast give back what they no longer need, the places for packets too.
    let mut stage = Stage::new(20);
    let before = sys::bytes();
    for _ in 0..300 {
        (0..20).for_each(|stream| stage.packets(stream, 10, 1100));
        stage.pass(Duration::from_millis(5));
    }
    let fast = sys::bytes() - before;
    assert!(fast > 20 * 3000 * 1100, "{fast}");
    stage.slowly(Duration::from_secs(30), 1100);
    let slow = sys::bytes() - before;
    assert!(slow < bound(20, 1100) + 20 * LOG_BYTES, "{slow} bytes of {fast} are left");
}
