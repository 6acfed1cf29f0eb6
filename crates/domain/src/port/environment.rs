use crate::time::Timestamp;
use async_trait::async_trait;
use core::time::Duration;
use uuid::Uuid;

/// The time, and waiting. Libraries have no clock of their own, so that tests decide what time it is.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The wall-clock time now. It may go backwards.
    fn now(&self) -> Timestamp;

    /// Waits at least `duration`.
    async fn sleep(&self, duration: Duration);
}

/// Makes identifiers.
pub trait IdGenerator: Send + Sync {
    /// An identifier that was never given before, here or on any other node.
    fn next(&self) -> Uuid;
}

/// The source of randomness failed.
#[derive(Debug, thiserror::Error)]
#[error("the operating system's source of randomness failed")]
pub struct EntropyError(#[source] pub Box<dyn core::error::Error + Send + Sync>);

/// Randomness fit for keys and nonces.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`EntropyError`]; then `bytes` must not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}
