//! One stream that a client receives: what came, what is missing, and whether it is what was sent.

use std::time::{Duration, Instant};

use mafalda_media::Now;
use mafalda_media::rtp::{RtpHeader, rtx};
use mafalda_media::stream::{ArrivedPacket, RecvStream, StreamParams};
use rand::RngExt;
use rand::rngs::StdRng;

use super::protection::{Opened, Receiver};
use super::sample::{Sampler, Verdict};
use crate::histogram::Histogram;
use crate::media::{Codec, Marker};

/// What is received, and under which names.
#[derive(Clone, Debug)]
pub(crate) struct ReceiveTrack {
    /// The number that all its markers must have.
    pub(crate) stream: u32,
    /// What it is.
    pub(crate) codec: Codec,
    /// SSRC of the media.
    pub(crate) ssrc: u32,
    /// SSRC of retransmissions.
    pub(crate) rtx_ssrc: Option<u32>,
    /// Whether what is missing is asked for.
    pub(crate) nack: bool,
}

/// What came of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiveCounters {
    /// Different packets that came, repaired ones included.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Packets from the first that came to the last that is known of.
    pub expected: u64,
    /// Those of them that came as retransmissions.
    pub repaired: u64,
    /// Packets that came more than once.
    pub duplicates: u64,
    /// Packets that were decrypted and compared.
    pub verified: u64,
    /// Packets that don't come from whom they should, or not as they were: see [`Verdict`].
    pub broken: u64,
    /// Packets that never got a number: the server had lost them, or left them out.
    pub left_out: u64,
    /// Packets whose numbers fit nowhere.
    pub discarded: u64,
    /// Key frames that were asked for.
    pub key_frame_requests: u64,
}

impl ReceiveCounters {
    /// Packets that should have come and didn't.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.packets) + self.left_out
    }
}

/// The stream.
#[derive(Debug)]
pub(super) struct Incoming {
    track: ReceiveTrack,
    recv: RecvStream,
    sampler: Sampler,
    first: Option<(u64, Instant)>,
    highest: u64,
    newest_at: Option<Instant>,
    packets: u64,
    bytes: u64,
    key_frame_due: bool,
    key_frame_at: Option<Instant>,
    key_frame_requests: u64,
    unreadable: u64,
}

/// What decrypting takes, and where delays are counted.
pub(super) struct Bench<'a> {
    pub(super) now: Now,
    pub(super) since_epoch_ns: u64,
    pub(super) receiver: &'a mut Receiver,
    pub(super) delays: &'a mut Histogram,
    pub(super) rng: &'a mut StdRng,
}

/// Key frames are asked for no more often than this.
const KEY_FRAME_INTERVAL: Duration = Duration::from_secs(1);

impl Incoming {
    pub(super) fn new(track: ReceiveTrack, verify_every: u32) -> Self {
        let params =
            StreamParams { ssrc: track.ssrc, clock_rate: track.codec.clock_rate(), nack: track.nack };
        Self {
            track,
            recv: RecvStream::new(params, None),
            sampler: Sampler::new(verify_every),
            first: None,
            highest: 0,
            newest_at: None,
            packets: 0,
            bytes: 0,
            key_frame_due: false,
            key_frame_at: None,
            key_frame_requests: 0,
            unreadable: 0,
        }
    }

    pub(super) fn track(&self) -> &ReceiveTrack {
        &self.track
    }

    pub(super) fn recv_mut(&mut self) -> &mut RecvStream {
        &mut self.recv
    }

    /// When the first packet came.
    pub(super) fn begun(&self) -> Option<Instant> {
        self.first.map(|(_, at)| at)
    }

    /// When the last new packet came.
    pub(super) fn newest_at(&self) -> Option<Instant> {
        self.newest_at
    }

    /// The first verdict that was not good.
    pub(super) fn complaint(&self) -> Option<Verdict> {
        self.sampler.complaint()
    }

