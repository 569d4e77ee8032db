//! Producers with several encodings, found by SSRC or by RID, and the Consumers that get all of their streams.

use mafalda_api::consumer::{ConsumerRtpStreamStat, ConsumerType};
use mafalda_api::id::ConsumerId;
use mafalda_api::producer::{ProducerDump, ProducerStat, ProducerType};
use mafalda_api::types::rtp_parameters::{RtpEncodingParameters, RtpEncodingParametersRtx, RtpParameters};
use mafalda_api::waist::{
    Consume, ConsumerState, DumpProducer, ErrorCode, Event, GetConsumerStats, GetProducerStats, ObjectState,
    PauseConsumer, Produce, ResumeConsumer,
};

use super::super::*;
use super::peer::{Packet, Peer, Received};
use super::stage::{Stage, VP8_RTX, audio, video};

const SSRCS: [u32; 3] = [1000, 2000, 3000];
const RIDS: [&str; 3] = ["low", "mid", "high"];

fn by_ssrc() -> RtpParameters {
    let encoding = |ssrc| RtpEncodingParameters {
        ssrc: Some(ssrc),
        rtx: Some(RtpEncodingParametersRtx { ssrc: ssrc + 1 }),
        ..RtpEncodingParameters::default()
    };
    RtpParameters { encodings: SSRCS.map(encoding).into(), ..video("0", None) }
}

fn by_rid() -> RtpParameters {
    let encoding =
        |rid: &str| RtpEncodingParameters { rid: Some(rid.into()), ..RtpEncodingParameters::default() };
    RtpParameters { encodings: RIDS.map(encoding).into(), ..video("0", None) }
}

/// As a browser's first packets: with the MID and a RID.
fn named(packet: Packet, rid: &'static str) -> Packet {
    Packet { mid: Some("0"), rid: Some(rid), ..packet }
}

/// Sends on all streams to a peer; the Consumer and its SSRCs.
fn pipe(stage: &mut Stage, peer: &Peer, producer: ProducerId) -> (ConsumerId, Vec<u32>) {
    let id = ConsumerId::new();
    stage.call(Consume { pipe: true, ..stage.consume_command(peer, id, producer, true) }).unwrap();
    let state = consumer(stage, id);
    assert_eq!(state.r#type, ConsumerType::Pipe);
    (id, state.rtp_parameters.encodings.iter().filter_map(|encoding| encoding.ssrc).collect())
}

fn consumer(stage: &Stage, id: ConsumerId) -> &ConsumerState {
    let mut states = stage.events.iter().filter_map(|event| match event {
        Event::Appeared(ObjectState::Consumer(state)) if state.id == id => Some(&**state),
        _ => None,
    });
    states.next_back().expect("it appeared")
}

fn media(stage: &mut Stage, peer: &mut Peer) -> Vec<Received> {
    let sent = stage.take_sent(peer);
    peer.media(sent)
}

/// What of some packets came in which stream: numbers of the streams, and payloads.
fn streams(received: &[Received], ssrcs: &[u32]) -> Vec<(usize, Vec<u8>)> {
    let stream = |it: &Received| ssrcs.iter().position(|ssrc| *ssrc == it.ssrc).expect("a stream of its own");
    let mut streams: Vec<_> = received.iter().map(|it| (stream(it), it.payload.clone())).collect();
    streams.sort();
    streams
}

fn expected(packets: &[(usize, &Packet)]) -> Vec<(usize, Vec<u8>)> {
    let mut expected: Vec<_> = packets.iter().map(|(stream, it)| (*stream, it.payload.clone())).collect();
    expected.sort();
    expected
}

fn dump(stage: &mut Stage, id: ProducerId) -> ProducerDump {
    let Ok(Reply::ProducerDump(dump)) = stage.call(DumpProducer { id }) else { panic!("a dump") };
    *dump
}

fn stats(stage: &mut Stage, id: ProducerId) -> Vec<ProducerStat> {
    let Ok(Reply::ProducerStats(stats)) = stage.call(GetProducerStats { id }) else { panic!("statistics") };
    stats
}

/// PLIs in what was sent to a peer, by SSRC.
fn wanted(stage: &mut Stage, peer: &mut Peer) -> Vec<u32> {
    let sent = stage.take_sent(peer);
    peer.plis(sent)
}

#[test]
fn each_stream_is_received_on_its_own_and_a_pipe_carries_all() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_ssrc());
    let (id, ssrcs) = pipe(&mut stage, &receiver, producer);
    assert_eq!(ssrcs.len(), 3);
    let [low, mid, high] = SSRCS.map(|ssrc| Packet::key_frame(ssrc, 5));
    stage.datagrams(sender.send(&[low.clone(), mid.clone(), high.clone()]));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(streams(&received, &ssrcs), expected(&[(0, &low), (1, &mid), (2, &high)]));
    let more = SSRCS.map(|ssrc| Packet::frame(ssrc, 6));
    // Of the second stream nothing comes, of the third two.
    let last = Packet::frame(SSRCS[2], 7);
    stage.datagrams(sender.send(&[more[0].clone(), more[2].clone(), last.clone()]));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(streams(&received, &ssrcs), expected(&[(0, &more[0]), (2, &more[2]), (2, &last)]));
    let dump = dump(&mut stage, producer);
    assert_eq!(dump.r#type, ProducerType::Simulcast);
    let told: Vec<_> = dump
        .rtp_streams
        .iter()
        .map(|it| (it.params.encoding_idx, it.params.ssrc, it.params.rtx_ssrc))
        .collect();
    assert_eq!(told, [(0, 1000, Some(1001)), (1, 2000, Some(2001)), (2, 3000, Some(3001))]);
    let counts: Vec<_> = stats(&mut stage, producer).iter().map(|it| (it.ssrc, it.packet_count)).collect();
    assert_eq!(counts, [(1000, 2), (2000, 1), (3000, 3)]);
    let Ok(Reply::ConsumerStats(stats)) = stage.call(GetConsumerStats { id }) else { panic!("statistics") };
    let sent: Vec<_> = stats
        .iter()
        .map(|it| match it {
            ConsumerRtpStreamStat::Outbound(it) => (it.ssrc, it.packet_count),
            ConsumerRtpStreamStat::Inbound(it) => panic!("a pipe tells of its own streams: {it:?}"),
        })
        .collect();
    assert_eq!(sent, [(ssrcs[0], 2), (ssrcs[1], 1), (ssrcs[2], 3)]);
}

