//! The use cases over adapters in memory.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod iam;
mod kms;
mod operator;
mod projects;
mod races;
mod records;
mod secrets;
mod send;
mod support;
