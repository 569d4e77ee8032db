use std::collections::BTreeSet;

use super::*;

#[test]
fn an_id_is_its_uuid_in_every_form() {
    let uuid = Uuid::from_u128(0x0123_4567_89ab_4def_8123_4567_89ab_cdef);
    let id = ProducerId::from(uuid);
    let text = "01234567-89ab-4def-8123-456789abcdef";
    assert_eq!((id.to_string(), format!("{id:?}")), (text.to_owned(), format!("ProducerId({text})")));
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(Uuid::from(id), uuid);
    let json = serde_json::to_value(id).unwrap();
    assert_eq!((&json, serde_json::from_value::<ProducerId>(json.clone()).unwrap()), (&text.into(), id));
    assert!("0123".parse::<ProducerId>().is_err());
    assert!(serde_json::from_value::<ProducerId>("no id".into()).is_err());
}

#[test]
fn every_draw_is_another_random_id() {
    let drawn: BTreeSet<_> = (0..100).map(|_| RouterId::new()).collect();
    assert_eq!(drawn.len(), 100);
    assert!(drawn.iter().all(|id| Uuid::from(*id).get_version_num() == 4));
}

#[test]
fn an_object_is_called_by_its_kind() {
    let uuid = Uuid::nil();
    for (object, name) in [
        (ObjectId::from(WorkerId::from(uuid)), "worker"),
        (WebRtcServerId::from(uuid).into(), "webrtc server"),
        (RouterId::from(uuid).into(), "router"),
        (TransportId::from(uuid).into(), "transport"),
        (ProducerId::from(uuid).into(), "producer"),
        (ConsumerId::from(uuid).into(), "consumer"),
    ] {
        assert_eq!(object.to_string(), format!("{name} {uuid}"));
    }
}
