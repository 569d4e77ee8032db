//! What happens: one sends, a second later another comes to receive, both leave again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep, timeout};

use crate::check::Checks;
use crate::received::Received;
use crate::receiver::Receiver;
use crate::sender::{SSRCS, Sender};

/// How long after the first the second one comes: late enough that the first key frame is gone.
const LATE: Duration = Duration::from_secs(1);

/// How long everything may take to come.
const MEDIA_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the others may take to hear that somebody left.
const EVENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Packets that must come without a gap.
const VIDEO_PACKETS: usize = 600;
const AUDIO_PACKETS: usize = 200;

/// Transport-wide feedback that must come. The gateway may let 250 ms pass between two messages; a busy machine makes it more.
const FEEDBACK_PER_SECOND_MIN: f64 = 3.0;

/// Goes through it all against the gateway at `url`.
pub(crate) async fn run(url: &str, checks: &mut Checks) -> Result<()> {
    let room = format!("interop-{}", std::process::id());
    let mut sender = Sender::join(url, &room).await.context("the sender")?;
    checks.note("sender connects", true, "ICE, and DTLS that the gateway opens");
    sleep(LATE).await;
    let asked_before = load(&sender.link.seen.key_frame_requests);
    let mut receiver = Receiver::join(url, &room).await.context("the receiver")?;
    checks.note("receiver connects", true, "ICE, and DTLS that the client opens");

    let took = wait_for_media(&mut sender, &receiver).await?;
    println!("        watched for {:.1} s", took.as_secs_f64());
    check_media(checks, &sender, &receiver);
    check_feedback(checks, &sender, &receiver, asked_before);
    check_repairs(checks, &sender, &receiver);
    check_end(checks, &mut sender, &mut receiver).await
}

/// Waits until all has come that is going to be checked, or time is up.
async fn wait_for_media(sender: &mut Sender, receiver: &Receiver) -> Result<Duration> {
    let start = Instant::now();
    while start.elapsed() < MEDIA_TIMEOUT && !has_all(sender, receiver) {
        sender.check().await?;
        sleep(Duration::from_millis(50)).await;
    }
    Ok(start.elapsed())
}

fn has_all(sender: &Sender, receiver: &Receiver) -> bool {
    receiver.streams.video().unbroken() >= VIDEO_PACKETS
        && receiver.streams.audio().unbroken() >= AUDIO_PACKETS
        && sender.link.seen.receiver_reports_of(&SSRCS)
        && receiver.link.seen.sender_reports_of(&receiver.ssrcs)
}

fn check_media(checks: &mut Checks, sender: &Sender, receiver: &Receiver) {
    let lost = load(&sender.link.seen.lost) + load(&receiver.link.seen.lost);
    let video = receiver.streams.video();
    checks.note("video arrives whole", is_whole(&video, VIDEO_PACKETS), &describe(&video));
    checks.note(
        "video arrives in order, repairs aside",
        u64::from(video.late) <= lost,
        &format!("{} packets came behind a younger one, {lost} were lost on purpose", video.late),
    );
    let audio = receiver.streams.audio();
    let is_straight = is_whole(&audio, AUDIO_PACKETS) && audio.late + audio.repeated == 0;
    checks.note("audio arrives whole and in order", is_straight, &describe(&audio));
}

fn is_whole(received: &Received, least: usize) -> bool {
    received.unbroken() >= least && received.wrong == 0
}

fn describe(received: &Received) -> String {
    let (unbroken, wrong) = (received.unbroken(), received.wrong);
    format!("{unbroken} packets without a gap, {wrong} wrong, {} repeated", received.repeated)
}

fn check_feedback(checks: &mut Checks, sender: &Sender, receiver: &Receiver, asked_before: u64) {
    let asked = load(&sender.link.seen.key_frame_requests);
    let seen = format!("{asked_before} key frames were asked for before, {} since", asked - asked_before);
    checks.note("who comes late makes the sender be asked for a key frame", asked > asked_before, &seen);
    let first = receiver.streams.video().first;
    let begins = first.is_some_and(|first| first.begins_key_frame);
    checks.note("video begins with a key frame", begins, &format!("{first:?}"));
    let reported = sender.link.seen.receiver_reports_of(&SSRCS);
    checks.note("receiver reports come to the sender", reported, &format!("asked of {SSRCS:?}"));
    let reported = receiver.link.seen.sender_reports_of(&receiver.ssrcs);
    checks.note("sender reports come to the receiver", reported, &format!("asked of {:?}", receiver.ssrcs));
    let feedback = load(&sender.link.seen.transport_feedback);
    let took = sender.since.elapsed().as_secs_f64();
    checks.note(
        "transport-wide feedback comes to the sender in time",
        feedback as f64 >= took * FEEDBACK_PER_SECOND_MIN,
        &format!("{feedback} messages in {took:.1} s"),
    );
}

/// That nothing is missing in spite of this is what the check of the video says.
fn check_repairs(checks: &mut Checks, sender: &Sender, receiver: &Receiver) {
    let up = &sender.link.seen;
    let (lost, nacks, repairs) = (load(&up.lost), load(&up.nacks), load(&up.repairs));
    checks.note(
        "what is lost towards the gateway is repaired",
        lost > 0 && nacks > 0 && repairs >= lost.saturating_sub(1),
        &format!("{lost} packets lost, {nacks} NACKs came, {repairs} repairs went"),
    );
    let down = &receiver.link.seen;
    let (lost, repairs) = (load(&down.lost), load(&down.repairs));
    checks.note(
        "what is lost from the gateway is repaired",
        lost > 0 && repairs >= lost.saturating_sub(1),
        &format!("{lost} packets lost, {repairs} repairs came"),
    );
}

async fn check_end(checks: &mut Checks, sender: &mut Sender, receiver: &mut Receiver) -> Result<()> {
    sender.leave().await?;
    let mut events = Vec::new();
    while let Ok(event) = timeout(EVENT_TIMEOUT, receiver.signaling.next_event()).await {
        let name = event?["event"].as_str().unwrap_or_default().to_owned();
        let is_last = name == "peerLeft";
        events.push(name);
        if is_last {
            break;
        }
    }
    let is_told = events == ["producerClosed", "producerClosed", "peerLeft"];
    checks.note("the others hear that the sender left", is_told, &events.join(", "));
    note(checks, "leaving ends the sender's DTLS", sender.link.dtls_closed().await);
    receiver.leave().await?;
    note(checks, "leaving ends the receiver's DTLS", receiver.link.dtls_closed().await);
    for link in [&sender.link, &receiver.link] {
        link.connection.close().await?;
    }
    Ok(())
}

fn note(checks: &mut Checks, name: &str, result: Result<()>) {
    match result {
        Ok(()) => checks.note(name, true, "by the gateway's close_notify"),
        Err(error) => checks.fail(name, &format!("{error:#}")),
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
