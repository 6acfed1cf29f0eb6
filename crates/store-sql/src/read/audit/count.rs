use super::find::{lines, values};
use crate::error::unread;
use crate::row;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use strongroom_domain::audit::Term;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{ReadError, Window};

pub(crate) fn statement(
    backend: DbBackend,
    organisation: Option<OrganisationId>,
    term: Term,
    window: Window,
    limit: u32,
) -> Statement {
    let sql = format!("SELECT count(*) FROM (SELECT 1 {} LIMIT $6) AS lines", lines(backend));
    Statement::from_sql_and_values(backend, sql, values(organisation, term, window, limit))
}

pub(crate) async fn count(
    db: &DatabaseConnection,
    organisation: Option<OrganisationId>,
    term: Term,
    window: Window,
    limit: u32,
) -> Result<u32, ReadError> {
    let statement = statement(db.get_database_backend(), organisation, term, window, limit);
    let found = db.query_one_raw(statement).await.map_err(unread)?;
    let count: i64 = found.map_or(Ok(0), |row| row.try_get_by_index(0)).map_err(unread)?;
    row::number(count, "count of index lines")
}
