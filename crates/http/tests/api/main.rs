//! The API from request to response, without a socket but in `serving`: a real engine over a store and a KMS in memory.

#![expect(clippy::expect_used, reason = "a helper of tests fails by panicking")]

mod audit;
mod audit_export;
mod audit_input;
mod audit_system;
mod bodies;
mod documented;
mod errors;
mod iam;
mod kept_versions;
mod keys;
mod kms;
mod limits;
mod listing;
mod mounted;
mod order;
mod order_records;
mod page;
mod paths;
mod puts;
mod reveal_many;
mod secrets;
mod serving;
mod support;
mod versions;
mod wrapping;
