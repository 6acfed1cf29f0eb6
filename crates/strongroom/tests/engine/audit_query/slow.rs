//! A reader of the log that takes its time.

use async_trait::async_trait;
use core::time::Duration;
use std::sync::Arc;
use strongroom::domain::audit::{AuditRecord, Behind, ChainedRecord, IndexEntry, Link, LogReader, Term};
use strongroom::domain::id::{OrganisationId, RequestId, StreamId};
use strongroom::domain::port::{AuditReader, Clock, ReadError, StoredCheckpoint, StoredLine, Window};

/// Takes three seconds for records that are looked up.
pub(super) struct Slow {
    pub(super) inner: Arc<dyn AuditReader>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl AuditReader for Slow {
    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        self.clock.sleep(Duration::from_secs(3)).await;
        self.inner.at(places).await
    }

    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        self.inner.streams().await
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        self.inner.records(stream, after, limit).await
    }

    async fn denied(&self, request: RequestId, whose: OrganisationId) -> Result<Option<AuditRecord>, ReadError> {
        self.inner.denied(request, whose).await
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        self.inner.behind(reader, after, limit).await
    }

    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
        self.inner.find(organisation, term, window, limit).await
    }

    async fn count(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<u32, ReadError> {
        self.inner.count(organisation, term, window, limit).await
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        self.inner.links(stream, after, limit).await
    }

    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError> {
        self.inner.indexed(stream, entries).await
    }

    async fn index_lines(&self, after: Option<&IndexEntry>, limit: u32) -> Result<Vec<StoredLine>, ReadError> {
        self.inner.index_lines(after, limit).await
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        self.inner.checkpoints(after, limit).await
    }

    async fn checkpoints_before(&self, number: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        self.inner.checkpoints_before(number, limit).await
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        self.inner.last_checkpoint().await
    }
}
