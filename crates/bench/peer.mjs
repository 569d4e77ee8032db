// Drives a mediasoup worker as a contender of the bench: the same words, the same Consumers.
//
//   node peer.mjs --consumers=100 --suite=gcm --from=198.18.0.1 --to=198.18.1.1 --port=5000 [--one-address]
//
// MEDIASOUP names the folder in which `mediasoup` is installed; MEDIASOUP_WORKER_BIN its worker, if that lies elsewhere.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const require = createRequire(join(process.env.MEDIASOUP ?? process.cwd(), 'package.json'));
const mediasoup = require('mediasoup');

const { values } = parseArgs({
  options: {
    consumers: { type: 'string' }, suite: { type: 'string' }, from: { type: 'string' }, to: { type: 'string' },
    port: { type: 'string' }, 'one-address': { type: 'boolean' },
  },
});
const suites = { gcm: ['AEAD_AES_128_GCM', 28], cm: ['AES_CM_128_HMAC_SHA1_80', 30] };
const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }];

// The address that many behind the first.
function address(first, index) {
  const number = first.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

const worker = await mediasoup.createWorker({ logLevel: 'error' });
worker.on('died', () => process.exit(1));
const codec = { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 };
const router = await worker.createRouter({ mediaCodecs: [codec] });
const input = await router.createPlainTransport({
  listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, comedia: true, rtcpMux: true,
});
const producer = await input.produce({
  kind: 'video',
  rtpParameters: {
    codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90000, rtcpFeedback: [] }],
    encodings: [{ ssrc: 1111 }], rtcp: { cname: 'bench' },
  },
});
const rtpCapabilities = {
  codecs: [{ ...codec, preferredPayloadType: 101, rtcpFeedback: feedback }], headerExtensions: [],
};
const [suite, length] = suites[values.suite] ?? [];
const consumers = [];
for (let index = 0; index < Number(values.consumers); index += 1) {
  const transport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: values.from }, comedia: false, rtcpMux: true,
    enableSrtp: suite !== undefined, ...(suite && { srtpCryptoSuite: suite }),
  });
  await transport.connect({
    ip: values['one-address'] ? values.to : address(values.to, index), port: Number(values.port),
    ...(suite && { srtpParameters: { cryptoSuite: suite, keyBase64: Buffer.alloc(length, 0x41).toString('base64') } }),
  });
  consumers.push(await transport.consume({ producerId: producer.id, rtpCapabilities }));
}

async function count() {
  let packets = 0;
  for (const consumer of consumers) {
    for (const stat of await consumer.getStats()) if (stat.type === 'outbound-rtp') packets += stat.packetCount;
  }
  return packets;
}

console.log(`ready ${input.tuple.localPort} ${worker.pid}`);
for await (const line of createInterface({ input: process.stdin })) if (line === 'count') console.log(await count());
worker.close();
process.exit(0);