#[test]
fn each_stream_begins_with_a_key_frame_of_its_own_and_is_asked_for_one() {
    let mut stage = Stage::new();
    let (mut sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_ssrc());
    stage.datagrams(sender.send(&SSRCS.map(|ssrc| Packet::frame(ssrc, 1))));
    stage.take_sent(&sender);
    let (id, ssrcs) = pipe(&mut stage, &receiver, producer);
    assert_eq!(wanted(&mut stage, &mut sender), SSRCS, "one for each");
    let key = Packet::key_frame(SSRCS[1], 2);
    stage.datagrams(sender.send(&[Packet::frame(SSRCS[0], 2), key.clone(), Packet::frame(SSRCS[2], 2)]));
    assert_eq!(streams(&media(&mut stage, &mut receiver), &ssrcs), expected(&[(1, &key)]));
    let keys = [SSRCS[0], SSRCS[2]].map(|ssrc| Packet::key_frame(ssrc, 3));
    stage.datagrams(sender.send(&keys));
    media(&mut stage, &mut receiver);
    // What is asked of one stream is asked of the same stream at the source.
    stage.ms(2000);
    stage.take_sent(&sender);
    let pli = receiver.feedback(|writer| writer.pli(1, ssrcs[2]));
    stage.datagrams([pli]);
    assert_eq!(wanted(&mut stage, &mut sender), [SSRCS[2]]);
    // Resumed, all begin anew.
    stage.call(PauseConsumer { id }).unwrap();
    stage.ms(2000);
    stage.take_sent(&sender);
    stage.call(ResumeConsumer { id }).unwrap();
    assert_eq!(wanted(&mut stage, &mut sender), SSRCS);
    stage.datagrams(sender.send(&[Packet::frame(SSRCS[0], 4)]));
    assert!(media(&mut stage, &mut receiver).is_empty());
}

#[test]
fn lost_packets_of_each_stream_are_sent_again() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_ssrc());
    let (_, ssrcs) = pipe(&mut stage, &receiver, producer);
    stage.datagrams(sender.send(&SSRCS.map(|ssrc| Packet::key_frame(ssrc, 1))));
    let received = media(&mut stage, &mut receiver);
    stage.ms(100);
    for stream in [2, 0] {
        let lost = received.iter().find(|it| it.ssrc == ssrcs[stream]).expect("it came");
        let nack = receiver.nack(lost.ssrc, &[lost.index]);
        stage.datagrams([nack]);
        let again = media(&mut stage, &mut receiver).remove(0);
        assert_eq!(again.ssrc, ssrcs[stream] + 1, "that of its retransmissions");
        assert_eq!(again.payload[2..], lost.payload);
    }
}

