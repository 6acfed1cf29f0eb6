//! What is to be done now and then.

use crate::engine::Engine;
use crate::error::Error;

impl Engine {
    /// Forgets expired answers, and records failures that were only counted. To be called now and then, about every ten
    /// seconds: how often decides how much room answers take, and how late a burst of refusals that has stopped is recorded.
    ///
    /// # Errors
    /// Those of the store; what one of the two could not do is done next time, and does not keep the other from being done.
    pub async fn housekeeping(&self) -> Result<(), Error> {
        let flushed = self.flush_floods().await;
        self.prune_answers().await.and(flushed)
    }

    /// Records failures that were only counted, once their source and cause had no record for a second.
    ///
    /// # Errors
    /// Those of the audit log; what could not be recorded stays counted.
    pub async fn flush_floods(&self) -> Result<(), Error> {
        let at = self.ports.clock.now();
        let mut overdue = self.floods.take_overdue(at).into_iter();
        while let Some((source, waiting)) = overdue.next() {
            if let Err(error) = self.log(waiting.to_record()).await {
                for (source, waiting) in core::iter::once((source, waiting)).chain(overdue) {
                    self.floods.give_back(source, waiting);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
