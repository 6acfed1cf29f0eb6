//! The lane's audit stream. It begins with the lane's first record, and never goes on after a restart: what lies in the file then may be
//! somebody else's, and the next signature would cover it.

use super::OpenError;
use crate::row;
use rusqlite::{Connection, Statement, ffi, params};
use std::sync::Arc;
use strongroom_domain::audit::{ChainState, ChainedRecord, EncodedRecord};
use strongroom_domain::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, StreamId};
use strongroom_domain::port::{AuditSigner, IdGenerator};
use strongroom_domain::principal::Principal;

/// How many places from the last one down are looked at for one that is free.
const LOOKED_AT: usize = 1_000;

/// There is no room for another stream in the log.
#[derive(Debug, thiserror::Error)]
#[error(
    "no place up to 524287 is free for another stream of the audit log, as audit_streams, audit_positions and audit_records have it"
)]
struct StreamsUsedUp;

/// How far the stream has come, and the records of the batch at hand.
pub(super) struct Chain {
    signer: Arc<dyn AuditSigner>,
    ids: Arc<dyn IdGenerator>,
    ordinal: i64,
    /// The last place that is free.
    last_ordinal: i64,
    /// As it stands in the database.
    durable: ChainState,
    /// With the records of the batch.
    state: ChainState,
    pending: Vec<ChainedRecord>,
    /// Whether the stream has its row.
    begun: bool,
}

impl Chain {
    /// A stream behind all that there are.
    pub(super) fn open(
        connection: &Connection,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<Self, OpenError> {
        let (ordinal, last_ordinal) = free(connection)?;
        let state = ChainState::begin(StreamId::new(ids.next()));
        Ok(Self { signer, ids, ordinal, last_ordinal, durable: state, state, pending: Vec::new(), begun: false })
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

    /// Writes the records of the batch, the last one signed. Where somebody else put a row into the stream's place, this stream ends, and
    /// the records go into another: that row is for the verification, and must keep nobody from writing.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if !self.begun && self.ordinal > self.last_ordinal {
            (self.ordinal, self.last_ordinal) = free(connection)?;
        }
        let mut written = 0;
        match self.insert(connection, &mut written) {
            Err(error) if is_taken(&error) => {
                tracing::error!(
                    stream = self.ordinal,
                    sequence = self.durable.sequence,
                    error = &error as &dyn std::error::Error,
                    "somebody else wrote where the next records of the audit log belong; they go into another stream; verify the log"
                );
                self.take_back(connection, written)?;
                self.move_on(connection)?;
                self.insert(connection, &mut 0)
            }
            outcome => outcome,
        }
    }

    /// Counts the records that it wrote.
    fn insert(&mut self, connection: &Connection, written: &mut usize) -> rusqlite::Result<()> {
        let Some(last) = self.pending.last_mut() else { return Ok(()) };
        last.signature = Some(self.signer.sign(&self.state.signed_bytes()));
        if !self.begun {
            if self.ordinal > self.last_ordinal {
                return Err(rusqlite::Error::ToSqlConversionFailure(StreamsUsedUp.into()));
            }
            connection
                .prepare_cached("INSERT INTO audit_streams (ordinal, id) VALUES (?1, ?2)")?
                .execute((self.ordinal, self.state.stream.uuid()))?;
        }
        let mut insert = connection.prepare_cached(INSERT)?;
        for record in &self.pending {
            execute(&mut insert, self.ordinal, record)?;
            *written += 1;
        }
        Ok(())
    }

    /// Takes the records out again that were written before the one whose place was taken, and the stream where it began with them.
    fn take_back(&self, connection: &Connection, written: usize) -> rusqlite::Result<()> {
        for record in self.pending.iter().take(written) {
            connection
                .prepare_cached("DELETE FROM audit_records WHERE position = ?1")?
                .execute([row::position(self.ordinal, record.sequence)])?;
        }
        if !self.begun {
            connection
                .prepare_cached("DELETE FROM audit_streams WHERE ordinal = ?1 AND id = ?2")?
                .execute((self.ordinal, self.state.stream.uuid()))?;
        }
        Ok(())
    }

