//! Known answers, round trips, and what must not pass. The keys under `tests/keys` and `tests/wrapped` are of OpenSSL's making, the ones
//! under `tests/bad_keys` too where it can make such; they guard nothing.

mod encryption;
mod generation;
mod imports;
pub(crate) mod keys;
mod known_answers;
mod macs;
mod rfc_6979;
mod signatures;
mod wrapping;
mod wycheproof;
