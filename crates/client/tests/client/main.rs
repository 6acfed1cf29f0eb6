//! The client against a server that answers as badly as a test wants it.
#![expect(clippy::expect_used, reason = "these are tests")]

mod addresses;
mod answers;
mod audit;
mod double;
mod many;
mod retries;
mod tls;
mod tokens;
