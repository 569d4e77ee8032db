use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::observer::tests::id;

const PACKET: Duration = Duration::from_millis(20);
const INTERVAL: Duration = Duration::from_millis(300);
const SEEDS: u64 = 20;

/// What somebody does for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Voice {
    /// Speech, with the ups and downs of syllables.
    Speaks,
    /// The noise of a room.
    Listens,
    /// No packets.
    Muted,
}
use Voice::{Listens, Muted, Speaks};

/// A conference on a virtual clock: each sends a packet every 20 ms, give or take a little.
struct Room {
    now: Instant,
    rng: StdRng,
    machine: ActiveSpeaker,
    due: Instant,
    /// Milliseconds since the beginning, and who has taken over.
    told: Vec<(u64, u128)>,
    start: Instant,
}

impl Room {
    fn new(seed: u64, speakers: u128) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time starts somewhere")]
        let start = Instant::now();
        let mut machine = ActiveSpeaker::default();
        (0..speakers).for_each(|number| assert!(machine.add(start, id(number), false)));
        let rng = StdRng::seed_from_u64(seed);
        Self { now: start, rng, machine, due: start + INTERVAL, told: Vec::new(), start }
    }

    /// So many milliseconds in which the first, the second and so on do that.
    fn pass(&mut self, ms: u64, voices: &[Voice]) {
        for _ in 0..ms / 20 {
            self.now += PACKET;
            for (number, voice) in (0..).zip(voices) {
                let loudness = match voice {
                    Speaks => self.rng.random_range(82..=115),
                    Listens => self.rng.random_range(5..=20),
                    Muted => continue,
                };
                let late = Duration::from_micros(self.rng.random_range(0..5000));
                let level = AudioLevel { voice: *voice == Speaks, attenuation_db: 127 - loudness };
                self.machine.on_level(self.now + late, id(number), level);
            }
            if self.due <= self.now {
                self.due += INTERVAL;
                self.decide();
            }
        }
    }

    fn decide(&mut self) {
        if let Some(next) = self.machine.evaluate(self.now) {
            let number = (0..100).find(|number| id(*number) == next).expect("one of them");
            self.told.push(((self.now - self.start).as_millis() as u64, number));
            assert_eq!(self.machine.dominant(), Some(next));
        }
    }

    fn take(&mut self) -> Vec<u128> {
        std::mem::take(&mut self.told).into_iter().map(|(_, number)| number).collect()
    }
}

