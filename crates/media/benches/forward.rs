//! What a frame costs a Worker without I/O: 16 packets in, each of them out to every Consumer, under AES-GCM, through PlainTransports.
//!
//! Time per iteration is that of a frame with everything that belongs to it: the copy into the batch, streams, retransmission rings,
//! encryption, and what is due once a second, on a clock of its own that goes on by a frame each time.

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mafalda_api::id::{ConsumerId, ProducerId, RouterId, SessionId, TransportId, WorkerId};
use mafalda_api::labels::Labels;
use mafalda_api::types::data_structures::{ListenInfo, Protocol};
use mafalda_api::types::rtp_parameters::{MediaKind, RtpCapabilities};
use mafalda_api::types::srtp_parameters::{SrtpCryptoSuite, SrtpParameters};
use mafalda_api::waist::{
    Call, Command, ConnectPlainTransport, Consume, CreatePlainTransport, CreateRouter, Produce,
};
use mafalda_media::buffer::{Batch, SendBuffer};
use mafalda_media::dtls::Certificate;
use mafalda_media::worker::{Input, ListenSocket, Output, SocketBuffers, Worker, WorkerConfig};
use mafalda_media::{Now, SocketId, Tuple};
use serde_json::{Value, json};

/// How many get everything.
const CONSUMERS: [u16; 3] = [1, 10, 100];

/// Packets of a frame, and how far frames are apart.
const BURST: u16 = 16;
const FRAME: Duration = Duration::from_millis(33);

/// Header and payload of a packet, in bytes.
const PACKET_LEN: usize = 12 + 1200;

/// What a driver gives for packets that leave in one turn.
const SEND_BUFFER_LEN: usize = 4 << 20;

/// Master key and salt of AEAD_AES_128_GCM, in bytes (RFC 7714 §12).
const KEY_LEN: usize = 16 + 12;

const VIDEO: &str = "video/VP8";
const SSRC: u32 = 1111;

/// A Worker with one Producer and its Consumers.
struct Forwarding {
    worker: Worker,
    now: Now,
    router: RouterId,
    sockets: u16,
    /// Where the publisher's packets come from.
    publisher: Tuple,
    sequence: u16,
    timestamp: u32,
    batch: Batch,
    out: SendBuffer,
}

