//! DirectTransports: an application in place of a network, among peers that have one.

use std::time::Duration;

use mafalda_api::id::{ConsumerId, ObjectId, ProducerId, RouterId, TransportId};
use mafalda_api::types::rtp_parameters::RtpParameters;
use mafalda_api::waist::{
    Close, CloseCause, Consume, DumpProducer, Event, GetConsumerStats, GetDirectTransportStats,
    GetProducerStats, Ingress, Produce,
};
use mafalda_media::buffer::Sender;
use mafalda_media::worker::{DropReason, Input};
use mafalda_testkit::media::{Arrival, Codec, Content, Inbox, Source, SourceSettings};
use mafalda_testkit::{DirectPacket, Packet, World, each_seed};

use crate::scene::{DELAY, Scene};

const PAYLOAD_TYPE: u8 = 96;
const SSRC: u32 = 4711;
const FRAME: Duration = Duration::from_millis(33);
/// RTCP packet types (RFC 3550 §12.1, RFC 4585 §6.1).
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const RTPFB: u8 = 205;
const PSFB: u8 = 206;

/// An application that sends VP8 and answers what it is asked for.
struct App {
    transport: TransportId,
    source: Source,
    sequence: u16,
    sent: Vec<(u16, Vec<u8>)>,
    /// RTCP packets that came, one by one.
    heard: Vec<Vec<u8>>,
    repeats: bool,
}

impl App {
    fn new(world: &mut World, router: RouterId) -> (Self, ProducerId) {
        let transport = world.create_direct(router);
        let json = serde_json::json!({
            "codecs": [{
                "mimeType": "video/VP8", "payloadType": PAYLOAD_TYPE, "clockRate": 90000,
                "rtcpFeedback": [
                    { "type": "nack" }, { "type": "nack", "parameter": "pli" }, { "type": "goog-remb" },
                    { "type": "transport-cc" }
                ]
            }],
            "headerExtensions": [
                { "uri": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "id": 5 }
            ],
            "encodings": [{ "ssrc": SSRC }],
        });
        let rtp_parameters: RtpParameters = serde_json::from_value(json).expect("RTP parameters");
        let id = ProducerId::new();
        let produce = Produce {
            id,
            transport,
            kind: Codec::Vp8.kind(),
            rtp_parameters,
            paused: false,
            key_frame_request_delay: 0,
            alias: None,
            mapped_ssrcs: Vec::new(),
        };
        world.call(produce).expect("a Producer");
        let source = Source::new(Codec::Vp8, SSRC, SourceSettings::usual(Codec::Vp8));
        let sequence = 65_500;
        (Self { transport, source, sequence, sent: Vec::new(), heard: Vec::new(), repeats: true }, id)
    }

    /// The packets of the next frame.
    fn frame(&mut self) -> Vec<Vec<u8>> {
        let made = self.source.frame();
        let packets: Vec<_> = made
            .iter()
            .map(|made| {
                let sequence = self.sequence;
                self.sequence = sequence.wrapping_add(1);
                let mut packet = vec![0x80, PAYLOAD_TYPE | u8::from(made.marker) << 7];
                packet.extend(sequence.to_be_bytes());
                packet.extend((made.ticks as u32).to_be_bytes());
                packet.extend(SSRC.to_be_bytes());
                packet.extend(&made.payload);
                self.sent.push((sequence, packet.clone()));
                packet
            })
            .collect();
        packets
    }

    /// Sends for so long, but for frames' packets that are lost on the way.
    fn run(&mut self, world: &mut World, time: Duration, mut lost: impl FnMut(u16) -> bool) {
        let end = world.elapsed() + time;
        while world.elapsed() < end {
            let packets = self.frame();
            let kept = packets.into_iter().filter(|packet| !lost(u16::from_be_bytes([packet[2], packet[3]])));
            world.send_direct(self.transport, kept.map(Ingress::Rtp));
            world.run(FRAME);
            self.answer(world);
        }
    }

    fn answer(&mut self, world: &mut World) {
        for DirectPacket { rtcp, bytes } in world.take_direct(self.transport) {
            assert!(rtcp, "this Transport has no Consumers");
            for packet in apart(&bytes) {
                match (packet[1], packet[0] & 0x1f) {
                    (PSFB, 1) => self.source.want_key_frame(),
                    (RTPFB, 1) if self.repeats => {
                        let again: Vec<_> = self.named(&packet[12..]).map(Ingress::Rtp).collect();
                        world.send_direct(self.transport, again);
                    }
                    _ => {}
                }
                self.heard.push(packet);
            }
        }
    }

