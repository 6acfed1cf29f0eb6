//! The directory: people, teams, workloads, roles, federation and projects; and what organisations and tokens tell beside.
//!
//! Until now a token's user was whoever held it, and could do everything in the token's organisation. They become users who own it.

mod owners;

use super::{Columns, index, table};
use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::{
    ColumnDef, ConditionalStatement, Expr, ExprTrait, IndexCreateStatement, Table, TableAlterStatement,
    TableCreateStatement,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_directory"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = &Columns::of(manager);
        manager.create_table(objects(columns)).await?;
        for (table, column) in new_columns(columns) {
            manager.alter_table(add(table, column)).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let connection = manager.get_connection();
        owners::add(connection).await?;
        for statement in SCOPES {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

fn objects(c: &Columns) -> TableCreateStatement {
    table(
        "directory_objects",
        [
            c.id("id"),
            c.text("kind"),
            // Not NULL, since NULLs are never equal in a unique index: row::organisation_column.
            c.id("organisation"),
            c.id_or_null("parent"),
            c.id_or_null("subject"),
            c.text("handle"),
            c.bytes("body"),
        ],
        &["id"],
    )
}

/// A column that is added to rows needs a value for those that are there.
fn new_columns(c: &Columns) -> [(&'static str, ColumnDef); 7] {
    let with = |mut column: ColumnDef, default: Expr| {
        column.default(default);
        column
    };
    [
        ("organisations", c.bytes_or_null("metadata")),
        ("organisations", c.number_or_null("updated_at")),
        ("organisations", with(c.number("object_version"), 1.into())),
        ("organisations", with(c.number("revision"), 1.into())),
        ("tokens", with(c.text("holder"), "user".into())),
        ("tokens", with(c.text("scopes"), "".into())),
        ("tokens", c.text_or_null("expires")),
    ]
}

fn add(table: &'static str, mut column: ColumnDef) -> TableAlterStatement {
    Table::alter().table(table).add_column(&mut column).to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    // Each with what else is asked for, so that a plan made without statistics doesn't take a longer index that finds more.
    let some = |name, column: &'static str| {
        let mut some = index(name, "directory_objects", &[column, "kind", "organisation"], false);
        some.and_where(Expr::col(column).is_not_null());
        some
    };
    let mut of_user = index("tokens_user", "tokens", &["user_id"], false);
    of_user.and_where(Expr::col("holder").eq("user"));
    // Explaining a denial begins with its request. What was allowed pays nothing for it.
    let mut denied = index("audit_records_denied", "audit_records", &["request_id"], false);
    denied.and_where(Expr::col("outcome").eq("denied"));
    vec![
        index("directory_objects_handle", "directory_objects", &["kind", "handle", "organisation"], true),
        index("directory_objects_organisation", "directory_objects", &["organisation", "kind", "id"], false),
        some("directory_objects_parent", "parent"),
        some("directory_objects_subject", "subject"),
        of_user,
        denied,
    ]
}

/// No scopes mean all, so that a token that allowed nothing gets one that allows nothing here.
const SCOPES: [&str; 3] = [
    "UPDATE tokens SET scopes = CASE WHEN scope_read AND scope_write THEN '' WHEN scope_read THEN 'api:read'
         WHEN scope_write THEN 'api:write' ELSE 'kubernetes' END",
    "ALTER TABLE tokens DROP COLUMN scope_read",
    "ALTER TABLE tokens DROP COLUMN scope_write",
];

#[cfg(test)]
mod tests;
