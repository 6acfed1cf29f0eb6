use super::{Refusal, replace_state};
use crate::row;
use core::num::NonZeroU32;
use rusqlite::Connection;
use strongroom_domain::id::SecretId;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::secret::SecretState;

pub(super) fn apply(
    connection: &Connection,
    secret: SecretId,
    metadata: &Metadata,
    max_active_versions: Option<NonZeroU32>,
    state: SecretState,
) -> Result<(), Refusal> {
    replace_state(connection, secret, state)?;
    connection
        .prepare_cached("UPDATE secrets SET metadata = ?2, max_active_versions = ?3 WHERE id = ?1")?
        .execute((secret.uuid(), row::metadata::encode(metadata), row::secret::kept_column(max_active_versions)))?;
    Ok(())
}
