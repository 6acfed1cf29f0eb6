//! When regions were changed, and how often.

use super::Columns;
use sea_orm_migration::sea_query::{Alias, Expr, Query, Table};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_regions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    /// What is there counts as new.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = &Columns::of(manager);
        for (name, default) in [("updated_at", 0), ("object_version", 1)] {
            let mut column = columns.number(name);
            column.default(default);
            manager.alter_table(Table::alter().table("regions").add_column(&mut column).to_owned()).await?;
        }
        let update =
            Query::update().table("regions").value("updated_at", Expr::col(Alias::new("created_at"))).to_owned();
        manager.execute(update).await
    }
}
