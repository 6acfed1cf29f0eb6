use super::{HotReads, arguments};
use crate::postgres::failure::unread;
use crate::row::{at, number};
use sqlx::Row;
use sqlx::postgres::PgRow;
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::port::ReadError;
use strongroom_domain::principal::{CredentialScopes, Token};

const SQL: &str =
    "SELECT id, digest_key_version, user_id, organisation, name, scope_read, scope_write, created_at, expires_at
     FROM tokens WHERE digest = $1";

/// The digest is a keyed one, so how long the look-up takes tells nothing of a token.
pub(in crate::postgres) async fn by_digest(hot: &HotReads, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
    let Some(row) = hot.row(SQL, arguments![digest.as_slice()]).await? else { return Ok(None) };
    let version: i64 = row.try_get(1).map_err(unread)?;
    token(&row, digest, number(version, "token")?).map(Some).map_err(unread)
}

fn token(row: &PgRow, digest: &[u8; 32], digest_key_version: u32) -> sqlx::Result<Token> {
    Ok(Token {
        id: CredentialId::new(row.try_get(0)?),
        digest: *digest,
        digest_key_version,
        user: UserId::new(row.try_get(2)?),
        organisation: OrganisationId::new(row.try_get(3)?),
        name: row.try_get(4)?,
        scopes: CredentialScopes { read: row.try_get(5)?, write: row.try_get(6)? },
        created_at: at(row.try_get(7)?),
        expires_at: row.try_get::<Option<i64>, _>(8)?.map(at),
    })
}
