use super::Lacks;
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) async fn apply(connection: &mut PgConnection, organisation: &Organisation) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO organisations
             (id, name, slug, metadata, gate_secrets, gate_kms, gate_projects, created_at, updated_at, object_version,
              revision)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (slug) DO NOTHING",
    )
    .bind(organisation.id.uuid())
    .bind(organisation.name.as_str())
    .bind(organisation.slug.as_str())
    .bind(row::metadata::encode(&organisation.metadata))
    .bind(organisation.gates.secrets)
    .bind(organisation.gates.kms)
    .bind(organisation.gates.projects)
    .bind(organisation.created_at.as_micros())
    .bind(organisation.updated_at.map(Timestamp::as_micros))
    .bind(row::column(organisation.object_version))
    .bind(row::column(organisation.revision.get()))
    .execute(connection)
    .await?;
    let taken = || Expect::Absent(UniqueKey::OrganisationSlug(organisation.slug.clone()));
    Ok((done.rows_affected() == 0).then(taken))
}
