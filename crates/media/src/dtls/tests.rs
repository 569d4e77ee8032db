//! Two ends of one connection on a virtual clock, with a bad network between them.

mod rest;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::record::{HANDSHAKE, fragments, records};
use super::*;
use crate::Now;
use crate::srtp::SrtpProfile;

#[expect(clippy::disallowed_methods, reason = "virtual time needs some origin")]
fn origin() -> Now {
    Now { at: Instant::now(), unix: Duration::from_secs(1_700_000_000) }
}

/// What the network does, in probabilities.
#[derive(Clone, Copy)]
struct Weather {
    loss: f64,
    duplication: f64,
    /// Datagrams are late by up to this, each by its own share: so they overtake one another.
    delay: Duration,
    /// Handshake messages are cut into pieces of at most this, each in a datagram of its own.
    piece: Option<usize>,
}

const CALM: Weather = Weather { loss: 0.0, duplication: 0.0, delay: Duration::from_millis(1), piece: None };
/// More loss would make a handshake fail once in a while: the engine repeats a flight seven times.
const STORM: Weather =
    Weather { loss: 0.1, duplication: 0.1, delay: Duration::from_millis(120), piece: Some(150) };

/// One end and what came out of it.
struct End {
    dtls: Dtls,
    connected: Option<Connected>,
    data: Vec<Vec<u8>>,
    last: Option<DtlsOutput>,
    dropped: Vec<DropReason>,
}

impl End {
    fn new(certificate: &Certificate, role: Role, now: Now) -> Self {
        Self {
            dtls: Dtls::new(certificate, role, now),
            connected: None,
            data: vec![],
            last: None,
            dropped: vec![],
        }
    }

    fn handle(&mut self, now: Now, datagram: &[u8]) {
        self.dropped.extend(self.dtls.handle(now, datagram).err());
    }

    fn drain(&mut self) -> Vec<Vec<u8>> {
        let mut packets = Vec::new();
        let mut out = [0; 1500];
        while let Some(output) = self.dtls.poll(&mut out) {
            assert!(self.last.is_none(), "{output:?} after the end");
            match output {
                DtlsOutput::Packet(length) => packets.push(out[..length].to_vec()),
                DtlsOutput::ApplicationData(length) => self.data.push(out[..length].to_vec()),
                DtlsOutput::Connected(connected) => assert!(self.connected.replace(connected).is_none()),
                last @ (DtlsOutput::Closed | DtlsOutput::Failed(_)) => self.last = Some(last),
            }
        }
        packets
    }

    fn failure(&self) -> Option<DtlsFailure> {
        match self.last {
            Some(DtlsOutput::Failed(failure)) => Some(failure),
            _ => None,
        }
    }
}

/// Client and server.
struct Pair {
    now: Now,
    start: Now,
    ends: [End; 2],
    weather: Weather,
    random: StdRng,
    /// What is on its way: when it arrives, and at which end.
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    longest: usize,
}

const CLIENT: usize = 0;
const SERVER: usize = 1;

impl Pair {
    fn new(weather: Weather, seed: u64) -> Self {
        let certificate = || Certificate::generate().unwrap();
        Self::with_certificates(&certificate(), &certificate(), weather, seed)
    }

    fn with_certificates(client: &Certificate, server: &Certificate, weather: Weather, seed: u64) -> Self {
        let now = origin();
        Self {
            now,
            start: now,
            ends: [End::new(client, Role::Client, now), End::new(server, Role::Server, now)],
            weather,
            random: StdRng::seed_from_u64(seed),
            wire: BTreeMap::new(),
            sent: 0,
            longest: 0,
        }
    }

    fn is_connected(&self) -> bool {
        self.ends.iter().all(|end| end.connected.is_some())
    }

    fn elapsed(&self) -> Duration {
        self.now.at - self.start.at
    }

    /// Runs until both ends are connected or nothing can happen anymore.
    fn connect(&mut self) {
        while !self.is_connected() && self.step() {}
    }

    /// Goes to the next arrival or timeout; false when there is none.
    fn step(&mut self) -> bool {
        self.transmit();
        let arrival = self.wire.first_key_value().map(|((at, _), _)| *at);
        let timeout = self.ends.iter().filter_map(|end| end.dtls.timeout()).min();
        let Some(next) = arrival.into_iter().chain(timeout).min() else { return false };
        self.now = self.now.after(next.saturating_duration_since(self.now.at));
        while let Some(entry) = self.wire.first_entry().filter(|entry| entry.key().0 <= self.now.at) {
            let (to, datagram) = entry.remove();
            self.ends[to].handle(self.now, &datagram);
        }
        for end in &mut self.ends {
            if end.dtls.timeout().is_some_and(|timeout| timeout <= self.now.at) {
                end.dtls.handle_timeout(self.now);
            }
        }
        self.transmit();
        true
    }

