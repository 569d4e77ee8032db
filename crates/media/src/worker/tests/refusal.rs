//! What a Worker refuses to make for want of room.

use mafalda_api::waist::{Close, ErrorCode};

use super::stage::{Stage, audio};

#[test]
fn a_transport_has_room_for_so_many_and_for_another_when_one_goes() {
    let mut stage = Stage::new();
    let peer = stage.reachable();
    let produce = |stage: &mut Stage, ssrc: u32| {
        let command = stage.produce_command(&peer, audio(&ssrc.to_string(), Some(ssrc)));
        let id = command.id;
        stage.call(command).map(|_| id)
    };
    let mut ids = Vec::new();
    let refusal = loop {
        match produce(&mut stage, u32::try_from(ids.len()).unwrap() + 1) {
            Ok(id) => ids.push(id),
            Err(refusal) => break refusal,
        }
        assert!(ids.len() < 10_000, "there is no bound");
    };
    assert_eq!(refusal.code, ErrorCode::Overloaded);
    assert!(refusal.detail.contains(&format!("room for {}", ids.len())), "{refusal}");
    stage.call(Close { ids: vec![ids[7].into()] }).unwrap();
    produce(&mut stage, u32::MAX).unwrap();
    assert_eq!(produce(&mut stage, u32::MAX - 1).unwrap_err().code, ErrorCode::Overloaded);
}
