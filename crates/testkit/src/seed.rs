//! Seeds of simulations: how many, and which one it was that failed.

use std::env;
use std::thread;

/// Seeds per test when the environment says nothing: what a build on two cores can afford.
const SEEDS_DEFAULT: u64 = 3;

/// The seeds to run: `MAFALDA_SEEDS` of them (0, 1, 2, …), or the one that `MAFALDA_SEED` names.
///
/// # Panics
/// When one of the variables is not a number.
#[must_use]
pub fn seeds() -> Vec<u64> {
    if let Some(seed) = number("MAFALDA_SEED") {
        return vec![seed];
    }
    (0..number("MAFALDA_SEEDS").unwrap_or(SEEDS_DEFAULT)).collect()
}

/// Runs a test with each of the [`seeds`], and says which seed it was when it fails.
pub fn each_seed(mut test: impl FnMut(u64)) {
    for seed in seeds() {
        let teller = Teller(seed);
        test(seed);
        drop(teller);
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text:?}: {error}")))
}

/// Tells the seed when a panic passes by.
struct Teller(u64);

impl Drop for Teller {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("failed with seed {0}; again with MAFALDA_SEED={0}", self.0);
        }
    }
}