    fn transmit(&mut self) {
        for from in [CLIENT, SERVER] {
            for packet in self.ends[from].drain() {
                self.longest = self.longest.max(packet.len());
                let pieces =
                    self.weather.piece.map_or_else(|| vec![packet.clone()], |piece| cut(&packet, piece));
                for piece in pieces {
                    self.transmit_one(1 - from, &piece);
                }
            }
        }
    }

    fn transmit_one(&mut self, to: usize, datagram: &[u8]) {
        let copies = if self.random.random_bool(self.weather.duplication) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.random.random_bool(self.weather.loss) {
                let late = self.weather.delay.mul_f64(self.random.random());
                self.sent += 1;
                self.wire.insert((self.now.at + late, self.sent), (to, datagram.to_vec()));
            }
        }
    }

    fn assert_same_keys(&self) {
        let [client, server] = self.ends.each_ref().map(|end| end.connected.as_ref().unwrap());
        assert_eq!(client.keying.profile(), server.keying.profile());
        assert_eq!(client.keying.local_key(), server.keying.remote_key());
        assert_eq!(client.keying.local_salt(), server.keying.remote_salt());
        assert_eq!(client.keying.remote_key(), server.keying.local_key());
        assert_eq!(client.keying.remote_salt(), server.keying.local_salt());
        assert_ne!(client.keying.local_key(), client.keying.remote_key());
    }
}

/// Cuts the plaintext handshake messages of a datagram; each record gets a datagram of its own.
fn cut(datagram: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for record in records(datagram).map(Result::unwrap) {
        if record.kind != HANDSHAKE || record.epoch != 0 {
            out.push(record.whole.to_vec());
            continue;
        }
        for fragment in fragments(record.body).map(Result::unwrap) {
            let chunks = fragment.data.chunks(piece).enumerate();
            out.extend(
                chunks.map(|(index, data)| record_of(&record.whole[..11], &fragment, index * piece, data)),
            );
            if fragment.data.is_empty() {
                out.push(record_of(&record.whole[..11], &fragment, 0, &[]));
            }
        }
    }
    out
}

fn record_of(header: &[u8], fragment: &record::Fragment<'_>, offset: usize, data: &[u8]) -> Vec<u8> {
    let three = |number: usize| u32::try_from(number).unwrap().to_be_bytes()[1..].to_vec();
    let mut out = header.to_vec();
    out.extend(u16::try_from(12 + data.len()).unwrap().to_be_bytes());
    out.push(fragment.kind);
    out.extend(three(fragment.length));
    out.extend(fragment.sequence.to_be_bytes());
    out.extend(three(fragment.offset + offset));
    out.extend(three(data.len()));
    out.extend(data);
    out
}

#[test]
fn a_calm_handshake_takes_three_round_trips_and_agrees_on_everything() {
    let (client, server) = (Certificate::generate().unwrap(), Certificate::generate().unwrap());
    let mut pair = Pair::with_certificates(&client, &server, CALM, 1);
    pair.connect();
    pair.assert_same_keys();
    assert_eq!(pair.sent, 6, "hello, cookie, hello, server's flight, client's flight, server's Finished");
    assert!(pair.ends.iter().all(|end| end.dropped.is_empty() && end.dtls.timeout().is_none()));
    let [at_client, at_server] = pair.ends.each_ref().map(|end| end.connected.as_ref().unwrap());
    assert_eq!(at_client.keying.profile(), SrtpProfile::AeadAes256Gcm);
    assert_eq!(at_client.peer_certificate, server.der());
    assert_eq!(at_server.peer_certificate, client.der());
    assert_eq!((client.repeats(), server.repeats()), (0, 1), "the engine's server asks twice");
}

#[test]
fn a_wrong_fingerprint_is_noticed() {
    let (client, server) = (Certificate::generate().unwrap(), Certificate::generate().unwrap());
    let mut pair = Pair::with_certificates(&client, &server, CALM, 1);
    pair.connect();
    let shown = &pair.ends[SERVER].connected.as_ref().unwrap().peer_certificate;
    for algorithm in FingerprintAlgorithm::ALL {
        assert_eq!(Fingerprint::verify(&[client.fingerprint(algorithm)], shown), Ok(()));
        let wrong = server.fingerprint(algorithm);
        assert_eq!(Fingerprint::verify(&[wrong], shown), Err(FingerprintError::Mismatch));
    }
}

#[test]
fn handshakes_survive_storms() {
    for seed in 0..50 {
        let mut pair = Pair::new(STORM, seed);
        pair.connect();
        assert!(
            pair.is_connected(),
            "seed {seed}: {:?} after {:?}",
            pair.ends.each_ref().map(End::failure),
            pair.elapsed()
        );
        pair.assert_same_keys();
        assert!(pair.longest <= certificate::MTU, "seed {seed}: {} bytes", pair.longest);
    }
}

