use super::{Refusal, append_key_version, require_absent};
use crate::row;
use rusqlite::{Connection, named_params};
use strongroom_domain::kms::Key;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, key: &Key) -> Result<(), Refusal> {
    if key.is_live() {
        require_absent(connection, UniqueKey::KeyName(key.spec.scope, key.name.clone()))?;
        require_absent(connection, UniqueKey::KeySlug(key.spec.scope, key.slug.clone()))?;
    }
    let (origin, allow_rotation) = row::key::origin_columns(key.origin);
    let (status, purge_at, was_disabled) = row::key::status_columns(key.state.status);
    connection
        .prepare_cached(
            "INSERT INTO kms_keys
                 (id, organisation, region, project, key_type, export_allowed, name, slug, metadata, rotation_enabled,
                  rotation_days, status, purge_at, was_disabled, holds_name, updated_at, object_version, revision, created_at,
                  origin, allow_rotation, min_decryption_version, rotation_due_at)
             VALUES
                 (:id, :organisation, :region, :project, :key_type, :export_allowed, :name, :slug, :metadata,
                  :rotation_enabled, :rotation_days, :status, :purge_at, :was_disabled, :holds_name, :updated_at,
                  :object_version, :revision, :created_at, :origin, :allow_rotation, :min_decryption_version,
                  :rotation_due_at)",
        )?
        .execute(named_params! {
            ":id": key.spec.id.uuid(),
            ":organisation": key.spec.scope.organisation.uuid(),
            ":region": key.spec.scope.region.uuid(),
            ":project": row::project(&key.spec.scope),
            ":key_type": key.spec.key_type.as_str(),
            ":export_allowed": key.spec.export_allowed,
            ":name": key.name,
            ":slug": key.slug,
            ":metadata": row::metadata::encode(&key.metadata),
            ":rotation_enabled": key.state.rotation.enabled,
            ":rotation_days": key.state.rotation.period_days,
            ":status": status,
            ":purge_at": purge_at,
            ":was_disabled": was_disabled,
            ":holds_name": key.is_live(),
            ":updated_at": key.state.updated_at.as_micros(),
            ":object_version": row::column(key.state.object_version),
            ":revision": row::column(key.state.revision.get()),
            ":created_at": key.created_at.as_micros(),
            ":origin": origin,
            ":allow_rotation": allow_rotation,
            ":min_decryption_version": key.state.min_decryption_version.get(),
            ":rotation_due_at": key.rotation_due_at().map(Timestamp::as_micros),
        })?;
    key.versions.iter().try_for_each(|version| append_key_version::insert(connection, key.spec.id, version))
}
