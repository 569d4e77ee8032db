use proptest::prelude::*;
use serde_json::json;

use super::*;

fn failure(text: &str) -> (Option<RequestId>, String) {
    let bad = parse(text).unwrap_err();
    (bad.id, bad.failure.to_string())
}

#[test]
fn a_join_is_read() {
    let (id, request) =
        parse(r#"{"id": 7, "method": "join", "data": {"room": "plaza", "name": " Felipe "}}"#).unwrap();
    let Request::Join(join) = request else { panic!("{request:?}") };
    assert_eq!((id, join.room.as_str(), join.name.to_string().as_str()), (7, "plaza", "Felipe"));
    assert_eq!((join.token, join.replaces), (None, None));
}

#[test]
fn data_may_be_absent_where_nothing_is_needed() {
    assert_eq!(parse(r#"{"id": 1, "method": "leave"}"#).unwrap(), (1, Request::Leave(Nothing {})));
    assert_eq!(
        parse(r#"{"data": {}, "method": "leave", "id": 0}"#).unwrap(),
        (0, Request::Leave(Nothing {}))
    );
}

#[test]
fn mediasoups_objects_are_read_as_they_are() {
    let transport = "b2c6b1b0-5e5c-4f43-8b5e-0b9a2a3c7d10";
    let fingerprint = ["AB"; 32].join(":");
    let message = json!({"id": 3, "method": "connectTransport", "data": {
        "transportId": transport,
        "dtlsParameters": {"role": "client", "fingerprints": [{"algorithm": "sha-256", "value": fingerprint}]},
    }});
    let (_, request) = parse(&message.to_string()).unwrap();
    let Request::ConnectTransport(connect) = request else { panic!("{request:?}") };
    assert_eq!(connect.transport_id.to_string(), transport);
    assert_eq!(serde_json::to_value(&connect.dtls_parameters).unwrap(), message["data"]["dtlsParameters"]);
}

#[test]
fn each_method_has_its_name() {
    let object = "b2c6b1b0-5e5c-4f43-8b5e-0b9a2a3c7d10";
    for (method, field) in [
        ("restartIce", "transportId"),
        ("pauseProducer", "producerId"),
        ("resumeProducer", "producerId"),
        ("closeProducer", "producerId"),
        ("pauseConsumer", "consumerId"),
        ("resumeConsumer", "consumerId"),
        ("closeConsumer", "consumerId"),
        ("requestKeyFrame", "consumerId"),
    ] {
        let message = json!({"id": 1, "method": method, "data": {field: object}}).to_string();
        assert!(parse(&message).is_ok(), "{message}");
        let without = json!({"id": 1, "method": method}).to_string();
        assert!(failure(&without).1.contains(field), "{}", failure(&without).1);
    }
}

#[test]
fn the_id_of_a_bad_request_is_kept() {
    assert_eq!(failure(r#"{"id": 5, "method": "jion"}"#).0, Some(5));
    assert!(failure(r#"{"id": 5, "method": "jion"}"#).1.contains("unknown variant `jion`"));
    assert_eq!(failure(r#"{"id": 6}"#).0, Some(6));
    assert_eq!(failure(r#"{"id": 7, "method": "join", "data": {"room": "a b", "name": "x"}}"#).0, Some(7));
    assert!(
        failure(r#"{"id": 7, "method": "join", "data": {"room": "a b", "name": "x"}}"#)
            .1
            .contains("holds ' '")
    );
    assert_eq!(failure(r#"{"id": 8, "method": "leave", "data": {"why": "x"}}"#).0, Some(8));
    assert_eq!(failure(r#"{"id": 9, "method": "leave", "data": null}"#).0, Some(9));
}

#[test]
fn what_has_no_id_gets_none() {
    for text in
        ["", "nonsense", "[]", "null", "3", r#"{"method": "leave"}"#, r#"{"id": -1, "method": "leave"}"#]
    {
        assert_eq!(failure(text).0, None, "{text}");
    }
    assert_eq!(failure(r#"{"id": "1", "method": "leave"}"#).0, None);
    let deep = "[".repeat(10_000);
    assert_eq!(failure(&deep).0, None, "nesting has a limit");
}

proptest! {
    #[test]
    fn nothing_panics(text in ".{0,300}") {
        drop(parse(&text));
    }

    #[test]
    fn any_id_comes_back(id in 0..u64::MAX, method in "[a-zA-Z]{0,12}") {
        let message = json!({"id": id, "method": method, "data": {"room": 1}}).to_string();
        prop_assert_eq!(parse(&message).unwrap_err().id, Some(id));
    }
}
