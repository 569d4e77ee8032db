//! What SRTP costs per packet, on each kernel that this CPU has.
//!
//! A case is named for profile, direction, kernel and what varies. Packets have a header of 12 bytes, as audio and video have it
//! without extensions, or of 20 with one; sizes are those of the payload.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mafalda_media::srtp::{GcmKernel, PlainRtp, SrtpKeys, SrtpProfile, SrtpReceiver, SrtpSender};

/// Payloads: a small and a usual packet of Opus, one of video.
const SIZES: [usize; 3] = [100, 160, 1200];

/// Send buffers in rotation, as a turn fills them.
const SLOTS: usize = 64;

fn keys(profile: SrtpProfile, seed: u8) -> SrtpKeys {
    let (key, salt) = ([seed; 32], [!seed; 14]);
    SrtpKeys::new(profile, &key[..profile.key_len()], &salt[..profile.salt_len()])
        .expect("lengths of the profile")
}

/// A header of 12 bytes, or of 20 with an extension of one word.
fn header(index: u64, len: usize) -> [u8; 20] {
    let mut header = [0; 20];
    header[0] = if len > 12 { 0x90 } else { 0x80 };
    header[2..4].copy_from_slice(&(index as u16).to_be_bytes());
    header[11] = 7;
    header[12..16].copy_from_slice(&[0xbe, 0xde, 0, 1]);
    header
}

/// Protects one packet after the other, as often as asked, with the senders in turn.
struct Sending {
    senders: Vec<SrtpSender>,
    slots: Vec<Vec<u8>>,
    payload: Vec<u8>,
    index: u64,
}

impl Sending {
    fn new(senders: Vec<SrtpSender>, size: usize) -> Self {
        Self { senders, slots: vec![vec![0; 1500]; SLOTS], payload: vec![0x5a; size], index: 0 }
    }

    fn next(&mut self, prefix: &[u8], header_len: usize) -> usize {
        let count = self.index as usize;
        let header = header(self.index, header_len);
        let plain = PlainRtp { header: &header[..header_len], prefix, payload: &self.payload };
        let slot = &mut self.slots[count % SLOTS];
        let sender = &self.senders[count % self.senders.len()];
        let len = sender.protect_rtp(self.index, black_box(plain), slot).expect("it fits");
        self.index += 1;
        len
    }
}

fn gcm(profile: SrtpProfile, kernel: GcmKernel, keys_len: usize) -> Vec<SrtpSender> {
    (0..keys_len).map(|seed| SrtpSender::with_kernel(keys(profile, seed as u8), kernel)).collect()
}

fn protect(c: &mut Criterion) {
    for (name, profile) in [("gcm128", SrtpProfile::AeadAes128Gcm), ("gcm256", SrtpProfile::AeadAes256Gcm)] {
        let mut group = c.benchmark_group(format!("protect/{name}"));
        for kernel in GcmKernel::available() {
            for size in SIZES {
                group.throughput(Throughput::Bytes(size as u64));
                let mut sending = Sending::new(gcm(profile, kernel, 1), size);
                group.bench_function(BenchmarkId::new(kernel.name(), size), |b| {
                    b.iter(|| sending.next(&[], 12));
                });
            }
            let mut sending = Sending::new(gcm(profile, kernel, 1), 1200);
            group.bench_function(BenchmarkId::new(kernel.name(), "1200, own 2 bytes, extension"), |b| {
                b.iter(|| sending.next(&[1, 2], 20));
            });
        }
        group.finish();
    }
    let mut group = c.benchmark_group("protect/cm80");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let sender = SrtpSender::new(keys(SrtpProfile::Aes128CmSha1_80, 1));
        let mut sending = Sending::new(vec![sender], size);
        group.bench_function(BenchmarkId::from_parameter(size), |b| b.iter(|| sending.next(&[], 12)));
    }
}

/// One payload to many, each with keys of its own.
fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan out to 256/gcm128");
    for kernel in GcmKernel::available() {
        for size in SIZES {
            group.throughput(Throughput::Elements(1));
            let mut sending = Sending::new(gcm(SrtpProfile::AeadAes128Gcm, kernel, 256), size);
            group.bench_function(BenchmarkId::new(kernel.name(), size), |b| {
                b.iter(|| sending.next(&[], 12));
            });
        }
    }
}

/// A stream's packets, protected once; each round is a new receiver's, since none takes a packet twice.
struct Receiving {
    packets: Vec<Vec<u8>>,
    scratch: Vec<u8>,
    receiver: Option<SrtpReceiver>,
    next: usize,
}

impl Receiving {
    fn new(profile: SrtpProfile, size: usize) -> Self {
        let mut sending = Sending::new(vec![SrtpSender::new(keys(profile, 1))], size);
        let packets = (0..4096).map(|_| {
            let slot = sending.index as usize % SLOTS;
            let len = sending.next(&[], 12);
            sending.slots[slot][..len].to_vec()
        });
        Self { packets: packets.collect(), scratch: vec![0; 1500], receiver: None, next: 0 }
    }

    fn next(&mut self, make: impl Fn() -> SrtpReceiver) -> usize {
        let packet = &self.packets[self.next];
        let scratch = &mut self.scratch[..packet.len()];
        scratch.copy_from_slice(packet);
        let receiver = self.receiver.get_or_insert_with(&make);
        let opened = receiver.unprotect_rtp(scratch, 12).expect("each packet comes once");
        self.next += 1;
        if self.next == self.packets.len() {
            (self.next, self.receiver) = (0, None);
        }
        opened.len
    }
}

fn unprotect(c: &mut Criterion) {
    let mut group = c.benchmark_group("unprotect/gcm128");
    for kernel in GcmKernel::available() {
        for size in SIZES {
            group.throughput(Throughput::Bytes(size as u64));
            let profile = SrtpProfile::AeadAes128Gcm;
            let mut receiving = Receiving::new(profile, size);
            group.bench_function(BenchmarkId::new(kernel.name(), size), |b| {
                b.iter(|| receiving.next(|| SrtpReceiver::with_kernel(keys(profile, 1), kernel)));
            });
        }
    }
    group.finish();
    let mut group = c.benchmark_group("unprotect/cm80");
    for size in SIZES {
        group.throughput(Throughput::Bytes(size as u64));
        let profile = SrtpProfile::Aes128CmSha1_80;
        let mut receiving = Receiving::new(profile, size);
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| receiving.next(|| SrtpReceiver::new(keys(profile, 1))));
        });
    }
}

/// What a Transport pays once: the schedules of both directions, for RTP and RTCP.
fn set_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("set up/gcm128");
    for kernel in GcmKernel::available() {
        group.bench_function(kernel.name(), |b| {
            b.iter(|| SrtpSender::with_kernel(keys(SrtpProfile::AeadAes128Gcm, 1), kernel));
        });
    }
}

criterion_group!(benches, protect, fan_out, unprotect, set_up);
criterion_main!(benches);
