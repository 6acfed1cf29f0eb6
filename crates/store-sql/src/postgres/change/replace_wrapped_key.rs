use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::WrappedKey;
use strongroom_domain::version::VersionNumber;

pub(super) struct Row<'a> {
    pub(super) secret: SecretId,
    pub(super) version: VersionNumber,
    pub(super) before: &'a WrappedKey,
    pub(super) after: &'a WrappedKey,
}

/// No version twice.
pub(super) async fn apply(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (before, after) = (|| rows.iter().map(|row| row.before), || rows.iter().map(|row| row.after));
    sqlx::query(
        "UPDATE secret_versions SET key_version = r.version_after, wrapped = r.after
         FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[])
             AS r (secret, number, version_before, before, version_after, after)
         WHERE secret_versions.secret = ANY($1) AND secret_versions.secret = r.secret
             AND secret_versions.number = ANY($2) AND secret_versions.number = r.number
             AND secret_versions.key_version = r.version_before AND secret_versions.wrapped = r.before",
    )
    .bind(rows.iter().map(|row| row.secret.uuid()).bind_iter())
    .bind(rows.iter().map(|row| row::column(row.version.get())).bind_iter())
    .bind(before().map(|wrapped| i64::from(wrapped.key_version.get())).bind_iter())
    .bind(before().map(|wrapped| wrapped.bytes.as_slice()).bind_iter())
    .bind(after().map(|wrapped| i64::from(wrapped.key_version.get())).bind_iter())
    .bind(after().map(|wrapped| wrapped.bytes.as_slice()).bind_iter())
    .execute(connection)
    .await?;
    Ok(())
}
