//! Conversations over a real WebSocket, a real server and a real engine.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test shall fail it")]

#[path = "signalling/client.rs"]
mod client;

use client::{Client, Fixture, audio_parameters, fingerprints};
use mafalda_gateway::{GatewayOptions, JoinToken};
use serde_json::{Value, json};

const NO_SUCH: &str = "b2c6b1b0-5e5c-4f43-8b5e-0b9a2a3c7d10";

async fn transport(client: &mut Client, direction: &str) -> String {
    let transport = client.ask("createTransport", json!({"direction": direction})).await.unwrap();
    transport["id"].as_str().unwrap().to_owned()
}

async fn produce(client: &mut Client, transport: &str) -> String {
    let data = json!({"transportId": transport, "kind": "audio", "rtpParameters": audio_parameters(0)});
    client.ask("produce", data).await.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn peers_hear_of_each_other() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut mafalda, joined) = fixture.join("plaza", "Mafalda").await;
    assert_eq!(joined["peers"], json!([]));
    let codecs = joined["rtpCapabilities"]["codecs"].as_array().unwrap();
    assert!(codecs.iter().any(|codec| codec["mimeType"] == "video/VP8"));

    let (mut felipe, joined) = fixture.join("plaza", "Felipe").await;
    assert_eq!(joined["peers"][0]["name"], "Mafalda");
    let felipe_id = &joined["peerId"];
    assert_eq!(mafalda.notice("peerJoined").await, json!({"id": felipe_id, "name": "Felipe"}));

    felipe.ask("leave", json!({})).await.unwrap();
    assert_eq!(mafalda.notice("peerLeft").await, json!({"id": felipe_id}));
    drop(felipe);
    assert_eq!(fixture.gateway.room_count(), 1);
    mafalda.ask("leave", json!({})).await.unwrap();
    assert_eq!(fixture.gateway.room_count(), 0, "a room goes with its last peer");
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_its_room() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let (mut felipe, joined) = fixture.join("plaza", "Felipe").await;
    let send = transport(&mut felipe, "send").await;
    let producer = produce(&mut felipe, &send).await;
    drop(felipe);
    assert_eq!(mafalda.notice("producerClosed").await, json!({"peerId": joined["peerId"], "id": producer}));
    assert_eq!(mafalda.notice("peerLeft").await, json!({"id": joined["peerId"]}));
}

#[tokio::test]
async fn what_one_produces_another_consumes() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut mafalda, joined) = fixture.join("plaza", "Mafalda").await;
    let send = transport(&mut mafalda, "send").await;
    let dtls_parameters = json!({"role": "client", "fingerprints": fingerprints()});
    let connect = json!({"transportId": send, "dtlsParameters": dtls_parameters});
    mafalda.ask("connectTransport", connect.clone()).await.unwrap();
    assert_eq!(mafalda.ask("connectTransport", connect).await.unwrap_err()["code"], "wrongState");
    let producer = produce(&mut mafalda, &send).await;

    let (mut felipe, view) = fixture.join("plaza", "Felipe").await;
    let producers = json!([{"id": producer, "kind": "audio", "paused": false}]);
    assert_eq!(view["peers"][0]["producers"], producers);
    let recv = transport(&mut felipe, "recv").await;
    let consume =
        json!({"transportId": recv, "producerId": producer, "rtpCapabilities": view["rtpCapabilities"]});
    let consumer = felipe.ask("consume", consume).await.unwrap();
    assert_eq!(consumer["kind"], "audio");
    assert_eq!(consumer["producerPaused"], false);
    assert_eq!(consumer["rtpParameters"]["codecs"][0]["mimeType"], "audio/opus");
    let of_consumer = json!({"consumerId": consumer["id"]});
    for method in ["resumeConsumer", "pauseConsumer", "resumeConsumer", "requestKeyFrame"] {
        felipe.ask(method, of_consumer.clone()).await.unwrap();
    }

    let of_producer = json!({"producerId": producer});
    let whose = json!({"peerId": joined["peerId"], "id": producer});
    for (method, notice) in [
        ("pauseProducer", "producerPaused"),
        ("resumeProducer", "producerResumed"),
        ("closeProducer", "producerClosed"),
    ] {
        mafalda.ask(method, of_producer.clone()).await.unwrap();
        assert_eq!(felipe.notice(notice).await, whose);
    }
    assert_eq!(felipe.ask("resumeConsumer", of_consumer).await.unwrap_err()["code"], "notFound");
}

