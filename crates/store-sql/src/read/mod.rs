//! Reads through the ORM, the same for every database. Each is one statement, or one snapshot of several.

pub(crate) mod answers;
pub(crate) mod audit;
pub(crate) mod browse;
pub(crate) mod keys;
pub(crate) mod secrets;
pub(crate) mod setup;
pub(crate) mod tenancy;
