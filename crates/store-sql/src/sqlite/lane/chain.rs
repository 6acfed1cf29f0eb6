//! The lane's audit stream.

use super::OpenError;
use crate::row;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::sync::Arc;
use strongroom_domain::audit::{ChainHash, ChainState, ChainedRecord, EncodedRecord, LogReader};
use strongroom_domain::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, StreamId};
use strongroom_domain::port::{AuditSigner, IdGenerator};
use strongroom_domain::principal::Principal;
use uuid::Uuid;

/// How far the stream has come, and the records of the batch at hand.
pub(super) struct Chain {
    signer: Arc<dyn AuditSigner>,
    ids: Arc<dyn IdGenerator>,
    ordinal: i64,
    /// As it stands in the database.
    durable: ChainState,
    /// With the records of the batch.
    state: ChainState,
    pending: Vec<ChainedRecord>,
    /// Whether the stream has its row.
    begun: bool,
}

impl Chain {
    /// Goes on with the youngest stream, or begins the first.
    pub(super) fn open(
        connection: &Connection,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, OpenError> {
        let youngest: Option<(i64, Uuid)> = connection
            .query_row("SELECT ordinal, id FROM audit_streams ORDER BY ordinal DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let begun = youngest.is_some();
        let (ordinal, stream) = youngest.unwrap_or_else(|| (1, ids.next()));
        let sound = last_link(connection, ordinal, StreamId::new(stream))?;
        let state = sound.unwrap_or_else(|| ChainState::begin(StreamId::new(stream)));
        let mut chain = Self { signer, ids, ordinal, durable: state, state, pending: Vec::new(), begun };
        if sound.is_none() {
            // What was altered stays as it is, for verification to name it; a server that doesn't start could not even do that.
            tracing::error!(%stream, "the end of the audit log was altered; it goes on in a new stream: verify the log");
            chain.abandon();
        }
        Ok(chain)
    }

    /// The stream's place among the streams, and the sequence of its last durable record.
    pub(super) const fn position(&self) -> (i64, u64) {
        (self.ordinal, self.durable.sequence)
    }

    /// Adds a record to the batch.
    pub(super) fn append(&mut self, record: EncodedRecord) {
        let record = self.state.append(record);
        self.pending.push(record);
    }

    /// Writes the records of the batch, the last one signed.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(last) = self.pending.last_mut() else { return Ok(()) };
        last.signature = Some(self.signer.sign(&self.state.signed_bytes()));
        if !self.begun {
            connection
                .prepare_cached("INSERT INTO audit_streams (ordinal, id) VALUES (?1, ?2)")?
                .execute((self.ordinal, self.state.stream.uuid()))?;
        }
        let mut insert = connection.prepare_cached(INSERT)?;
        self.pending.iter().try_for_each(|record| execute(&mut insert, self.ordinal, record))
    }

    /// The batch is durable. Gives its records, which are left to be dropped.
    pub(super) fn committed(&mut self) -> Vec<ChainedRecord> {
        self.begun |= !self.pending.is_empty();
        self.durable = self.state;
        let written = std::mem::take(&mut self.pending);
        if self.durable.sequence >= row::LAST_SEQUENCE {
            self.abandon();
        }
        written
    }

    /// The batch was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.state = self.durable;
        self.pending.clear();
    }

    /// This stream ends, and another begins: it is full, or the batch may come back, and its records, if they are there, end it.
    pub(super) fn abandon(&mut self) {
        self.pending.clear();
        self.ordinal += 1;
        self.begun = false;
        self.durable = ChainState::begin(StreamId::new(self.ids.next()));
        self.state = self.durable;
    }
}

/// The end of a stream, checked against its last record; `None` when that isn't what was written.
fn last_link(connection: &Connection, ordinal: i64, stream: StreamId) -> Result<Option<ChainState>, OpenError> {
    let mut statement = connection.prepare(
        "SELECT sequence, hash, canonical FROM audit_records WHERE position > ?1 AND position < ?2 ORDER BY position DESC
         LIMIT 2",
    )?;
    let mut rows = statement.query([row::position(ordinal, 0), row::position(ordinal + 1, 0)])?;
    let mut links: Vec<(u64, ChainHash, Vec<u8>)> = Vec::new();
    while let Some(row) = rows.next()? {
        // Whatever doesn't read as what it should be was put there by somebody else.
        let (Ok(sequence), Ok(hash), Ok(canonical)) = (row.get(0), row.get(1), row.get(2)) else { return Ok(None) };
        links.push((sequence, hash, canonical));
    }
    let mut before = ChainState::begin(stream);
    let Some((sequence, hash, canonical)) = links.first() else { return Ok(Some(before)) };
    if let Some((sequence, hash, _)) = links.get(1) {
        before = ChainState { stream, sequence: *sequence, hash: *hash };
    } else if let Some((sequence, hash)) = removed(connection, ordinal)? {
        before = ChainState { stream, sequence, hash };
    }
    let last = before.after(canonical);
    Ok(((last.sequence, last.hash) == (*sequence, *hash)).then_some(last))
}

