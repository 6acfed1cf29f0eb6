use super::{HotReads, arguments};
use crate::postgres::failure::unread;
use crate::row;
use crate::row::secret::SecretRow;
use crate::row::version::SealedRow;
use sqlx::Row;
use sqlx::postgres::PgRow;
use strongroom_domain::path::SecretPath;
use strongroom_domain::port::{ReadError, SealedVersionState};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::version::VersionSelector;

macro_rules! columns {
    () => {
        "s.id, s.key_id, s.metadata, s.policy, s.latest, s.current, s.active, s.updated_at, s.object_version, s.revision,
         s.created_at, s.max_active_versions, a.at"
    };
}

macro_rules! at_path {
    () => {
        "WHERE s.organisation = $1 AND s.region = $2 AND s.project = $3 AND s.path = $4"
    };
}

fn secret_row(row: &PgRow, scope: &Scope, path: &SecretPath) -> sqlx::Result<SecretRow> {
    Ok(SecretRow {
        id: row.try_get(0)?,
        organisation: scope.organisation.uuid(),
        region: scope.region.uuid(),
        project: row::project(scope),
        path: path.as_str().to_owned(),
        key_id: row.try_get(1)?,
        metadata: row.try_get(2)?,
        policy: row.try_get(3)?,
        latest: row.try_get(4)?,
        current: row.try_get(5)?,
        active: row.try_get(6)?,
        updated_at: row.try_get(7)?,
        object_version: row.try_get(8)?,
        revision: row.try_get(9)?,
        created_at: row.try_get(10)?,
        max_active_versions: row.try_get(11)?,
        accessed_at: row.try_get(12)?,
    })
}

fn sealed_row(row: &PgRow) -> sqlx::Result<SealedRow> {
    Ok(SealedRow {
        number: row.try_get(13)?,
        format: row.try_get(14)?,
        created_at: row.try_get(15)?,
        destroyed_at: row.try_get(16)?,
        key_version: row.try_get(17)?,
        wrapped: row.try_get(18)?,
        payload: row.try_get(19)?,
    })
}

pub(in crate::postgres) async fn find(
    hot: &HotReads,
    scope: &Scope,
    path: &SecretPath,
) -> Result<Option<Secret>, ReadError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM secrets s LEFT JOIN secret_access a ON a.secret = s.id AND a.version = 0 ",
        at_path!()
    );
    let at = arguments![scope.organisation.uuid(), scope.region.uuid(), row::project(scope), path.as_str()];
    let Some(row) = hot.row(SQL, at).await? else { return Ok(None) };
    secret_row(&row, scope, path).map_err(unread)?.read().map(Some)
}

pub(in crate::postgres) async fn sealed(
    hot: &HotReads,
    scope: &Scope,
    path: &SecretPath,
    version: VersionSelector,
) -> Result<Option<(Secret, SealedVersionState)>, ReadError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        ", v.number, v.format, v.created_at, v.destroyed_at, v.key_version, v.wrapped, v.payload
         FROM secrets s
         LEFT JOIN secret_access a ON a.secret = s.id AND a.version = 0
         LEFT JOIN secret_versions v ON v.secret = s.id AND v.number = coalesce($5, s.current) ",
        at_path!()
    );
    let number = match version {
        VersionSelector::Current => None,
        VersionSelector::Number(number) => Some(row::column(number.get())),
    };
    let at = arguments![scope.organisation.uuid(), scope.region.uuid(), row::project(scope), path.as_str(), number];
    let Some(row) = hot.row(SQL, at).await? else { return Ok(None) };
    let secret = secret_row(&row, scope, path).map_err(unread)?.read()?;
    Ok(Some((secret, sealed_row(&row).map_err(unread)?.read()?)))
}