/// Both crates that were candidates stall or abort here by themselves: a flight that is cut anew when it is repeated.
#[test]
fn handshakes_survive_fragments_that_change() {
    for seed in 0..20 {
        let mut pair = Pair::new(Weather { piece: None, ..STORM }, seed);
        while !pair.is_connected() {
            pair.weather.piece = Some(pair.random.random_range(20..400));
            assert!(pair.step(), "seed {seed}: {:?}", pair.ends.each_ref().map(End::failure));
        }
        pair.assert_same_keys();
    }
}

#[test]
fn data_flows_both_ways_and_close_is_told() {
    let mut pair = Pair::new(CALM, 3);
    assert_eq!(pair.ends[CLIENT].dtls.send(pair.now, b"early"), Err(SendError::NotOpen));
    pair.connect();
    pair.ends[CLIENT].dtls.send(pair.now, b"ping").unwrap();
    pair.ends[SERVER].dtls.send(pair.now, &[7; 1163]).unwrap();
    while pair.step() {}
    assert_eq!(pair.ends[SERVER].data, [b"ping"]);
    assert_eq!(pair.ends[CLIENT].data, [[7; 1163]]);
    assert_eq!(pair.longest, certificate::MTU);

    pair.ends[SERVER].dtls.close(pair.now);
    while pair.step() {}
    assert!(pair.ends.iter().all(|end| matches!(end.last, Some(DtlsOutput::Closed))));
    assert_eq!(pair.ends[CLIENT].dtls.send(pair.now, b"late"), Err(SendError::NotOpen));
    assert_eq!(pair.ends[CLIENT].dtls.handle(pair.now, &[22, 254, 253]), Err(DropReason::Malformed));
}

#[test]
fn what_isnt_polled_is_bounded() {
    let mut pair = Pair::new(CALM, 4);
    pair.connect();
    let full = (0..1000).position(|_| pair.ends[CLIENT].dtls.send(pair.now, b"x") == Err(SendError::Full));
    assert_eq!(full, Some(64));
}

#[test]
fn a_handshake_that_nobody_answers_fails_after_30_seconds() {
    let certificate = Certificate::generate().unwrap();
    for (role, packets) in [(Role::Client, 8 + 5), (Role::Server, 0)] {
        let start = origin();
        let (mut now, mut end) = (start, End::new(&certificate, role, start));
        let mut sent = end.drain().len();
        while let Some(timeout) = end.dtls.timeout() {
            now = now.after(timeout - now.at);
            end.dtls.handle_timeout(now);
            sent += end.drain().len();
        }
        assert_eq!(end.failure(), Some(DtlsFailure::Timeout), "{role:?}");
        assert_eq!(now.at - start.at, Duration::from_secs(30), "{role:?}");
        assert!(sent >= packets, "{role:?} sent {sent}");
    }
}

#[test]
fn the_timer_doubles_from_100_milliseconds() {
    let mut end = End::new(&Certificate::generate().unwrap(), Role::Client, origin());
    let mut waits = Vec::new();
    let mut now = origin();
    for _ in 0..8 {
        let timeout = end.dtls.timeout().unwrap();
        waits.push((timeout - now.at).as_millis());
        now = now.after(timeout - now.at);
        end.dtls.handle_timeout(now);
    }
    // The first wait lacks what passed between the two readings of the clock.
    assert_eq!(waits[1..], [200, 400, 800, 1600, 3200, 4000, 4000]);
}

#[test]
fn a_peer_that_comes_late_is_still_met() {
    for absent in [CLIENT, SERVER] {
        let mut pair = Pair::new(Weather { loss: 1.0, ..CALM }, 5);
        while pair.elapsed() < Duration::from_secs(20) {
            assert!(pair.step());
        }
        let certificate = Certificate::generate().unwrap();
        let role = if absent == CLIENT { Role::Client } else { Role::Server };
        pair.ends[absent] = End::new(&certificate, role, pair.now);
        pair.weather.loss = 0.0;
        pair.connect();
        assert!(pair.is_connected(), "{role:?}: {:?}", pair.ends.each_ref().map(End::failure));
        pair.assert_same_keys();
    }
}

/// Throws garbage at both ends in each state; only what could end a handshake (a forged alert) or alters a message is absent.
#[test]
fn garbage_is_counted_and_the_handshake_completes() {
    for seed in 0..20 {
        let mut pair = Pair::new(Weather { delay: Duration::from_millis(30), ..CALM }, seed);
        let mut thrown = 0;
        while !pair.is_connected() {
            for to in [CLIENT, SERVER] {
                let real =
                    pair.wire.values().find(|(end, _)| *end == to).map(|(_, datagram)| datagram.clone());
                for datagram in garbage(&mut pair.random, real.as_deref()) {
                    assert!(
                        pair.ends[to].dtls.handle(pair.now, &datagram).is_err(),
                        "seed {seed}: {datagram:?}"
                    );
                    thrown += 1;
                }
            }
            assert!(pair.step(), "seed {seed}: {:?}", pair.ends.each_ref().map(End::failure));
        }
        pair.assert_same_keys();
        assert!(thrown > 50, "seed {seed}");
    }
}

