//! Rows of the log, altered by direct SQL.

use super::NAMES;
use crate::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};
use std::sync::Arc;
use strongroom_domain::audit::{Action, Behind, IndexEntry, Link, LogReader};
use strongroom_domain::id::{ProjectId, StreamId};
use strongroom_domain::port::{AuditReader, Committer, ReadErrorKind, StoredCheckpoint, StoredLine, Window};
use strongroom_domain::unit::{Change, Unit};
use strongroom_testkit::{FixedSigner, SequentialIds, build, units};

struct Site<S> {
    store: S,
    db: DatabaseConnection,
    stream: StreamId,
}

/// Three records with every field, indexed, and a checkpoint.
async fn fill(committer: &impl Committer, store: &impl AuditReader) -> StreamId {
    let record = || {
        let mut record = build::record(Action::SecretRead);
        record.project = Some(ProjectId::new(build::uuid()));
        record
    };
    let records = vec![record(), record(), record()];
    committer.commit(Unit { records, ..Unit::default() }).await.expect("logged");
    let stream = store.streams().await.expect("readable")[0];
    let logged = store.records(stream, 0, 9).await.expect("readable");
    let checkpoint = Change::AddCheckpoint(build::checkpoint(1, Vec::new()));
    committer.commit(units::silent(vec![units::index(&logged), checkpoint])).await.expect("indexed");
    stream
}

