//! Two peers against each other: what the kit says of peers, network and media must be true before it judges anything else.

use mafalda_api::types::data_structures::{IceCandidateType, Protocol};

use super::*;
use crate::media::Codec;
use crate::{Clock, Conditions, Network, each_seed};

struct Pair {
    clock: Clock,
    network: Network,
    peers: [Peer; 2],
}

impl Pair {
    fn new(seed: u64, conditions: Conditions) -> Self {
        let clock = Clock::new();
        let mut network = Network::new(seed);
        let peer = |number: u8, dtls_role| {
            let address = SocketAddr::from(([10, 0, 0, number], 5000));
            let capabilities = capability::browser_capabilities();
            Peer::new(
                clock.now(),
                PeerSettings {
                    address,
                    protocol: Protocol::Udp,
                    dtls_role,
                    capabilities,
                    seed: seed + u64::from(number),
                },
            )
        };
        let mut peers = [peer(1, DtlsRole::Client), peer(2, DtlsRole::Server)];
        peers[1].direct().set_ice_controlling(false);
        for peer in &peers {
            network.set(peer.address().ip(), crate::Access::Down, conditions);
        }
        let told = peers.each_mut().map(|peer| {
            let creds = peer.direct().local_ice_credentials();
            let ice = IceParameters { username_fragment: creds.ufrag, password: creds.pass, ice_lite: None };
            (ice, ice_candidate(peer.address()), peer.dtls_parameters())
        });
        for (peer, (ice, candidate, dtls)) in peers.iter_mut().zip(told.iter().rev()) {
            peer.connect(ice, std::slice::from_ref(candidate), dtls);
        }
        Self { clock, network, peers }
    }

    fn run(&mut self, time: Duration) {
        let end = self.clock.now().at + time;
        let mut sent = Vec::new();
        loop {
            let now = self.clock.now();
            while let Some(packet) = self.network.arrived(now.at) {
                for peer in &mut self.peers {
                    if peer.address() == packet.to {
                        peer.handle(now, &packet);
                        peer.turn(now, &mut sent);
                    }
                }
            }
            for peer in &mut self.peers {
                if peer.timeout() <= now.at {
                    peer.turn(now, &mut sent);
                }
            }
            sent.drain(..).for_each(|packet| self.network.send(now.at, &packet));
            let next = self.peers.iter().map(Peer::timeout).chain(self.network.next()).min();
            match next {
                Some(next) if next <= end => self.clock.advance_to(next),
                _ => return self.clock.advance_to(end),
            }
        }
    }
}

fn ice_candidate(address: SocketAddr) -> IceCandidate {
    IceCandidate {
        foundation: "1".into(),
        priority: 1,
        address: address.ip().to_string(),
        protocol: Protocol::Udp,
        port: address.port(),
        r#type: IceCandidateType::Host,
        tcp_type: None,
    }
}

/// The parameters that the other side would be given: here no SFU changes them.
fn send(pair: &mut Pair, codec: Codec) -> (TrackId, u32) {
    let now = pair.clock.now();
    let (track, parameters) = pair.peers[0].send(now, &TrackSettings::usual(codec));
    pair.peers[1].receive(codec.kind(), &parameters);
    (track, parameters.encodings[0].ssrc.unwrap())
}

#[test]
fn what_a_peer_sends_arrives_whole_in_each_codec() {
    let mut pair = Pair::new(1, Conditions::delayed(Duration::from_millis(20)));
    let sent: Vec<_> =
        [Codec::Opus].into_iter().chain(Codec::VIDEO).map(|codec| send(&mut pair, codec)).collect();
    pair.run(Duration::from_secs(3));
    assert!(pair.peers.iter().all(Peer::is_connected));
    for (track, ssrc) in sent {
        let inbox = pair.peers[1].log().inbox(ssrc);
        inbox.check();
        assert!(inbox.count() > 80, "{}", inbox.count());
        assert!(pair.peers[0].sent(track) - inbox.count() as u64 <= 4, "all but what is under way");
        assert_eq!(inbox.arrivals()[0].content.source, pair.peers[0].source(track));
    }
    assert!(pair.peers[0].log().count_received(RtcpKind::TransportFeedback) > 10);
    assert!(pair.peers[1].log().count_received(RtcpKind::SenderReport) > 1);
}

#[test]
fn loss_is_repaired_by_retransmission() {
    each_seed(|seed| {
        let conditions = Conditions::delayed(Duration::from_millis(20));
        let mut pair = Pair::new(seed, conditions);
        let (track, ssrc) = send(&mut pair, Codec::Vp8);
        // The peers' handshake has few repetitions: it is not what this is about.
        pair.run(Duration::from_secs(1));
        for peer in &pair.peers {
            pair.network.set(peer.address().ip(), crate::Access::Down, conditions.lossy(0.05));
        }
        pair.run(Duration::from_secs(6));
        let now = pair.clock.now();
        pair.peers[0].mute(now, track, true);
        pair.run(Duration::from_secs(2));
        let log = pair.peers[1].log();
        assert!(log.count_sent(RtcpKind::Nack) > 5);
        log.inbox(ssrc).check_whole();
    });
}

#[test]
fn a_request_brings_a_key_frame() {
    let mut pair = Pair::new(1, Conditions::delayed(Duration::from_millis(20)));
    let (_, ssrc) = send(&mut pair, Codec::H264);
    pair.run(Duration::from_secs(2));
    let asked = pair.clock.elapsed();
    for full_intra_request in [false, true] {
        pair.peers[1].request_key_frame(ssrc, full_intra_request);
        pair.run(Duration::from_secs(1));
    }
    let arrivals = pair.peers[1].log().inbox(ssrc).since(asked);
    assert_eq!(arrivals.filter(|it| it.content.key && it.content.first).count(), 2);
    assert_eq!(pair.peers[0].log().key_frame_requests().len(), 2);
}

#[test]
fn a_peer_comes_back_behind_another_address() {
    let mut pair = Pair::new(1, Conditions::default());
    let (_, ssrc) = send(&mut pair, Codec::Opus);
    pair.run(Duration::from_secs(2));
    pair.peers[0].rebind(SocketAddr::from(([10, 0, 0, 9], 6000)));
    let moved = pair.clock.elapsed();
    pair.run(Duration::from_secs(10));
    assert!(pair.peers[1].log().inbox(ssrc).since(moved + Duration::from_secs(8)).count() > 50);
}
