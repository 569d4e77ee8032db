//! Tests of the whole machine that need to look, or to reach, inside.

mod peer;
mod stage;
mod timer;
