//! mafalda-testkit
