use crate::failure::Failure;
use crate::unit::{Expect, Unit};
use async_trait::async_trait;

/// Why a unit was not, or perhaps not, applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitErrorKind {
    /// This expectation did not hold; nothing was stored.
    Conflict(Expect),
    /// There is no room; nothing was stored.
    Full,
    /// The store is out of reach, overloaded or stopping; nothing was stored.
    Unavailable,
    /// The store can't tell whether the unit was stored.
    OutcomeUnknown,
}

/// A unit was not, or perhaps not, applied.
pub type CommitError = Failure<CommitErrorKind>;

/// Applies changes.
#[async_trait]
pub trait Committer: Send + Sync {
    /// Applies a unit whole or not at all.
    ///
    /// - Returns when the unit is durable, its audit records included.
    /// - A unit whose expectation fails leaves nothing, and names the first that failed, in the order of `expect`.
    /// - Units of many callers may share one commit; one that fails fails alone.
    /// - The unit is applied even when the caller stops waiting.
    /// - Erased payloads and wrapped keys can't be read through the store on return, and leave its storage soon after: each store says
    ///   what of it, when, and what stays for how long (logs, unused room).
    ///
    /// # Errors
    /// [`CommitErrorKind::Conflict`] with the expectation that failed; [`CommitErrorKind::Full`] and [`CommitErrorKind::Unavailable`] when
    /// nothing can be stored now; [`CommitErrorKind::OutcomeUnknown`] when the store broke off while it was at it.
    async fn commit(&self, unit: Unit) -> Result<(), CommitError>;
}