    /// The packets that a NACK names (RFC 4585 §6.2.1).
    fn named<'a>(&'a self, entries: &'a [u8]) -> impl Iterator<Item = Vec<u8>> + 'a {
        let named = |sequence: u16| {
            entries.chunks_exact(4).any(|entry| {
                let first = u16::from_be_bytes([entry[0], entry[1]]);
                let mask = u16::from_be_bytes([entry[2], entry[3]]);
                let ahead = sequence.wrapping_sub(first);
                ahead == 0 || (ahead <= 16 && mask & 1 << (ahead - 1) != 0)
            })
        };
        self.sent.iter().filter(move |(sequence, _)| named(*sequence)).map(|(_, packet)| packet.clone())
    }

    fn heard(&self, packet_type: u8, format: u8) -> usize {
        self.heard.iter().filter(|it| (it[1], it[0] & 0x1f) == (packet_type, format)).count()
    }
}

/// The packets of a compound.
fn apart(compound: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let mut rest = compound;
    while !rest.is_empty() {
        let len = 4 * (1 + usize::from(u16::from_be_bytes([rest[2], rest[3]])));
        packets.push(rest[..len].to_vec());
        rest = &rest[len..];
    }
    packets
}

fn feedback(format: u8, packet_type: u8, ssrc: u32, entries: &[u8]) -> Ingress {
    let words = u16::try_from(2 + entries.len() / 4).expect("it is small");
    let mut packet = vec![0x80 | format, packet_type];
    packet.extend(words.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(entries);
    Ingress::Rtcp(packet)
}

/// A Consumer of a DirectTransport; its SSRC.
fn consume(world: &mut World, router: RouterId, to: TransportId, producer: ProducerId) -> (ConsumerId, u32) {
    let id = ConsumerId::new();
    let mut rtp_capabilities = world.router_capabilities(router);
    rtp_capabilities.codecs.retain(|codec| !codec.mime_type().is_rtx());
    let consume = Consume {
        id,
        transport: to,
        producer,
        rtp_capabilities,
        paused: false,
        mid: None,
        enable_rtx: None,
        ignore_dtx: false,
        remote_numbers: false,
        pipe: false,
    };
    world.call(consume).expect("a Consumer");
    let ssrc = world.consumer_state(id).rtp_parameters.encodings[0].ssrc;
    (id, ssrc.expect("a Consumer has an SSRC"))
}

/// Takes in what came out for an SSRC; RTCP that came with it.
fn receive(world: &mut World, transport: TransportId, ssrc: u32, inbox: &mut Inbox) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    for DirectPacket { rtcp, bytes } in world.take_direct(transport) {
        if rtcp {
            heard.extend(apart(&bytes));
            continue;
        }
        assert_eq!(bytes[8..12], ssrc.to_be_bytes(), "of no other stream");
        let extended = bytes[0] & 0x10 != 0;
        let words = if extended { u16::from_be_bytes([bytes[14], bytes[15]]) } else { 0 };
        let offset = if extended { 16 + 4 * usize::from(words) } else { 12 };
        let at = world.elapsed();
        let arrival = |content: Content| Arrival {
            at,
            sequence: u16::from_be_bytes([bytes[2], bytes[3]]).into(),
            timestamp: u32::from_be_bytes(bytes[4..8].try_into().expect("four bytes")),
            marker: bytes[1] & 0x80 != 0,
            payload_type: bytes[1] & 0x7f,
            content,
        };
        inbox.take(&bytes[offset..], arrival);
    }
    heard
}

fn connected(seed: u64) -> Scene {
    let mut scene = Scene::new(seed);
    scene.run(2);
    scene
}

#[test]
fn an_application_s_video_reaches_a_browser_through_loss() {
    each_seed(|seed| {
        let mut scene = connected(seed);
        let (mut app, producer) = App::new(&mut scene.world, scene.router);
        let host = scene.world.peer(scene.bob).address().ip();
        scene.world.network().set_both(host, mafalda_testkit::Conditions::delayed(DELAY).lossy(0.05));
        let receiving = scene.world.consume(scene.bob, producer);
        app.run(&mut scene.world, Duration::from_secs(4), |_| false);
        app.repeats = false;
        scene.world.network().set_both(host, mafalda_testkit::Conditions::delayed(DELAY));
        scene.run(1);
        let inbox = scene.inbox(receiving);
        inbox.check_whole();
        assert!(inbox.count() > 200, "{}", inbox.count());
        let asked = app.heard(PSFB, 1);
        assert!(asked > 0, "a Consumer begins with a key frame");
        scene.world.peer_mut(scene.bob).request_key_frame(receiving.ssrc, false);
        app.run(&mut scene.world, Duration::from_secs(1), |_| false);
        assert_eq!(app.heard(PSFB, 1), asked + 1, "the browser's request came as RTCP");
        assert!(app.heard(RECEIVER_REPORT, 1) > 0);
        assert_eq!(
            app.heard(RTPFB, 15),
            0,
            "between an application and its Router there is no bandwidth to find"
        );
    });
}

