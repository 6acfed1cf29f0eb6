use super::{Lacks, append_key_version};
use crate::postgres::expect::is_absent;
use crate::row;
use sqlx::PgConnection;
use strongroom_domain::kms::Key;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Expect, UniqueKey};

macro_rules! insert {
    () => {
        "INSERT INTO kms_keys
             (id, organisation, region, project, key_type, export_allowed, name, slug, metadata, rotation_enabled,
              rotation_days, status, purge_at, was_disabled, holds_name, updated_at, object_version, revision, created_at,
              origin, allow_rotation, min_decryption_version, rotation_due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                 $21, $22, $23)"
    };
}

pub(super) async fn apply(connection: &mut PgConnection, key: &Key) -> Result<Lacks, sqlx::Error> {
    if let Some(held) = held(connection, key).await? {
        return Ok(Some(held));
    }
    if insert(connection, concat!(insert!(), " ON CONFLICT DO NOTHING"), key).await? == 0 {
        // Another node was faster; or else it is the id that is there already, and the database says so.
        if let Some(held) = held(connection, key).await? {
            return Ok(Some(held));
        }
        insert(connection, insert!(), key).await?;
    }
    for version in &key.versions {
        append_key_version::insert(connection, key.spec.id, version).await?;
    }
    Ok(None)
}

/// What the key lacks: a name and a slug that no live key has.
async fn held(connection: &mut PgConnection, key: &Key) -> Result<Lacks, sqlx::Error> {
    if !key.is_live() {
        return Ok(None);
    }
    let scope = key.spec.scope;
    for unique in [UniqueKey::KeyName(scope, key.name.clone()), UniqueKey::KeySlug(scope, key.slug.clone())] {
        if !is_absent(connection, &unique).await? {
            return Ok(Some(Expect::Absent(unique)));
        }
    }
    Ok(None)
}

async fn insert(connection: &mut PgConnection, sql: &'static str, key: &Key) -> Result<u64, sqlx::Error> {
    let (origin, allow_rotation) = row::key::origin_columns(key.origin);
    let (status, purge_at, was_disabled) = row::key::status_columns(key.state.status);
    let done = sqlx::query(sql)
        .bind(key.spec.id.uuid())
        .bind(key.spec.scope.organisation.uuid())
        .bind(key.spec.scope.region.uuid())
        .bind(row::project(&key.spec.scope))
        .bind(key.spec.key_type.as_str())
        .bind(key.spec.export_allowed)
        .bind(key.name.as_str())
        .bind(key.slug.as_str())
        .bind(row::metadata::encode(&key.metadata))
        .bind(key.state.rotation.enabled)
        .bind(key.state.rotation.period_days.map(i64::from))
        .bind(status)
        .bind(purge_at)
        .bind(was_disabled)
        .bind(key.is_live())
        .bind(key.state.updated_at.as_micros())
        .bind(row::column(key.state.object_version))
        .bind(row::column(key.state.revision.get()))
        .bind(key.created_at.as_micros())
        .bind(origin)
        .bind(allow_rotation)
        .bind(i64::from(key.state.min_decryption_version.get()))
        .bind(key.rotation_due_at().map(Timestamp::as_micros))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
