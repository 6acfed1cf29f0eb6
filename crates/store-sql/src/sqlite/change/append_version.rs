use super::{Refusal, insert_version, replace_state};
use rusqlite::Connection;
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::{SealedVersion, SecretState};

pub(super) fn apply(
    connection: &Connection,
    secret: SecretId,
    version: &SealedVersion,
    state: SecretState,
) -> Result<(), Refusal> {
    replace_state(connection, secret, state)?;
    insert_version(connection, secret, version)
}
