use super::{Refusal, exists};
use crate::row::directory::{Row, encode};
use rusqlite::Connection;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) fn apply(connection: &Connection, object: &DirectoryObject) -> Result<(), Refusal> {
    let row = Row::of(object);
    let others = "SELECT 1 FROM directory_objects WHERE kind = ?1 AND handle = ?2 AND organisation = ?3 AND id <> ?4";
    if exists(connection, others, (row.kind, &row.handle, row.organisation, row.id))? {
        let handle = UniqueKey::Handle(object.organisation(), object.kind(), object.handle().into_owned());
        return Err(Refusal::Conflict(Expect::Absent(handle)));
    }
    connection
        .prepare_cached(
            "INSERT INTO directory_objects (kind, id, organisation, parent, subject, handle, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE
             SET kind = excluded.kind, organisation = excluded.organisation, parent = excluded.parent,
                 subject = excluded.subject, handle = excluded.handle, body = excluded.body",
        )?
        .execute((row.kind, row.id, row.organisation, row.parent, row.subject, &row.handle, encode(object)))?;
    Ok(())
}
