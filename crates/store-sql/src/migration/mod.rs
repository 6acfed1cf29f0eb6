//! The schema, step by step: one file per step, none changed once released.
//!
//! Texts that are ordered or looked up compare bytewise on every database, so that paths have one order everywhere.

mod m0001_first_secret;

use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::ColumnDef;
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, async_trait};

/// All steps, in order.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_first_secret::Migration)]
    }
}

/// The names of the steps that this release knows, in order.
pub(crate) fn known() -> Vec<String> {
    Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect()
}

/// Columns as this schema writes them; not null unless said otherwise.
struct Columns {
    backend: DbBackend,
}

impl Columns {
    fn of(manager: &SchemaManager<'_>) -> Self {
        Self { backend: manager.get_database_backend() }
    }

    /// A 16-byte identifier.
    fn id(&self, name: &'static str) -> ColumnDef {
        let mut column = self.id_or_null(name);
        column.not_null();
        column
    }

    fn id_or_null(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.uuid();
        column
    }

    fn bytes(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.blob().not_null();
        column
    }

    fn number(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.big_integer().not_null();
        column
    }

    fn flag(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.boolean().not_null();
        column
    }

    /// Compared and ordered bytewise.
    fn text(&self, name: &'static str) -> ColumnDef {
        let mut column = self.text_or_null(name);
        column.not_null();
        column
    }

    fn text_or_null(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.text();
        match self.backend {
            DbBackend::Postgres => column.extra("COLLATE \"C\""),
            _ => column.extra("COLLATE BINARY"),
        };
        column
    }

    fn bytes_or_null(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.blob();
        column
    }

    fn number_or_null(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.big_integer();
        column
    }

    fn flag_or_null(&self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        column.boolean();
        column
    }
}
