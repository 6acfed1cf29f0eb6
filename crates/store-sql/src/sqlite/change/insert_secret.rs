use super::{Refusal, insert_version, require_absent};
use crate::row;
use rusqlite::{Connection, named_params};
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, secret: &Secret, version: &SealedVersion) -> Result<(), Refusal> {
    let (parent, name) = (secret.path.parent(), secret.path.name());
    let state = &secret.state;
    require_absent(connection, UniqueKey::SecretPath(secret.scope, secret.path.clone()))?;
    connection
        .prepare_cached(
            "INSERT INTO secrets
                 (id, organisation, region, project, path, parent, name, key_id, metadata, policy, latest, current, active,
                  updated_at, object_version, revision, created_at, max_active_versions)
             VALUES
                 (:id, :organisation, :region, :project, :path, :parent, :name, :key_id, :metadata, :policy, :latest, :current,
                  :active, :updated_at, :object_version, :revision, :created_at, :max_active_versions)",
        )?
        .execute(named_params! {
            ":id": secret.id.uuid(),
            ":organisation": secret.scope.organisation.uuid(),
            ":region": secret.scope.region.uuid(),
            ":project": row::project(&secret.scope),
            ":path": secret.path.as_str(),
            ":parent": parent.as_str(),
            ":name": name,
            ":key_id": secret.key.uuid(),
            ":metadata": row::metadata::encode(&secret.metadata),
            ":policy": secret.policy.as_ref().map(row::policy::encode),
            ":latest": row::column(state.head.latest.get()),
            ":current": state.head.current.map(|number| row::column(number.get())),
            ":active": state.head.active,
            ":updated_at": state.updated_at.as_micros(),
            ":object_version": row::column(state.object_version),
            ":revision": row::column(state.revision.get()),
            ":created_at": secret.created_at.as_micros(),
            ":max_active_versions": row::secret::kept_column(secret.max_active_versions),
        })?;
    insert_version(connection, secret.id, version)
}
