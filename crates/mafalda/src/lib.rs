//! mafalda-mafalda
