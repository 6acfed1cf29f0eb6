//! The memory that answers with many values take together.

use crate::failure::{Failure, HttpCode};
use crate::metrics::{Counted, bulk_answers_waiting};
use core::num::NonZeroUsize;
use core::time::Duration;
use metrics::Gauge;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many bytes of values those answers may hold that are under way, unless somebody says otherwise.
pub(crate) const DEFAULT_BULK_BYTES: usize = 256 * 1024 * 1024;
/// How long an answer waits for its share.
const WAIT: Duration = Duration::from_secs(2);

/// The bytes that may be taken, in the order in which they are asked for.
pub(crate) struct BulkBytes {
    limit: usize,
    free: Arc<Semaphore>,
    waiting: Gauge,
}

/// Bytes that an answer may hold; free again when dropped.
pub(crate) struct Share(OwnedSemaphorePermit);

impl BulkBytes {
    pub(crate) fn new(limit: NonZeroUsize) -> Self {
        let limit = limit.get().min(Semaphore::MAX_PERMITS);
        Self { limit, free: Arc::new(Semaphore::new(limit)), waiting: bulk_answers_waiting() }
    }

    /// Takes so many bytes, or all where there are fewer in all; waits a little for them.
    pub(crate) async fn take(&self, len: usize) -> Result<Share, Failure> {
        let len = u32::try_from(len.min(self.limit)).unwrap_or(u32::MAX);
        let _waiting = Counted::on(&self.waiting);
        match tokio::time::timeout(WAIT, Arc::clone(&self.free).acquire_many_owned(len)).await {
            Ok(Ok(permit)) => Ok(Share(permit)),
            Ok(Err(_)) | Err(_) => {
                let message = "The server gives as many values at once as it may; try again shortly.";
                Err(Failure::new(HttpCode::Overloaded, message))
            }
        }
    }
}

impl Share {
    /// Gives back what is over: no more than so many bytes are needed.
    pub(crate) fn keep(&mut self, len: usize) {
        drop(self.0.split(self.0.num_permits().saturating_sub(len)));
    }
}

#[cfg(test)]
mod tests {
    use super::{BulkBytes, Share};
    use core::num::NonZeroUsize;
    use futures_util::FutureExt as _;

    fn bytes(limit: usize) -> BulkBytes {
        BulkBytes::new(NonZeroUsize::new(limit).expect("not zero"))
    }

    async fn taken(bytes: &BulkBytes, len: usize) -> Share {
        bytes.take(len).await.map_err(|failure| failure.code()).expect("free")
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_comes_back() {
        let bytes = bytes(10);
        let mut first = taken(&bytes, 6).await;
        let second = taken(&bytes, 4).await;
        assert_eq!(bytes.take(1).await.err().map(|failure| failure.code()), Some("overloaded"));
        first.keep(5);
        first.keep(7);
        let third = taken(&bytes, 1).await;
        assert_eq!(bytes.free.available_permits(), 0);
        drop((first, second, third));
        assert_eq!(bytes.free.available_permits(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn they_are_served_in_order() {
        let bytes = bytes(10);
        let first = taken(&bytes, 10).await;
        let mut large = Box::pin(bytes.take(8));
        assert!((&mut large).now_or_never().is_none());
        let mut small = Box::pin(bytes.take(4));
        assert!((&mut small).now_or_never().is_none());
        drop(first);
        assert!((&mut small).now_or_never().is_none(), "it came later");
        let large = large.await.map_err(|failure| failure.code()).expect("free");
        drop(large);
        assert!(small.await.is_ok());
        assert_eq!(bytes.free.available_permits(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_more_than_there_is_gets_all() {
        let bytes = bytes(10);
        let all = taken(&bytes, 16 << 20).await;
        assert_eq!(bytes.free.available_permits(), 0);
        drop(all);
        assert_eq!(bytes.free.available_permits(), 10);
    }
}
