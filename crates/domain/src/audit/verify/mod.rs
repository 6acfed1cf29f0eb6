//! Verification: whether the log is still what its writers signed.
//!
//! Pure; whoever has the log, in a store or in a file, gives it piece by piece. First all checkpoints, in order, to a [`Ledger`]; then the
//! records of each stream, in order, to a [`StreamCheck`]. After something that is wrong they go on with what is there, so that one change
//! is one finding, at the first record that it shows at.

mod finding;
mod ledger;
mod stream;

pub use finding::{Finding, FindingKind};
pub use ledger::{KnownKeys, Ledger, check_anchor};
pub use stream::StreamCheck;

#[cfg(test)]
mod tests;