    /// Takes a media packet; most are only counted, and stay encrypted.
    pub(super) fn on_media(&mut self, packet: &mut [u8], header: &RtpHeader, bench: &mut Bench<'_>) {
        let arrived = ArrivedPacket {
            sequence: header.sequence,
            timestamp: header.timestamp,
            len: packet.len(),
            payload_len: header.payload_len.into(),
            repaired: false,
            key_frame: false,
        };
        let Some(index) = self.take(arrived, bench.now) else { return };
        if !self.sampler.is_due(bench.rng.random()) {
            return;
        }
        let marker = match bench.receiver.unprotect_rtp(packet, header) {
            Opened::Plain(len) => read(packet.get(..len).unwrap_or_default(), header),
            Opened::Unjudged => return,
            Opened::Forged => Err(Verdict::Forged),
        };
        if let Ok(marker) = marker {
            let delay = Duration::from_nanos(bench.since_epoch_ns.saturating_sub(marker.sent_ns));
            bench.delays.record(delay);
        }
        self.sampler.judge(self.track.stream, index, marker);
    }

    /// Takes a retransmission, whose original number is encrypted, so that all of them are decrypted.
    pub(super) fn on_rtx(&mut self, packet: &mut [u8], header: &RtpHeader, bench: &mut Bench<'_>) {
        let len = match bench.receiver.unprotect_rtp(packet, header) {
            Opened::Plain(len) => len,
            Opened::Unjudged => return,
            Opened::Forged => return self.sampler.judge(self.track.stream, 0, Err(Verdict::Forged)),
        };
        let packet = packet.get(..len).unwrap_or_default();
        let original = header
            .finish(packet)
            .ok()
            .and_then(|header| rtx::restore(&header, packet, self.track.ssrc, header.payload_type));
        // Without an original number it is padding.
        let Some(original) = original else { return };
        let arrived = ArrivedPacket {
            sequence: original.sequence,
            timestamp: original.timestamp,
            len: packet.len(),
            payload_len: original.payload_len.into(),
            repaired: true,
            key_frame: false,
        };
        let Some(index) = self.take(arrived, bench.now) else { return };
        let marker = Marker::read(original.payload(packet)).map_err(Verdict::Broken);
        self.sampler.judge(self.track.stream, index, marker);
    }

    /// Counts a packet, and gives its index if it is new.
    fn take(&mut self, arrived: ArrivedPacket, now: Now) -> Option<u64> {
        let accepted = self.recv.receive(now, arrived).ok()?;
        if accepted.restarted {
            // Nothing in a run restarts a stream: what fits nowhere is told, and the numbering taken as it goes on.
            self.unreadable += 1;
        }
        self.packets += 1;
        self.bytes += arrived.len as u64;
        self.newest_at = Some(now.at);
        self.key_frame_due |= accepted.key_frame_needed;
        let first = self.first.get_or_insert((accepted.index, now.at));
        first.0 = first.0.min(accepted.index);
        self.highest = self.highest.max(accepted.index);
        Some(accepted.index)
    }

    /// Whether a key frame is to be asked for now.
    pub(super) fn take_key_frame_request(&mut self, now: Instant) -> bool {
        let recently =
            self.key_frame_at.is_some_and(|at| now.saturating_duration_since(at) < KEY_FRAME_INTERVAL);
        if !self.key_frame_due || recently {
            return false;
        }
        self.key_frame_due = false;
        self.key_frame_at = Some(now);
        self.key_frame_requests += 1;
        true
    }

    /// What came. `made` is how many packets the publisher has made, once it has ended: then those count that are missing at the
    /// end.
    pub(super) fn counters(&self, now: Now, made: Option<u64>) -> ReceiveCounters {
        let stats = self.recv.stats(now);
        let last = made.and_then(|made| self.sampler.index_of(made.checked_sub(1)?));
        let highest = last.map_or(self.highest, |last| last.max(self.highest));
        ReceiveCounters {
            packets: self.packets,
            bytes: self.bytes,
            expected: self.first.map_or(0, |(first, _)| highest + 1 - first),
            repaired: stats.repaired,
            duplicates: stats.duplicates,
            verified: self.sampler.verified(),
            broken: self.sampler.broken(),
            left_out: self.sampler.left_out(),
            discarded: stats.discarded + self.unreadable,
            key_frame_requests: self.key_frame_requests,
        }
    }
}

fn read(packet: &[u8], header: &RtpHeader) -> Result<Marker, Verdict> {
    let header = header.finish(packet).map_err(|_| Verdict::Forged)?;
    Marker::read(header.payload(packet)).map_err(Verdict::Broken)
}
