//! Tests of the whole machine that need to look, or to reach, inside.

mod alias;
mod crowd;
mod drops;
mod flow;
mod index;
mod limits;
mod observe;
mod overload;
mod peer;
mod refusal;
mod rest;
mod server;
mod simulcast;
mod sound;
mod stage;
mod stats;
mod timer;
mod trace;
mod way;
