//! KMS keys whose material came from outside, that are rotated and purged by themselves, and whose old versions are retired; and what is
//! bound to a key.
//!
//! On SQLite the handles of key versions move to where they can be erased: docs/adr/0011-key-handles-are-erased.md.

use super::{Columns, index, table};
use sea_orm_migration::sea_orm::ConnectionTrait;
use sea_orm_migration::sea_query::{
    ColumnDef, ConditionalStatement, Expr, ExprTrait, ForeignKey, IndexCreateStatement, Table, TableCreateStatement,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_kms"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = &Columns::of(manager);
        for mut column in new_columns(columns) {
            manager.alter_table(Table::alter().table("kms_keys").add_column(&mut column).to_owned()).await?;
        }
        let connection = manager.get_connection();
        connection.execute_unprepared(ROTATIONS).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        if columns.is_postgres() {
            connection.execute_unprepared(STORAGE).await?;
        } else {
            manager.create_table(versions(columns)).await?;
            for statement in MOVE_HANDLES {
                connection.execute_unprepared(statement).await?;
            }
        }
        Ok(())
    }
}

/// A column that is added to rows needs a value for those that are there.
fn new_columns(c: &Columns) -> [ColumnDef; 4] {
    let with = |mut column: ColumnDef, default: Expr| {
        column.default(default);
        column
    };
    [
        with(c.text("origin"), "generated".into()),
        // Of imported keys only.
        c.flag_or_null("allow_rotation"),
        with(c.number("min_decryption_version"), 1.into()),
        c.number_or_null("rotation_due_at"),
    ]
}

/// As the domain has it for the keys that there are: none was imported.
const ROTATIONS: &str = "UPDATE kms_keys SET rotation_due_at = rotation_days * 86400000000 +
        (SELECT v.created_at FROM kms_key_versions v WHERE v.key_id = kms_keys.id ORDER BY v.number DESC LIMIT 1)
    WHERE rotation_enabled AND rotation_days IS NOT NULL AND status = 'active'";

fn indexes() -> Vec<IndexCreateStatement> {
    let due = |name, column: &'static str| {
        let mut due = index(name, "kms_keys", &[column, "id"], false);
        due.and_where(Expr::col(column).is_not_null());
        due
    };
    vec![
        due("kms_keys_rotation", "rotation_due_at"),
        due("kms_keys_purge", "purge_at"),
        // Unique as the id is alone, which tells the planner that versions of one secret stand together.
        index("secrets_key", "secrets", &["key_id", "id"], true),
    ]
}

/// A handle is sealed or a name: not worth compressing.
const STORAGE: &str = "ALTER TABLE kms_key_versions ALTER COLUMN handle SET STORAGE EXTERNAL";

/// With the handle in `secret_materials`.
fn versions(c: &Columns) -> TableCreateStatement {
    table(
        "new_key_versions",
        [c.id("key_id"), c.number("number"), c.number("material"), c.number("created_at")],
        &["key_id", "number"],
    )
    .foreign_key(&mut ForeignKey::create().from("new_key_versions", "key_id").to("kms_keys", "id").to_owned())
    .to_owned()
}

/// The pages of a dropped table are zeroed.
const MOVE_HANDLES: [&str; 4] = [
    "INSERT INTO new_key_versions (key_id, number, material, created_at)
         SELECT key_id, number,
                (SELECT coalesce(max(id), 0) FROM secret_materials) + row_number() OVER (ORDER BY key_id, number), created_at
         FROM kms_key_versions",
    "INSERT INTO secret_materials (id, wrapped, payload)
         SELECT new.material, old.handle, x'' FROM new_key_versions new
         JOIN kms_key_versions old ON old.key_id = new.key_id AND old.number = new.number ORDER BY new.material",
    "DROP TABLE kms_key_versions",
    "ALTER TABLE new_key_versions RENAME TO kms_key_versions",
];

#[cfg(test)]
mod tests;
