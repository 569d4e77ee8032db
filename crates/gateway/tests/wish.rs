//! WHIP and WHEP over real HTTP, with a real engine behind it: what each request is answered.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test shall fail it")]

#[path = "signalling/client.rs"]
#[expect(dead_code, reason = "the signalling's tests use the rest")]
mod client;
#[path = "wish/http.rs"]
mod http;

use std::time::Duration;

use client::Fixture;
use http::{Request, Response};
use mafalda_gateway::{GatewayOptions, JoinToken};
use serde_json::json;

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
const OBS: &str = include_str!("offers/obs-publish.sdp");
const GSTREAMER: &str = include_str!("offers/gstreamer-publish.sdp");
const FIREFOX: &str = include_str!("offers/firefox-publish.sdp");
const CHROMIUM: &str = include_str!("offers/chromium-publish.sdp");
const SIMULCAST: &str = include_str!("offers/chromium-simulcast.sdp");
const WATCHER: &str = include_str!("offers/chromium-watch.sdp");
const AIORTC: &str = include_str!("offers/aiortc-watch.sdp");

/// What the client of `OBS` would send over the air, in a fragment; with other credentials when it restarts ICE.
const TRICKLE: &str = "a=ice-ufrag:gQ7d\r\na=ice-pwd:0Vd9kUY3xWmCq1ZtPsLbNe\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
     a=candidate:1 1 UDP 2122317823 192.0.2.20 54609 typ host\r\na=end-of-candidates\r\n";
const RESTART: &str =
    "a=ice-ufrag:anew\r\na=ice-pwd:0Vd9kUY3xWmCq1ZtPsLbNe\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n";

async fn start() -> Fixture {
    Fixture::start(GatewayOptions::default()).await
}

async fn start_with_token() -> Fixture {
    let mut options = GatewayOptions::default();
    options.token = Some(JoinToken::new("s3cret"));
    Fixture::start(options).await
}

async fn post(fixture: &Fixture, path: &str, offer: &str) -> Response {
    Request::new("POST", path).header("content-type", SDP).body(offer).send(fixture).await
}

async fn patch(fixture: &Fixture, path: &str, tag: &str, fragment: &str) -> Response {
    let request = Request::new("PATCH", path).header("content-type", FRAGMENT).header("if-match", tag);
    request.body(fragment).send(fixture).await
}

async fn delete(fixture: &Fixture, path: &str) -> Response {
    Request::new("DELETE", path).send(fixture).await
}

/// Lets time pass.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits until a session is gone.
async fn gone(fixture: &Fixture, location: &str) {
    let gone = async {
        while patch(fixture, location, "*", TRICKLE).await.status != 404 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(client::PATIENCE, gone).await.unwrap();
}

/// The answer's lines that begin so.
fn lines<'a>(answer: &'a Response, start: &str) -> Vec<&'a str> {
    answer.body.lines().filter(|line| line.starts_with(start)).collect()
}

#[tokio::test]
async fn who_publishes_is_a_member_until_it_ends() {
    let fixture = start().await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let answer = post(&fixture, "/whip/plaza?name=Studio%201", OBS).await;
    assert_eq!((answer.status, answer.header("content-type")), (201, Some(SDP)));
    assert_eq!(lines(&answer, "m="), ["m=audio", "m=video"].map(|kind| answer.line(kind)));
    assert_eq!(lines(&answer, "a=recvonly").len(), 2);
    assert_eq!(lines(&answer, "a=setup:passive").len(), 3, "for all, and in each section");
    assert!(answer.body.contains("a=ice-lite\r\n") && answer.body.contains("a=candidate:udpcandidate"));
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("/whip/plaza/"), "{location}");
    assert!(answer.header("etag").unwrap().starts_with('"'));
    assert_eq!(answer.header("link"), None, "there are no ICE servers to be named");

    let joined = mafalda.notice("peerJoined").await;
    assert_eq!((&joined["name"], &joined["via"]), (&json!("Studio 1"), &json!("whip")));
    for kind in ["audio", "video"] {
        let produced = mafalda.notice("newProducer").await;
        assert_eq!((&produced["peerId"], &produced["kind"]), (&joined["id"], &json!(kind)));
    }
    let (_felipe, view) = fixture.join("plaza", "Felipe").await;
    let peers = view["peers"].as_array().unwrap();
    let studio = peers.iter().find(|peer| peer["name"] == "Studio 1").unwrap();
    assert_eq!((&studio["via"], studio["producers"].as_array().unwrap().len()), (&json!("whip"), 2));
    let other = peers.iter().find(|peer| peer["name"] == "Mafalda").unwrap();
    assert_eq!(other.get("via"), None);

    assert_eq!(delete(&fixture, location).await.status, 200);
    assert_eq!(mafalda.notice("peerLeft").await["id"], joined["id"]);
    assert_eq!(delete(&fixture, location).await.status, 404);
    assert_eq!(patch(&fixture, location, "*", TRICKLE).await.status, 404);
}

