use crate::failure::Failure;
use crate::json::quoted;
use strongroom::kms::{DeletedKey, Inventory, KmsSummary};
use strongroom_api::{KeyInventory, KeyInventoryEntry, KmsKey, KmsKeyVersion, Region, RegionSummary};
use strongroom_domain::kms::{Key, KeyOrigin, KeyStatus, KeyType, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::WrappedVersion;

pub(crate) fn key(key: &Key) -> KmsKey {
    let min = key.state.min_decryption_version;
    let version = |version: &KeyVersion| KmsKeyVersion {
        version: version.number.get(),
        status: Some(if version.number < min { "retired" } else { "active" }.to_owned()),
        created_at: version.created_at.to_rfc3339(),
    };
    let deletion_scheduled_at = match key.state.status {
        KeyStatus::PendingDeletion { purge_at, .. } => Some(purge_at.to_rfc3339()),
        KeyStatus::Active | KeyStatus::Disabled => None,
    };
    KmsKey {
        identity: key.spec.id.to_string(),
        name: key.name.clone(),
        slug: key.slug.clone(),
        description: key.metadata.description().to_owned(),
        labels: key.metadata.labels().clone(),
        annotations: key.metadata.annotations().clone(),
        project_id: key.spec.scope.project.map(|project| project.to_string()),
        key_type: key.spec.key_type.as_str().to_owned(),
        status: key.state.status.as_str().to_owned(),
        export_allowed: key.spec.export_allowed,
        imported: matches!(key.origin, KeyOrigin::Imported { .. }),
        key_rotation_enabled: key.state.rotation.enabled,
        rotation_period_in_days: key.state.rotation.period_days,
        latest_version: key.latest().map_or(0, |version| version.number.get()),
        versions: key.versions.iter().map(version).collect(),
        min_decryption_version: Some(min.get()),
        deletion_scheduled_at,
        created_at: key.created_at.to_rfc3339(),
        updated_at: key.state.updated_at.to_rfc3339(),
        object_version: key.state.object_version,
    }
}

/// The type of this name; the default one when none is named.
pub(crate) fn key_type(name: Option<&str>) -> Result<KeyType, Failure> {
    let Some(name) = name else { return Ok(KeyType::default()) };
    KeyType::from_name(name).ok_or_else(|| {
        let known = KeyType::ALL.map(|key_type| format!("`{key_type}`")).join(", ");
        Failure::invalid(format!("`keyType`: {} is not a type of keys; those there are: {known}.", quoted(name)))
    })
}

/// The number of a key version, which is a string on the wire.
pub(crate) fn key_version(field: &str, text: Option<&str>) -> Result<Option<KeyVersionNumber>, Failure> {
    text.map(str::parse).transpose().map_err(|_| {
        Failure::invalid(format!(
            "`{field}` is a key version's number as a string, such as `\"1\"`; leave it out for the newest."
        ))
    })
}

pub(crate) fn deleted_key(deleted: &DeletedKey) -> strongroom_api::DeletedKey {
    strongroom_api::DeletedKey { key: key(&deleted.key), bound_secrets: deleted.bound_secrets }
}

pub(crate) fn inventory(inventory: &Inventory) -> KeyInventory {
    let entry = |entry: &WrappedVersion| KeyInventoryEntry {
        path: entry.path.as_str().to_owned(),
        project_id: entry.scope.project.map(|project| project.to_string()),
        version: entry.version.get(),
        key_version: entry.wrapped.key_version.to_string(),
    };
    KeyInventory {
        counts: inventory.counts.iter().map(|(version, count)| (version.to_string(), *count)).collect(),
        secrets: inventory.entries.iter().map(entry).collect(),
    }
}

pub(crate) fn region(region: &strongroom_domain::tenancy::Region) -> Region {
    Region {
        identity: region.id.to_string(),
        name: region.name.clone(),
        slug: region.slug.clone(),
        description: region.description.clone(),
        created_at: region.created_at.to_rfc3339(),
        updated_at: region.updated_at.to_rfc3339(),
        object_version: region.object_version,
    }
}

pub(crate) fn summary(summary: &KmsSummary) -> strongroom_api::KmsSummary {
    let regions = summary.regions.iter().map(|summary| {
        let counts = summary.counts;
        RegionSummary {
            identity: summary.region.id.to_string(),
            name: summary.region.name.clone(),
            slug: summary.region.slug.clone(),
            kms_available: summary.kms_available,
            total_keys: counts.active + counts.disabled + counts.pending_deletion,
            active_keys: counts.active,
            disabled_keys: counts.disabled,
            pending_deletion_keys: counts.pending_deletion,
        }
    });
    strongroom_api::KmsSummary { feature_enabled: summary.feature_enabled, regions: regions.collect() }
}
