use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::directory::ObjectKind;
use uuid::Uuid;

pub(super) async fn apply(connection: &mut PgConnection, kind: ObjectKind, id: Uuid) -> Result<Lacks, sqlx::Error> {
    sqlx::query("DELETE FROM directory_objects WHERE id = $1 AND kind = $2")
        .bind(id)
        .bind(kind.as_str())
        .execute(connection)
        .await?;
    Ok(None)
}
