use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::audit::{AuditRecord, ChainedRecord};
use strongroom_domain::id::StreamId;
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
}