#[tokio::test]
async fn a_room_is_made_for_a_publisher_and_goes_with_it() {
    let fixture = start().await;
    let answer = post(&fixture, "/whip/plaza%C3%B1", OBS).await;
    assert_eq!((answer.status, fixture.gateway.room_count()), (201, 1));
    let location = answer.header("location").unwrap();
    assert!(location.starts_with("/whip/plaza%C3%B1/"), "{location}");
    assert_eq!(delete(&fixture, location).await.status, 200);
    assert_eq!(fixture.gateway.room_count(), 0);
}

#[tokio::test]
async fn offers_of_each_client_are_answered() {
    let fixture = start().await;
    for (room, offer, video) in [
        ("obs", OBS, "a=rtpmap:96 H264/90000"),
        ("gstreamer", GSTREAMER, "a=rtpmap:96 VP8/90000"),
        ("firefox", FIREFOX, "a=rtpmap:120 VP8/90000"),
        ("chromium", CHROMIUM, "a=rtpmap:96 VP8/90000"),
        ("simulcast", SIMULCAST, "a=rtpmap:96 VP8/90000"),
    ] {
        let answer = post(&fixture, &format!("/whip/{room}"), offer).await;
        assert_eq!(answer.status, 201, "{room}: {}", answer.body);
        assert_eq!(lines(&answer, video), [video], "{room}");
        assert_eq!(lines(&answer, "a=simulcast").len() + lines(&answer, "a=rid").len(), 0, "{room}");
    }
    for offer in [WATCHER, AIORTC] {
        let answer = post(&fixture, "/whep/chromium", offer).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(post(&fixture, "/whep/nobody", offer).await.status, 409);
    }
}

#[tokio::test]
async fn who_watches_gets_what_a_participant_sends_under_its_own_numbers() {
    let fixture = start().await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let publisher = post(&fixture, "/whip/plaza?name=Studio", CHROMIUM).await;
    let id = mafalda.notice("peerJoined").await["id"].as_str().unwrap().to_owned();
    for path in ["/whep/plaza".to_owned(), format!("/whep/plaza/{id}"), "/whep/plaza/Studio".to_owned()] {
        let answer = post(&fixture, &path, AIORTC).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        assert_eq!(lines(&answer, "a=sendonly").len(), 2);
        assert_eq!(
            lines(&answer, "a=rtpmap"),
            ["a=rtpmap:96 opus/48000/2", "a=rtpmap:97 VP8/90000", "a=rtpmap:98 rtx/90000"]
        );
        assert_eq!(lines(&answer, "a=extmap:3 ").len(), 1, "{}", answer.body);
        assert_eq!(lines(&answer, "a=ssrc-group:FID").len(), 1);
        assert_eq!(lines(&answer, &format!("a=msid:{id} ")).len(), 2);
        let location = answer.header("location").unwrap();
        let whose = if path.ends_with("Studio") { "Studio" } else { id.as_str() };
        assert!(location.starts_with(&format!("/whep/plaza/{whose}/")), "{location}");
        assert_eq!(delete(&fixture, location).await.status, 200);
    }
    // Who watches is no member, and its session ends with what it watches.
    let watching = post(&fixture, "/whep/plaza", WATCHER).await;
    assert_eq!(delete(&fixture, publisher.header("location").unwrap()).await.status, 200);
    mafalda.notice("peerLeft").await;
    let location = watching.header("location").unwrap();
    gone(&fixture, location).await;
}

