use crate::error::unread_row;
use crate::row;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::port::ReadError;
use strongroom_domain::principal::{CredentialScopes, Token};

/// The digest is a keyed one, so how long the look-up takes tells nothing of a token.
pub(in crate::sqlite) fn by_digest(connection: &Connection, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
    connection
        .prepare_cached(
            "SELECT id, digest_key_version, user_id, organisation, name, scope_read, scope_write, created_at, expires_at
             FROM tokens WHERE digest = ?1",
        )
        .and_then(|mut statement| {
            statement
                .query_row([digest], |row| {
                    Ok(Token {
                        id: CredentialId::new(row.get(0)?),
                        digest: *digest,
                        digest_key_version: row.get(1)?,
                        user: UserId::new(row.get(2)?),
                        organisation: OrganisationId::new(row.get(3)?),
                        name: row.get(4)?,
                        scopes: CredentialScopes { read: row.get(5)?, write: row.get(6)? },
                        created_at: row::at(row.get(7)?),
                        expires_at: row.get::<_, Option<i64>>(8)?.map(row::at),
                    })
                })
                .optional()
        })
        .map_err(unread_row)
}