#[test]
fn what_an_application_leaves_out_is_asked_for() {
    let mut scene = connected(1);
    let (mut app, producer) = App::new(&mut scene.world, scene.router);
    let receiving = scene.world.consume(scene.bob, producer);
    app.run(&mut scene.world, Duration::from_secs(3), |sequence| sequence % 10 == 3);
    scene.run(1);
    assert!(app.heard(RTPFB, 1) > 0);
    scene.inbox(receiving).check_whole();
    let stats = scene.world.call(GetProducerStats { id: producer }).expect("statistics");
    assert!(stats[0].packets_retransmitted > 5, "{stats:?}");
    assert!(stats[0].nack_count > 0);
}

#[test]
fn a_browser_s_video_reaches_an_application_which_asks_for_more() {
    for codec in Codec::VIDEO {
        let mut scene = Scene::new(2);
        let (sending, _) = scene.flow(codec);
        scene.run(2);
        let transport = scene.world.create_direct(scene.router);
        let (consumer, ssrc) = consume(&mut scene.world, scene.router, transport, sending.producer);
        scene.run(2);
        let mut inbox = Inbox::default();
        let heard = receive(&mut scene.world, transport, ssrc, &mut inbox);
        inbox.check_whole();
        let first = inbox.arrivals()[0];
        assert!(first.content.key && first.content.first, "{codec:?}: {first:?}");
        let report = heard.iter().find(|packet| packet[1] == SENDER_REPORT).expect("a sender report");
        assert_eq!(report[4..8], ssrc.to_be_bytes());

        // It lost one, and wants a key frame.
        let lost = (inbox.arrivals().last().expect("packets").sequence as u16).to_be_bytes();
        scene.world.send_direct(transport, [feedback(1, RTPFB, ssrc, &[lost[0], lost[1], 0, 0])]);
        let again = scene.world.take_direct(transport);
        assert!(again.iter().any(|packet| !packet.rtcp && packet.bytes[2..4] == lost), "{codec:?}");
        let asked = scene.world.peer(scene.alice).log().key_frame_requests().len();
        scene.world.send_direct(transport, [feedback(1, PSFB, ssrc, &[])]);
        scene.run(1);
        assert_eq!(scene.world.peer(scene.alice).log().key_frame_requests().len(), asked + 1);
        assert_eq!(scene.world.call(GetConsumerStats { id: consumer }).expect("statistics").len(), 2);
    }
}

#[test]
fn two_applications_are_joined_without_a_packet_lost() {
    let mut scene = Scene::new(3);
    let (mut app, producer) = App::new(&mut scene.world, scene.router);
    let transport = scene.world.create_direct(scene.router);
    let (_, ssrc) = consume(&mut scene.world, scene.router, transport, producer);
    app.run(&mut scene.world, Duration::from_secs(3), |_| false);
    let mut inbox = Inbox::default();
    receive(&mut scene.world, transport, ssrc, &mut inbox);
    inbox.check_whole();
    assert_eq!(inbox.count() as u64, app.source.packets());
    assert_eq!(inbox.span().map(|span| span.0), Some(0), "from the first one on");
    let sent = scene.world.call(GetDirectTransportStats { id: app.transport }).expect("statistics");
    assert!(sent[0].rtp_bytes_received > 0 && sent[0].bytes_sent > 0, "{sent:?}");
}

