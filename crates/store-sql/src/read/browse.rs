//! One level of a directory: its secrets by their index, its child directories by a skip-scan over the same index, which seeks past
//! everything below each child at once. So the cost depends on what is shown, not on how much lies below.

use super::secrets::of;
use crate::entity::secret;
use crate::error::{corrupt, unread};
use crate::row;
use crate::row::secret::SecretRow;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use strongroom_domain::path::Directory;
use strongroom_domain::port::{BrowseEntry, ReadError};
use strongroom_domain::scope::Scope;

pub(crate) async fn browse(
    db: &DatabaseConnection,
    scope: &Scope,
    directory: &Directory,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<BrowseEntry>, ReadError> {
    let base = directory.as_str();
    // A cursor before the directory leaves nothing out; one behind it leaves nothing.
    let after = after.filter(|after| *after > base);
    if limit == 0 || after.is_some_and(|after| !after.starts_with(base)) {
        return Ok(Vec::new());
    }
    let (secrets, children) = level(db, scope, base, after, limit).await.map_err(unread)?;
    let mut entries: Vec<BrowseEntry> = secrets
        .into_iter()
        .map(|row| Ok(BrowseEntry::Secret(Box::new(row.read()?))))
        .chain(children.into_iter().map(|child| {
            let child = child.parse().map_err(|error| corrupt("path").because(error))?;
            Ok(BrowseEntry::Directory(child))
        }))
        .collect::<Result<_, ReadError>>()?;
    entries.sort_by(|a, b| a.sort_key().cmp(b.sort_key()));
    entries.truncate(limit as usize);
    Ok(entries)
}

async fn level(
    db: &DatabaseConnection,
    scope: &Scope,
    base: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<(Vec<SecretRow>, Vec<String>), DbErr> {
    let transaction = super::snapshot(db).await?;
    let secrets = secrets(&transaction, scope, base, after, limit).await?;
    let children = children(&transaction, scope, base, after, limit).await?;
    transaction.commit().await?;
    Ok((secrets, children))
}

async fn secrets(
    transaction: &DatabaseTransaction,
    scope: &Scope,
    base: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<SecretRow>, DbErr> {
    let mut query = of(scope).filter(secret::Column::Parent.eq(base));
    if let Some(after) = after {
        query = query.filter(secret::Column::Name.gt(&after[base.len()..]));
    }
    query.order_by_asc(secret::Column::Name).limit(u64::from(limit)).into_model::<SecretRow>().all(transaction).await
}

async fn children(
    transaction: &DatabaseTransaction,
    scope: &Scope,
    base: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, DbErr> {
    let backend = transaction.get_database_backend();
    let (from, to) = bounds(base, after);
    let values = [
        scope.organisation.uuid().into(),
        scope.region.uuid().into(),
        row::project(scope).into(),
        from.into(),
        to.into(),
        i64::from(limit).into(),
        row::column(base.len() as u64).into(),
    ];
    let rows = transaction.query_all_raw(Statement::from_sql_and_values(backend, statement(backend), values)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Between which parents the children are sought. `0` is the byte after `/`, so `/a/b0` comes after everything in `/a/b/`.
fn bounds(base: &str, after: Option<&str>) -> (String, String) {
    let past = |directory: &str| format!("{}0", directory.trim_end_matches('/'));
    let from = match after {
        None => base.to_owned(),
        Some(after) => match after[base.len()..].find('/') {
            Some(end) => past(&after[..=base.len() + end]),
            None => after.to_owned(),
        },
    };
    (from, past(base))
}

/// Each step finds the first secret's parent behind the child before.
fn statement(backend: DbBackend) -> String {
    let find = if backend == DbBackend::Postgres { "strpos" } else { "instr" };
    let seek = |from: &str| {
        format!(
            "(SELECT s.parent FROM secrets s
              WHERE s.organisation = $1 AND s.region = $2 AND s.project = $3 AND s.parent > {from} AND s.parent < $5
              ORDER BY s.parent LIMIT 1)"
        )
    };
    // The child that a parent lies in or is, without its trailing slash.
    let base = "CAST($7 AS integer)";
    let child = format!("substr(found.parent, 1, {base} + {find}(substr(found.parent, {base} + 1), '/') - 1)");
    let (first, next) = (seek("$4"), seek(&format!("{child} || '0'")));
    format!(
        "WITH RECURSIVE found (parent, step) AS (
             SELECT {first}, 1
             UNION ALL
             SELECT {next}, found.step + 1 FROM found WHERE found.parent IS NOT NULL AND found.step < $6
         )
         SELECT {child} || '/' FROM found WHERE found.parent IS NOT NULL"
    )
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn bounds_skip_what_was_shown() {
        let of = |base, after| {
            let (from, to) = bounds(base, after);
            format!("{from} {to}")
        };
        assert_eq!(of("/", None), "/ 0");
        assert_eq!(of("/a/", None), "/a/ /a0");
        assert_eq!(of("/a/", Some("/a/b")), "/a/b /a0");
        assert_eq!(of("/a/", Some("/a/b/")), "/a/b0 /a0");
        assert_eq!(of("/a/", Some("/a/b/c")), "/a/b0 /a0");
    }
}
