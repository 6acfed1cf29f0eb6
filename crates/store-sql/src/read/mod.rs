//! Reads through the ORM, the same for every database. Each is one statement, or one snapshot of several.

pub(crate) mod answers;
pub(crate) mod audit;
pub(crate) mod bound;
pub(crate) mod browse;
pub(crate) mod directory;
pub(crate) mod keys;
pub(crate) mod secrets;
pub(crate) mod setup;
pub(crate) mod tenancy;
pub(crate) mod tokens;

#[cfg(test)]
mod plans;

use sea_orm::{
    AccessMode, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel, TransactionTrait,
};

/// Begins a transaction whose reads are one snapshot.
async fn snapshot(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    match db.get_database_backend() {
        // A read transaction of SQLite is a snapshot by itself.
        DbBackend::Sqlite => db.begin().await,
        _ => db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await,
    }
}
