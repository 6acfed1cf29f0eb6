use super::{Refusal, before};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::unit::{AggregateId, Revision};

pub(super) fn apply(connection: &Connection, id: OrganisationId, revision: Revision) -> Result<(), Refusal> {
    let rows = connection
        .prepare_cached("UPDATE organisations SET revision = ?2 WHERE id = ?1 AND revision = ?2 - 1")?
        .execute((id.uuid(), row::column(revision.get())))?;
    if rows == 0 { Err(before(AggregateId::Organisation(id), revision)) } else { Ok(()) }
}
