//! What the store holds opens by no public operation.

use super::decrypt;
use crate::Stage;
use strongroom_test_postgres::Database;
use strongroom_tests::{base64, database_of, unbase64};

/// The data keys of secrets are wrapped under the same KMS keys, for another purpose: the public operation does not open them.
#[test]
fn wrapped_data_keys_stay_closed() {
    let stage = Stage::new();
    let _ = stage.client.create("/app/x", "value").ok(201);
    let key = stage.client.kms_key.clone();
    let folder = stage.folder;
    stage.server.stop();
    let found = blobs(&folder.path().join("data"));
    assert!(found.len() >= 3, "{} blobs", found.len());
    let server = strongroom_tests::Server::dev(&folder.path().join("data"));
    let client = server.client();
    for blob in found {
        let answer = decrypt(&client, &key, &format!("thalassa:v1:{}", base64(&blob)));
        let _ = answer.error(400, "invalid_ciphertext");
    }
    assert_eq!(client.reveal("/app/x", None).ok(200)["secretString"], base64("value"));
}

/// Every binary value of the store: among them wrapped keys, sealed values and handles, whatever the columns are called.
fn blobs(data: &std::path::Path) -> Vec<Vec<u8>> {
    match database_of(data) {
        Some(database) => blobs_in_postgres(&database),
        None => blobs_in_sqlite(data),
    }
}

fn blobs_in_postgres(database: &Database) -> Vec<Vec<u8>> {
    let columns = database.sql(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'bytea'",
    );
    let mut found = Vec::new();
    for column in columns {
        let [table, column] = column.as_slice() else { panic!("two columns: {column:?}") };
        let query = format!("SELECT encode(\"{column}\", 'base64') FROM \"{table}\" WHERE length(\"{column}\") > 28");
        let rows = database.sql(&query);
        found.extend(rows.iter().map(|row| unbase64(&row[0].replace(['\n', '\r'], ""))));
    }
    found
}

fn blobs_in_sqlite(data: &std::path::Path) -> Vec<Vec<u8>> {
    let database = rusqlite::Connection::open(data.join("strongroom.db")).expect("a database");
    let list = |query: &str| -> Vec<String> {
        let mut statement = database.prepare(query).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    };
    let mut found = Vec::new();
    for table in list("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        for column in list(&format!("SELECT name FROM pragma_table_info('{table}')")) {
            let query = format!(
                "SELECT \"{column}\" FROM \"{table}\" WHERE typeof(\"{column}\") = 'blob' AND length(\"{column}\") > 28"
            );
            let mut statement = database.prepare(&query).expect("a query");
            let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("rows");
            found.extend(rows.map(|row| row.expect("bytes")));
        }
    }
    found
}
