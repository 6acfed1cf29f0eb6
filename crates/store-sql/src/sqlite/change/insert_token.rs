use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::principal::Token;
use strongroom_domain::time::Timestamp;

pub(super) fn apply(connection: &Connection, token: &Token) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "INSERT INTO tokens
                 (id, digest, digest_key_version, user_id, organisation, name, scope_read, scope_write, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute((
            token.id.uuid(),
            token.digest,
            token.digest_key_version,
            token.user.uuid(),
            token.organisation.uuid(),
            &token.name,
            token.scopes.read,
            token.scopes.write,
            token.created_at.as_micros(),
            token.expires_at.map(Timestamp::as_micros),
        ))?;
    Ok(())
}