#[test]
fn what_an_application_sends_wrong_is_counted() {
    let mut scene = Scene::new(4);
    let (mut app, _) = App::new(&mut scene.world, scene.router);
    let good = app.frame();
    let (worker, transport) = (scene.world.worker(), app.transport);
    let mut expect = |sent: Ingress, reason| {
        let before = scene.world.drops(worker);
        scene.world.send_direct(transport, [sent.clone()]);
        let after = scene.world.drops(worker);
        assert_eq!(after.get(reason), before.get(reason) + 1, "{sent:?}");
        assert_eq!(after.total(), before.total() + 1, "{sent:?}");
    };
    let report = vec![0x80, RECEIVER_REPORT, 0, 1, 0, 0, 0, 9];
    expect(Ingress::Rtp(report), DropReason::MalformedRtp);
    expect(Ingress::Rtcp(good[0].clone()), DropReason::MalformedRtcp);
    expect(Ingress::Rtp(good[0][..11].to_vec()), DropReason::MalformedRtp);
    expect(Ingress::Rtcp(vec![0x80, RECEIVER_REPORT, 0, 9, 0, 0, 0, 9]), DropReason::MalformedRtcp);
    expect(Ingress::Rtp(vec![0x80; 2049]), DropReason::TooLarge);
    expect(Ingress::Rtp(vec![22, 254, 253, 0, 0]), DropReason::MalformedRtp);
    expect(Ingress::Rtp(vec![0, 1, 0, 0]), DropReason::MalformedStun);
    expect(Ingress::Rtp(vec![0xff; 20]), DropReason::UnknownProtocol);
    let mut other = good[0].clone();
    other[11] ^= 1;
    expect(Ingress::Rtp(other), DropReason::UnknownSource);
    let socket = scene.world.direct_socket(transport);
    scene.world.give(transport, Input::Refused { socket, sends: 3 });
    assert_eq!(scene.world.drops(worker).get(DropReason::ApplicationAhead), 3);
    let stats = scene.world.call(GetDirectTransportStats { id: transport }).expect("statistics");
    assert_eq!(stats[0].sends_refused, 3);
}

#[test]
fn nobody_from_a_network_comes_by_an_application_s_path() {
    let mut scene = connected(5);
    let (mut app, producer) = App::new(&mut scene.world, scene.router);
    let packet = app.frame().remove(0);
    let (from, to) = (scene.world.peer(scene.bob).address(), scene.world.listener(scene.bob));
    let unspecified = mafalda_media::Tuple::direct_rtp(scene.world.direct_socket(app.transport)).remote;
    for from in [from, unspecified] {
        scene.world.inject(Packet { from, to, bytes: packet.clone() });
    }
    scene.run(1);
    let dump = scene.world.call(DumpProducer { id: producer }).expect("a dump");
    assert!(dump.rtp_streams.is_empty(), "{dump:?}");
}

#[test]
fn what_the_application_did_not_take_counts_as_discarded() {
    let mut scene = Scene::new(6);
    let (mut app, producer) = App::new(&mut scene.world, scene.router);
    let transport = scene.world.create_direct(scene.router);
    let (consumer, ssrc) = consume(&mut scene.world, scene.router, transport, producer);
    app.run(&mut scene.world, Duration::from_secs(1), |_| false);
    let tuple = mafalda_media::Tuple::direct_rtp(scene.world.direct_socket(transport));
    scene.world.give(transport, Input::Unsent { tuple, sender: Sender::Consumer(ssrc), packets: 3 });
    let stats = scene.world.call(GetConsumerStats { id: consumer }).expect("statistics");
    let mafalda_api::consumer::ConsumerRtpStreamStat::Outbound(own) = &stats[0] else { panic!("{stats:?}") };
    assert_eq!(own.packets_discarded, 3);
}

#[test]
fn it_closes_with_its_router_and_all_that_lives_in_it() {
    let mut scene = Scene::new(7);
    let (app, producer) = App::new(&mut scene.world, scene.router);
    let transport = app.transport;
    let (consumer, _) = consume(&mut scene.world, scene.router, transport, producer);
    scene.world.call(Close { ids: vec![scene.router.into()] }).expect("closed");
    let cause_of = |id: ObjectId| {
        let (_, event) = scene.world.events_of(id).last().expect("an event");
        let Event::Closed { cause, .. } = event else { panic!("{event:?}") };
        cause.clone()
    };
    assert_eq!(cause_of(transport.into()), CloseCause::RouterClosed);
    assert_eq!(cause_of(producer.into()), CloseCause::TransportClosed);
    assert_eq!(cause_of(consumer.into()), CloseCause::TransportClosed);
}

#[test]
#[should_panic(expected = "the Transport is there")]
fn it_stays_where_its_application_s_end_is() {
    let mut scene = Scene::new(8);
    let (app, _) = App::new(&mut scene.world, scene.router);
    let router = scene.world.create_router();
    scene.world.migrate(app.transport, router);
}
