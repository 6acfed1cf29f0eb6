use super::{Lacks, before};
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Expect, UniqueKey};

/// When another node takes the slug at this moment, the second update violates a unique index, and finds it taken when it is repeated.
pub(super) async fn apply(connection: &mut PgConnection, organisation: &Organisation) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE organisations SET
             name = $2, metadata = $3, gate_secrets = $4, gate_kms = $5, gate_projects = $6, created_at = $7,
             updated_at = $8, object_version = $9, revision = $10
         WHERE id = $1 AND revision = $10 - 1",
    )
    .bind(organisation.id.uuid())
    .bind(organisation.name.as_str())
    .bind(row::metadata::encode(&organisation.metadata))
    .bind(organisation.gates.secrets)
    .bind(organisation.gates.kms)
    .bind(organisation.gates.projects)
    .bind(organisation.created_at.as_micros())
    .bind(organisation.updated_at.map(Timestamp::as_micros))
    .bind(row::column(organisation.object_version))
    .bind(row::column(organisation.revision.get()))
    .execute(&mut *connection)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(Some(before(AggregateId::Organisation(organisation.id), organisation.revision)));
    }
    let done = sqlx::query(
        "UPDATE organisations SET slug = $2
         WHERE id = $1 AND NOT EXISTS (SELECT FROM organisations other WHERE other.slug = $2 AND other.id <> $1)",
    )
    .bind(organisation.id.uuid())
    .bind(organisation.slug.as_str())
    .execute(connection)
    .await?;
    let taken = || Expect::Absent(UniqueKey::OrganisationSlug(organisation.slug.clone()));
    Ok((done.rows_affected() == 0).then(taken))
}
