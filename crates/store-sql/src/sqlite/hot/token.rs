use crate::error::unread_row;
use crate::row::token::TokenRow;
use rusqlite::{Connection, OptionalExtension};
use strongroom_domain::port::ReadError;
use strongroom_domain::principal::Token;

/// The digest is a keyed one, so how long the look-up takes tells nothing of a token.
pub(in crate::sqlite) fn by_digest(connection: &Connection, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
    let found = connection
        .prepare_cached(
            "SELECT id, digest_key_version, holder, user_id, organisation, name, scopes, created_at, expires_at, expires
             FROM tokens WHERE digest = ?1",
        )
        .and_then(|mut statement| {
            statement
                .query_row([digest], |row| {
                    Ok(TokenRow {
                        id: row.get(0)?,
                        digest_key_version: row.get(1)?,
                        holder: row.get(2)?,
                        user_id: row.get(3)?,
                        organisation: row.get(4)?,
                        name: row.get(5)?,
                        scopes: row.get(6)?,
                        created_at: row.get(7)?,
                        expires_at: row.get(8)?,
                        expires: row.get(9)?,
                    })
                })
                .optional()
        });
    found.map_err(unread_row)?.map(|row| row.read(*digest)).transpose()
}
