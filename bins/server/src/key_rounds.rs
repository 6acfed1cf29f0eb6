//! What is done to KMS keys when its time has come: rotations, and the purge of deleted ones.

use crate::failure::causes;
use core::time::Duration;
use std::sync::Arc;
use strongroom::Engine;
use strongroom_domain::port::Clock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How often is looked for keys for which something is due.
const EVERY: Duration = Duration::from_secs(60);
/// How long a round that is under way may go on at a stop. One that is cut off leaves nothing that the next one doesn't repair.
const LAST_ROUND: Duration = Duration::from_secs(5);

/// The rounds, while they go on. They have a task of their own, because they wait for every KMS.
pub(crate) struct KeyRounds(JoinHandle<()>);

impl KeyRounds {
    /// Begins with a round at once: something may have become due while no server ran.
    pub(crate) fn start(engine: Arc<Engine>, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        Self(tokio::spawn(async move {
            while !stop.is_cancelled() {
                round(&engine).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = clock.sleep(EVERY) => {}
                }
            }
        }))
    }

    /// Waits for the last round, after the stop was asked for.
    pub(crate) async fn end(mut self) {
        if tokio::time::timeout(LAST_ROUND, &mut self.0).await.is_err() {
            self.0.abort();
            // Its error is that it was aborted.
            let _ = self.0.await;
        }
    }
}

async fn round(engine: &Engine) {
    match engine.rotate_due_keys().await {
        Ok(0) => {}
        Ok(keys) => tracing::info!(keys, "rotated KMS keys that were due"),
        Err(error) => tracing::warn!(error = %causes(&error), "KMS keys that are due could not be rotated"),
    }
    match engine.purge_due_keys().await {
        Ok(0) => {}
        Ok(keys) => tracing::info!(keys, "removed KMS keys whose date had come"),
        Err(error) => tracing::warn!(error = %causes(&error), "KMS keys whose date has come could not be removed"),
    }
}
