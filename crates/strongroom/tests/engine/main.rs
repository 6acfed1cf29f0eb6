//! The use cases over adapters in memory.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod audit_outbox;
mod audit_proof;
mod audit_query;
mod damaged_log;
mod iam;
mod kept_versions;
mod kms;
mod kms_rewrap;
mod kms_scheduled;
mod lists;
mod operator;
mod projects;
mod races;
mod records;
mod reveal_many;
mod root_key;
mod secrets;
mod send;
mod support;
mod unruly_kms;
