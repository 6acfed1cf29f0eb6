use super::{Refusal, before, exists};
use crate::row;
use rusqlite::{Connection, named_params};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Expect, UniqueKey};

pub(super) fn apply(connection: &Connection, organisation: &Organisation) -> Result<(), Refusal> {
    let rows = connection
        .prepare_cached(
            "UPDATE organisations SET
                 name = :name, metadata = :metadata, gate_secrets = :gate_secrets, gate_kms = :gate_kms,
                 gate_projects = :gate_projects, created_at = :created_at, updated_at = :updated_at,
                 object_version = :object_version, revision = :revision
             WHERE id = :id AND revision = :revision - 1",
        )?
        .execute(named_params! {
            ":id": organisation.id.uuid(),
            ":name": organisation.name,
            ":metadata": row::metadata::encode(&organisation.metadata),
            ":gate_secrets": organisation.gates.secrets,
            ":gate_kms": organisation.gates.kms,
            ":gate_projects": organisation.gates.projects,
            ":created_at": organisation.created_at.as_micros(),
            ":updated_at": organisation.updated_at.map(Timestamp::as_micros),
            ":object_version": row::column(organisation.object_version),
            ":revision": row::column(organisation.revision.get()),
        })?;
    if rows == 0 {
        return Err(before(AggregateId::Organisation(organisation.id), organisation.revision));
    }
    let (id, slug) = (organisation.id.uuid(), &organisation.slug);
    if exists(connection, "SELECT 1 FROM organisations WHERE slug = ?2 AND id <> ?1", (id, slug))? {
        return Err(Refusal::Conflict(Expect::Absent(UniqueKey::OrganisationSlug(slug.clone()))));
    }
    connection.prepare_cached("UPDATE organisations SET slug = ?2 WHERE id = ?1")?.execute((id, slug))?;
    Ok(())
}