impl Forwarding {
    fn new(consumers: u16) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
        let now = Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) };
        let id = WorkerId::new();
        let config = WorkerConfig { id, certificate: Certificate::generate().expect("a certificate") };
        let mut forwarding = Self {
            worker: Worker::new(config, [7; 32], now),
            now,
            router: RouterId::new(),
            sockets: 0,
            publisher: Tuple { socket: SocketId(0), remote: ([192, 0, 2, 1], 5000).into() },
            sequence: 1,
            timestamp: 0,
            batch: Batch::for_receiving(),
            out: SendBuffer::new(SEND_BUFFER_LEN),
        };
        let codecs = json!([{ "kind": "video", "mimeType": VIDEO, "clockRate": 90000 }]);
        let media_codecs = parsed(codecs);
        forwarding.call(CreateRouter { id: forwarding.router, worker: id, media_codecs }, None);
        let producer = forwarding.publish();
        (0..consumers).for_each(|index| forwarding.subscribe(producer, index));
        forwarding
    }

    fn publish(&mut self) -> ProducerId {
        let (id, transport) = (ProducerId::new(), self.transport(None));
        let parameters = json!({
            "codecs": [{ "mimeType": VIDEO, "payloadType": 96, "clockRate": 90000 }],
            "encodings": [{ "ssrc": SSRC }], "rtcp": { "cname": "x" }
        });
        let produce = Produce {
            id,
            transport,
            kind: MediaKind::Video,
            rtp_parameters: parsed(parameters),
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        };
        self.call(produce, None);
        id
    }

    fn subscribe(&mut self, producer: ProducerId, index: u16) {
        let suite = SrtpCryptoSuite::AeadAes128Gcm;
        let transport = self.transport(Some(suite));
        let key_base64 = BASE64.encode([index as u8; KEY_LEN]);
        let connect = ConnectPlainTransport {
            id: transport,
            ip: Some([192, 0, 2, 2].into()),
            port: Some(10_000 + index),
            rtcp_port: None,
            srtp_parameters: Some(SrtpParameters { crypto_suite: suite, key_base64 }),
        };
        self.call(connect, None);
        let consume = Consume {
            id: ConsumerId::new(),
            transport,
            producer,
            rtp_capabilities: capabilities(),
            paused: false,
            mid: None,
            enable_rtx: None,
            ignore_dtx: false,
            remote_numbers: false,
            pipe: false,
        };
        self.call(consume, None);
    }

    /// The publisher's without SRTP, with the address that its packets come from; a subscriber's with it.
    fn transport(&mut self, srtp_crypto_suite: Option<SrtpCryptoSuite>) -> TransportId {
        let id = TransportId::new();
        let create = CreatePlainTransport {
            id,
            router: self.router,
            listen_infos: vec![ListenInfo::of_place(Protocol::Udp)],
            rtcp_mux: true,
            comedia: srtp_crypto_suite.is_none(),
            srtp_crypto_suite,
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

    fn call(&mut self, command: impl Into<Command>, socket: Option<ListenSocket>) {
        let (owner, labels) = (SessionId::new(), Labels::default());
        let call = Box::new(Call { owner, labels, tags: Vec::new(), command: command.into() });
        let sockets = socket.into_iter().collect();
        self.worker.handle(self.now, Input::Call { request: 1, call, sockets });
        self.drain();
    }

    /// A frame in, and all that follows; the packets that left.
    fn frame(&mut self) -> usize {
        self.now = self.now.after(FRAME);
        if self.worker.timeout().is_some_and(|at| at <= self.now.at) {
            self.worker.handle(self.now, Input::Timeout);
            self.drain();
        }
        let mut batch = std::mem::take(&mut self.batch);
        let mut packet = [0x5a; PACKET_LEN];
        for index in 0..BURST {
            self.write(&mut packet, index);
            assert!(batch.push(self.publisher, &packet), "a batch takes a frame");
        }
        self.timestamp = self.timestamp.wrapping_add(3000);
        self.worker.handle(self.now, Input::Datagrams(batch));
        let sent = self.drain();
        self.batch = self.worker.reclaim().expect("the batch comes back");
        sent
    }

    fn write(&mut self, packet: &mut [u8], index: u16) {
        packet[0] = 0x80;
        packet[1] = 96 | u8::from(index + 1 == BURST) << 7;
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&SSRC.to_be_bytes());
        // VP8's descriptor (RFC 7741 §4.2), S bit on the first packet, and a key frame's first byte (§4.3).
        packet[12] = if index == 0 { 0x10 } else { 0 };
        packet[13] = 0;
        self.sequence = self.sequence.wrapping_add(1);
    }

    /// How many media packets left.
    fn drain(&mut self) -> usize {
        let mut sent = 0;
        while let Some(output) = self.worker.poll(&mut self.out) {
            match output {
                Output::Send(run) => sent += self.out.packets(black_box(&run)).filter(is_media).count(),
                Output::Flush => self.out.clear(),
                Output::Reply { result, .. } => drop(result.expect("what is called is well-formed")),
                Output::Event(_) | Output::Missed { .. } | Output::Message(_) | Output::CloseSocket(_) => {}
            }
        }
        self.out.clear();
        sent
    }
}

/// RFC 5761 §4: what isn't of RTCP's types.
fn is_media(packet: &&[u8]) -> bool {
    !(192..=223).contains(&packet[1])
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("parameters as the api has them")
}

/// VP8 with retransmission.
fn capabilities() -> RtpCapabilities {
    let feedback = json!([{ "type": "nack", "parameter": "" }, { "type": "nack", "parameter": "pli" }]);
    parsed(json!({
        "codecs": [
            { "kind": "video", "mimeType": VIDEO, "preferredPayloadType": 96, "clockRate": 90000,
                "parameters": {}, "rtcpFeedback": feedback },
            { "kind": "video", "mimeType": "video/rtx", "preferredPayloadType": 97, "clockRate": 90000,
                "parameters": { "apt": 96 }, "rtcpFeedback": [] },
        ],
        "headerExtensions": []
    }))
}

fn forward(c: &mut Criterion) {
    let mut group = c.benchmark_group("forward/gcm128, 16 at a time");
    for consumers in CONSUMERS {
        let mut forwarding = Forwarding::new(consumers);
        let packets = usize::from(BURST) * usize::from(consumers);
        // The first frame opens what waits for a key frame.
        forwarding.frame();
        assert_eq!(forwarding.frame(), packets, "everything is forwarded");
        group.throughput(Throughput::Elements(packets as u64));
        group.bench_function(BenchmarkId::from_parameter(consumers), |b| b.iter(|| forwarding.frame()));
    }
    group.finish();
}

criterion_group!(benches, forward);
criterion_main!(benches);
