use super::Refusal;
use crate::row::organisation_column;
use crate::row::token::{holder_columns, scopes_column};
use rusqlite::{Connection, named_params};
use strongroom_domain::principal::Token;

pub(super) fn apply(connection: &Connection, token: &Token) -> Result<(), Refusal> {
    let (holder, user) = holder_columns(token.holder);
    let expires = token.expires.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO tokens
                 (id, digest, digest_key_version, holder, user_id, organisation, name, scopes, created_at, expires_at, expires)
             VALUES
                 (:id, :digest, :digest_key_version, :holder, :user_id, :organisation, :name, :scopes, :created_at,
                  :expires_at, :expires)",
        )?
        .execute(named_params! {
            ":id": token.id.uuid(),
            ":digest": token.digest,
            ":digest_key_version": token.digest_key_version,
            ":holder": holder,
            ":user_id": user,
            ":organisation": organisation_column(token.organisation),
            ":name": token.name,
            ":scopes": scopes_column(&token.scopes),
            ":created_at": token.created_at.as_micros(),
            ":expires_at": expires.map(|expiry| expiry.at.as_micros()),
            ":expires": expires.map(|expiry| &expiry.text),
        })?;
    Ok(())
}
