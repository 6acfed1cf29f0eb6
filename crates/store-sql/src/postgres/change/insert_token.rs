use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::principal::Token;
use strongroom_domain::time::Timestamp;

pub(super) async fn apply(connection: &mut PgConnection, token: &Token) -> Result<Lacks, sqlx::Error> {
    sqlx::query(
        "INSERT INTO tokens
             (id, digest, digest_key_version, user_id, organisation, name, scope_read, scope_write, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(token.id.uuid())
    .bind(token.digest.as_slice())
    .bind(i64::from(token.digest_key_version))
    .bind(token.user.uuid())
    .bind(token.organisation.uuid())
    .bind(token.name.as_str())
    .bind(token.scopes.read)
    .bind(token.scopes.write)
    .bind(token.created_at.as_micros())
    .bind(token.expires_at.map(Timestamp::as_micros))
    .execute(connection)
    .await?;
    Ok(None)
}
