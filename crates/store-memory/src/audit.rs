use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::audit::{
    AuditRecord, Behind, ChainedRecord, IndexEntry, Link, LogReader, Outcome, Signature, Term,
};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId};
use strongroom_domain::port::{
    AuditLog, AuditReader, CommitError, CommitErrorKind, ReadError, StoredCheckpoint, StoredLine, Window,
};

#[async_trait]
impl AuditLog for MemoryStore {
    /// There is no queue: the record is in the log on return.
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        self.lock(CommitErrorKind::Unavailable)?.log.append([record], &*self.signer);
        Ok(())
    }
}

fn link(chained: &ChainedRecord) -> Link {
    let signature = |signature: Signature| (signature.key_version, signature.bytes.to_vec());
    Link {
        sequence: chained.sequence,
        hash: chained.hash.to_vec(),
        signature: chained.signature.map(signature),
        canonical: chained.canonical.clone(),
        differing: None,
    }
}

#[async_trait]
impl AuditReader for MemoryStore {
    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        Ok(vec![self.read()?.log.stream()])
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        let state = self.read()?;
        if stream != state.log.stream() {
            return Ok(Vec::new());
        }
        Ok(state.log.records(after).take(limit as usize).cloned().collect())
    }

    async fn denied(&self, request: RequestId, organisation: OrganisationId) -> Result<Option<AuditRecord>, ReadError> {
        let is_it = |record: &&AuditRecord| {
            record.outcome == Outcome::Denied
                && record.organisation == Some(organisation)
                && record.request.as_ref().is_some_and(|it| it.id == request)
        };
        let state = self.read()?;
        // Of several of one time `max_by_key` gives the last.
        let found = state.log.records(0).map(|chained| &chained.record).filter(is_it).max_by_key(|record| record.at);
        Ok(found.cloned())
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        let state = self.read()?;
        let (stream, end, through) = (state.log.stream(), state.log.end(), state.log.credible_position(reader));
        let is_behind = through != end && after != Some(stream) && limit > 0;
        Ok(is_behind.then_some(Behind { stream, through, end }).into_iter().collect())
    }

    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
        let state = self.read()?;
        let lines = state.log.lines(organisation, term, window).take(limit as usize);
        Ok(lines.map(|entry| (entry, state.log.stream())).collect())
    }

    async fn count(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<u32, ReadError> {
        let counted = self.read()?.log.lines(organisation, term, window).take(limit as usize).count();
        Ok(u32::try_from(counted).unwrap_or(limit))
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        let state = self.read()?;
        let record = |(stream, sequence): &(StreamId, u64)| {
            state.log.record(*sequence).filter(|chained| chained.stream == *stream).cloned()
        };
        Ok(places.iter().map(record).collect())
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        let state = self.read()?;
        if stream != state.log.stream() {
            return Ok(Vec::new());
        }
        Ok(state.log.records(after).take(limit as usize).map(link).collect())
    }

    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError> {
        let state = self.read()?;
        let is_ours = stream == state.log.stream();
        Ok(entries.iter().map(|entry| is_ours && state.log.is_indexed(entry)).collect())
    }

    async fn index_lines(&self, after: Option<&IndexEntry>, limit: u32) -> Result<Vec<StoredLine>, ReadError> {
        let state = self.read()?;
        let stored = |entry: IndexEntry| {
            let canonical = state.log.record(entry.sequence).map(|chained| chained.canonical.clone());
            StoredLine { entry, canonical }
        };
        Ok(state.log.all_lines(after).take(limit as usize).map(stored).collect())
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        Ok(self.read()?.log.checkpoints(after).take(limit as usize).cloned().collect())
    }

    async fn checkpoints_before(&self, number: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        Ok(self.read()?.log.checkpoints_before(number).take(limit as usize).cloned().collect())
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        Ok(self.read()?.log.checkpoints(0).next_back().cloned())
    }
}
