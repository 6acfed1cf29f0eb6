use crate::entity::{instance_key, key_check};
use crate::error::{corrupt, unread};
use crate::row::{array, number};
use sea_orm::{DatabaseConnection, EntityTrait, QueryOrder};
use strongroom_domain::port::ReadError;
use strongroom_domain::root_key::{InstanceKeyPurpose, KeyCheck, RootKeyId, SealedInstanceKey};

pub(crate) async fn key_check(db: &DatabaseConnection) -> Result<Option<KeyCheck>, ReadError> {
    let found = key_check::Entity::find().one(db).await.map_err(unread)?;
    let read = |row: key_check::Model| {
        Ok(KeyCheck { root_key: RootKeyId(array(&row.root_key, "key check")?), sealed: row.sealed })
    };
    found.map(read).transpose()
}

pub(crate) async fn instance_keys(db: &DatabaseConnection) -> Result<Vec<SealedInstanceKey>, ReadError> {
    let query = instance_key::Entity::find()
        .order_by_asc(instance_key::Column::Purpose)
        .order_by_asc(instance_key::Column::Version);
    let read = |row: instance_key::Model| {
        Ok(SealedInstanceKey {
            purpose: InstanceKeyPurpose::from_name(&row.purpose).ok_or_else(|| corrupt("instance key"))?,
            version: number(row.version, "instance key")?,
            sealed: row.sealed,
            public: row.public.map(|key| array(&key, "instance key")).transpose()?,
        })
    };
    query.all(db).await.map_err(unread)?.into_iter().map(read).collect()
}
