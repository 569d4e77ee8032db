//! The acceptance suite: one body, many backends.
