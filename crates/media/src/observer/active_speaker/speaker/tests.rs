use proptest::prelude::*;

use super::*;

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
    Instant::now()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One who has been heard as quiet, so that loud is above the noise.
fn speaker(start: Instant) -> Speaker {
    let mut speaker = Speaker::new(start, false);
    speaker.on_level(start, 10);
    speaker
}

#[test]
fn scores_are_those_of_the_papers_distributions() {
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    for (scale, parts, rate) in [(IMMEDIATE, 13, 0.78_f64), (MEDIUM, 5, 24.0), (LONG, 10, 47.0)] {
        assert_eq!(scale.parts, parts);
        for active in 0..=parts {
            let choices = factorial(parts) / factorial(active) / factorial(parts - active);
            let speech = choices * 0.5_f64.powi(parts as i32);
            // Below what a floating-point number can be, where there is a third of it.
            let silence = rate.ln() - rate * f64::from(active);
            let expected = (speech.ln() - silence).max(1e-10);
            let score = scale.score(active);
            assert!(
                (score - expected).abs() <= 1e-9 * expected.max(1.0),
                "{active} of {parts}: {score}, {expected}"
            );
        }
    }
}

#[test]
fn more_is_never_scored_less_over_time() {
    for scale in [MEDIUM, LONG] {
        let scores: Vec<f64> = (0..=scale.parts).map(|active| scale.score(active)).collect();
        assert!(scores.is_sorted(), "{scores:?}");
        assert_eq!(scores[0], SCORE_MIN);
    }
    // In speech a moment is seldom active in all of its steps, nor in hardly any.
    let scores: Vec<f64> = (0..=13).map(|active| IMMEDIATE.score(active)).collect();
    assert_eq!(scores.iter().filter(|score| **score == SCORE_MIN).count(), 4);
    assert!(scores[..=9].is_sorted() && scores[9..].is_sorted_by(|one, next| one > next), "{scores:?}");
}

#[test]
fn a_second_of_speech_is_active_throughout_and_a_moment_is_not() {
    let start = start();
    let mut speaker = speaker(start);
    let silent = speaker.activity();
    assert_eq!(silent, Activity { long: SCORE_MIN, medium: SCORE_MIN, immediate: SCORE_MIN });
    for packet in 1..=4 {
        speaker.on_level(start + ms(20 * packet), 100);
    }
    let moment = speaker.activity();
    assert!(moment.immediate > SCORE_MIN && moment.medium > SCORE_MIN);
    assert_eq!(moment.long, SCORE_MIN, "no block is whole");
    for packet in 5..=50 {
        speaker.on_level(start + ms(20 * packet), 100);
    }
    assert_eq!(speaker.activity().long, LONG.score(10));
    assert_eq!(speaker.activity().medium, MEDIUM.score(5));
    assert_eq!(speaker.activity().immediate, IMMEDIATE.score(10));
}

#[test]
fn longer_packets_count_for_what_they_hold() {
    let start = start();
    let (mut short, mut long) = (speaker(start), speaker(start));
    for packet in 1..=60 {
        short.on_level(start + ms(20 * packet), 90);
        if packet % 3 == 0 {
            long.on_level(start + ms(20 * packet), 90);
        }
    }
    assert_eq!(short.activity(), long.activity());
}

#[test]
fn what_comes_at_once_counts_each_and_a_long_gap_no_more_than_all() {
    let start = start();
    let mut at_once = speaker(start);
    (0..50).for_each(|_| at_once.on_level(start, 90));
    assert_eq!(at_once.activity().long, LONG.score(10));
    let mut late = speaker(start);
    late.on_level(start + Duration::from_secs(86_400), 90);
    assert_eq!(late.activity().long, LONG.score(10));
}

#[test]
fn time_without_packets_is_silence_but_not_at_once() {
    let start = start();
    let mut speaker = speaker(start);
    (1..=50).for_each(|packet| speaker.on_level(start + ms(20 * packet), 100));
    let (end, loud) = (start + ms(1000), speaker.activity());
    speaker.rest(end + ms(40));
    assert_eq!(speaker.activity(), loud, "a packet may be late");
    speaker.rest(end + ms(41));
    assert_eq!(speaker.activity().immediate, SCORE_MIN);
    assert!(speaker.activity().long > SCORE_MIN, "it is not forgotten");
    speaker.rest(end + ms(2000));
    assert_eq!(speaker.activity().long, SCORE_MIN);
}

#[test]
fn what_is_always_there_becomes_noise_and_what_stops_is_none() {
    let start = start();
    let mut speaker = speaker(start);
    // A fan, as loud as a voice.
    let mut packets = (1..).map(|packet| start + ms(20 * packet));
    let mut blow = |speaker: &mut Speaker, packets_count: usize| {
        packets.by_ref().take(packets_count).for_each(|at| speaker.on_level(at, 100));
    };
    blow(&mut speaker, 749);
    assert_eq!(speaker.noise.floor, 10);
    blow(&mut speaker, 1);
    assert_eq!(speaker.noise.floor, 31, "between both: the root of their product");
    blow(&mut speaker, 5 * 750);
    assert!(speaker.noise.floor > 90, "{}", speaker.noise.floor);
    assert_eq!(speaker.activity().immediate, SCORE_MIN);
    speaker.on_level(start + Duration::from_secs(600), 20);
    assert_eq!(speaker.noise.floor, 20, "the least counts at once");
    speaker.on_level(start + Duration::from_secs(601), 0);
    assert_eq!(speaker.noise.floor, 20, "silence is no noise");
}

#[test]
fn a_level_is_active_from_a_step_above_the_noise() {
    let start = start();
    for (noise, level, bands) in
        [(75, 84, 0), (75, 85, 8), (1, 10, 0), (1, 11, 1), (1, 127, 12), (120, 127, 0)]
    {
        let mut speaker = Speaker::new(start, false);
        speaker.on_level(start, noise);
        speaker.on_level(start, level);
        assert_eq!(speaker.bands(0), bands, "{level} over {noise}");
        assert_eq!(speaker.bands(1), 0, "the noise itself");
    }
}

proptest! {
    /// Against all levels in a list, the newest first, and counts as the module says them.
    #[test]
    fn activity_is_counted_over_the_last_second(levels in prop::collection::vec((0..=127_u8, 0..200_u64), 0..200)) {
        let mut at = start();
        let mut speaker = speaker(at);
        let mut history = vec![10_u8];
        for (level, gap) in levels {
            at += ms(gap);
            speaker.on_level(at, level);
            for _ in 0..(gap / 20).max(1) {
                history.insert(0, level);
            }
        }
        history.resize(history.len().max(50), 0);
        // Too few levels for the noise to rise: it is the least there was.
        let floor = history.iter().copied().filter(|level| *level > 0).min().unwrap();
        let active: Vec<bool> =
            history[..50].iter().map(|level| *level >= floor + 10 && level / 10 > 7).collect();
        let blocks: Vec<usize> = active.chunks(5).map(|block| block.iter().filter(|it| **it).count()).collect();
        let immediate = if history[0] >= floor + 10 { history[0] / 10 } else { 0 };
        let expected = Activity {
            long: LONG.score(blocks.iter().filter(|block| **block == 5).count() as u32),
            medium: MEDIUM.score(blocks[0] as u32),
            immediate: IMMEDIATE.score(immediate.into()),
        };
        prop_assert_eq!(speaker.activity(), expected);
    }
}
