//! Secrets without their versions.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secrets")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) organisation: Uuid,
    pub(crate) region: Uuid,
    pub(crate) project: Uuid,
    pub(crate) path: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) key_id: Uuid,
    pub(crate) metadata: Vec<u8>,
    pub(crate) policy: Option<Vec<u8>>,
    pub(crate) max_active_versions: Option<i64>,
    pub(crate) latest: i64,
    pub(crate) current: Option<i64>,
    pub(crate) active: i64,
    pub(crate) updated_at: i64,
    pub(crate) object_version: i64,
    pub(crate) revision: i64,
    pub(crate) created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