#[tokio::test]
async fn ice_restarts_with_new_credentials() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut client, _) = fixture.join("plaza", "Mafalda").await;
    let transport = client.ask("createTransport", json!({"direction": "recv"})).await.unwrap();
    let protocols: Vec<_> = transport["iceCandidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| &candidate["protocol"])
        .collect();
    assert!(protocols.contains(&&json!("udp")) && protocols.contains(&&json!("tcp")), "{protocols:?}");
    let restarted = client.ask("restartIce", json!({"transportId": transport["id"]})).await.unwrap();
    assert_ne!(
        restarted["iceParameters"]["usernameFragment"],
        transport["iceParameters"]["usernameFragment"]
    );
}

#[tokio::test]
async fn what_is_not_ones_own_is_refused() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let mut client = fixture.connect().await;
    let code = |outcome: Result<Value, Value>| outcome.unwrap_err()["code"].clone();
    assert_eq!(code(client.ask("createTransport", json!({"direction": "send"})).await), "notJoined");
    client.ask("join", json!({"room": "plaza", "name": "Mafalda"})).await.unwrap();
    assert_eq!(code(client.ask("join", json!({"room": "b", "name": "Mafalda"})).await), "alreadyJoined");
    for (method, field) in
        [("restartIce", "transportId"), ("pauseProducer", "producerId"), ("resumeConsumer", "consumerId")]
    {
        assert_eq!(code(client.ask(method, json!({field: NO_SUCH})).await), "notFound", "{method}");
    }
    let (old, recv) = (transport(&mut client, "send").await, transport(&mut client, "recv").await);
    let produce = json!({"transportId": recv, "kind": "audio", "rtpParameters": audio_parameters(0)});
    assert_eq!(code(client.ask("produce", produce).await), "wrongDirection");
    transport(&mut client, "send").await;
    assert_eq!(
        code(client.ask("restartIce", json!({"transportId": old})).await),
        "notFound",
        "it was replaced"
    );
    let consume = json!({"transportId": recv, "producerId": NO_SUCH, "rtpCapabilities": {"codecs": []}});
    assert_eq!(code(client.ask("consume", consume).await), "notFound");
}

#[tokio::test]
async fn bad_messages_are_answered_and_the_connection_lives() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut client, _) = fixture.join("plaza", "Mafalda").await;
    for (text, id) in [
        ("nonsense", Value::Null),
        ("{}", Value::Null),
        (r#"{"id": 70, "method": "dance"}"#, json!(70)),
        (r#"{"id": 71, "method": "produce", "data": {"transportId": 1}}"#, json!(71)),
    ] {
        client.send(text).await;
        let answer = client.answer().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!("badRequest")), "{text}");
    }
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.answer().await["error"]["code"], "badRequest");
    transport(&mut client, "send").await;
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_its_own_connection_only() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let (mut felipe, joined) = fixture.join("plaza", "Felipe").await;
    felipe.send(&"x".repeat(65 * 1024)).await;
    assert_eq!(mafalda.notice("peerLeft").await, json!({"id": joined["peerId"]}));
    transport(&mut mafalda, "send").await;
}

#[tokio::test]
async fn a_token_is_asked_for() {
    let mut options = GatewayOptions::default();
    options.token = Some(JoinToken::new("s3cret"));
    let fixture = Fixture::start(options).await;
    let mut client = fixture.connect().await;
    for token in [Value::Null, json!(""), json!("s3cre")] {
        let refused = client.ask("join", json!({"room": "plaza", "name": "Mafalda", "token": token})).await;
        assert_eq!(refused.unwrap_err()["code"], "wrongToken");
    }
    assert_eq!(fixture.gateway.room_count(), 0);
    client.ask("join", json!({"room": "plaza", "name": "Mafalda", "token": "s3cret"})).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_comes_back_replaces_itself() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let (mut old, joined) = fixture.join("plaza", "Felipe").await;
    mafalda.notice("peerJoined").await;
    let mut new = fixture.connect().await;
    let join = json!({"room": "plaza", "name": "Felipe", "replaces": joined["secret"]});
    let again = new.ask("join", join).await.unwrap();
    assert_eq!(again["peers"].as_array().unwrap().len(), 1, "the old presence is gone at once");
    assert_eq!(mafalda.notice("peerLeft").await, json!({"id": joined["peerId"]}));
    assert_eq!(mafalda.notice("peerJoined").await["id"], again["peerId"]);
    assert_eq!(old.close_code().await, Some(4002));
}

