//! Deadlines: they come, and they pass.

use mafalda_api::id::ObjectId;
use mafalda_api::waist::Close;

use super::peer::Packet;
use super::stage::{Stage, audio, video};

#[test]
fn packets_of_a_closed_producer_are_acknowledged_and_hang_nothing() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    let producer = stage.produce(&peer, video("0", Some(1000)));
    let packet = |number: u16| Packet { transport_cc: Some(number), ..Packet::frame(1000, number.into()) };
    stage.datagrams(peer.send(&[packet(1), packet(2)]));
    stage.call(Close { ids: vec![ObjectId::from(producer)] }).unwrap();
    stage.datagrams(peer.send(&[packet(3)]));
    stage.ms(2000);
    let sent = stage.take_sent(&peer);
    let reports = peer.reports(sent);
    assert!(reports.iter().any(|report| report.starts_with("TransportFeedback")), "{reports:?}");
}

#[test]
fn each_stream_is_reported_on_however_many_there_are() {
    let mut stage = Stage::new();
    let mut peer = stage.peer();
    for number in 0..40 {
        let ssrc = 1000 + 10 * number;
        stage.produce(&peer, audio(&number.to_string(), Some(ssrc)));
        stage.datagrams(peer.send(&[Packet::sound(ssrc, 1)]));
    }
    stage.ms(600);
    let sent = stage.take_sent(&peer);
    let mut reported = peer.reported(sent);
    reported.sort_unstable();
    assert_eq!(reported, (0..40).map(|number| 1000 + 10 * number).collect::<Vec<_>>());
}

#[test]
fn rounds_of_many_transports_share_a_turn() {
    let mut stage = Stage::new();
    let mut peers = Vec::new();
    for number in 0..50 {
        let peer = stage.peer();
        let ssrc = 1000 + 10 * number;
        stage.produce(&peer, audio("0", Some(ssrc)));
        stage.datagrams(peer.send(&[Packet::sound(ssrc, 1)]));
        stage.ms(7);
        peers.push(peer);
    }
    stage.ms(2000);
    stage.sent.clear();
    let mut turns = 0;
    for _ in 0..3000 {
        let before = stage.sent.len();
        stage.ms(1);
        turns += usize::from(stage.sent.len() > before);
    }
    let reports = stage.sent.len();
    assert!(reports >= 50 * 3000 / 1600, "{reports}");
    assert!(turns <= 3000 / 100 + 1, "{reports} reports in {turns} turns");
    // Where something happens anyway, they go with it, and nobody is woken for them.
    let (mut woken, mut along) = (0, 0);
    for index in 2..200 {
        stage.sent.clear();
        stage.ms(10);
        let before = stage.sent.len();
        woken += before;
        stage.datagrams(peers[0].send(&[Packet::sound(1000, index)]));
        along += stage.sent.len() - before;
    }
    assert!(woken == 0 && along >= 50, "{woken}, {along}");
}
