use super::Refusal;
use rusqlite::Connection;
use strongroom_domain::root_key::KeyCheck;
use strongroom_domain::unit::{Expect, UniqueKey};

/// Where there is none, nothing was set up: refused, not answered as if it were stored.
pub(super) fn apply(connection: &Connection, check: &KeyCheck) -> Result<(), Refusal> {
    let rows = connection
        .prepare_cached("UPDATE key_check SET root_key = ?1, sealed = ?2")?
        .execute((check.root_key.0, &check.sealed))?;
    if rows == 0 { Err(Refusal::Conflict(Expect::Absent(UniqueKey::Setup))) } else { Ok(()) }
}