#[tokio::test]
async fn a_room_has_an_end() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let mut peers = Vec::new();
    for number in 0..64 {
        peers.push(fixture.join("plaza", &format!("peer {number}")).await.0);
    }
    let mut late = fixture.connect().await;
    let refused = late.ask("join", json!({"room": "plaza", "name": "late"})).await;
    assert_eq!(refused.unwrap_err()["code"], "roomFull");
    late.ask("join", json!({"room": "other", "name": "late"})).await.unwrap();
}

#[tokio::test]
async fn a_peer_produces_so_much_and_no_more() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut client, _) = fixture.join("plaza", "Mafalda").await;
    let send = transport(&mut client, "send").await;
    for number in 0..9 {
        let data = json!({"transportId": send, "kind": "audio", "rtpParameters": audio_parameters(number)});
        match client.ask("produce", data).await {
            Ok(_) => assert!(number < 8),
            Err(error) => assert_eq!((number, &error["code"]), (8, &json!("tooManyProducers")), "{error}"),
        }
    }
}

#[tokio::test]
async fn rooms_take_turns_and_outlive_a_worker() {
    let mut fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut first, _) = fixture.join("first", "Mafalda").await;
    let (mut second, _) = fixture.join("second", "Felipe").await;
    fixture.workers.remove(0).close();
    assert_eq!(first.notice("roomClosed").await, json!({}));
    assert_eq!(
        first.ask("createTransport", json!({"direction": "send"})).await.unwrap_err()["code"],
        "notJoined"
    );
    transport(&mut second, "send").await;
    first.ask("join", json!({"room": "first", "name": "Mafalda"})).await.unwrap();
    transport(&mut first, "send").await;

    fixture.workers.remove(0).close();
    first.notice("roomClosed").await;
    let refused = first.ask("join", json!({"room": "first", "name": "Mafalda"})).await;
    assert_eq!(refused.unwrap_err()["code"], "noWorker");
}

#[tokio::test]
async fn a_gateway_that_closes_says_so() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    let (mut client, _) = fixture.join("plaza", "Mafalda").await;
    fixture.gateway.close(client::PATIENCE).await;
    assert_eq!(client.close_code().await, Some(1001));
    assert_eq!(fixture.gateway.room_count(), 0);
}

#[tokio::test]
async fn only_our_own_page_may_connect() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    assert_eq!(fixture.connect_from("https://elsewhere.example").await, Err(403));
    assert_eq!(fixture.connect_from(&format!("http://{}", fixture.address)).await, Ok(()));
}

#[tokio::test]
async fn the_page_is_served() {
    let fixture = Fixture::start(GatewayOptions::default()).await;
    for (path, content_type) in [
        ("/", "text/html"),
        ("/r/plaza", "text/html"),
        ("/app.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/licenses.txt", "text/plain"),
    ] {
        let answer = fixture.get(path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {}", &answer[..40]);
        assert!(answer.contains(&format!("content-type: {content_type}")), "{path}");
        assert!(answer.contains("content-security-policy: default-src 'self';"), "{path}");
    }
    assert!(fixture.get("/r/a/b").await.starts_with("HTTP/1.1 404"));
}

async fn media_ports(client: &mut Client) -> Vec<Value> {
    let transport = client.ask("createTransport", json!({"direction": "send"})).await.unwrap();
    let candidates = transport["iceCandidates"].as_array().unwrap();
    candidates.iter().map(|candidate| candidate["port"].clone()).collect()
}

#[tokio::test]
async fn transports_share_the_sockets_of_their_workers_server() {
    let fixture = Fixture::start_sharing().await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let (mut felipe, _) = fixture.join("plaza", "Felipe").await;
    let (mut manolito, _) = fixture.join("shop", "Manolito").await;
    let ports = media_ports(&mut mafalda).await;
    assert_eq!(ports.len(), 2, "UDP and TCP");
    assert_eq!(media_ports(&mut felipe).await, ports);
    assert_ne!(media_ports(&mut manolito).await, ports, "the other room is another Worker's");
}
