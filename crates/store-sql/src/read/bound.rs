//! What is bound to a KMS key: look-ups by the key, however many secrets there are.

use crate::error::{corrupt, unread};
use crate::row;
use crate::row::key::version_number as key_version_number;
use crate::row::secret::version_number;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, QueryResult, Statement};
use strongroom_domain::id::{KeyId, SecretId};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::port::{ReadError, WrappedVersion};
use strongroom_domain::secret::WrappedKey;
use strongroom_domain::version::VersionNumber;
use uuid::Uuid;

const COUNT: &str = "SELECT count(*) FROM secrets WHERE key_id = $1";

const COUNT_WRAPPED: &str = "SELECT v.key_version, count(*) FROM secrets s JOIN secret_versions v ON v.secret = s.id
    WHERE s.key_id = $1 AND v.destroyed_at IS NULL GROUP BY v.key_version ORDER BY v.key_version";

pub(super) fn count_statement(backend: DbBackend, key: KeyId) -> Statement {
    Statement::from_sql_and_values(backend, COUNT, [key.uuid().into()])
}

pub(crate) async fn count(db: &DatabaseConnection, key: KeyId) -> Result<u64, ReadError> {
    let found = db.query_one_raw(count_statement(db.get_database_backend(), key)).await.map_err(unread)?;
    let count: i64 = found.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(unread)?;
    row::number(count, "count of secrets")
}

pub(super) fn count_wrapped_statement(backend: DbBackend, key: KeyId) -> Statement {
    Statement::from_sql_and_values(backend, COUNT_WRAPPED, [key.uuid().into()])
}

pub(crate) async fn count_wrapped(
    db: &DatabaseConnection,
    key: KeyId,
) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError> {
    let rows = db.query_all_raw(count_wrapped_statement(db.get_database_backend(), key)).await.map_err(unread)?;
    let count = |row: &QueryResult| {
        let (version, count): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        Ok((version, count))
    };
    let counts = rows.iter().map(count).collect::<Result<Vec<_>, _>>().map_err(unread)?;
    let read = |(version, count)| Ok((key_version_number(version)?, row::number(count, "count of versions")?));
    counts.into_iter().map(read).collect()
}

#[derive(FromQueryResult)]
struct Row {
    secret: Uuid,
    organisation: Uuid,
    region: Uuid,
    project: Uuid,
    path: String,
    number: i64,
    key_version: i64,
    wrapped: Vec<u8>,
}

impl Row {
    fn read(self) -> Result<WrappedVersion, ReadError> {
        Ok(WrappedVersion {
            secret: SecretId::new(self.secret),
            scope: row::scope(self.organisation, self.region, self.project),
            path: self.path.parse().map_err(|error| corrupt("path").because(error))?,
            version: version_number(self.number)?,
            wrapped: WrappedKey { key_version: key_version_number(self.key_version)?, bytes: self.wrapped },
        })
    }
}

pub(super) fn wrapped_statement(
    backend: DbBackend,
    key: KeyId,
    below: Option<KeyVersionNumber>,
    after: Option<(SecretId, VersionNumber)>,
    limit: u32,
) -> Statement {
    let (wrapped, materials) = match backend {
        DbBackend::Sqlite => ("m.wrapped", "JOIN secret_materials m ON m.id = v.material"),
        _ => ("v.wrapped", ""),
    };
    let sql = format!(
        "SELECT s.id AS secret, s.organisation, s.region, s.project, s.path, v.number, v.key_version, {wrapped} AS wrapped
         FROM secrets s JOIN secret_versions v ON v.secret = s.id {materials}
         WHERE s.key_id = $1 AND v.destroyed_at IS NULL AND v.key_version < $2
             AND s.id >= $3 AND (s.id > $3 OR v.number > $4)
         ORDER BY s.id, v.number LIMIT $5"
    );
    let below = below.map_or(i64::MAX, |below| i64::from(below.get()));
    let (secret, number) =
        after.map_or((Uuid::nil(), 0), |(secret, number)| (secret.uuid(), row::column(number.get())));
    let values = [key.uuid().into(), below.into(), secret.into(), number.into(), i64::from(limit).into()];
    Statement::from_sql_and_values(backend, sql, values)
}

pub(crate) async fn wrapped(
    db: &DatabaseConnection,
    key: KeyId,
    below: Option<KeyVersionNumber>,
    after: Option<(SecretId, VersionNumber)>,
    limit: u32,
) -> Result<Vec<WrappedVersion>, ReadError> {
    let statement = wrapped_statement(db.get_database_backend(), key, below, after, limit);
    let rows = Row::find_by_statement(statement).all(db).await.map_err(unread)?;
    rows.into_iter().map(Row::read).collect()
}
