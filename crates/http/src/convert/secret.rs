use super::{document, region};
use crate::failure::Failure;
use core::num::NonZeroU32;
use std::collections::BTreeMap;
use strongroom::secret::{PutDone, SecretView};
use strongroom_api::{Secret, SecretKey, SecretVersion};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::{Version, VersionNumber, VersionStatus};

pub(crate) fn secret(view: &SecretView) -> Secret {
    let secret = &view.secret;
    let current = secret.state.head.current;
    Secret {
        path: secret.path.as_str().to_owned(),
        description: secret.metadata.description().to_owned(),
        labels: secret.metadata.labels().clone(),
        annotations: secret.metadata.annotations().clone(),
        created_at: secret.created_at.to_rfc3339(),
        updated_at: secret.state.updated_at.to_rfc3339(),
        kms_key: view.key.as_ref().map(|key| SecretKey {
            identity: key.id.to_string(),
            name: key.name.clone(),
            slug: key.slug.clone(),
            key_type: key.key_type.as_str().to_owned(),
            status: key.status.as_str().to_owned(),
        }),
        current_version: current.map_or(0, VersionNumber::get),
        object_version: secret.state.object_version,
        last_accessed_at: secret.last_accessed_at.map(Timestamp::to_rfc3339),
        region: Some(region(&view.region)),
        access_policy: secret.policy.as_ref().map(|policy| document::json(policy.document())),
        max_active_versions: secret.max_active_versions.map(NonZeroU32::get),
        versions: view.versions.as_ref().map(|all| all.iter().map(|one| version(one, current)).collect()),
    }
}

fn version(version: &Version, current: Option<VersionNumber>) -> SecretVersion {
    let (status, destroyed_at) = match version.status {
        VersionStatus::Active => ("active", None),
        VersionStatus::Destroyed { at } => ("destroyed", Some(at.to_rfc3339())),
    };
    SecretVersion {
        version: version.number.get(),
        status: status.to_owned(),
        stage: (current == Some(version.number)).then(|| "current".to_owned()),
        value_format: version.format.as_str().to_owned(),
        created_at: version.created_at.to_rfc3339(),
        last_accessed_at: version.last_accessed_at.map(Timestamp::to_rfc3339),
        destroyed_at,
    }
}

pub(crate) fn put_done(done: &PutDone) -> strongroom_api::PutDone {
    strongroom_api::PutDone { path: done.path.as_str().to_owned(), version: done.version.get() }
}

type Entries = Option<BTreeMap<String, String>>;

/// Checks what a request gives of metadata.
pub(crate) fn metadata(
    description: Option<String>,
    labels: Entries,
    annotations: Entries,
) -> Result<Metadata, Failure> {
    let (labels, annotations) = (labels.unwrap_or_default(), annotations.unwrap_or_default());
    Ok(Metadata::new(description.unwrap_or_default(), labels, annotations)?)
}
