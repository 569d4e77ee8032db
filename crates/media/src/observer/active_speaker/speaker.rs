//! How much one Producer speaks, on three time scales.
//!
//! After I. Volfin and I. Cohen, "Dominant speaker identification for multipoint videoconferencing" (Computer Speech and Language
//! 27, 2013). On each scale is counted how many of its parts are active, and that number scored by how much likelier it is in
//! speech (binomially distributed) than without (exponentially). Where the paper counts frequency bands with speech in them, here
//! are steps of loudness above the noise: packets say no more of themselves. Figures are mediasoup's.

use std::time::{Duration, Instant};

/// The loudest level.
const LOUDNESS_MAX: u8 = 127;
/// What one level stands for: a packet of usual length. One of longer packets stands for several.
const STEP: Duration = Duration::from_millis(20);
/// Time without packets that is not silence yet: they may be late, or long.
const PATIENCE: Duration = Duration::from_millis(40);

/// Steps of loudness, the parts of the immediate scale.
const BANDS: u8 = 13;
/// Decibels of one.
const BAND: u8 = LOUDNESS_MAX.div_ceil(BANDS);
/// Levels of a block, the parts of the medium scale: 100 ms.
const LEVELS_PER_BLOCK: usize = 5;
/// Blocks, the parts of the long scale: a second.
const BLOCKS: usize = 10;
const LEVELS: usize = LEVELS_PER_BLOCK * BLOCKS;
/// A level with more steps than that is active.
const ACTIVE_BANDS: u8 = 7;
/// A block with more active levels than that is active: all of it.
const ACTIVE_LEVELS: usize = 4;

/// How likely each part is active in speech.
const ACTIVE_IN_SPEECH: f64 = 0.5;
/// What is less likely in speech than without is scored with next to nothing: scores are divided by each other.
const SCORE_MIN: f64 = 1e-10;

/// Levels over which the noise is looked for anew: 15 s. Shorter, and who speaks without a pause would be taken for noise; longer, and
/// a fan that is switched on would be taken for speech.
const NOISE_WINDOW: u32 = 750;

const IMMEDIATE: Scale = Scale { parts: BANDS as u32, rate: 0.78 };
const MEDIUM: Scale = Scale { parts: LEVELS_PER_BLOCK as u32, rate: 24.0 };
const LONG: Scale = Scale { parts: BLOCKS as u32, rate: 47.0 };

/// Scores on the three scales.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Activity {
    pub(super) long: f64,
    pub(super) medium: f64,
    pub(super) immediate: f64,
}

impl Activity {
    /// How much more active this is than the other, as logarithms.
    pub(super) fn above(self, other: Self) -> Self {
        Self {
            long: (self.long / other.long).ln(),
            medium: (self.medium / other.medium).ln(),
            immediate: (self.immediate / other.immediate).ln(),
        }
    }
}

/// What is known of one Producer.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    /// Decibels above silence, 0..=127, in a ring.
    levels: [u8; LEVELS],
    newest: usize,
    /// The time that the newest level reaches up to.
    until: Instant,
    noise: Noise,
    pub(super) paused: bool,
}

impl Speaker {
    pub(super) fn new(now: Instant, paused: bool) -> Self {
        Self { levels: [0; LEVELS], newest: 0, until: now, noise: Noise::default(), paused }
    }

    /// A packet is so loud, in decibels above silence.
    pub(super) fn on_level(&mut self, now: Instant, loudness: u8) {
        let loudness = loudness.min(LOUDNESS_MAX);
        let passed = now.saturating_duration_since(self.until).as_millis() / STEP.as_millis();
        for _ in 0..passed.clamp(1, LEVELS as u128) {
            self.newest = (self.newest + 1) % LEVELS;
            self.levels[self.newest] = loudness;
        }
        self.until = now;
        self.noise.on_level(loudness);
    }

    /// Time without packets is silence.
    pub(super) fn rest(&mut self, now: Instant) {
        if now.saturating_duration_since(self.until) > PATIENCE {
            self.on_level(now, 0);
        }
    }

    pub(super) fn activity(&self) -> Activity {
        let active_levels = |block: usize| {
            let levels = (0..LEVELS_PER_BLOCK).map(|level| self.bands(block * LEVELS_PER_BLOCK + level));
            levels.filter(|bands| *bands > ACTIVE_BANDS).count()
        };
        let active_blocks = (0..BLOCKS).filter(|block| active_levels(*block) > ACTIVE_LEVELS).count();
        Activity {
            long: LONG.score(active_blocks as u32),
            medium: MEDIUM.score(active_levels(0) as u32),
            immediate: IMMEDIATE.score(self.bands(0).into()),
        }
    }

    /// Active steps of loudness of a level, the newest being 0.
    fn bands(&self, ago: usize) -> u8 {
        let level = self.levels[(self.newest + LEVELS - ago) % LEVELS];
        if level < self.noise.floor.saturating_add(BAND) { 0 } else { level / BAND }
    }
}

/// One of the time scales.
#[derive(Clone, Copy, Debug)]
struct Scale {
    /// How many there are at most.
    parts: u32,
    /// Of the exponential distribution of those that are active without speech.
    rate: f64,
}

impl Scale {
    /// By how much likelier speech has so many active parts than silence: the paper's score.
    fn score(self, active: u32) -> f64 {
        let inactive = self.parts - active;
        let choices: f64 = (0..active).map(|it| (f64::from(self.parts - it) / f64::from(it + 1)).ln()).sum();
        let speech = choices
            + f64::from(active) * ACTIVE_IN_SPEECH.ln()
            + f64::from(inactive) * (1.0 - ACTIVE_IN_SPEECH).ln();
        let silence = self.rate.ln() - self.rate * f64::from(active);
        (speech - silence).max(SCORE_MIN)
    }
}

/// The level of the noise that is always there.
#[derive(Clone, Copy, Debug, Default)]
struct Noise {
    /// The least level; 0 before the first.
    floor: u8,
    /// The least level of the window that is under way.
    next: Option<u8>,
    /// Levels in it.
    levels: u32,
}

impl Noise {
    /// Falls at once; rises after each window to between what it was and what it would be.
    fn on_level(&mut self, level: u8) {
        if level == 0 {
            return;
        }
        if self.floor == 0 || level < self.floor {
            *self = Self { floor: level, ..Self::default() };
            return;
        }
        let least = self.next.map_or(level, |next| next.min(level));
        self.next = Some(least);
        self.levels += 1;
        if self.levels >= NOISE_WINDOW {
            let between = (f64::from(self.floor) * f64::from(least)).sqrt();
            *self = Self { floor: between as u8, ..Self::default() };
        }
    }
}

#[cfg(test)]
mod tests;
