//! What is to be done now and then.

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Forgets expired answers, and records failures that were only counted. To be called now and then, about every ten
    /// seconds: how often decides how much room answers take, and how late a fault, or a burst of refusals that has
    /// stopped, is recorded.
    ///
    /// # Errors
    /// Those of the store; what one of the two could not do is done next time, and does not keep the other from being done.
    pub async fn housekeeping(&self) -> Result<(), Error> {
        // Records last: they may wait for room in the log.
        let pruned = self.prune_answers().await;
        self.record_overdue_failures().await.and(pruned)
    }
}
