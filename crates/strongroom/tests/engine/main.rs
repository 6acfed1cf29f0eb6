//! The use cases over adapters in memory.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod iam;
mod kms;
mod kms_rewrap;
mod kms_scheduled;
mod operator;
mod projects;
mod races;
mod records;
mod root_key;
mod secrets;
mod send;
mod support;
mod unruly_kms;
