//! That what the audit log is searched, counted and followed by are look-ups by index, with and without statistics.

use super::{ID, connect, plan, plan_of};
use crate::read::audit;
use crate::row::position;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use strongroom_domain::audit::{IndexEntry, LogReader, Term};
use strongroom_domain::id::{EventId, OrganisationId, StreamId};
use strongroom_domain::port::Window;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

fn window() -> Window {
    Window {
        from: Timestamp::from_micros(10),
        before: (Timestamp::from_micros(100_000), EventId::new(Uuid::from_u128(100_000))),
    }
}

fn of_a_term(backend: DbBackend) -> [Statement; 2] {
    let (ours, term) = (Some(OrganisationId::new(ID)), Term::new(7));
    [
        audit::find_statement(backend, ours, term, window(), 100),
        audit::count_statement(backend, ours, term, window(), 10_000),
    ]
}

fn entries() -> Vec<IndexEntry> {
    let entry = |number: u64| IndexEntry {
        organisation: Some(OrganisationId::new(ID)),
        term: Term::new(7),
        at: Timestamp::from_micros(0),
        event: EventId::new(Uuid::from_u128(u128::from(number))),
        sequence: number,
    };
    (0..256).map(entry).collect()
}

/// So many places, in two streams: one, those of a page, and as many as are looked up at once.
fn places(count: u64) -> Vec<(StreamId, u64)> {
    let stream = |number: u64| StreamId::new(Uuid::from_u128(u128::from(1 + number % 2)));
    (1..=count).map(|number| (stream(number), number)).collect()
}

fn at_statement(backend: DbBackend, count: u64) -> Statement {
    let ordinal = |stream: StreamId| i64::try_from(stream.uuid().as_u128()).expect("small");
    let positions = places(count).into_iter().map(|(stream, sequence)| position(ordinal(stream), sequence));
    audit::at_statement(backend, &positions.collect())
}

async fn check_sqlite(db: &DatabaseConnection) {
    let backend = DbBackend::Sqlite;
    for count in [1, 101, 500] {
        let records = plan_of(db, at_statement(backend, count)).await;
        assert_eq!(records, "SEARCH audit_records USING INTEGER PRIMARY KEY (rowid=?)", "{count}");
        let streams = plan(db, &audit::streams_query(&places(count))).await;
        assert_eq!(streams, "SEARCH audit_streams USING COVERING INDEX audit_streams_id (id=?)", "{count}");
    }
    for statement in of_a_term(backend) {
        let plan = plan_of(db, statement).await;
        let seek = "SEARCH audit_index USING PRIMARY KEY (organisation=? AND term=? AND ";
        assert!(plan.contains(seek) && plan.contains("(at,event)<(?,?)"), "{plan}");
        assert!(!plan.contains("SCAN audit") && !plan.contains("ORDER BY"), "{plan}");
    }
    let plan = plan_of(db, audit::indexed_statement(backend, 1, &entries())).await;
    let seek = "SEARCH i USING PRIMARY KEY (organisation=? AND term=? AND at=? AND event=?)";
    assert!(plan.contains(seek) && !plan.contains("SCAN i"), "{plan}");
    for (after, wanted) in [(None, "SCAN audit_index"), (entries().first(), "SEARCH audit_index USING PRIMARY KEY (")] {
        let plan = plan_of(db, audit::index_lines_statement(backend, after, 500)).await;
        let seek = "SEARCH audit_records USING INTEGER PRIMARY KEY (rowid=?)";
        assert!(plan.contains(wanted) && plan.contains(seek) && !plan.contains("ORDER BY"), "{plan}");
    }
    for after in [None, Some(StreamId::new(ID))] {
        let plan = plan_of(db, audit::behind_statement(backend, &LogReader::Index, after, 10)).await;
        for seek in [
            "SEARCH streams USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
            "SEARCH positions USING INDEX sqlite_autoindex_audit_positions_1 (name=? AND stream=?)",
            "SEARCH records USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ] {
            assert!(plan.contains(seek), "{plan}");
        }
        assert!(!plan.contains("SCAN") && !plan.contains("ORDER BY"), "{plan}");
    }
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("made");
}

