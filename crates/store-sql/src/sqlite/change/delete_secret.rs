use super::{Refusal, materials};
use rusqlite::Connection;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::{AggregateId, Expect, Revision};

pub(super) fn apply(connection: &Connection, secret: SecretId) -> Result<(), Refusal> {
    let id = [secret.uuid()];
    let living: Vec<i64> = connection
        .prepare_cached("SELECT material FROM secret_versions WHERE secret = ?1 AND material IS NOT NULL")?
        .query_map(id, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for material in living {
        materials::erase(connection, material)?;
    }
    connection.prepare_cached("DELETE FROM answers WHERE secret = ?1")?.execute(id)?;
    connection.prepare_cached("DELETE FROM secret_access WHERE secret = ?1")?.execute(id)?;
    connection.prepare_cached("DELETE FROM secret_versions WHERE secret = ?1")?.execute(id)?;
    match connection.prepare_cached("DELETE FROM secrets WHERE id = ?1")?.execute(id)? {
        0 => Err(Refusal::Conflict(Expect::Revision(AggregateId::Secret(secret), Revision::FIRST))),
        _ => Ok(()),
    }
}
