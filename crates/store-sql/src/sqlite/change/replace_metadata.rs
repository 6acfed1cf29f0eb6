use super::{Refusal, replace_state};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::id::SecretId;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::secret::SecretState;

pub(super) fn apply(
    connection: &Connection,
    secret: SecretId,
    metadata: &Metadata,
    state: SecretState,
) -> Result<(), Refusal> {
    replace_state(connection, secret, state)?;
    connection
        .prepare_cached("UPDATE secrets SET metadata = ?2 WHERE id = ?1")?
        .execute((secret.uuid(), row::metadata::encode(metadata)))?;
    Ok(())
}
