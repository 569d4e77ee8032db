//! mafalda-gateway