impl<S: AuditReader> Site<S> {
    async fn run(&self, sql: &str) {
        let done = self.db.execute_unprepared(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn links(&self) -> Vec<Link> {
        self.store.links(self.stream, 0, 9).await.expect("readable")
    }

    /// What the second record looks like once this column of it holds `value`; afterwards it is as it was.
    async fn altered(&self, column: &str, value: &str) -> Link {
        let second = "position = (SELECT min(position) + 1 FROM kept)";
        self.run(&format!("UPDATE audit_records SET {column} = {value} WHERE {second}")).await;
        let mut links = self.links().await;
        self.run(&format!(
            "UPDATE audit_records SET {column} = (SELECT {column} FROM kept WHERE {second}) WHERE {second}"
        ))
        .await;
        assert_eq!((links.len(), links[0].differing, links[2].differing), (3, None, None), "{column} = {value}");
        links.swap_remove(1)
    }

    async fn check(&self, values: &[(&str, &[&str])]) {
        self.run("CREATE TABLE kept AS SELECT * FROM audit_records").await;
        let honest = self.links().await;
        assert_eq!(honest.iter().map(|link| link.differing).collect::<Vec<_>>(), [None; 3]);
        let kinds: [(&str, &[&str]); 3] = [
            ("number", &["stream", "sequence", "at", "status", "resource_version"]),
            (
                "id",
                &["event", "organisation", "region", "project", "principal", "credential", "resource_id", "request_id"],
            ),
            ("text", &["principal_kind", "action", "outcome", "resource_kind", "resource_identity", "client_ip"]),
        ];
        assert_eq!(kinds.iter().map(|(_, names)| names.len()).sum::<usize>(), NAMES.len());
        for (kind, names) in kinds {
            for name in names {
                for (_, values) in values.iter().filter(|(of, _)| *of == kind) {
                    for value in *values {
                        let link = self.altered(name, &value.replace("COLUMN", name)).await;
                        assert_eq!(link, Link { differing: Some(name), ..honest[1].clone() }, "{name} = {value}");
                    }
                }
            }
        }
        for name in ["organisation", "principal_kind", "resource_identity", "resource_version", "client_ip"] {
            assert_eq!(self.altered(name, "NULL").await.differing, Some(name));
        }
        assert_eq!(self.links().await, honest);
    }

    /// What belongs to the chain is given as it lies there.
    async fn check_raw(&self, bytes: impl Fn(&str) -> String) {
        let second = self.links().await.swap_remove(1);
        assert_eq!(second.signature, None);
        let short = self.altered("hash", &bytes("0102")).await;
        assert_eq!(short, Link { hash: vec![1, 2], ..second.clone() });
        let garbage = self.altered("canonical", &bytes("ff")).await;
        assert_eq!(garbage, Link { canonical: vec![255], ..second.clone() });
        let unnamed = self.altered("signature", &bytes("0102")).await;
        assert_eq!(unnamed, Link { signature: Some((0, vec![1, 2])), ..second.clone() });
        for (version, wanted) in [("3", 3), ("-1", 0), ("4294967296", 0)] {
            let unsigned = self.altered("signing_key_version", version).await;
            assert_eq!(unsigned, Link { signature: Some((wanted, Vec::new())), ..second.clone() });
        }
    }

    /// One that can't be read keeps no others from being read.
    async fn check_damage(&self, bytes: impl Fn(&str) -> String) {
        let records = self.store.records(self.stream, 0, 9).await.expect("readable");
        let places: Vec<_> = records.iter().map(|record| (self.stream, record.sequence)).collect();
        let second = "position = (SELECT min(position) + 1 FROM kept)";
        for (column, value) in [("canonical", "ff"), ("canonical", ""), ("hash", "0102"), ("signature", "0102")] {
            self.run(&format!("UPDATE audit_records SET {column} = {} WHERE {second}", bytes(value))).await;
            let error = self.store.records(self.stream, 0, 9).await.expect_err("damaged");
            assert_eq!(error.kind(), &ReadErrorKind::Corrupt, "{column}");
            let found = self.store.at(&places).await.expect("readable");
            assert_eq!(found, [Some(records[0].clone()), None, Some(records[2].clone())], "{column}");
            self.run(&format!(
                "UPDATE audit_records SET {column} = (SELECT {column} FROM kept WHERE {second}) WHERE {second}"
            ))
            .await;
        }
        assert_eq!(self.store.records(self.stream, 0, 9).await.expect("readable"), records);
    }

    /// A line that can't be read leads nowhere.
    async fn check_unreadable_lines(&self) {
        let lines = async || self.store.index_lines(None, 100).await.expect("readable");
        let honest = lines().await;
        let shared = IndexEntry::of(&self.store.records(self.stream, 0, 1).await.expect("readable")[0].record, 1);
        let find = async |entry: &IndexEntry| self.store.find(entry.organisation, entry.term, Window::ALL, 9).await;
        let mut found = 0;
        for entry in &shared {
            found += find(entry).await.expect("readable").len();
        }
        self.run("CREATE TABLE lines AS SELECT * FROM audit_index").await;
        for column in ["organisation", "term", "at", "event", "position"] {
            for value in ["'text'", "x'00'"] {
                self.run(&format!(
                    "UPDATE audit_index SET {column} = {value} WHERE term = (SELECT max(term) FROM lines)
                     AND event = (SELECT max(event) FROM lines)"
                ))
                .await;
                let mut left = 0;
                for entry in &shared {
                    left += find(entry).await.expect("readable").len();
                }
                assert!(left >= found - 1, "{column} = {value}: {left} of {found}");
                let mut found = lines().await;
                let last = found.pop().expect("some");
                assert_eq!((last.canonical, found.len() < honest.len()), (None, true), "{column} = {value}");
                assert!(found.iter().all(|line| honest.contains(line)), "{column} = {value}");
                self.run("DELETE FROM audit_index").await;
                self.run("INSERT INTO audit_index SELECT * FROM lines").await;
            }
        }
        assert_eq!(lines().await, honest);
    }

    /// What no server wrote says nothing of how far a reader is, and keeps none from reading on.
    async fn check_behind(&self, id: &str, values: &[&str]) {
        self.run(&format!("INSERT INTO audit_streams (ordinal, id) VALUES ({}, {id})", i64::MAX)).await;
        self.run("CREATE TABLE positions AS SELECT * FROM audit_positions").await;
        for value in values {
            self.run(&format!("UPDATE audit_positions SET sequence = {value}")).await;
            let behind = self.store.behind(&LogReader::Index, None, 9).await.expect("readable");
            assert_eq!(behind, [Behind { stream: self.stream, through: 0, end: 3 }], "{value}");
        }
        self.run("DELETE FROM audit_positions").await;
        self.run("INSERT INTO audit_positions SELECT * FROM positions").await;
        assert_eq!(self.store.behind(&LogReader::Index, None, 9).await.expect("readable"), []);
        self.run(&format!("DELETE FROM audit_streams WHERE ordinal = {}", i64::MAX)).await;
    }

    /// Denials that no server wrote, or that can't be read, don't hide the one that was.
    async fn check_denied(&self, bytes: impl Fn(&str) -> String, event: &str) {
        let second = self.store.records(self.stream, 1, 1).await.expect("readable").swap_remove(0).record;
        let (request, ours) = (second.request.clone().expect("one").id, second.organisation.expect("one"));
        let denied = async || self.store.denied(request, ours).await;
        let of_second = "position = (SELECT min(position) + 1 FROM kept)";
        self.run(&format!("UPDATE audit_records SET outcome = 'denied' WHERE {of_second}")).await;
        assert_eq!(denied().await.expect("readable"), Some(second.clone()));
        let plant = async |first: &str, count: u32, canonical: &str| {
            self.run(&format!(
                "WITH RECURSIVE planted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM planted WHERE n < {count})
                 INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, organisation, action,
                                            outcome, status, request_id)
                 SELECT {first} + n, stream, sequence, hash, {canonical}, at + 1, {event}, organisation, action, outcome, status,
                        request_id
                 FROM audit_records, planted WHERE {of_second}"
            ))
            .await;
        };
        let other = format!("(SELECT canonical FROM kept WHERE NOT {of_second} LIMIT 1)");
        plant("400000 * 17592186044416", 200, &other).await;
        plant("(SELECT min(position) - 2 FROM kept)", 1, &other).await;
        plant("(SELECT min(position) + 100 FROM kept)", 16, &bytes("ff")).await;
        assert_eq!(denied().await.expect("readable"), Some(second));
        self.run(&format!("UPDATE audit_records SET canonical = {} WHERE {of_second}", bytes("ff"))).await;
        assert_eq!(denied().await.expect_err("damaged").kind(), &ReadErrorKind::Corrupt);
        self.run("DELETE FROM audit_records").await;
        self.run("INSERT INTO audit_records SELECT * FROM kept").await;
    }

    /// Lines and checkpoints that were altered are neither taken for good nor a failure.
    async fn check_index(&self, bytes: impl Fn(&str) -> String) {
        let records = self.store.records(self.stream, 0, 9).await.expect("readable");
        let lines = IndexEntry::of(&records[1].record, 2);
        let indexed = async || self.store.indexed(self.stream, &lines).await.expect("readable");
        let (ours, term) = (lines[0].organisation, lines[0].term);
        let find = async || self.store.find(ours, term, Window::ALL, 9).await.expect("readable");
        assert_eq!(find().await, [(lines[0], self.stream)]);
        let all = async || self.store.index_lines(None, 100).await.expect("readable");
        let honest = all().await;
        assert!(honest.len() > lines.len() && honest.iter().all(StoredLine::is_of_its_record));
        self.run("UPDATE audit_index SET position = 9000000000000000000").await;
        assert_eq!(indexed().await, vec![false; lines.len()]);
        let nowhere = find().await;
        assert_ne!(nowhere[0].1, self.stream);
        let places: Vec<_> = nowhere.iter().map(|(entry, stream)| (*stream, entry.sequence)).collect();
        assert_eq!(self.store.at(&places).await.expect("readable"), [None]);
        let (altered, count) = (all().await, honest.len());
        assert_eq!(altered.iter().filter(|line| !line.is_of_its_record()).count(), count);
        self.run("DELETE FROM audit_index").await;
        assert_eq!((find().await, all().await), (Vec::new(), Vec::new()));

        let honest = self.store.last_checkpoint().await.expect("readable").expect("one");
        assert!(honest.read().is_some());
        let (canonical, signature) = (bytes("01"), bytes("02"));
        self.run(&format!(
            "UPDATE audit_checkpoints SET canonical = {canonical}, signature = {signature}, signing_key_version = -1"
        ))
        .await;
        let wanted = StoredCheckpoint { number: 1, canonical: vec![1], signature: (0, vec![2]) };
        assert_eq!(self.store.last_checkpoint().await.expect("readable"), Some(wanted.clone()));
        assert_eq!(self.store.checkpoints(0, 9).await.expect("readable"), [wanted]);
    }
}

#[tokio::test]
async fn sqlite_names_the_column_that_was_altered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("strongroom.db");
    let store = SqliteStore::open(OpenOptions::new(&path).create()).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).expect("starts");
    let stream = fill(&writer, &store).await;
    writer.close().await;
    let db = Database::connect(format!("sqlite://{}", path.display())).await.expect("connects");
    let site = Site { store, db, stream };
    site.check(&[
        ("number", &["424242", "-1", "'text'", "CAST(COLUMN AS BLOB)", "COLUMN + 0.5"]),
        ("id", &["x'00'", "'text'", "zeroblob(16)", "lower(hex(COLUMN))", "7"]),
        ("text", &["'tampered'", "''", "CAST(COLUMN AS BLOB)", "COLUMN || char(0) || 'x'", "upper(COLUMN) || ' '"]),
    ])
    .await;
    let bytes = |hex: &str| format!("x'{hex}'");
    site.check_raw(bytes).await;
    site.check_damage(bytes).await;
    let text = site.altered("hash", "'no bytes'").await;
    assert_eq!(text.hash, b"no bytes");
    site.check_denied(bytes, "x'00'").await;
    site.check_behind("zeroblob(16)", &["-1", "0", "0.5", "'text'", "x'00'", &i64::MIN.to_string()]).await;
    site.check_unreadable_lines().await;
    site.check_index(bytes).await;
}

#[tokio::test]
async fn postgres_names_the_column_that_was_altered() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    let options = PostgresOptions::parse(database.url()).expect("a URL").create();
    let store = PostgresStore::open(options).await.expect("opens");
    let writer = store.writer(Arc::new(FixedSigner), Arc::new(SequentialIds::new())).await.expect("starts");
    let stream = fill(&writer, &store).await;
    writer.close().await;
    let db = Database::connect(database.url()).await.expect("connects");
    assert_eq!(db.get_database_backend(), DbBackend::Postgres);
    let site = Site { store, db, stream };
    site.check(&[
        ("number", &["424242", "-1"]),
        ("id", &["'00000000-0000-0000-0000-000000000000'"]),
        ("text", &["'tampered'", "''", "COLUMN || ' '"]),
    ])
    .await;
    let bytes = |hex: &str| format!("'\\x{hex}'");
    site.check_raw(bytes).await;
    site.check_damage(bytes).await;
    site.check_denied(bytes, "event").await;
    site.check_behind("'00000000-0000-0000-0000-000000000000'", &["-1", "0", &i64::MIN.to_string()]).await;
    site.check_index(bytes).await;
}
