use super::*;
use crate::observer::tests::id;
use proptest::prelude::*;

fn level(attenuation_db: u8) -> AudioLevel {
    AudioLevel { voice: false, attenuation_db }
}

/// Listens to so many Producers.
fn levels(max_entries: u16, threshold: i8, producers: u128) -> AudioLevels {
    let mut levels = AudioLevels::new(NonZeroU16::new(max_entries).unwrap(), threshold);
    assert!((0..producers).all(|number| levels.add(id(number))));
    levels
}

fn say(levels: &mut AudioLevels, producer: u128, attenuation_db: u8, packets: usize) {
    (0..packets).for_each(|_| levels.on_level(id(producer), level(attenuation_db)));
}

fn volumes(heard: Option<Heard>) -> Vec<(ProducerId, i8)> {
    match heard {
        Some(Heard::Volumes(volumes)) => volumes.iter().map(|it| (it.producer, it.volume)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_average_takes_ten_packets() {
    let mut levels = levels(1, -127, 1);
    say(&mut levels, 0, 10, 9);
    assert_eq!(levels.evaluate(), None);
    say(&mut levels, 0, 10, 1);
    assert_eq!(levels.evaluate(), None, "an interval begins with nothing");
    say(&mut levels, 0, 10, 10);
    assert_eq!(volumes(levels.evaluate()), [(id(0), -10)]);
}

#[test]
fn the_threshold_is_loud_enough() {
    for threshold in [-127, -80, -1, 0] {
        let mut levels = levels(1, threshold, 1);
        let exactly = threshold.unsigned_abs();
        if exactly < 127 {
            say(&mut levels, 0, exactly + 1, 10);
            assert_eq!(levels.evaluate(), None);
        }
        say(&mut levels, 0, exactly, 10);
        assert_eq!(volumes(levels.evaluate()), [(id(0), threshold)]);
    }
}

#[test]
fn silence_is_told_once_and_only_after_a_voice() {
    let mut levels = levels(1, -80, 1);
    assert_eq!(levels.evaluate(), None);
    for _ in 0..2 {
        say(&mut levels, 0, 20, 10);
        volumes(levels.evaluate());
        say(&mut levels, 0, 81, 10);
        assert_eq!(levels.evaluate(), Some(Heard::Silence));
        assert_eq!(levels.evaluate(), None);
    }
}

#[test]
fn who_stops_listening_tells_silence_and_forgets() {
    let mut levels = levels(1, -80, 1);
    assert_eq!(levels.stop(), None);
    say(&mut levels, 0, 20, 20);
    volumes(levels.evaluate());
    say(&mut levels, 0, 20, 9);
    assert_eq!(levels.stop(), Some(Heard::Silence));
    say(&mut levels, 0, 20, 9);
    assert_eq!(levels.evaluate(), None);
}

#[test]
fn who_goes_and_who_pauses_is_left_out() {
    let mut levels = levels(3, -80, 3);
    (0..3).for_each(|producer| say(&mut levels, producer, 10, 10));
    levels.forget(id(0));
    assert!(levels.remove(id(1)) && !levels.remove(id(1)) && !levels.contains(id(1)));
    say(&mut levels, 1, 10, 10);
    assert_eq!(volumes(levels.evaluate()), [(id(2), -10)]);
    assert!(levels.producers().eq([id(0), id(2)]));
    assert!(!levels.add(id(0)), "it is there");
    say(&mut levels, 0, 10, 10);
    assert_eq!(volumes(levels.evaluate()), [(id(0), -10)]);
}

#[test]
fn there_is_nothing_to_wait_for_when_nobody_is_left_and_silence_was_told() {
    let mut levels = levels(1, -80, 1);
    assert!(!levels.is_idle());
    say(&mut levels, 0, 20, 10);
    volumes(levels.evaluate());
    levels.remove(id(0));
    assert!(!levels.is_idle(), "silence is to come");
    assert_eq!(levels.evaluate(), Some(Heard::Silence));
    assert!(levels.is_idle());
}

proptest! {
    /// Against averages over all packets, kept one by one, sorted by hand.
    #[test]
    fn the_loudest_are_told_by_their_averages(
        packets in prop::collection::vec((0..6_u128, 0..=127_u8), 0..200),
        max_entries in 1..5_u16,
        threshold in -127..=0_i8,
    ) {
        let mut levels = levels(max_entries, threshold, 6);
        packets.iter().for_each(|(producer, attenuation)| say(&mut levels, *producer, *attenuation, 1));
        let mut expected: Vec<(i8, u128)> = Vec::new();
        for producer in 0..6 {
            let own: Vec<f64> = packets.iter().filter(|it| it.0 == producer).map(|it| f64::from(it.1)).collect();
            let average = -(own.iter().sum::<f64>() / own.len() as f64).floor();
            if own.len() >= 10 && average >= f64::from(threshold) {
                expected.push((average as i8, producer));
            }
        }
        // The loudest first, equal ones by their ids.
        expected.sort_by_key(|(volume, producer)| (-volume, *producer));
        expected.truncate(max_entries.into());
        match levels.evaluate() {
            None => prop_assert!(expected.is_empty()),
            heard => {
                let told: Vec<_> = volumes(heard);
                let expected: Vec<_> = expected.iter().map(|(volume, it)| (id(*it), *volume)).collect();
                prop_assert_eq!(told, expected);
            }
        }
    }
}