    /// Puts the records of the batch into another stream, at a place that is free.
    fn move_on(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let records = std::mem::take(&mut self.pending);
        self.abandon();
        (self.ordinal, self.last_ordinal) = free(connection)?;
        for record in records {
            self.append(record.record.into());
        }
        Ok(())
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

/// Whether a row of that key is there already.
fn is_taken(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error().map(|failure| failure.extended_code),
        Some(ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_ROWID)
    )
}

/// The first and the last of the places among the streams that nothing tells of: mostly those behind all that anything tells of. Where the
/// last one is taken, which is somebody else's doing, those before it; never one that is taken, since what is told of that would count for
/// the stream. The first is behind the last where none is free.
fn free(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let mut last = row::LAST_ORDINAL;
    for _ in 0..LOOKED_AT {
        let taken = last_taken(connection, last)?;
        if taken < last {
            return Ok((taken + 1, last));
        }
        last -= 1;
    }
    Ok((row::LAST_ORDINAL + 1, row::LAST_ORDINAL))
}

/// The last place among the streams, up to this one, that anything tells of; 0 when nothing does. Whatever can be no place was put there by
/// somebody else.
fn last_taken(connection: &Connection, up_to: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT coalesce(max(ordinal), 0) FROM (
                 SELECT max(ordinal) AS ordinal FROM audit_streams WHERE ordinal <= ?2
                 UNION ALL SELECT max(stream) FROM audit_positions WHERE typeof(stream) = 'integer' AND stream <= ?2
                 UNION ALL SELECT max(position) >> ?1 FROM audit_records WHERE position <= ?3
             ) WHERE ordinal >= 1",
        )?
        .query_row((row::SEQUENCE_BITS, up_to, row::position(up_to, row::MAX_SEQUENCE)), |row| row.get(0))
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
    use crate::row;
    use crate::sqlite::lane::fixtures::{Ids, Signer, record};
    use crate::sqlite::{SqliteStore, connect};
    use std::sync::Arc;
    use strongroom_domain::audit::ChainState;
    use strongroom_domain::port::{AuditReader, AuditSigner};

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
        assert_eq!(again.position(), (3, 0), "a restart begins another stream");
    }

    /// No stream takes the place of one that was removed: what readers are said to have had of that one would count for it.
    #[tokio::test]
    async fn a_stream_begins_behind_all_that_is_told_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
        let _store = SqliteStore::open(options.clone()).await.expect("opens");
        let connection = connect::writer(&options).expect("opens");
        let next = |sql: &str| {
            connection.execute_batch(sql).expect("done");
            Chain::open(&connection, Arc::new(Signer), Arc::new(Ids::default())).expect("opens")
        };
        let mut first = next("");
        assert_eq!(first.position(), (1, 0));
        first.append(record(1).into());
        first.write(&connection).expect("written");
        assert_eq!(next("DELETE FROM audit_streams").position(), (2, 0), "behind records");
        let told = "INSERT INTO audit_positions (name, stream, sequence) VALUES ('checkpoints', 7, 1)";
        assert_eq!(next(told).position(), (8, 0), "behind positions");
        for foreign in [i64::MIN, -1, row::LAST_ORDINAL + 1, i64::MAX] {
            let sql = format!("INSERT INTO audit_positions (name, stream, sequence) VALUES ('index', {foreign}, 1)");
            assert_eq!(next(&sql).position(), (8, 0), "{foreign}");
        }
        for foreign in ["8.5", "'text'", "x'00'"] {
            let sql = format!("INSERT INTO audit_positions (name, stream, sequence) VALUES ('index', {foreign}, 1)");
            assert_eq!(next(&sql).position(), (8, 0), "{foreign}");
        }
    }

    /// Whoever can write to the database takes the last places, and nobody else's.
    #[tokio::test]
    async fn where_the_last_place_is_taken_a_free_one_is_found() {
        let row = format!("SELECT {}, 0, 0, x'', x'', 0, x'', '', '', 200", i64::MAX);
        let planted = [
            format!("INSERT INTO audit_streams (ordinal, id) VALUES ({}, zeroblob(16))", row::LAST_ORDINAL),
            format!(
                "INSERT INTO audit_positions (name, stream, sequence) VALUES ('checkpoints', {}, 1)",
                row::LAST_ORDINAL
            ),
            format!(
                "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status) {row}"
            ),
        ];
        for planted in planted {
            let folder = tempfile::tempdir().expect("a folder");
            let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
            let store = SqliteStore::open(options.clone()).await.expect("opens");
            let connection = connect::writer(&options).expect("opens");
            let ids = Arc::new(Ids::default());
            let next = || {
                let mut chain = Chain::open(&connection, Arc::new(Signer), ids.clone()).expect("opens");
                chain.append(record(1).into());
                let written = chain.write(&connection).map(|()| chain.position().0);
                written.map_err(|error| error.to_string())
            };
            assert_eq!(next(), Ok(1));
            connection.execute_batch(&planted).expect("planted");
            assert_eq!((next(), next()), (Ok(2), Ok(3)), "{planted}");
            let told = format!(
                "INSERT INTO audit_positions (name, stream, sequence) VALUES ('index', {}, 1)",
                row::LAST_ORDINAL - 2
            );
            connection.execute_batch(&told).expect("planted");
            let mut between = Chain::open(&connection, Arc::new(Signer), ids.clone()).expect("opens");
            between.abandon();
            between.append(record(2).into());
            between.write(&connection).expect("the next one is taken, and others are free");
            assert_eq!(between.position().0, row::LAST_ORDINAL - 1, "{planted}");
            assert_eq!((next(), next()), (Ok(4), Ok(5)), "{planted}");
            assert!(store.streams().await.expect("readable").len() >= 6);
        }
    }

    /// Whatever was put into the place of the next records, they are written, each once; what was written before stays.
    #[tokio::test]
    async fn a_place_that_was_taken_keeps_nothing_from_being_written() {
        let record_at = |stream: i64, sequence: u64| {
            format!(
                "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status)
                 VALUES ({}, {stream}, {sequence}, x'', x'', 0, x'', '', '', 200)",
                row::position(stream, sequence)
            )
        };
        let stream_at =
            |ordinal: i64| format!("INSERT INTO audit_streams (ordinal, id) VALUES ({ordinal}, randomblob(16))");
        for (begun, planted, wanted) in [
            (true, record_at(1, 3), 2),
            // The first records of the batch have a place, and the last one has none.
            (true, record_at(1, 5), 2),
            (true, format!("{}; {}", record_at(1, 4), record_at(7, 1)), 8),
            (false, stream_at(1), 2),
            (false, record_at(1, 1), 2),
            (false, record_at(1, 3), 2),
            (false, format!("{}; {}; {}", stream_at(1), stream_at(2), record_at(3, 9)), 4),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
            let store = SqliteStore::open(options.clone()).await.expect("opens");
            let connection = connect::writer(&options).expect("opens");
            let mut chain = Chain::open(&connection, Arc::new(Signer), Arc::new(Ids::default())).expect("opens");
            if begun {
                chain.append(record(1).into());
                chain.append(record(2).into());
                chain.write(&connection).expect("written");
                chain.committed();
            }
            connection.execute_batch(&planted).expect("planted");
            for event in 3..=5 {
                chain.append(record(event).into());
            }
            chain.write(&connection).expect("written");
            chain.committed();
            assert_eq!(chain.position(), (wanted, 3), "{planted}");
            chain.append(record(6).into());
            chain.write(&connection).expect("written");
            chain.committed();

            let streams = store.streams().await.expect("readable");
            let records = store.records(*streams.last().expect("a stream"), 0, 10).await.expect("readable");
            let mut state = ChainState::begin(*streams.last().expect("a stream"));
            for written in &records {
                state = state.after(&written.canonical);
                assert_eq!(
                    (written.stream, written.sequence, written.hash),
                    (state.stream, state.sequence, state.hash)
                );
            }
            let signed: Vec<bool> = records.iter().map(|record| record.signature.is_some()).collect();
            assert_eq!(signed, [false, false, true, true], "{planted}");
            assert_eq!(
                records[2].signature,
                Some(Signer.sign(&{
                    let first =
                        records[..3].iter().fold(ChainState::begin(state.stream), |it, of| it.after(&of.canonical));
                    first.signed_bytes()
                }))
            );
            let events: Vec<u128> = connection
                .prepare("SELECT event FROM audit_records WHERE length(event) = 16 ORDER BY position")
                .expect("prepared")
                .query_map([], |row| row.get::<_, uuid::Uuid>(0))
                .expect("reads")
                .map(|event| event.expect("an id").as_u128())
                .collect();
            let wanted: Vec<u128> = if begun { (1..=6).collect() } else { (3..=6).collect() };
            assert_eq!(events, wanted, "{planted}");
        }
    }

    #[tokio::test]
    async fn where_no_place_is_free_nothing_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
        let _store = SqliteStore::open(options.clone()).await.expect("opens");
        let connection = connect::writer(&options).expect("opens");
        let taken = format!(
            "WITH RECURSIVE taken (n) AS (SELECT {} UNION ALL SELECT n - 1 FROM taken WHERE n > {})
             INSERT INTO audit_streams (ordinal, id) SELECT n, CAST(printf('%016d', n) AS BLOB) FROM taken",
            row::LAST_ORDINAL,
            row::LAST_ORDINAL - 1_000
        );
        connection.execute_batch(&taken).expect("taken");
        let mut chain = Chain::open(&connection, Arc::new(Signer), Arc::new(Ids::default())).expect("opens");
        chain.append(record(1).into());
        let refused = chain.write(&connection).expect_err("there is no place left");
        assert!(refused.to_string().contains("524287"), "{refused}");
    }
}
