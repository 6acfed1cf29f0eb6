use super::{HotReads, arguments};
use crate::postgres::failure::unread;
use crate::row::token::TokenRow;
use sqlx::Row;
use sqlx::postgres::PgRow;
use strongroom_domain::port::ReadError;
use strongroom_domain::principal::Token;

const SQL: &str =
    "SELECT id, digest_key_version, holder, user_id, organisation, name, scopes, created_at, expires_at, expires
     FROM tokens WHERE digest = $1";

/// The digest is a keyed one, so how long the look-up takes tells nothing of a token.
pub(in crate::postgres) async fn by_digest(hot: &HotReads, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
    let Some(row) = hot.row(SQL, arguments![digest.as_slice()]).await? else { return Ok(None) };
    columns(&row).map_err(unread)?.read(*digest).map(Some)
}

fn columns(row: &PgRow) -> sqlx::Result<TokenRow> {
    Ok(TokenRow {
        id: row.try_get(0)?,
        digest_key_version: row.try_get(1)?,
        holder: row.try_get(2)?,
        user_id: row.try_get(3)?,
        organisation: row.try_get(4)?,
        name: row.try_get(5)?,
        scopes: row.try_get(6)?,
        created_at: row.try_get(7)?,
        expires_at: row.try_get(8)?,
        expires: row.try_get(9)?,
    })
}
