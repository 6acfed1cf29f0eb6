//! Reads the audit log out of a PostgreSQL database.

use crate::audit_log::{Column, INDEX_COLUMNS, Row, Stored};
use strongroom_domain::audit::Signature;
use strongroom_test_postgres::Database;
use uuid::Uuid;

/// The audit log, in one snapshot: servers may be writing.
pub(crate) fn audit_log(database: &Database) -> Stored {
    let index: Vec<String> = INDEX_COLUMNS.iter().map(|name| tagged(name)).collect();
    // The first column tells what a row is.
    let rows = database.sql(&format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ;
         SELECT 'key', version, encode(public, 'hex') FROM instance_keys WHERE purpose = 'audit-signing';
         SELECT 'count', count(*) FROM audit_records;
         SELECT 'record', id, sequence, encode(hash, 'hex'), encode(signature, 'hex'), signing_key_version,
                encode(canonical, 'hex'), {}
         FROM audit_streams LEFT JOIN audit_records ON stream = ordinal ORDER BY ordinal, sequence;
         COMMIT",
        index.join(", ")
    ));
    let mut stored = Stored { keys: Default::default(), streams: Vec::new(), count: 0 };
    for row in rows {
        match row[0].as_str() {
            "key" => drop(stored.keys.insert(row[1].parse().expect("a version"), array(&row[2]))),
            "count" => stored.count = row[1].parse().expect("a count"),
            _ => {
                let id: Uuid = row[1].parse().expect("a stream's id");
                if stored.streams.last().is_none_or(|(last, _)| *last != id) {
                    stored.streams.push((id, Vec::new()));
                }
                let (_, records) = stored.streams.last_mut().expect("a stream");
                records.push(record(&row[2..]));
            }
        }
    }
    stored
}

fn record(row: &[String]) -> Row {
    let [sequence, hash, signature, key_version, canonical, index @ ..] = row else { panic!("{row:?}") };
    let signature = (!signature.is_empty()).then(|| Signature {
        key_version: key_version.parse().expect("the version of the signing key"),
        bytes: array(signature),
    });
    Row {
        sequence: sequence.parse().expect("a stream has records, and each a sequence"),
        hash: array(hash),
        signature,
        canonical: bytes(canonical),
        index: index.iter().map(|text| column(text)).collect(),
    }
}

/// The column as a text that begins with its type's letter; the empty text is NULL.
fn tagged(name: &str) -> String {
    format!(
        "CASE pg_typeof({name})::text WHEN 'bigint' THEN 'i' || {name}::text WHEN 'uuid' THEN 'u' || {name}::text
              ELSE 't' || {name}::text END"
    )
}

fn column(text: &str) -> Column {
    match text.split_at_checked(1) {
        None => Column::Null,
        Some(("i", number)) => Column::Integer(number.parse().expect("a number")),
        Some(("u", id)) => Column::Bytes(id.parse::<Uuid>().expect("an id").as_bytes().to_vec()),
        Some((_, text)) => Column::Text(text.to_owned()),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { panic!("no hexadecimal: {hex}") };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).expect("a digit") as u8;
    pairs.iter().map(|[high, low]| digit(high) << 4 | digit(low)).collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap_or_else(|_| panic!("not {N} bytes: {hex}"))
}
