// The peer: a mediasoup worker with publishers and a Transport per destination, spoken to by the same lines as our own subjects.
//
//   node mediasoup.mjs --app DIR/ --ip IP --to IP:PORT --spread ip|port --consumers N --suite none|gcm|gcm256|cm --cpu N
//       [--publishers N] [--streams video,audio] [--meeting] [--via plain|webrtc|webrtc-server] [--twcc] [--fingerprint HEX]
//       [--make plain|webrtc|webrtc-server] [--with nothing|consumer|producer] [--connect] [--in-flight N]
//
// MEDIASOUP_WORKER_BIN names the worker program. First answer: {"ports", "process", "thread", "keys", "endpoints"}. Lines: "count",
// "make N", "close". The end of the input ends it.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const SUITES = {
    none: undefined,
    gcm: { cryptoSuite: 'AEAD_AES_128_GCM', keyLength: 28 },
    gcm256: { cryptoSuite: 'AEAD_AES_256_GCM', keyLength: 44 },
    cm: { cryptoSuite: 'AES_CM_128_HMAC_SHA1_80', keyLength: 30 },
};

const CODECS = {
    video: { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
    audio: { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
};
const PAYLOAD_TYPES = { video: 96, audio: 100 };
const SSRCS = { video: 1111, audio: 2222 };

const TWCC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

const text = value => ({ type: 'string', default: value });
const flag = { type: 'boolean' };
const { values: options } = parseArgs({
    options: {
        app: text(),
        ip: text(),
        to: text(),
        spread: text('port'),
        consumers: text('1'),
        suite: text('none'),
        cpu: text('0'),
        publishers: text('1'),
        streams: text('video'),
        meeting: flag,
        via: text('plain'),
        twcc: flag,
        fingerprint: text(''),
        make: text('plain'),
        with: text('consumer'),
        connect: flag,
        'in-flight': text('1'),
    },
});
const suite = SUITES[options.suite];
const streams = options.streams.split(',');
const mediasoup = createRequire(options.app)('mediasoup');
const listenInfo = { protocol: 'udp', ip: options.ip };

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

// VP8 with retransmission asked for by NACK, Opus, and no header extension but the number that is asked for: what our own server's
// subscribers can do.
function capabilitiesOf(router) {
    const copy = structuredClone(router.rtpCapabilities);
    copy.headerExtensions = copy.headerExtensions.filter(({ uri }) => options.twcc && uri === TWCC);
    for (const codec of copy.codecs) {
        const isRtx = codec.mimeType.endsWith('rtx');
        const nack = codec.mimeType.endsWith('VP8') ? [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] : [];
        codec.rtcpFeedback = [...nack, ...(options.twcc && !isRtx ? [{ type: 'transport-cc' }] : [])];
    }
    return copy;
}

function producerOptions(kind) {
    const { mimeType, clockRate, channels } = CODECS[kind];
    return {
        kind,
        rtpParameters: {
            codecs: [{ mimeType, payloadType: PAYLOAD_TYPES[kind], clockRate, channels }],
            encodings: [{ ssrc: SSRCS[kind] }],
            rtcp: { cname: 'bench' },
        },
    };
}

// The Transports of a kind: of one socket or of one each.
async function factory({ worker, router, via }) {
    if (via === 'plain') {
        const srtpCryptoSuite = suite?.cryptoSuite;
        const srtp = suite ? { enableSrtp: true, srtpCryptoSuite } : {};
        return () => router.createPlainTransport({ listenInfo, rtcpMux: true, comedia: false, ...srtp });
    }
    const listenInfos = [listenInfo];
    const place =
        via === 'webrtc-server' ? { webRtcServer: await worker.createWebRtcServer({ listenInfos }) } : { listenInfos };
    const rest = { enableUdp: true, enableTcp: false, iceConsentTimeout: 0 };
    return () => router.createWebRtcTransport({ ...place, ...rest });
}

function connect(transport, index) {
    if (transport.iceParameters) {
        const fingerprints = [{ algorithm: 'sha-256', value: options.fingerprint }];
        return transport.connect({ dtlsParameters: { role: 'client', fingerprints } });
    }
    const key = suite && {
        cryptoSuite: suite.cryptoSuite,
        keyBase64: randomBytes(suite.keyLength).toString('base64'),
    };
    return transport.connect({ ...destination(index), ...(key && { srtpParameters: key }) });
}

function endpointOf({ iceParameters, iceCandidates }) {
    const { usernameFragment: username, password } = iceParameters ?? {};
    return iceParameters ? [{ port: iceCandidates[0].port, username, password }] : [];
}

async function publisher(router) {
    const transport = await router.createPlainTransport({ listenInfo, comedia: true, rtcpMux: true });
    const producers = [];
    for (const kind of streams) {
        producers.push(await transport.produce(producerOptions(kind)));
    }
    return { transport, producers };
}

async function subscriber({ create, inputs, rtpCapabilities, index }) {
    const transport = await create();
    await connect(transport, index);
    const heard = inputs.filter((_, publisher) => !(options.meeting && publisher === index));
    const consumers = [];
    for (const { id: producerId } of heard.flatMap(({ producers }) => producers)) {
        consumers.push(await transport.consume({ producerId, rtpCapabilities }));
    }
    return { transport, consumers };
}

async function count(outputs) {
    let packets = 0;
    for (const consumer of outputs.flatMap(({ consumers }) => consumers)) {
        for (const stat of await consumer.getStats()) {
            packets += stat.type === 'outbound-rtp' ? stat.packetCount : 0;
        }
    }
    return { packets, refused: 0 };
}

// Transports with something on them, so many being made at any time.
async function make({ create, producerId, rtpCapabilities, count }) {
    const made = [];
    let next = 0;
    async function line() {
        while (next < count) {
            const index = next;
            next += 1;
            const transport = await create();
            made[index] = transport;
            if (options.connect) {
                await connect(transport, 0);
            }
            if (options.with === 'consumer') {
                await transport.consume({ producerId, rtpCapabilities });
            } else if (options.with === 'producer') {
                await transport.produce(producerOptions('video'));
            }
        }
    }
    const begin = performance.now();
    await Promise.all(Array.from({ length: Number(options['in-flight']) }, line));
    const seconds = (performance.now() - begin) / 1000;
    const each = 1 + Number(Boolean(options.connect)) + Number(options.with !== 'nothing');
    const endpoints = options.connect ? made.flatMap(endpointOf) : [];
    return { made, answer: { operations: count * each, seconds, endpoints } };
}

const worker = await mediasoup.createWorker({ logLevel: 'warn' });
worker.on('died', error => {
    console.error('the worker died', error);
    process.exit(1);
});
execFileSync('taskset', ['-a', '-p', '-c', options.cpu, String(worker.pid)]);
const router = await worker.createRouter({ mediaCodecs: Object.values(CODECS) });
const rtpCapabilities = capabilitiesOf(router);
const inputs = [];
for (let index = 0; index < Number(options.publishers); index += 1) {
    inputs.push(await publisher(router));
}
const outputs = [];
const create = await factory({ worker, router, via: options.via });
for (let index = 0; index < Number(options.consumers); index += 1) {
    outputs.push(await subscriber({ create, inputs, rtpCapabilities, index }));
}
say({
    ports: inputs.map(({ transport }) => transport.tuple.localPort),
    process: worker.pid,
    thread: worker.pid,
    keys: outputs.flatMap(({ transport }) => transport.srtpParameters?.keyBase64 ?? []),
    endpoints: outputs.flatMap(({ transport }) => endpointOf(transport)),
});
let makeOne;
const kept = [];
for await (const line of createInterface({ input: process.stdin })) {
    const [command, argument] = line.trim().split(' ');
    if (command === 'count') {
        say(await count(outputs));
    } else if (command === 'make') {
        makeOne ??= await factory({ worker, router, via: options.make });
        const producerId = inputs[0].producers[0].id;
        const { made, answer } = await make({ create: makeOne, producerId, rtpCapabilities, count: Number(argument) });
        kept.push(...made);
        say(answer);
    } else if (command === 'close') {
        kept.splice(0).forEach(transport => transport.close());
        // Its answer comes after all that was closed before.
        await router.dump();
        say({ closed: true });
    } else {
        throw new Error(`no command: ${line}`);
    }
}
worker.close();
process.exit(0);