fn garbage(random: &mut StdRng, real: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut noise = vec![0; random.random_range(1..200)];
    random.fill(&mut noise[..]);
    noise[0] = random.random_range(20..64);
    noise.truncate(12);
    let mut datagrams = vec![
        noise,
        // Records of no known type, of a far epoch, an ill ChangeCipherSpec, a warning, data in the clear.
        vec![25, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0],
        vec![22, 254, 253, 0, 9, 0, 0, 0, 0, 0, 9, 0, 1, 0],
        vec![20, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 2],
        vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0],
        vec![23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0],
        // A message far ahead, one too long, one that ends before it begins.
        vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 12, 1, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0],
        vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 12, 1, 255, 255, 255, 0, 3, 0, 0, 0, 0, 0, 0],
        vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 12, 1, 0, 0, 1, 0, 3, 0, 0, 9, 0, 0, 0],
    ];
    if let Some(real) = real.filter(|real| records(real).count() == 1) {
        datagrams.push(real[..random.random_range(1..real.len())].to_vec());
    }
    datagrams
}

#[test]
fn records_that_only_look_encrypted_do_no_harm() {
    let mut pair = Pair::new(CALM, 6);
    let forged = |number: u8| {
        let mut record = vec![22, 254, 253, 0, 1, 0, 0, 0, 0, 1, number, 0, 40];
        record.extend([number; 40]);
        record
    };
    while !pair.is_connected() {
        for end in &mut pair.ends {
            for number in 0..10 {
                let _ = end.dtls.handle(pair.now, &forged(number));
            }
        }
        assert!(pair.step(), "{:?}", pair.ends.each_ref().map(End::failure));
    }
    pair.assert_same_keys();
    let end = &mut pair.ends[SERVER].dtls;
    let refused = (0..400).find_map(|number| end.handle(pair.now, &forged(number as u8)).err());
    assert_eq!(refused, Some(DropReason::OutOfBounds), "the engine must not see handshakes without end");
    pair.ends[CLIENT].dtls.send(pair.now, b"still there").unwrap();
    while pair.step() {}
    assert_eq!(pair.ends[SERVER].data, [b"still there"]);
}

#[test]
fn an_open_connection_ignores_plaintext() {
    let mut pair = Pair::new(CALM, 7);
    pair.connect();
    for kind in 20..=23 {
        let record = [kind, 254, 253, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 2, 40];
        assert_eq!(pair.ends[CLIENT].dtls.handle(pair.now, &record), Err(DropReason::Unexpected), "{kind}");
    }
    while pair.step() {}
    assert!(pair.ends[CLIENT].last.is_none());
}

#[test]
fn a_fatal_alert_ends_a_handshake_at_once() {
    let mut end = End::new(&Certificate::generate().unwrap(), Role::Client, origin());
    end.handle(origin(), &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40]);
    end.drain();
    assert_eq!(end.failure(), Some(DtlsFailure::PeerAlert { alert: 40 }));
    assert_eq!(end.dtls.timeout(), None);
    assert_eq!(
        end.dtls.handle(origin(), &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40]),
        Err(DropReason::Ended)
    );
}

#[test]
fn a_lost_last_flight_is_sent_again() {
    let mut pair = Pair::new(CALM, 8);
    while pair.ends[SERVER].connected.is_none() {
        assert!(pair.step());
    }
    pair.wire.clear();
    pair.connect();
    assert!(pair.is_connected());
    pair.assert_same_keys();
}

#[test]
fn an_endpoint_may_move_between_threads() {
    fn assert_send<T: Send>() {}
    assert_send::<Dtls>();
    assert_send::<Certificate>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A handshake in which one byte of one datagram is altered neither panics nor ends in different keys.
    #[test]
    fn altered_bytes_do_not_break_keys(seed in any::<u64>(), victim in 0u64..6, position in any::<u16>(), flip in 1u8..) {
        let mut pair = Pair::new(CALM, seed);
        let mut altered = false;
        while !pair.is_connected() && pair.step() {
            let next = pair.wire.iter_mut().find(|((_, number), _)| *number == victim + 1);
            if let Some((_, (_, datagram))) = next.filter(|_| !altered) {
                let index = usize::from(position) % datagram.len();
                datagram[index] ^= flip;
                altered = true;
            }
        }
        if pair.is_connected() {
            pair.assert_same_keys();
        }
    }
}
