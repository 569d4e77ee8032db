// The peer: a mediasoup worker with one Producer and a Consumer per destination, spoken to by the same lines as our own subjects.
//
//   node mediasoup.mjs --app DIR/ --ip IP --to IP:PORT --spread ip|port --consumers N --suite none|gcm|gcm256|cm --cpu N
//       [--via plain|webrtc|webrtc-server] [--twcc] [--fingerprint HEX]
//
// MEDIASOUP_WORKER_BIN names the worker program. First answer: {"port", "process", "keys", "endpoints"}. Lines: "count". The end of the input
// ends it.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const SSRC = 1111;
const PAYLOAD_TYPE = 96;
const SUITES = {
    none: undefined,
    gcm: { cryptoSuite: 'AEAD_AES_128_GCM', keyLength: 28 },
    gcm256: { cryptoSuite: 'AEAD_AES_256_GCM', keyLength: 44 },
    cm: { cryptoSuite: 'AES_CM_128_HMAC_SHA1_80', keyLength: 30 },
};

const TWCC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

const names = ['app', 'ip', 'to', 'spread', 'consumers', 'suite', 'cpu', 'via', 'fingerprint'];
const texts = Object.fromEntries(names.map(name => [name, { type: 'string' }]));
const { values: options } = parseArgs({ options: { ...texts, twcc: { type: 'boolean' } } });
const suite = SUITES[options.suite];
const mediasoup = createRequire(options.app)('mediasoup');

function say(answer) {
    process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function destination(index) {
    const [ip, port] = options.to.split(':');
    if (options.spread === 'port') {
        return { ip, port: Number(port) + index };
    }
    const number = ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + index;
    return { ip: [24, 16, 8, 0].map(shift => (number >>> shift) & 255).join('.'), port: Number(port) };
}

// VP8 with retransmission asked for by NACK, and no header extension but the number that is asked for: what our own server's
// subscribers can do.
function capabilities(router) {
    const copy = structuredClone(router.rtpCapabilities);
    copy.headerExtensions = copy.headerExtensions.filter(({ uri }) => options.twcc && uri === TWCC);
    for (const codec of copy.codecs) {
        const isRtx = codec.mimeType.endsWith('rtx');
        const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }];
        codec.rtcpFeedback = isRtx ? [] : [...feedback, ...(options.twcc ? [{ type: 'transport-cc' }] : [])];
    }
    return copy;
}

async function plainTransport(router, index) {
    const transport = await router.createPlainTransport({
        listenInfo: { protocol: 'udp', ip: options.ip },
        rtcpMux: true,
        comedia: false,
        enableSrtp: Boolean(suite),
        ...(suite && { srtpCryptoSuite: suite.cryptoSuite }),
    });
    const key = suite && {
        cryptoSuite: suite.cryptoSuite,
        keyBase64: randomBytes(suite.keyLength).toString('base64'),
    };
    await transport.connect({ ...destination(index), ...(key && { srtpParameters: key }) });
    return transport;
}

async function webRtcTransport(router, webRtcServer) {
    const transport = await router.createWebRtcTransport({
        ...(webRtcServer ? { webRtcServer } : { listenInfos: [{ protocol: 'udp', ip: options.ip }] }),
        enableUdp: true,
        enableTcp: false,
        iceConsentTimeout: 0,
    });
    const fingerprints = [{ algorithm: 'sha-256', value: options.fingerprint }];
    await transport.connect({ dtlsParameters: { role: 'client', fingerprints } });
    return transport;
}

async function consumer(router, producer, webRtcServer, index) {
    const isPlain = (options.via ?? 'plain') === 'plain';
    const transport = await (isPlain ? plainTransport(router, index) : webRtcTransport(router, webRtcServer));
    const rtpCapabilities = capabilities(router);
    return { transport, consumer: await transport.consume({ producerId: producer.id, rtpCapabilities }) };
}

async function count(outputs) {
    let packets = 0;
    for (const { consumer } of outputs) {
        for (const stat of await consumer.getStats()) {
            packets += stat.type === 'outbound-rtp' ? stat.packetCount : 0;
        }
    }
    return { packets, refused: 0 };
}

const worker = await mediasoup.createWorker({ logLevel: 'warn' });
worker.on('died', error => {
    console.error('the worker died', error);
    process.exit(1);
});
execFileSync('taskset', ['-a', '-p', '-c', options.cpu, String(worker.pid)]);
const codec = { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 };
const router = await worker.createRouter({ mediaCodecs: [codec] });
const listenInfo = { protocol: 'udp', ip: options.ip };
const input = await router.createPlainTransport({ listenInfo, comedia: true, rtcpMux: true });
const producer = await input.produce({
    kind: 'video',
    rtpParameters: {
        codecs: [{ mimeType: 'video/VP8', payloadType: PAYLOAD_TYPE, clockRate: 90000 }],
        encodings: [{ ssrc: SSRC }],
        rtcp: { cname: 'bench' },
    },
});
const listenInfos = [{ protocol: 'udp', ip: options.ip }];
const webRtcServer = options.via === 'webrtc-server' ? await worker.createWebRtcServer({ listenInfos }) : undefined;
const outputs = [];
for (let index = 0; index < Number(options.consumers); index += 1) {
    outputs.push(await consumer(router, producer, webRtcServer, index));
}
const keys = outputs.flatMap(({ transport }) => transport.srtpParameters?.keyBase64 ?? []);
const endpoints = outputs.flatMap(({ transport: { iceParameters, iceCandidates } }) =>
    iceParameters
        ? [{ port: iceCandidates[0].port, username: iceParameters.usernameFragment, password: iceParameters.password }]
        : [],
);
say({ port: input.tuple.localPort, process: worker.pid, keys, endpoints });
for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== 'count') {
        throw new Error(`no command: ${line}`);
    }
    say(await count(outputs));
}
worker.close();
process.exit(0);
