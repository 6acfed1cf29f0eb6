use super::Lacks;
use crate::row::organisation_column;
use crate::row::token::{holder_columns, scopes_column};
use sqlx::PgConnection;
use strongroom_domain::principal::Token;

pub(super) async fn apply(connection: &mut PgConnection, token: &Token) -> Result<Lacks, sqlx::Error> {
    let (holder, user) = holder_columns(token.holder);
    let expires = token.expires.as_ref();
    sqlx::query(
        "INSERT INTO tokens
             (id, digest, digest_key_version, holder, user_id, organisation, name, scopes, created_at, expires_at, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(token.id.uuid())
    .bind(token.digest.as_slice())
    .bind(i64::from(token.digest_key_version))
    .bind(holder)
    .bind(user)
    .bind(organisation_column(token.organisation))
    .bind(token.name.as_str())
    .bind(scopes_column(&token.scopes))
    .bind(token.created_at.as_micros())
    .bind(expires.map(|expiry| expiry.at.as_micros()))
    .bind(expires.map(|expiry| expiry.text.as_str()))
    .execute(connection)
    .await?;
    Ok(None)
}
