use super::{Lacks, before};
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::unit::{AggregateId, Revision};

pub(super) async fn apply(
    connection: &mut PgConnection,
    id: OrganisationId,
    revision: Revision,
) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query("UPDATE organisations SET revision = $2 WHERE id = $1 AND revision = $2 - 1")
        .bind(id.uuid())
        .bind(row::column(revision.get()))
        .execute(connection)
        .await?;
    Ok((done.rows_affected() == 0).then(|| before(AggregateId::Organisation(id), revision)))
}
