use crate::error::{corrupt, unread};
use crate::row::column;
use sea_orm::{DatabaseConnection, DbBackend, FromQueryResult, Statement};
use strongroom_domain::port::{ReadError, StoredCheckpoint};

#[derive(FromQueryResult)]
struct Row {
    number: i64,
    canonical: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    version: Option<i64>,
}

impl Row {
    fn read(self) -> Result<StoredCheckpoint, ReadError> {
        let version = self.version.and_then(|version| u32::try_from(version).ok());
        Ok(StoredCheckpoint {
            number: u64::try_from(self.number).map_err(|_| corrupt("number of a checkpoint"))?,
            canonical: self.canonical.unwrap_or_default(),
            // No key has version 0.
            signature: (version.unwrap_or(0), self.signature.unwrap_or_default()),
        })
    }
}

/// On SQLite anything may stand in any column but the number.
fn statement(backend: DbBackend, rest: &str, values: [i64; 2]) -> Statement {
    let columns = match backend {
        DbBackend::Sqlite => {
            "number, CAST(canonical AS BLOB) AS canonical, CAST(signature AS BLOB) AS signature,
             CAST(signing_key_version AS INTEGER) AS version"
        }
        _ => "number, canonical, signature, signing_key_version AS version",
    };
    let sql = format!("SELECT {columns} FROM audit_checkpoints WHERE number > 0 AND {rest} LIMIT $2");
    Statement::from_sql_and_values(backend, sql, values.map(Into::into))
}

pub(crate) async fn checkpoints(
    db: &DatabaseConnection,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredCheckpoint>, ReadError> {
    let values = [column(after), i64::from(limit)];
    let statement = statement(db.get_database_backend(), "number > $1 ORDER BY number", values);
    let rows = Row::find_by_statement(statement).all(db).await.map_err(unread)?;
    rows.into_iter().map(Row::read).collect()
}

/// The highest number first.
pub(crate) async fn before(
    db: &DatabaseConnection,
    number: u64,
    limit: u32,
) -> Result<Vec<StoredCheckpoint>, ReadError> {
    let values = [column(number), i64::from(limit)];
    let statement = statement(db.get_database_backend(), "number < $1 ORDER BY number DESC", values);
    let rows = Row::find_by_statement(statement).all(db).await.map_err(unread)?;
    rows.into_iter().map(Row::read).collect()
}

pub(crate) async fn last(db: &DatabaseConnection) -> Result<Option<StoredCheckpoint>, ReadError> {
    let statement = statement(db.get_database_backend(), "number > $1 ORDER BY number DESC", [0, 1]);
    let found = Row::find_by_statement(statement).one(db).await.map_err(unread)?;
    found.map(Row::read).transpose()
}
