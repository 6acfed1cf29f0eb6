//! KMS keys without their versions.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "kms_keys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) id: Uuid,
    pub(crate) organisation: Uuid,
    pub(crate) region: Uuid,
    pub(crate) project: Uuid,
    pub(crate) key_type: String,
    pub(crate) export_allowed: bool,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) metadata: Vec<u8>,
    pub(crate) rotation_enabled: bool,
    pub(crate) rotation_days: Option<i64>,
    pub(crate) status: String,
    pub(crate) purge_at: Option<i64>,
    pub(crate) was_disabled: Option<bool>,
    pub(crate) updated_at: i64,
    pub(crate) object_version: i64,
    pub(crate) revision: i64,
    pub(crate) created_at: i64,
    pub(crate) origin: String,
    pub(crate) allow_rotation: Option<bool>,
    pub(crate) min_decryption_version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {
    #[sea_orm(has_many = "super::kms_key_version::Entity")]
    Versions,
}

impl Related<super::kms_key_version::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Versions.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