#[tokio::test]
async fn what_is_not_there_yet_is_worth_another_try() {
    let fixture = start().await;
    let nobody = post(&fixture, "/whep/plaza", WATCHER).await;
    assert_eq!((nobody.status, nobody.header("retry-after")), (409, Some("2")));
    let (_mafalda, joined) = fixture.join("plaza", "Mafalda").await;
    let silent = post(&fixture, "/whep/plaza/Mafalda", WATCHER).await;
    assert_eq!((silent.status, silent.header("retry-after")), (409, Some("2")), "it sends nothing yet");
    let own = joined["peerId"].as_str().unwrap();
    let unknown = post(&fixture, "/whep/plaza/b2c6b1b0-5e5c-4f43-8b5e-0b9a2a3c7d10", WATCHER).await;
    assert_eq!((unknown.status, unknown.header("retry-after")), (404, None), "ids don't come back");
    assert_ne!(own, "b2c6b1b0-5e5c-4f43-8b5e-0b9a2a3c7d10");
}

#[tokio::test]
async fn who_has_just_come_may_not_send_everything_yet() {
    let fixture = start().await;
    let sound_alone = OBS.replace("m=video 54609", "m=video 0");
    assert_eq!(post(&fixture, "/whip/plaza", &sound_alone).await.status, 201);
    let early = post(&fixture, "/whep/plaza", WATCHER).await;
    assert_eq!((early.status, early.header("retry-after")), (409, Some("2")));
    let wants_sound = AIORTC.replace("m=video 49799", "m=video 0");
    assert_eq!(post(&fixture, "/whep/plaza", &wants_sound).await.status, 201, "nothing is missing");
    pass(Duration::from_secs(2)).await;
    let answer = post(&fixture, "/whep/plaza", WATCHER).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(
        lines(&answer, "m=video 0 ").len() == 1 && lines(&answer, "m=audio 0 ").is_empty(),
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_session_that_nobody_connects_to_goes_away() {
    let fixture = start().await;
    let (mut mafalda, _) = fixture.join("plaza", "Mafalda").await;
    let publisher = post(&fixture, "/whip/plaza", OBS).await;
    let watching = post(&fixture, "/whep/plaza", WATCHER).await;
    let locations = [&publisher, &watching].map(|answer| answer.header("location").unwrap());
    pass(Duration::from_secs(29)).await;
    for location in locations {
        assert_eq!(patch(&fixture, location, "*", "a=end-of-candidates\r\n").await.status, 204);
    }
    pass(Duration::from_secs(1)).await;
    for location in locations {
        gone(&fixture, location).await;
    }
    mafalda.notice("peerLeft").await;
}

#[tokio::test]
async fn candidates_are_noted_and_ice_restarts() {
    let fixture = start().await;
    let answer = post(&fixture, "/whip/plaza", OBS).await;
    let (location, tag) = (answer.header("location").unwrap(), answer.header("etag").unwrap());
    let noted = patch(&fixture, location, tag, TRICKLE).await;
    assert_eq!((noted.status, noted.header("etag"), noted.body.as_str()), (204, None, ""));
    assert_eq!(
        patch(&fixture, location, "*", TRICKLE).await.status,
        204,
        "the credentials are those of before"
    );
    assert_eq!(patch(&fixture, location, tag, "a=end-of-candidates\r\n").await.status, 204);

    let restarted = patch(&fixture, location, "*", RESTART).await;
    assert_eq!((restarted.status, restarted.header("content-type")), (200, Some(FRAGMENT)));
    let new_tag = restarted.header("etag").unwrap();
    assert_ne!(new_tag, tag);
    let fragment_of =
        |response: &Response| lines(response, "a=ice-ufrag:").first().map(|line| (*line).to_owned());
    assert!(fragment_of(&restarted).is_some() && fragment_of(&restarted) != fragment_of(&answer));
    assert!(restarted.body.contains("a=candidate:udpcandidate") && restarted.body.contains("a=mid:0\r\n"));

    assert_eq!(patch(&fixture, location, tag, RESTART).await.status, 412, "it is the session of before");
    assert_eq!(patch(&fixture, location, new_tag, RESTART).await.status, 204, "it is the one of now");
    let unconditional = Request::new("PATCH", location).header("content-type", FRAGMENT).body(RESTART);
    assert_eq!(unconditional.send(&fixture).await.status, 428);
    assert_eq!(patch(&fixture, location, "*", "nonsense").await.status, 400);
    assert_eq!(patch(&fixture, location, "*", "a=ice-ufrag:gQ7d\r\n").await.status, 422);
    let elsewhere = location.replace("/whip/plaza", "/whip/other");
    assert_eq!(patch(&fixture, &elsewhere, "*", TRICKLE).await.status, 404);
}

#[tokio::test]
async fn bodies_have_a_type_and_a_length() {
    let fixture = start().await;
    let offer = |kind: &str| Request::new("POST", "/whip/plaza").header("content-type", kind).body(OBS);
    assert_eq!(offer("text/plain").send(&fixture).await.status, 415);
    assert_eq!(Request::new("POST", "/whip/plaza").body(OBS).send(&fixture).await.status, 415);
    assert_eq!(offer("Application/SDP; charset=utf-8").send(&fixture).await.status, 201);
    let unwanted = offer(SDP).header("accept", "text/html").send(&fixture).await;
    assert_eq!(unwanted.status, 406);
    assert_eq!(offer(SDP).header("accept", "text/html, */*;q=0.1").send(&fixture).await.status, 201);
    let long = post(&fixture, "/whip/plaza", &"x".repeat(64 * 1024 + 1)).await;
    assert_eq!(long.status, 413);
    let binary = Request::new("POST", "/whip/plaza").header("content-type", SDP).bytes(&[0xff, 0xfe]);
    assert_eq!(binary.send(&fixture).await.status, 400);
    let location = offer(SDP).send(&fixture).await.header("location").unwrap().to_owned();
    let wrong =
        Request::new("PATCH", &location).header("content-type", SDP).header("if-match", "*").body(TRICKLE);
    assert_eq!(wrong.send(&fixture).await.status, 415);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let fixture = start().await;
    let request = Request::new("POST", "/whip/plaza").header("content-type", SDP).body(OBS);
    let waiting = request.send_head(&fixture).await;
    let answer = tokio::spawn(waiting.receive());
    // The request has to arrive before its time can begin.
    let mut passed = 0;
    while !answer.is_finished() {
        tokio::task::yield_now().await;
        passed += 1;
        if passed % 100 == 0 {
            pass(Duration::from_secs(1)).await;
        }
    }
    assert_eq!(answer.await.unwrap().status, 408);
}

#[tokio::test]
async fn a_second_picture_is_for_a_second_section() {
    let fixture = start().await;
    let video = OBS.split_once("m=video").map(|(_, video)| video.to_owned()).unwrap();
    let screen = video.replace("a=mid:1", "a=mid:2").replace("3185672202", "3185672203");
    let two = format!("{OBS}m=video{screen}").replace("BUNDLE 0 1", "BUNDLE 0 1 2");
    let publisher = post(&fixture, "/whip/plaza", &two).await;
    assert_eq!((publisher.status, lines(&publisher, "a=recvonly").len()), (201, 3), "{}", publisher.body);
    let (audio, video) = AIORTC.split_once("m=video").unwrap();
    let second = video.replace("a=mid:1", "a=mid:2");
    let two = format!("{audio}m=video{video}m=video{second}").replace("BUNDLE 0 1", "BUNDLE 0 1 2");
    let watching = post(&fixture, "/whep/plaza", &two).await;
    assert_eq!((watching.status, lines(&watching, "a=sendonly").len()), (201, 3), "{}", watching.body);
    let mut tracks: Vec<_> = lines(&watching, "a=msid:");
    tracks.dedup();
    assert_eq!(tracks.len(), 3);
    assert_eq!(lines(&watching, "a=group:"), ["a=group:BUNDLE 0 1 2"]);
}

#[tokio::test]
async fn a_publisher_sends_as_much_as_a_participant_may() {
    let fixture = start().await;
    let (head, section) =
        OBS.split_once("m=audio").map(|(head, rest)| (head, rest.split_once("m=video").unwrap().0)).unwrap();
    let sections = (0..9).map(|number| {
        let section = section.replace("a=mid:0", &format!("a=mid:{number}"));
        format!("m=audio{}", section.replace("3185672201", &format!("10{number}")))
    });
    let offer = format!("{head}{}", sections.collect::<String>());
    let offer = offer.replace("BUNDLE 0 1", "BUNDLE 0 1 2 3 4 5 6 7 8");
    let answer = post(&fixture, "/whip/plaza", &offer).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!((lines(&answer, "a=recvonly").len(), lines(&answer, "m=audio 0 ").len()), (8, 1));
}

#[tokio::test]
async fn descriptions_that_are_wrong_are_told_why() {
    let fixture = start().await;
    let lacks_codec = OBS.replace("opus/48000/2", "speex/16000").replace("H264", "VP7");
    let receives = OBS.replace("a=sendonly", "a=recvonly");
    for (offer, status, detail) in [
        ("hello", 400, "it is no session description"),
        (&OBS.replace("opus/48000/2", "opus/much")[..], 400, "`a=rtpmap:opus/much` can't be read"),
        (&OBS.replace("a=group:BUNDLE 0 1\r\n", ""), 422, "the media sections are not bundled"),
        (&OBS.replace("a=fingerprint", "a=x-fingerprint"), 422, "there is no `a=fingerprint`"),
        (&lacks_codec, 422, "0 (audio): no codec in common; 1 (video): no codec in common"),
        (&receives, 422, "0 (audio): nothing would be sent"),
    ] {
        let refused = post(&fixture, "/whip/plaza", offer).await;
        assert_eq!(
            (refused.status, refused.header("content-type")),
            (status, Some("application/problem+json"))
        );
        let problem: serde_json::Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{detail}: {}", refused.body);
    }
    assert_eq!(fixture.gateway.room_count(), 0, "nobody was seen");
    assert_eq!(post(&fixture, "/whip/plaza", OBS).await.status, 201);
    let sends = post(&fixture, "/whep/plaza", OBS).await;
    assert!(sends.status == 422 && sends.body.contains("nothing would be received"), "{}", sends.body);
    let other = AIORTC.replace("VP8", "VP7").replace("H264", "VP7").replace("opus/48000/2", "speex/16000");
    let unfit = post(&fixture, "/whep/plaza", &other).await;
    assert!(unfit.status == 422 && unfit.body.contains("no codec in common"), "{}", unfit.body);
}

#[tokio::test]
async fn names_that_can_not_be_are_refused() {
    let fixture = start().await;
    assert_eq!(post(&fixture, "/whip/plaza?name=", OBS).await.status, 400);
    assert_eq!(post(&fixture, &format!("/whip/plaza?name={}", "x".repeat(97)), OBS).await.status, 400);
    for path in ["/whip/pla%20za", "/whep/pla%20za", "/whip/", "/whip", "/whep/plaza/a/b/c"] {
        assert_eq!(post(&fixture, path, OBS).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let fixture = start().await;
    let session = post(&fixture, "/whip/plaza", OBS).await.header("location").unwrap().to_owned();
    let endpoint = ["OPTIONS", "POST"];
    let of_session = ["DELETE", "OPTIONS", "PATCH"];
    for (path, allowed) in
        [("/whip/plaza", &endpoint[..]), ("/whep/plaza", &endpoint), (session.as_str(), &of_session)]
    {
        for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"] {
            if allowed.contains(&method) {
                continue;
            }
            let answer = Request::new(method, path).send(&fixture).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            let mut told: Vec<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            told.sort_unstable();
            assert_eq!(told, allowed, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_token_is_asked_for_each_time() {
    let fixture = start_with_token().await;
    let offer = || Request::new("POST", "/whip/plaza").header("content-type", SDP).body(OBS);
    for given in [None, Some("Bearer wrong"), Some("Basic s3cret"), Some("s3cret")] {
        let request =
            given.into_iter().fold(offer(), |request, value| request.header("authorization", value));
        let refused = request.send(&fixture).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")), "{given:?}");
    }
    assert_eq!(fixture.gateway.room_count(), 0);
    let answer = offer().header("authorization", "bearer s3cret").send(&fixture).await;
    assert_eq!(answer.status, 201);
    let location = answer.header("location").unwrap();
    assert_eq!(patch(&fixture, location, "*", TRICKLE).await.status, 401);
    assert_eq!(delete(&fixture, location).await.status, 401);
    let end = Request::new("DELETE", location).header("authorization", "Bearer s3cret");
    assert_eq!(end.send(&fixture).await.status, 200);
    let watch = Request::new("POST", "/whep/plaza").header("content-type", SDP).body(WATCHER);
    assert_eq!(watch.send(&fixture).await.status, 401);
}

#[tokio::test]
async fn pages_of_other_hosts_may_ask_with_a_token_only() {
    let fixture = start_with_token().await;
    let preflight = Request::new("OPTIONS", "/whip/plaza").header("origin", "https://elsewhere.example");
    let told = preflight.send(&fixture).await;
    assert_eq!((told.status, told.header("access-control-allow-origin")), (204, Some("*")));
    assert_eq!(told.header("accept-post"), Some(SDP));
    assert!(told.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert!(told.header("access-control-allow-methods").unwrap().contains("POST"));
    let offer = Request::new("POST", "/whip/plaza").header("content-type", SDP).body(OBS);
    let answer = offer
        .header("origin", "https://elsewhere.example")
        .header("authorization", "Bearer s3cret")
        .send(&fixture)
        .await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (201, Some("*")));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("location"));
    let session = Request::new("OPTIONS", answer.header("location").unwrap()).send(&fixture).await;
    assert_eq!((session.status, session.header("accept-patch")), (204, Some(FRAGMENT)));
    assert!(session.header("access-control-allow-methods").unwrap().contains("DELETE"));

    let open = start().await;
    let offer = || Request::new("POST", "/whip/plaza").header("content-type", SDP).body(OBS);
    let strange = offer().header("origin", "https://elsewhere.example").send(&open).await;
    assert_eq!((strange.status, strange.header("access-control-allow-origin")), (403, None));
    let own = format!("http://{}", open.address);
    assert_eq!(offer().header("origin", &own).send(&open).await.status, 201);
    let told = Request::new("OPTIONS", "/whip/plaza").send(&open).await;
    assert_eq!((told.status, told.header("access-control-allow-origin")), (204, None));
}

#[tokio::test]
async fn a_room_has_an_end_for_publishers_too() {
    let fixture = start().await;
    let mut peers = Vec::new();
    for number in 0..64 {
        peers.push(fixture.join("plaza", &format!("peer {number}")).await.0);
    }
    let refused = post(&fixture, "/whip/plaza", OBS).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("30")));
    drop(peers);
}

#[tokio::test]
async fn what_a_worker_carried_ends_with_it() {
    let mut fixture = start().await;
    let location = post(&fixture, "/whip/plaza", OBS).await.header("location").unwrap().to_owned();
    fixture.workers.remove(0).close();
    gone(&fixture, &location).await;
    assert_eq!(post(&fixture, "/whip/plaza", OBS).await.status, 201, "the other Worker carries it now");
    fixture.workers.remove(0).close();
    assert_eq!(post(&fixture, "/whip/other", OBS).await.status, 503);
}

#[tokio::test]
async fn a_gateway_that_closes_ends_its_sessions() {
    let fixture = start().await;
    let location = post(&fixture, "/whip/plaza", OBS).await.header("location").unwrap().to_owned();
    fixture.gateway.close(client::PATIENCE).await;
    assert_eq!(fixture.gateway.room_count(), 0);
    assert_eq!(delete(&fixture, &location).await.status, 404);
    assert_eq!(post(&fixture, "/whip/plaza", OBS).await.status, 503);
}