/// The last record of a stream that was removed by its age, which the first that stands is chained to.
fn removed(connection: &Connection, ordinal: i64) -> rusqlite::Result<Option<(u64, ChainHash)>> {
    connection
        .prepare("SELECT sequence, hash FROM audit_positions WHERE name = ?1 AND stream = ?2 AND hash IS NOT NULL")?
        .query_row((LogReader::Retention.name(), ordinal), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

const INSERT: &str =
    "INSERT INTO audit_records
         (position, stream, sequence, hash, signature, signing_key_version, canonical, at, event, organisation, region,
          project, principal_kind, principal, credential, action, outcome, status, resource_kind, resource_identity,
          resource_id, resource_version, request_id, client_ip)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";

fn execute(insert: &mut Statement<'_>, ordinal: i64, chained: &ChainedRecord) -> rusqlite::Result<()> {
    let record = &chained.record;
    let (principal_kind, principal) = match record.principal {
        Some(Principal::User(id)) => (Some("user"), Some(id.uuid())),
        Some(Principal::ServiceAccount(id)) => (Some("service_account"), Some(id.uuid())),
        Some(Principal::Operator(id)) => (Some("operator"), Some(id.uuid())),
        None => (None, None),
    };
    let resource = record.resource.as_ref();
    let request = record.request.as_ref();
    insert.execute(params![
        row::position(ordinal, chained.sequence),
        ordinal,
        row::column(chained.sequence),
        chained.hash,
        chained.signature.map(|signature| signature.bytes),
        chained.signature.map(|signature| signature.key_version),
        chained.canonical,
        record.at.as_micros(),
        EventId::uuid(record.event),
        record.organisation.map(OrganisationId::uuid),
        record.region.map(RegionId::uuid),
        record.project.map(ProjectId::uuid),
        principal_kind,
        principal,
        record.credential.map(CredentialId::uuid),
        record.action.as_str(),
        record.outcome.as_str(),
        record.status,
        resource.map(|resource| resource.kind.as_str()),
        resource.map(|resource| &resource.identity),
        resource.and_then(|resource| resource.id),
        resource.and_then(|resource| resource.version).map(row::column),
        request.map(|request| request.id.uuid()),
        request.and_then(|request| request.client).map(|client| client.to_string()),
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Chain;
    use crate::options::OpenOptions;
    use crate::sqlite::lane::fixtures::{Ids, Signer, record};
    use crate::sqlite::{SqliteStore, connect};
    use std::sync::Arc;
    use strongroom_domain::port::AuditReader;

    #[tokio::test]
    async fn a_batch_that_may_come_back_ends_the_stream() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
        let store = SqliteStore::open(options.clone()).await.expect("opens");
        let connection = connect::writer(&options).expect("opens");
        let ids = Arc::new(Ids::default());
        let mut chain = Chain::open(&connection, Arc::new(Signer), ids.clone()).expect("opens");
        for event in 1..=2 {
            chain.append(record(event).into());
        }
        chain.write(&connection).expect("written");
        chain.committed();
        chain.append(record(3).into());
        chain.rolled_back();
        chain.append(record(4).into());
        chain.write(&connection).expect("written");
        chain.committed();
        assert_eq!(chain.position(), (1, 3));
        chain.append(record(5).into());
        chain.abandon();
        assert_eq!(store.streams().await.expect("readable").len(), 1, "a stream begins with its first record");
        chain.append(record(6).into());
        chain.write(&connection).expect("written");
        chain.committed();
        assert_eq!(chain.position(), (2, 1));

        let streams = store.streams().await.expect("readable");
        let mut events = Vec::new();
        for stream in &streams {
            let records = store.records(*stream, 0, 10).await.expect("readable");
            let signed: Vec<bool> = records.iter().map(|record| record.signature.is_some()).collect();
            let of: Vec<u128> = records.iter().map(|record| record.record.event.uuid().as_u128()).collect();
            events.push((of, signed));
        }
        assert_eq!(events, [(vec![1, 2, 4], vec![false, true, true]), (vec![6], vec![true])]);
        let again = Chain::open(&connection, Arc::new(Signer), ids).expect("opens");
        assert_eq!(again.position(), (2, 1), "a restart goes on with the youngest stream");
    }
}
