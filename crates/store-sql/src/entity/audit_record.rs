//! Records of the audit log, without their index columns.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_records")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) position: i64,
    pub(crate) sequence: i64,
    pub(crate) hash: Vec<u8>,
    pub(crate) signature: Option<Vec<u8>>,
    pub(crate) signing_key_version: Option<i64>,
    pub(crate) canonical: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
