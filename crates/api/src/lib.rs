//! mafalda-api

pub mod ortc;
pub mod supported_rtp_capabilities;
pub mod types;
