//! Servers that fail: each operation ends within its time, with the right kind of error, and tells nothing that is secret.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod answers;
mod case;
#[path = "../double/mod.rs"]
mod double;
mod imports;
mod other_data;
mod proofs;
mod repeating;
mod tokens;
