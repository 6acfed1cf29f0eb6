use super::{Refusal, require_absent};
use rusqlite::Connection;
use strongroom_domain::root_key::KeyCheck;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, check: &KeyCheck) -> Result<(), Refusal> {
    require_absent(connection, UniqueKey::Setup)?;
    connection
        .prepare_cached("INSERT INTO key_check (id, root_key, sealed) VALUES (1, ?1, ?2)")?
        .execute((check.root_key.0, &check.sealed))?;
    Ok(())
}
