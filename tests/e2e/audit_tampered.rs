//! Somebody writes to the database while the server is stopped: `strongroomd audit verify` finds it.

use crate::Stage;
use crate::audit_verify::{audit, done, kinds, settled};
use serde_json::Value;
use std::path::Path;
use strongroom_tests::{Ended, database_of};

/// In a record's position, where the stream stands above its sequence.
const SEQUENCE_BITS: u32 = 44;

/// The rows of a statement, each as text.
pub(crate) fn sql(data: &Path, sql: &str) -> Vec<Vec<String>> {
    if let Some(database) = database_of(data) {
        return database.sql(sql);
    }
    let database = rusqlite::Connection::open(data.join("strongroom.db")).expect("a database");
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = statement.column_count();
    let text = |value: rusqlite::types::Value| match value {
        rusqlite::types::Value::Integer(number) => number.to_string(),
        rusqlite::types::Value::Text(text) => text,
        other => panic!("{sql}: {other:?}"),
    };
    let rows = statement.query_map([], |row| (0..columns).map(|at| row.get(at).map(text)).collect());
    rows.expect("rows").collect::<Result<_, _>>().expect("readable")
}

fn number(data: &Path, question: &str) -> i64 {
    let rows = sql(data, question);
    rows[0][0].parse().unwrap_or_else(|_| panic!("{question}: {rows:?}"))
}

/// What a verification found, and that the result says of each what, where, and what to do.
#[track_caller]
fn findings(ended: &Ended) -> Vec<Value> {
    assert!(!kinds(ended).is_empty(), "nothing was found: {ended:?}");
    assert!(ended.stderr.contains("the audit log is not what was signed"), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["sound"], false, "{report}");
    report["findings"].as_array().expect("a list").clone()
}

/// Whether there is a finding of this kind, at this record when one is meant.
fn has(findings: &[Value], kind: &str, position: Option<i64>) -> bool {
    let sequence = position.map(|position| position & ((1 << SEQUENCE_BITS) - 1));
    findings.iter().any(|found| found["kind"] == kind && sequence.is_none_or(|sequence| found["sequence"] == sequence))
}

#[test]
fn what_was_altered_by_sql_is_found() {
    let mut stage = Stage::new();
    let data = stage.data();
    for n in 0..8 {
        let _ = stage.client.create(&format!("/app/{n}"), "value").ok(201);
        let _ = stage.client.reveal(&format!("/app/{n}"), None).ok(200);
    }
    settled(&stage);
    let anchor = stage.folder.path().join("anchor");
    std::fs::write(&anchor, done(audit(&stage, &["checkpoint"]))).expect("written");
    let anchor = anchor.display().to_string();
    let with_anchor = ["verify", "--json", "--anchor", &anchor];
    assert_eq!(kinds(&audit(&stage, &with_anchor)), [""; 0]);

    // One that is searched for, indexed, and not at the end of its stream.
    let of_a_reveal = "SELECT min(position) FROM audit_records WHERE action = 'secret.value.read'
                       AND position IN (SELECT position FROM audit_index)";
    let position = number(&data, of_a_reveal);
    let canonical = match database_of(&data) {
        Some(_) => "canonical = canonical || '\\x00'::bytea",
        None => "canonical = CAST(canonical || x'00' AS BLOB)",
    };
    let restored = match database_of(&data) {
        Some(_) => "canonical = substring(canonical FOR length(canonical) - 1)",
        None => "canonical = substr(canonical, 1, length(canonical) - 1)",
    };
    for (change, back, kind) in [
        (canonical, restored, "record_changed"),
        ("outcome = 'denied'", "outcome = 'success'", "column_differs"),
        ("status = 403", "status = 200", "column_differs"),
    ] {
        stage.server.stop();
        let _ = sql(&data, &format!("UPDATE audit_records SET {change} WHERE position = {position}"));
        stage = Stage::over(stage.folder);
        let found = findings(&audit(&stage, &["verify", "--json"]));
        assert!(has(&found, kind, Some(position)), "{change}: {found:#?}");
        assert_eq!(found.len(), 1, "{change}: {found:#?}");
        stage.server.stop();
        let _ = sql(&data, &format!("UPDATE audit_records SET {back} WHERE position = {position}"));
        stage = Stage::over(stage.folder);
    }
    assert_eq!(kinds(&audit(&stage, &with_anchor)), [""; 0], "all is as it was");

    stage.server.stop();
    let _ = sql(&data, &format!("DELETE FROM audit_index WHERE position = {position}"));
    stage = Stage::over(stage.folder);
    let found = findings(&audit(&stage, &["verify", "--json"]));
    assert!(has(&found, "index_line_missing", Some(position)), "{found:#?}");
    assert_eq!(found.len(), 1, "{found:#?}");

    // A whole stream: checkpoints tell of it.
    stage.server.stop();
    let stream = position >> SEQUENCE_BITS;
    let (from, to) = (stream << SEQUENCE_BITS, (stream + 1) << SEQUENCE_BITS);
    let here = format!("position >= {from} AND position < {to}");
    for table in ["audit_records", "audit_index"] {
        let _ = sql(&data, &format!("DELETE FROM {table} WHERE {here}"));
    }
    let _ = sql(&data, &format!("DELETE FROM audit_positions WHERE stream = {stream}"));
    let _ = sql(&data, &format!("DELETE FROM audit_streams WHERE ordinal = {stream}"));
    stage = Stage::over(stage.folder);
    let found = findings(&audit(&stage, &["verify", "--json"]));
    assert!(has(&found, "stream_missing", None), "{found:#?}");
    let plain = audit(&stage, &["verify"]);
    assert_eq!(plain.code, Some(1), "{plain:?}");
    assert!(plain.stdout.contains("the whole stream is gone"), "{plain:?}");

    // And all that told of it: then only what was kept elsewhere does.
    stage.server.stop();
    let _ = sql(&data, "DELETE FROM audit_checkpoints");
    let _ = sql(&data, "DELETE FROM audit_positions WHERE name = 'checkpoints'");
    stage = Stage::over(stage.folder);
    settled(&stage);
    assert_eq!(kinds(&audit(&stage, &["verify", "--json"])), [""; 0], "nothing here tells of what was removed");
    let found = findings(&audit(&stage, &with_anchor));
    assert!(has(&found, "anchor_missing", None) || has(&found, "anchor_differs", None), "{found:#?}");
}
