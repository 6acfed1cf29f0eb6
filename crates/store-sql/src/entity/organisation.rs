//! Organisations.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organisations")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) gate_secrets: bool,
    pub(crate) gate_kms: bool,
    pub(crate) gate_projects: bool,
    pub(crate) created_at: i64,
    pub(crate) metadata: Option<Vec<u8>>,
    pub(crate) updated_at: Option<i64>,
    pub(crate) object_version: i64,
    pub(crate) revision: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
