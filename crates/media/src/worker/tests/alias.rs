//! Producers that their Router knows by another Producer's id.

use mafalda_api::id::ProducerId;
use mafalda_api::waist::{
    Close, CloseCause, DumpConsumer, DumpRouter, ErrorCode, Event, ObjectState, PauseProducer, Produce,
};

use super::super::*;
use super::peer::{Packet, Peer};
use super::stage::{Stage, audio};

fn produce(stage: &mut Stage, peer: &Peer, ssrc: u32, alias: ProducerId) -> Result<ProducerId, Failure> {
    let command = Produce { alias: Some(alias), ..stage.produce_command(peer, audio("0", Some(ssrc))) };
    let id = command.id;
    stage.call(command).map(|_| id)
}

#[test]
fn it_is_consumed_by_its_alias_and_spoken_of_by_its_own_id() {
    let mut stage = Stage::new();
    let (sender, mut receiver) = (stage.peer(), stage.peer());
    let alias = ProducerId::new();
    let id = produce(&mut stage, &sender, 1000, alias).unwrap();
    let consumer = stage.consume(&receiver, alias, false);
    let told = stage.events.iter().find_map(|event| match event {
        Event::Appeared(ObjectState::Consumer(state)) => Some((state.producer, state.producer_alias)),
        _ => None,
    });
    assert_eq!(told, Some((id, Some(alias))));
    stage.datagrams(sender.send(&[Packet::sound(1000, 1)]));
    let sent = stage.take_sent(&receiver);
    assert_eq!(receiver.media(sent).len(), 1);
    let by_own_id = stage.consume_command(&receiver, ConsumerId::new(), id, false);
    assert_eq!(stage.call(by_own_id).unwrap_err().code, ErrorCode::NotFound, "nobody knows it by that");
    let Ok(Reply::RouterDump(dump)) = stage.call(DumpRouter { id: stage.router }) else { panic!("a dump") };
    assert_eq!(dump.map_producer_id_consumer_ids[&alias].len(), 1);
    assert_eq!(dump.map_consumer_id_producer_id[&consumer], alias);
    let Ok(Reply::ConsumerDump(dump)) = stage.call(DumpConsumer { id: consumer }) else { panic!("a dump") };
    assert_eq!(dump.producer_id, alias);
    assert_eq!(stage.call(PauseProducer { id: alias }).unwrap_err().code, ErrorCode::NotFound);
    stage.call(PauseProducer { id }).unwrap();
    stage.call(Close { ids: vec![id.into()] }).unwrap();
    let gone = Event::Closed { id: consumer.into(), cause: CloseCause::ProducerClosed };
    assert!(stage.events.contains(&gone));
    produce(&mut stage, &sender, 1000, alias).expect("the alias is free again");
}

#[test]
fn an_id_means_one_producer_in_a_worker() {
    let mut stage = Stage::new();
    let (sender, other) = (stage.peer(), stage.peer());
    let own = stage.produce(&sender, audio("1", Some(2000)));
    let alias = ProducerId::new();
    produce(&mut stage, &sender, 1000, alias).unwrap();
    for taken in [own, alias] {
        let failure = produce(&mut stage, &other, 3000, taken).unwrap_err();
        assert_eq!((failure.code, failure.subject), (ErrorCode::AlreadyExists, Some(taken.into())));
    }
    let command = Produce { id: alias, ..stage.produce_command(&other, audio("0", Some(3000))) };
    assert_eq!(stage.call(command).unwrap_err().code, ErrorCode::AlreadyExists);
}

#[test]
fn it_moves_with_its_transport_unless_the_id_is_taken_there() {
    let mut stage = Stage::new();
    let (sender, other) = (stage.peer(), stage.peer());
    let alias = ProducerId::new();
    produce(&mut stage, &sender, 1000, alias).unwrap();
    let (now, router, elsewhere) = (stage.now, stage.router, stage.create_router());
    let state = stage.worker.take_transport(now, sender.id).unwrap();
    stage.drain();
    let taken = produce(&mut stage, &other, 3000, alias).expect("it is away");
    let (failure, state) = stage.worker.put_transport(now, elsewhere, state).unwrap_err();
    assert_eq!((failure.code, failure.subject), (ErrorCode::AlreadyExists, Some(alias.into())));
    stage.call(Close { ids: vec![taken.into()] }).unwrap();
    stage.worker.put_transport(now, router, *state).map_err(|(failure, _)| failure).unwrap();
    stage.drain();
    stage.consume(&other, alias, false);
}

#[test]
fn mapped_ssrcs_are_kept_and_there_is_one_for_each_encoding() {
    let mut stage = Stage::new();
    let sender = stage.peer();
    let with = |stage: &Stage, mapped_ssrcs| Produce {
        mapped_ssrcs,
        ..stage.produce_command(&sender, audio("0", Some(1000)))
    };
    let command = with(&stage, vec![7, 8]);
    assert_eq!(stage.call(command).unwrap_err().code, ErrorCode::InvalidArgument);
    let command = with(&stage, vec![7]);
    stage.call(command).unwrap();
    let told = stage.events.iter().find_map(|event| match event {
        Event::Appeared(ObjectState::Producer(state)) => state.consumable_rtp_parameters.encodings[0].ssrc,
        _ => None,
    });
    assert_eq!(told, Some(7));
}
