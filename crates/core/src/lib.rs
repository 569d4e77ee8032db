//! mafalda-core
