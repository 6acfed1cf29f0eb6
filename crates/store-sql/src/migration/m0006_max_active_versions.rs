//! How many active versions of a secret are kept.

use super::Columns;
use sea_orm_migration::sea_query::Table;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_max_active_versions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    /// Of secrets that are there, all are kept.
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut column = Columns::of(manager).number_or_null("max_active_versions");
        manager.alter_table(Table::alter().table("secrets").add_column(&mut column).to_owned()).await
    }
}

#[cfg(test)]
mod tests;
