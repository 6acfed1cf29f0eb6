//! What is to be done now and then.

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Sees what other nodes made known, forgets expired answers, and records failures that were only counted. To be called now and
    /// then, about every ten seconds: how often decides how much room answers take. What can't wait so long is in
    /// [`frequent_housekeeping`](Self::frequent_housekeeping).
    ///
    /// # Errors
    /// Those of the store; what one of them could not do is done next time, and does not keep the others from being done.
    pub async fn housekeeping(&self) -> Result<(), Error> {
        let pruned = self.prune_answers().await;
        self.frequent_housekeeping().await.and(pruned)
    }

    /// Goes over to the root key and takes on the keys of access tokens and of the audit log that other nodes made, and records failures that were only counted. To be called about every
    /// second: how often decides how long tokens of a key that was rotated away are still taken here, and how late a fault, or a burst of
    /// refusals that has stopped, is recorded.
    ///
    /// # Errors
    /// As for [`housekeeping`](Self::housekeeping).
    pub async fn frequent_housekeeping(&self) -> Result<(), Error> {
        let switched = self.adopt_root_key().await;
        let adopted = switched.and(self.adopt_signing_keys().await).and(self.adopt_audit_keys().await);
        // Records last: they may wait for room in the log.
        self.record_overdue_failures().await.and(adopted)
    }
}