#[tokio::test]
async fn sqlite_looks_up_by_index() {
    let db = connect("sqlite::memory:").await;
    check_sqlite(&db).await;
    let numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)";
    for sql in [
        "INSERT INTO audit_index (organisation, term, at, event, position)
         SELECT zeroblob(15) || CAST(n % 5 AS BLOB), n % 20, n, CAST(printf('%016d', n) AS BLOB), n FROM numbers",
        "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status)
         SELECT (n % 500) * 17592186044416 + n, n % 500, n, x'', x'', n, x'', '', '', 200 FROM numbers",
        "INSERT INTO audit_streams (ordinal, id) SELECT n, CAST(printf('%016d', n) AS BLOB) FROM numbers WHERE n < 500",
        "INSERT INTO audit_positions (name, stream, sequence) SELECT 'index', n, n FROM numbers WHERE n < 500",
    ] {
        run(&db, &format!("{numbers} {sql}")).await;
    }
    check_sqlite(&db).await;
    run(&db, "ANALYZE").await;
    check_sqlite(&db).await;
}

async fn check_postgres(db: &DatabaseConnection) {
    let backend = DbBackend::Postgres;
    for count in [1, 101, 500] {
        let records = plan_of(db, at_statement(backend, count)).await;
        assert!(records.contains("audit_records_pkey") && !records.contains("Seq Scan"), "{count}: {records}");
        let streams = plan(db, &audit::streams_query(&places(count))).await;
        assert!(streams.contains("audit_streams_id") && !streams.contains("Seq Scan"), "{count}: {streams}");
    }
    for statement in of_a_term(backend) {
        let plan = plan_of(db, statement).await;
        assert!(plan.contains("audit_index_pkey") && plan.contains("(ROW(at, event) < ROW("), "{plan}");
        assert!(!plan.contains("Seq Scan on audit_index") && !plan.contains("Sort"), "{plan}");
    }
    let plan = plan_of(db, audit::indexed_statement(backend, 1, &entries())).await;
    assert!(plan.contains("audit_index_pkey") && !plan.contains("Seq Scan"), "{plan}");
    for after in [None, entries().first()] {
        let plan = plan_of(db, audit::index_lines_statement(backend, after, 500)).await;
        assert!(plan.contains("audit_index_pkey") && plan.contains("audit_records_pkey"), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{plan}");
    }
    for after in [None, Some(StreamId::new(ID))] {
        let plan = plan_of(db, audit::behind_statement(backend, &LogReader::Index, after, 10)).await;
        assert!(plan.contains("audit_records_pkey") && !plan.contains("Seq Scan on audit_records"), "{plan}");
    }
}

/// 60,000 lines of 3 organisations and 20 terms, and as many records in 2,000 streams, about as long as real ones.
#[tokio::test]
async fn postgres_looks_up_by_index() {
    let database = tokio::task::spawn_blocking(strongroom_test_postgres::database).await.expect("a database");
    let db = connect(database.url()).await;
    for sql in [
        "INSERT INTO audit_index (organisation, term, at, event, position)
         SELECT lpad(to_hex(75 + n % 3), 32, '0')::uuid, n % 20, n, lpad(to_hex(n), 32, '0')::uuid, n
         FROM generate_series(1, 60000) n",
        "INSERT INTO audit_records (position, stream, sequence, hash, canonical, at, event, action, outcome, status)
         SELECT (n % 2000) * 17592186044416 + n, n % 2000, n, '\\x00', decode(repeat('00', 500), 'hex'), n,
                lpad('', 32, '0')::uuid, '', '', 200
         FROM generate_series(1, 60000) n",
        "INSERT INTO audit_streams (ordinal, id)
         SELECT n, lpad(to_hex(n), 32, '0')::uuid FROM generate_series(1, 1999) n",
        "INSERT INTO audit_positions (name, stream, sequence)
         SELECT name, n, 60000 FROM generate_series(1, 1999) n, (VALUES ('index'), ('checkpoints')) AS names (name)",
    ] {
        run(&db, sql).await;
    }
    check_postgres(&db).await;
    run(&db, "ANALYZE").await;
    check_postgres(&db).await;
}
