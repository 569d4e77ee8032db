//! Negotiation from the outside: a Router's capabilities, Producers mapped to them, Consumers made from those.

#![expect(clippy::unwrap_used, reason = "a test whose values don't parse has failed")]

mod browser;
mod codec;
mod consumer;
mod fixture;
mod pipe;
mod producer;
mod property;
mod red;
mod remote_numbers;
mod router;
