//! mafalda-api
