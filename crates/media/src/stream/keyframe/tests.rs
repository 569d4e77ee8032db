use proptest::prelude::*;

use super::*;
use crate::stream::virtual_time::at_ms;

fn requests(delay_ms: u64) -> KeyFrameRequests {
    KeyFrameRequests::new(Duration::from_millis(delay_ms))
}

#[test]
fn requests_merge_until_the_key_frame_comes() {
    let mut requests = requests(0);
    assert_eq!(requests.timeout(), None);
    assert_eq!(requests.request(at_ms(0)), KeyFrameAction::Send);
    assert_eq!(requests.request(at_ms(100)), KeyFrameAction::Merged);
    requests.on_key_frame();
    assert_eq!(requests.timeout(), None);
    assert_eq!(requests.request(at_ms(200)), KeyFrameAction::Send);
}

#[test]
fn an_unanswered_request_is_repeated_once() {
    let mut requests = requests(0);
    requests.request(at_ms(0));
    assert_eq!(requests.timeout(), Some(at_ms(1000).at));
    assert!(!requests.handle_timeout(at_ms(999)));
    assert!(requests.handle_timeout(at_ms(1000)));
    assert_eq!(requests.timeout(), Some(at_ms(2000).at));
    assert!(!requests.handle_timeout(at_ms(2000)));
    assert_eq!(requests.timeout(), None);
}

#[test]
fn who_asks_again_after_the_repeat_gets_another() {
    let mut requests = requests(0);
    requests.request(at_ms(0));
    assert!(requests.handle_timeout(at_ms(1000)));
    assert_eq!(requests.request(at_ms(1500)), KeyFrameAction::Merged);
    assert!(requests.handle_timeout(at_ms(2000)));
}

#[test]
fn the_delay_holds_and_merges_requests() {
    let mut requests = requests(3000);
    assert_eq!(requests.request(at_ms(0)), KeyFrameAction::Send);
    requests.on_key_frame();
    assert_eq!(requests.request(at_ms(100)), KeyFrameAction::Delayed);
    assert_eq!(requests.request(at_ms(200)), KeyFrameAction::Delayed);
    assert_eq!(requests.timeout(), Some(at_ms(3000).at));
    assert!(!requests.handle_timeout(at_ms(2999)));
    assert!(requests.handle_timeout(at_ms(3000)));
    assert_eq!(
        requests.request(at_ms(3100)),
        KeyFrameAction::Delayed,
        "the delay counts from the request that was held"
    );
}

#[test]
fn a_key_frame_serves_those_who_are_held_too() {
    let mut requests = requests(3000);
    requests.request(at_ms(0));
    requests.request(at_ms(100));
    requests.on_key_frame();
    assert_eq!(requests.timeout(), None);
    assert_eq!(requests.request(at_ms(3000)), KeyFrameAction::Send);
}

#[test]
fn a_forced_request_starts_the_wait_anew() {
    let mut requests = requests(3000);
    requests.request(at_ms(0));
    requests.force(at_ms(500));
    assert_eq!(requests.timeout(), Some(at_ms(1500).at));
    assert!(requests.handle_timeout(at_ms(1500)));
}

#[test]
fn who_asks_right_behind_a_key_frame_is_not_forgotten_by_a_sender_that_rests() {
    let mut requests = requests(0);
    requests.request(at_ms(0));
    requests.on_key_frame();
    assert_eq!(requests.request(at_ms(60)), KeyFrameAction::Send, "a sender without a rest answers at once");
    assert_eq!(requests.timeout(), Some(at_ms(410).at));
    assert!(requests.handle_timeout(at_ms(410)));
    // The repeat is as good as a first request, and is repeated itself.
    assert_eq!(requests.timeout(), Some(at_ms(1410).at));
    assert!(requests.handle_timeout(at_ms(1410)));
    assert!(!requests.handle_timeout(at_ms(2410)));
    assert_eq!(requests.timeout(), None);
}

#[test]
fn a_sender_that_answers_is_not_asked_twice() {
    let mut requests = requests(0);
    requests.request(at_ms(0));
    requests.on_key_frame();
    requests.request(at_ms(299));
    requests.on_key_frame();
    assert_eq!(requests.timeout(), None);
    requests.request(at_ms(599));
    assert_eq!(requests.timeout(), Some(at_ms(1599).at), "it rests no longer");
}

proptest! {
    /// However often Consumers ask, the producer is asked at most once per wait; and whoever asks gets a request within the wait
    /// and the delay unless a key frame comes.
    #[test]
    fn no_storm_and_no_starvation(
        events in prop::collection::vec((0_u64..400, 0_u8..10), 1..200),
        delay in prop::sample::select(vec![0_u64, 300, 2500]),
    ) {
        let mut requests = requests(delay);
        let (mut ms, mut sent, mut served): (u64, Option<(u64, u64)>, bool) = (0, None, true);
        let mut asked_since: Option<u64> = None;
        let mut note = |ms: u64, served: &mut bool| {
            let spaced = sent.is_none_or(|(last, wait)| *served || ms - last >= wait);
            sent = Some((ms, if sent.is_some_and(|(last, _)| ms - last < 300) { 350 } else { 1000 }));
            *served = false;
            spaced
        };
        for (step, kind) in events {
            for tick in ms..ms + step {
                if requests.timeout().is_some_and(|deadline| deadline <= at_ms(tick).at) && requests.handle_timeout(at_ms(tick)) {
                    prop_assert!(note(tick, &mut served));
                    asked_since = None;
                }
                prop_assert!(asked_since.is_none_or(|since| tick - since <= 1000 + delay));
            }
            ms += step;
            if kind == 0 {
                requests.on_key_frame();
                (served, asked_since) = (true, None);
            } else if requests.request(at_ms(ms)) == KeyFrameAction::Send {
                prop_assert!(note(ms, &mut served));
                asked_since = None;
            } else {
                asked_since.get_or_insert(ms);
            }
        }
    }
}
