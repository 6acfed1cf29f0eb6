use super::{Refusal, require_absent};
use crate::row;
use rusqlite::{Connection, named_params};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, organisation: &Organisation) -> Result<(), Refusal> {
    require_absent(connection, UniqueKey::OrganisationSlug(organisation.slug.clone()))?;
    connection
        .prepare_cached(
            "INSERT INTO organisations
                 (id, name, slug, metadata, gate_secrets, gate_kms, gate_projects, created_at, updated_at, object_version,
                  revision)
             VALUES
                 (:id, :name, :slug, :metadata, :gate_secrets, :gate_kms, :gate_projects, :created_at, :updated_at,
                  :object_version, :revision)",
        )?
        .execute(named_params! {
            ":id": organisation.id.uuid(),
            ":name": organisation.name,
            ":slug": organisation.slug,
            ":metadata": row::metadata::encode(&organisation.metadata),
            ":gate_secrets": organisation.gates.secrets,
            ":gate_kms": organisation.gates.kms,
            ":gate_projects": organisation.gates.projects,
            ":created_at": organisation.created_at.as_micros(),
            ":updated_at": organisation.updated_at.map(Timestamp::as_micros),
            ":object_version": row::column(organisation.object_version),
            ":revision": row::column(organisation.revision.get()),
        })?;
    Ok(())
}
