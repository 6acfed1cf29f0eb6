//! A reader of the log that takes its time.

use async_trait::async_trait;
use core::time::Duration;
use std::sync::Arc;
use strongroom::domain::audit::{ChainedRecord, IndexEntry, Term};
use strongroom::domain::id::{OrganisationId, StreamId};
use strongroom::domain::port::{AuditReader, Clock, ReadError, Window};
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

/// Takes a second for each part of the index.
pub(super) struct SlowIndex(pub(super) Slow);

#[async_trait]
impl AlterLog for SlowIndex {
    fn log(&self) -> &dyn AuditReader {
        &*self.0.inner
    }

    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
        self.0.clock.sleep(Duration::from_secs(1)).await;
        self.0.inner.find(organisation, term, window, limit).await
    }
}
