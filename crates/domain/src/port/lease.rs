use crate::failure::Failure;
use crate::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use async_trait::async_trait;
use uuid::Uuid;

/// Why a lease could not be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseErrorKind {
    /// There is no room; nothing was stored.
    Full,
    /// The store is out of reach, overloaded or stopping; nothing was stored.
    Unavailable,
    /// The store can't tell whether it was stored. Acquiring again settles it.
    OutcomeUnknown,
}

/// A lease could not be asked for.
pub type LeaseError = Failure<LeaseErrorKind>;

/// Gives out leases. The time is the store's own, the same for all nodes.
///
/// # Errors
/// Of every method: [`LeaseErrorKind::Full`] and [`LeaseErrorKind::Unavailable`] when nothing can be stored now,
/// [`LeaseErrorKind::OutcomeUnknown`] when the store broke off while it was at it. A lease that is another's is no error.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Acquires a lease for `holder`, which names one running process and is never reused; it ends `ttl` from now. `None` while another
    /// holds it.
    ///
    /// - A lease that nobody holds is given, whether it expired, was released or was never held.
    /// - Its present holder keeps the epoch, and it ends `ttl` from now.
    /// - Each new tenure has the epoch after the last one's; none comes again, also not after a restart.
    /// - Of many callers at once one gets it.
    /// - Leases of different names don't touch each other.
    /// - A caller who stopped waiting may hold it, and may acquire it again.
    async fn acquire(&self, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Result<Option<Lease>, LeaseError>;

    /// Makes a lease end `ttl` from now.
    ///
    /// - It keeps its epoch.
    /// - A lease that expired, was released or is another's is lost, and renewing it changes nothing.
    async fn renew(&self, lease: &Lease, ttl: LeaseTtl) -> Result<Renewal, LeaseError>;

    /// Ends a lease at once.
    ///
    /// - It is free for others on return.
    /// - Releasing one that is lost changes nothing.
    async fn release(&self, lease: &Lease) -> Result<(), LeaseError>;
}
