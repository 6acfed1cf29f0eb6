//! A log some of whose records are damaged.

use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::domain::audit::{AuditRecord, Behind, ChainedRecord, IndexEntry, Link, LogReader, Term};
use strongroom::domain::id::{OrganisationId, RequestId, StreamId};
use strongroom::domain::port::{AuditReader, ReadError, ReadErrorKind, StoredCheckpoint, StoredLine, Window};

pub(crate) struct DamagedLog {
    pub(crate) inner: Arc<dyn AuditReader>,
    /// The sequences of those that can't be read; with 0 another one, which can, lies before the first.
    pub(crate) damaged: BTreeSet<u64>,
}

#[async_trait]
impl AuditReader for DamagedLog {
    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        let found = self.inner.at(places).await?.into_iter();
        Ok(found.map(|record| record.filter(|record| !self.damaged.contains(&record.sequence))).collect())
    }

    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        self.inner.streams().await
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        let records = self.inner.records(stream, after, limit).await?;
        if records.iter().any(|record| self.damaged.contains(&record.sequence)) {
            return Err(ReadError::new(ReadErrorKind::Corrupt, "planned"));
        }
        Ok(records)
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
        let mut links = self.inner.links(stream, after, limit).await?;
        let planted = links.first().filter(|_| after == 0 && self.damaged.contains(&0));
        let planted = planted.map(|first| Link { sequence: 0, ..first.clone() });
        for link in links.iter_mut().filter(|link| self.damaged.contains(&link.sequence)) {
            link.canonical = vec![0xff];
        }
        if let Some(planted) = planted {
            links.insert(0, planted);
            links.truncate(limit as usize);
        }
        Ok(links)
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
