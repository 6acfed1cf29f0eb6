use strongroom::iam::NamedPatch;
use strongroom_api::{NamedFields, UpdateNamed};
use strongroom_domain::directory::Named;

/// What all objects with a name have in common.
pub(crate) fn named(identity: impl ToString, named: &Named) -> NamedFields {
    NamedFields {
        identity: identity.to_string(),
        name: named.name.clone(),
        slug: named.slug.clone(),
        description: named.metadata.description().to_owned(),
        labels: named.metadata.labels().clone(),
        annotations: named.metadata.annotations().clone(),
        created_at: named.created_at.to_rfc3339(),
        updated_at: named.updated_at.map(strongroom_domain::time::Timestamp::to_rfc3339),
        object_version: named.object_version,
    }
}

/// What is to be changed of it.
pub(crate) fn named_patch(request: UpdateNamed) -> NamedPatch {
    let UpdateNamed { name, description, labels, annotations } = request;
    NamedPatch { name, description, labels, annotations }
}
