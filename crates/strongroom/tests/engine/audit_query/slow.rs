//! A reader of the log that takes its time.

use async_trait::async_trait;
use core::time::Duration;
use std::sync::Arc;
use strongroom::domain::audit::ChainedRecord;
use strongroom::domain::id::StreamId;
use strongroom::domain::port::{AuditReader, Clock, ReadError};
use strongroom_testkit::AlterLog;

/// Takes three seconds for records that are looked up.
pub(super) struct Slow {
    pub(super) inner: Arc<dyn AuditReader>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl AlterLog for Slow {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        self.clock.sleep(Duration::from_secs(3)).await;
        self.inner.at(places).await
    }
}