#[test]
fn streams_are_found_by_their_rids() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_rid());
    let (_, ssrcs) = pipe(&mut stage, &receiver, producer);
    let keys = [2, 0, 1].map(|at| named(Packet::key_frame(SSRCS[at], 5), RIDS[at]));
    stage.datagrams(sender.send(&keys));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(streams(&received, &ssrcs), expected(&[(2, &keys[0]), (0, &keys[1]), (1, &keys[2])]));
    // The names don't come for long, and those of nobody mean nothing.
    let next = Packet::frame(SSRCS[1], 6);
    let unknown = named(Packet::key_frame(4000, 1), "huge");
    let nameless = Packet { mid: Some("0"), ..Packet::key_frame(5000, 1) };
    stage.datagrams(sender.send(&[next.clone(), unknown, nameless]));
    assert_eq!(streams(&media(&mut stage, &mut receiver), &ssrcs), expected(&[(1, &next)]));
    assert_eq!(stage.worker.drops().get(DropReason::UnknownSource), 2);
    let rids: Vec<_> = stats(&mut stage, producer).iter().map(|it| (it.ssrc, it.rid.clone())).collect();
    assert_eq!(rids, [0, 1, 2].map(|at| (SSRCS[at], Some(RIDS[at].to_owned()))));
    // A stream that begins anew under another SSRC takes the place of the one before.
    let anew = named(Packet::key_frame(6000, 1), "mid");
    stage.datagrams(sender.send(std::slice::from_ref(&anew)));
    assert_eq!(streams(&media(&mut stage, &mut receiver), &ssrcs), expected(&[(1, &anew)]));
    assert_eq!(dump(&mut stage, producer).rtp_streams.len(), 3);
}

#[test]
fn retransmissions_are_found_by_the_rids_that_they_repair() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_rid());
    let (_, ssrcs) = pipe(&mut stage, &receiver, producer);
    let keys = [0, 1, 2].map(|at| named(Packet::key_frame(SSRCS[at], 5), RIDS[at]));
    stage.datagrams(sender.send(&keys));
    stage.datagrams(sender.send(&[Packet::frame(SSRCS[1], 7)]));
    media(&mut stage, &mut receiver);
    let lost = Packet::frame(SSRCS[1], 6);
    let repair = Packet {
        payload_type: VP8_RTX,
        payload: [&6_u16.to_be_bytes()[..], &lost.payload].concat(),
        repaired_rid: Some("mid"),
        mid: Some("0"),
        ..Packet::frame(7000, 1)
    };
    let repair = Packet { timestamp: lost.timestamp, ..repair };
    stage.datagrams(sender.send(&[repair]));
    assert_eq!(streams(&media(&mut stage, &mut receiver), &ssrcs), expected(&[(1, &lost)]));
    let rtx: Vec<_> = stats(&mut stage, producer).iter().map(|it| it.rtx_ssrc).collect();
    assert_eq!(rtx, [None, Some(7000), None]);
}

