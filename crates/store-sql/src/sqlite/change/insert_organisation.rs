use super::{Refusal, require_absent};
use rusqlite::Connection;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, organisation: &Organisation) -> Result<(), Refusal> {
    require_absent(connection, UniqueKey::OrganisationSlug(organisation.slug.clone()))?;
    connection
        .prepare_cached(
            "INSERT INTO organisations (id, name, slug, gate_secrets, gate_kms, gate_projects, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            organisation.id.uuid(),
            &organisation.name,
            &organisation.slug,
            organisation.gates.secrets,
            organisation.gates.kms,
            organisation.gates.projects,
            organisation.created_at.as_micros(),
        ))?;
    Ok(())
}
