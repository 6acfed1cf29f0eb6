//! What the audit log is searched by, and its checkpoints.
//!
//! The index is a table of its own, filled afterwards, so that a reveal pays nothing for it: docs/architecture.md.

use super::{Columns, table};
use sea_orm_migration::sea_query::{Table, TableCreateStatement};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = &Columns::of(manager);
        manager.create_table(index_lines(columns)).await?;
        manager.create_table(checkpoints(columns)).await?;
        // Of the record there: what comes after it is chained to it, also when it was removed.
        let mut hash = columns.bytes_or_null("hash");
        manager.alter_table(Table::alter().table("audit_positions").add_column(&mut hash).to_owned()).await
    }
}

/// The table is its own index, in the order of lists.
fn index_lines(c: &Columns) -> TableCreateStatement {
    let columns = [
        // Not NULL, since NULLs are never equal in a primary key: row::organisation_column.
        c.id("organisation"),
        c.number("term"),
        c.number("at"),
        c.id("event"),
        // Of the record: row::position.
        c.number("position"),
    ];
    let mut lines = table("audit_index", columns, &["organisation", "term", "at", "event"]);
    if !c.is_postgres() {
        lines.extra("WITHOUT ROWID");
    }
    lines
}

fn checkpoints(c: &Columns) -> TableCreateStatement {
    table(
        "audit_checkpoints",
        [c.number("number"), c.bytes("canonical"), c.bytes("signature"), c.number("signing_key_version")],
        &["number"],
    )
}

#[cfg(test)]
mod tests;
