use super::Lost;
use crate::row::directory::{Row, encode};
use sqlx::PgConnection;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::unit::{Expect, UniqueKey};

/// In the order of handles on every node: an insert waits for another of the same handle, and two must not wait for each other.
pub(super) async fn apply(
    connection: &mut PgConnection,
    objects: Vec<(usize, &DirectoryObject)>,
    lost: &mut Lost,
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = objects.into_iter().map(|(unit, object)| (unit, object, Row::of(object))).collect();
    rows.sort_by(|(.., a), (.., b)| (a.kind, a.organisation, &a.handle).cmp(&(b.kind, b.organisation, &b.handle)));
    for (unit, object, row) in rows {
        if !put(connection, &row, &encode(object)).await? {
            let handle = UniqueKey::Handle(object.organisation(), object.kind(), object.handle().into_owned());
            lost.push((unit, Expect::Absent(handle)));
        }
    }
    Ok(())
}

/// Whether it could be put: no other object has its handle.
///
/// An update to a handle that another node takes at this moment would fail the transaction, an insert gives way. So an object that
/// changes its handle is removed and added again; when that fails, its unit is undone.
async fn put(connection: &mut PgConnection, row: &Row<'_>, body: &[u8]) -> Result<bool, sqlx::Error> {
    Ok(insert(connection, row, body).await?
        || update(connection, row, body).await?
        || (remove(connection, row).await? && insert(connection, row, body).await?))
}

async fn insert(connection: &mut PgConnection, row: &Row<'_>, body: &[u8]) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "INSERT INTO directory_objects (id, kind, organisation, handle, parent, subject, body)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT DO NOTHING",
    )
    .bind(row.id)
    .bind(row.kind)
    .bind(row.organisation)
    .bind(row.handle.as_ref())
    .bind(row.parent)
    .bind(row.subject)
    .bind(body)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Whether the object is there under the same handle.
async fn update(connection: &mut PgConnection, row: &Row<'_>, body: &[u8]) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "UPDATE directory_objects SET parent = $5, subject = $6, body = $7
         WHERE id = $1 AND kind = $2 AND organisation = $3 AND handle = $4",
    )
    .bind(row.id)
    .bind(row.kind)
    .bind(row.organisation)
    .bind(row.handle.as_ref())
    .bind(row.parent)
    .bind(row.subject)
    .bind(body)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn remove(connection: &mut PgConnection, row: &Row<'_>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("DELETE FROM directory_objects WHERE id = $1").bind(row.id).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}
