use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::audit::{AuditRecord, ChainedRecord, Outcome};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId};
use strongroom_domain::port::{AuditLog, AuditReader, CommitError, CommitErrorKind, ReadError};

#[async_trait]
impl AuditLog for MemoryStore {
    /// There is no queue: the record is in the log on return.
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        self.lock(CommitErrorKind::Unavailable)?.log([record], &*self.signer);
        Ok(())
    }
}

#[async_trait]
impl AuditReader for MemoryStore {
    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        Ok(vec![self.read()?.stream()])
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        let state = self.read()?;
        if stream != state.stream() {
            return Ok(Vec::new());
        }
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(state.records.iter().skip(skipped).take(limit as usize).cloned().collect())
    }

    async fn denied(&self, request: RequestId, organisation: OrganisationId) -> Result<Option<AuditRecord>, ReadError> {
        let is_it = |record: &&AuditRecord| {
            record.outcome == Outcome::Denied
                && record.organisation == Some(organisation)
                && record.request.as_ref().is_some_and(|it| it.id == request)
        };
        let state = self.read()?;
        // Of several of one time `max_by_key` gives the last.
        let found = state.records.iter().map(|chained| &chained.record).filter(is_it).max_by_key(|record| record.at);
        Ok(found.cloned())
    }
}