fn each_seed(mut test: impl FnMut(u64)) {
    // A failure's message names the seed.
    (0..SEEDS).for_each(|seed| {
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| test(seed)));
        if let Err(panic) = run {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn who_is_alone_is_dominant_even_in_silence_and_told_once() {
    for voice in [Speaks, Listens, Muted] {
        let mut room = Room::new(0, 1);
        room.pass(10_000, &[voice]);
        assert_eq!(room.told, [(300, 0)]);
    }
}

#[test]
fn nobody_is_dominant_where_nobody_is() {
    let mut room = Room::new(0, 0);
    room.pass(1000, &[]);
    assert!(room.told.is_empty() && room.machine.is_empty());
}

#[test]
fn in_silence_the_first_is_dominant_and_stays_so() {
    each_seed(|seed| {
        let mut room = Room::new(seed, 3);
        room.pass(20_000, &[Listens, Muted, Listens]);
        assert_eq!(room.told, [(300, 0)]);
    });
}

#[test]
fn who_speaks_takes_over_within_a_second() {
    each_seed(|seed| {
        let mut room = Room::new(seed, 3);
        room.pass(2000, &[Listens; 3]);
        assert_eq!(room.take(), [0]);
        room.pass(1000, &[Listens, Listens, Speaks]);
        assert_eq!(room.take(), [2]);
        room.pass(10_000, &[Listens, Listens, Speaks]);
        assert!(room.told.is_empty(), "{:?}", room.told);
    });
}

#[test]
fn dominance_goes_to_and_fro_with_two_who_take_turns() {
    each_seed(|seed| {
        let mut room = Room::new(seed, 4);
        room.pass(2000, &[Listens, Listens, Listens, Muted]);
        room.take();
        for round in 0..6 {
            let voices = if round % 2 == 0 { [Listens, Speaks] } else { [Speaks, Listens] };
            room.pass(4000, &[voices[0], voices[1], Listens, Muted]);
            assert_eq!(room.take(), [1 - round % 2], "round {round}");
        }
    });
}

#[test]
fn a_cough_does_not_take_over_from_who_pauses_for_breath() {
    each_seed(|seed| {
        let mut room = Room::new(seed, 2);
        room.pass(2000, &[Listens, Listens]);
        room.pass(2000, &[Speaks, Listens]);
        room.take();
        for _ in 0..20 {
            room.pass(1500, &[Speaks, Listens]);
            room.pass(100, &[Listens, Listens]);
            // Loud, and over before it would be half of what the other said within the second.
            room.pass(200, &[Listens, Speaks]);
            room.pass(100, &[Listens, Listens]);
        }
        assert!(room.told.is_empty(), "{:?}", room.told);
    });
}

#[test]
fn nobody_takes_over_from_who_talks_on() {
    each_seed(|seed| {
        let mut room = Room::new(seed, 2);
        room.pass(2000, &[Listens, Listens]);
        room.pass(1500, &[Listens, Speaks]);
        assert_eq!(room.take(), [0, 1]);
        room.pass(10_000, &[Speaks, Speaks]);
        assert!(room.told.is_empty(), "{:?}", room.told);
        room.pass(1500, &[Speaks, Listens]);
        assert_eq!(room.take(), [0]);
    });
}

#[test]
fn who_is_paused_keeps_dominance_until_another_speaks_and_cannot_take_over() {
    let mut room = Room::new(1, 2);
    room.pass(1000, &[Listens, Listens]);
    room.pass(1500, &[Listens, Speaks]);
    assert_eq!(room.take(), [0, 1]);
    room.machine.set_paused(id(1), true);
    room.pass(5000, &[Listens, Muted]);
    assert!(room.told.is_empty());
    room.pass(1000, &[Speaks, Muted]);
    assert_eq!(room.take(), [0]);
    // Its packets from before the pause would do, if it were not paused.
    room.pass(1500, &[Listens, Speaks]);
    assert!(room.told.is_empty());
    room.machine.set_paused(id(1), false);
    room.pass(300, &[Listens, Speaks]);
    assert_eq!(room.take(), [1]);
}

#[test]
fn who_follows_the_dominant_one_that_goes_is_who_spoke_most_of_late() {
    let mut room = Room::new(2, 4);
    room.pass(1000, &[Listens; 4]);
    room.pass(2000, &[Listens, Speaks, Listens, Listens]);
    room.pass(400, &[Listens, Speaks, Listens, Speaks]);
    assert_eq!(room.take(), [0, 1]);
    assert!(room.machine.remove(id(1)) && !room.machine.remove(id(1)));
    assert_eq!(room.machine.dominant(), None);
    room.decide();
    assert_eq!(room.take(), [3]);
    // Of two that are alike, the one that isn't paused.
    room.machine.remove(id(3));
    room.machine.set_paused(id(0), true);
    room.decide();
    assert_eq!(room.take(), [2]);
    room.machine.remove(id(2));
    room.decide();
    assert_eq!(room.take(), [0], "somebody always is");
    room.machine.remove(id(0));
    room.decide();
    assert!(room.told.is_empty() && room.machine.is_empty());
}

#[test]
fn a_newcomer_is_known_once_and_a_stranger_not_heard() {
    let mut room = Room::new(3, 1);
    let now = room.now;
    assert!(!room.machine.add(now, id(0), true));
    assert!(room.machine.contains(id(0)) && !room.machine.contains(id(1)));
    room.pass(2000, &[Listens, Speaks]);
    assert_eq!(room.take(), [0]);
    assert!(room.machine.add(now, id(1), false));
    assert!(room.machine.producers().eq([id(0), id(1)]));
    room.pass(1000, &[Listens, Listens]);
    room.pass(1000, &[Listens, Speaks]);
    assert_eq!(room.take(), [1]);
}
