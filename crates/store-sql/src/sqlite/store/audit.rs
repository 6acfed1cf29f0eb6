//! The audit log, as everybody reads it.

use super::SqliteStore;
use crate::read;
use async_trait::async_trait;
use strongroom_domain::audit::{AuditRecord, Behind, ChainedRecord, IndexEntry, Link, LogReader, Term};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId};
use strongroom_domain::port::{AuditReader, ReadError, StoredCheckpoint, StoredLine, Window};

#[async_trait]
impl AuditReader for SqliteStore {
    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        read::audit::streams(&self.orm()).await
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        read::audit::records(&self.orm(), stream, after, limit).await
    }

    async fn denied(&self, request: RequestId, organisation: OrganisationId) -> Result<Option<AuditRecord>, ReadError> {
        read::audit::denied(&self.orm(), request, organisation).await
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        read::audit::behind(&self.orm(), reader, after, limit).await
    }

    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
        read::audit::find(&self.orm(), organisation, term, window, limit).await
    }

    async fn count(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<u32, ReadError> {
        read::audit::count(&self.orm(), organisation, term, window, limit).await
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        read::audit::at(&self.orm(), places).await
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        read::audit::links(&self.orm(), stream, after, limit).await
    }

    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError> {
        read::audit::indexed(&self.orm(), stream, entries).await
    }

    async fn index_lines(&self, after: Option<&IndexEntry>, limit: u32) -> Result<Vec<StoredLine>, ReadError> {
        read::audit::index_lines(&self.orm(), after, limit).await
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        read::audit::checkpoints(&self.orm(), after, limit).await
    }

    async fn checkpoints_before(&self, number: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        read::audit::checkpoints_before(&self.orm(), number, limit).await
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        read::audit::last_checkpoint(&self.orm()).await
    }
}
