use crate::error::unread_row;
use crate::row;
use crate::row::secret::SecretRow;
use crate::row::version::SealedRow;
use rusqlite::{Connection, OptionalExtension, Row};
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
        "WHERE s.organisation = ?1 AND s.region = ?2 AND s.project = ?3 AND s.path = ?4"
    };
}

fn secret_row(row: &Row<'_>, scope: &Scope, path: &SecretPath) -> rusqlite::Result<SecretRow> {
    Ok(SecretRow {
        id: row.get(0)?,
        organisation: scope.organisation.uuid(),
        region: scope.region.uuid(),
        project: row::project(scope),
        path: path.as_str().to_owned(),
        key_id: row.get(1)?,
        metadata: row.get(2)?,
        policy: row.get(3)?,
        latest: row.get(4)?,
        current: row.get(5)?,
        active: row.get(6)?,
        updated_at: row.get(7)?,
        object_version: row.get(8)?,
        revision: row.get(9)?,
        created_at: row.get(10)?,
        max_active_versions: row.get(11)?,
        accessed_at: row.get(12)?,
    })
}

pub(in crate::sqlite) fn find(
    connection: &Connection,
    scope: &Scope,
    path: &SecretPath,
) -> Result<Option<Secret>, ReadError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM secrets s LEFT JOIN secret_access a ON a.secret = s.id AND a.version = 0 ",
        at_path!()
    );
    let at = (scope.organisation.uuid(), scope.region.uuid(), row::project(scope), path.as_str());
    let found = connection
        .prepare_cached(SQL)
        .and_then(|mut statement| statement.query_row(at, |row| secret_row(row, scope, path)).optional())
        .map_err(unread_row)?;
    found.map(SecretRow::read).transpose()
}

fn sealed_row(row: &Row<'_>) -> rusqlite::Result<SealedRow> {
    Ok(SealedRow {
        number: row.get(13)?,
        format: row.get(14)?,
        created_at: row.get(15)?,
        destroyed_at: row.get(16)?,
        key_version: row.get(17)?,
        wrapped: row.get(18)?,
        payload: row.get(19)?,
    })
}

pub(in crate::sqlite) fn sealed(
    connection: &Connection,
    scope: &Scope,
    path: &SecretPath,
    version: VersionSelector,
) -> Result<Option<(Secret, SealedVersionState)>, ReadError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        ", v.number, v.format, v.created_at, v.destroyed_at, v.key_version, m.wrapped, m.payload
         FROM secrets s
         LEFT JOIN secret_access a ON a.secret = s.id AND a.version = 0
         LEFT JOIN secret_versions v ON v.secret = s.id AND v.number = coalesce(?5, s.current)
         LEFT JOIN secret_materials m ON m.id = v.material ",
        at_path!()
    );
    let number = match version {
        VersionSelector::Current => None,
        VersionSelector::Number(number) => Some(row::column(number.get())),
    };
    let at = (scope.organisation.uuid(), scope.region.uuid(), row::project(scope), path.as_str(), number);
    let found = connection
        .prepare_cached(SQL)
        .and_then(|mut statement| {
            statement.query_row(at, |row| Ok((secret_row(row, scope, path)?, sealed_row(row)?))).optional()
        })
        .map_err(unread_row)?;
    found.map(|(secret, version)| Ok((secret.read()?, version.read()?))).transpose()
}