#[test]
fn a_stream_that_falls_silent_has_no_score_until_it_is_back() {
    let mut stage = Stage::new();
    let (sender, receiver) = (stage.peer(), stage.peer());
    let mut parameters = by_ssrc();
    parameters.encodings[2].dtx = Some(true);
    let producer = stage.produce(&sender, parameters);
    let (id, _) = pipe(&mut stage, &receiver, producer);
    let other = stage.consume(&receiver, producer, true);
    let scores = |stage: &Stage| {
        let mut told = stage.events.iter().filter_map(|event| match event {
            Event::ProducerScoreChanged { id, score } if *id == producer => Some(score),
            _ => None,
        });
        let last = told
            .next_back()
            .map(|score| score.iter().map(|it| (it.encoding_idx, it.score)).collect::<Vec<_>>());
        last.unwrap_or_default()
    };
    let mut index = 0;
    let mut beat = |stage: &mut Stage, streams: &[u32], times: usize| {
        for _ in 0..times {
            index += 1;
            let packets: Vec<_> = streams.iter().map(|ssrc| Packet::key_frame(*ssrc, index)).collect();
            stage.datagrams(sender.send(&packets));
            stage.ms(100);
        }
    };
    beat(&mut stage, &SSRCS, 3);
    assert_eq!(scores(&stage), [(0, 10), (1, 10), (2, 10)]);
    beat(&mut stage, &SSRCS[..1], 20);
    assert_eq!(scores(&stage), [(0, 10), (1, 0), (2, 10)], "the one with DTX may be silent for longer");
    beat(&mut stage, &SSRCS[..1], 35);
    assert_eq!(scores(&stage), [(0, 10), (1, 0), (2, 0)]);
    beat(&mut stage, &SSRCS, 1);
    assert_eq!(scores(&stage), [(0, 10), (1, 10), (2, 10)]);
    // A pipe has no scores of its own to tell; others tell all of the Producer's.
    let of = |wanted: ConsumerId| {
        let told = stage.events.iter().filter_map(move |event| match event {
            Event::ConsumerScoreChanged { id, score } if *id == wanted => Some(score.producer_scores.clone()),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    assert!(of(id).is_empty());
    assert!(of(other).contains(&vec![10, 0, 10]), "{:?}", of(other));
}

/// Until Consumers choose among streams they get the first: browsers send it as long as they send anything.
#[test]
fn any_other_consumer_gets_the_first_stream() {
    let mut stage = Stage::new();
    let (mut sender, mut receiver) = (stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_ssrc());
    let id = stage.consume(&receiver, producer, true);
    let state = consumer(&stage, id);
    assert_eq!((state.r#type, state.rtp_parameters.encodings.len()), (ConsumerType::Simulcast, 1));
    let keys = SSRCS.map(|ssrc| Packet::key_frame(ssrc, 1));
    stage.datagrams(sender.send(&keys));
    let received = media(&mut stage, &mut receiver);
    assert_eq!(received.iter().map(|it| &it.payload).collect::<Vec<_>>(), [&keys[0].payload]);
    stage.ms(2000);
    stage.take_sent(&sender);
    let pli = receiver.feedback(|writer| writer.pli(1, received[0].ssrc));
    stage.datagrams([pli]);
    assert_eq!(wanted(&mut stage, &mut sender), [SSRCS[0]], "the others are nobody's");
}

#[test]
fn rows_of_several_streams_go_and_move_together() {
    let mut stage = Stage::new();
    let (sender, mut one, mut other) = (stage.peer(), stage.peer(), stage.peer());
    let producer = stage.produce(&sender, by_ssrc());
    let (gone, _) = pipe(&mut stage, &one, producer);
    let (_, kept) = pipe(&mut stage, &one, producer);
    let (_, moved) = pipe(&mut stage, &other, producer);
    stage.datagrams(sender.send(&SSRCS.map(|ssrc| Packet::key_frame(ssrc, 1))));
    media(&mut stage, &mut one);
    stage.call(mafalda_api::waist::Close { ids: vec![gone.into()] }).unwrap();
    let (now, router) = (stage.now, stage.router);
    let state = stage.worker.take_transport(now, other.id).unwrap();
    stage.drain();
    let frames = SSRCS.map(|ssrc| Packet::frame(ssrc, 2));
    stage.datagrams(sender.send(&frames));
    let all = expected(&[(0, &frames[0]), (1, &frames[1]), (2, &frames[2])]);
    assert_eq!(streams(&media(&mut stage, &mut one), &kept), all);
    media(&mut stage, &mut other);
    stage.worker.put_transport(now, router, state).map_err(|(failure, _)| failure).unwrap();
    stage.drain();
    let frames = SSRCS.map(|ssrc| Packet::frame(ssrc, 3));
    stage.datagrams(sender.send(&frames));
    let all = expected(&[(0, &frames[0]), (1, &frames[1]), (2, &frames[2])]);
    assert_eq!(streams(&media(&mut stage, &mut one), &kept), all);
    assert_eq!(streams(&media(&mut stage, &mut other), &moved), all);
}

#[test]
fn encodings_that_cannot_be_told_apart_are_refused() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let with = |change: fn(&mut Vec<RtpEncodingParameters>)| {
        let mut parameters = by_ssrc();
        change(&mut parameters.encodings);
        parameters
    };
    let wrong = [
        with(|it| it[1] = RtpEncodingParameters::default()),
        with(|it| it[1].ssrc = it[0].ssrc),
        with(|it| it[1].rtx = it[0].rtx),
        with(|it| it.iter_mut().take(2).for_each(|it| it.rid = Some("same".into()))),
        with(|it| it[2].rid = Some(String::new())),
        with(|it| it[2].rid = Some("r".repeat(300))),
        with(|it| {
            let encoding =
                |ssrc| RtpEncodingParameters { ssrc: Some(ssrc), ..RtpEncodingParameters::default() };
            *it = (10..27).map(encoding).collect();
        }),
    ];
    for rtp_parameters in wrong {
        let command = stage.produce_command(&sender, rtp_parameters.clone());
        let failure = stage.call(command).unwrap_err();
        assert_eq!(failure.code, ErrorCode::InvalidArgument, "{failure}: {:?}", rtp_parameters.encodings);
    }
    let two = RtpParameters { encodings: by_ssrc().encodings, ..audio("1", None) };
    let command: Produce = stage.produce_command(&sender, two);
    assert_eq!(stage.call(command).unwrap_err().code, ErrorCode::Unsupported);
    stage.produce(&sender, by_ssrc());
}
