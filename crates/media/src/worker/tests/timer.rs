//! Deadlines: they come, and they pass.

use mafalda_api::id::ObjectId;
use mafalda_api::waist::Close;

use super::peer::Packet;
use super::stage::{Stage, video};

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
