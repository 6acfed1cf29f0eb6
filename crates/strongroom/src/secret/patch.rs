use super::change::{SecretChange, Wanted};
use super::{Granted, SecretView};
use crate::engine::{Engine, check_max_active_versions};
use crate::error::{Code, Error};
use crate::session::Session;
use async_trait::async_trait;
use core::num::NonZeroU32;
use std::collections::BTreeMap;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::{Grants, Permission};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::path::SecretPath;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// A JSON merge patch (RFC 7396) of labels or annotations: `None` removes all; an entry of `None` removes that one.
pub type EntriesPatch = Option<BTreeMap<String, Option<String>>>;

/// A JSON merge patch (RFC 7396) of metadata: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct MetadataPatch {
    /// The description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// The labels.
    pub labels: Option<EntriesPatch>,
    /// The annotations.
    pub annotations: Option<EntriesPatch>,
}

/// A merge patch of a secret: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SecretPatch {
    /// Description, labels, annotations.
    pub metadata: MetadataPatch,
    /// How many active versions are kept, 1 to 100,000; `Some(None)` for all. It may be more than the operator allows, and then says nothing.
    pub max_active_versions: Option<Option<u32>>,
}

impl From<MetadataPatch> for SecretPatch {
    fn from(metadata: MetadataPatch) -> Self {
        Self { metadata, max_active_versions: None }
    }
}

/// A patch that a secret may take.
struct Checked {
    metadata: MetadataPatch,
    max_active_versions: Option<Option<NonZeroU32>>,
}

/// Who decided, for the audit log, when a maximum is set or lowered by one who may not destroy versions.
pub(crate) const MAXIMUM_WANTS_DELETE: &str = "maxActiveVersions wants delete";

impl Checked {
    /// Whether puts would destroy more than they do.
    fn lowers_maximum(&self, secret: &Secret) -> bool {
        let Some(Some(wanted)) = self.max_active_versions else { return false };
        secret.max_active_versions.is_none_or(|most| wanted < most)
    }
}

/// A caller who may change the metadata at this path.
pub struct Patch<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may change the metadata at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn patch<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Patch<'a>, Error> {
        self.grant(session, Action::SecretMetadataUpdate, Permission::Update, path).await.map(Patch)
    }
}

fn patched(entries: &BTreeMap<String, String>, patch: Option<&EntriesPatch>) -> BTreeMap<String, String> {
    let Some(patch) = patch else { return entries.clone() };
    let Some(patch) = patch else { return BTreeMap::new() };
    let mut entries = entries.clone();
    for (key, value) in patch {
        match value {
            Some(value) => entries.insert(key.clone(), value.clone()),
            None => entries.remove(key),
        };
    }
    entries
}

impl MetadataPatch {
    pub(crate) fn apply(&self, to: &Metadata) -> Result<Metadata, Error> {
        let description = match &self.description {
            None => to.description().to_owned(),
            Some(description) => description.clone().unwrap_or_default(),
        };
        let labels = patched(to.labels(), self.labels.as_ref());
        let annotations = patched(to.annotations(), self.annotations.as_ref());
        Ok(Metadata::new(description, labels, annotations)?)
    }

    /// Refuses what no secret could take. What a patch gives stands in whatever comes of it, so that it breaks a rule everywhere when
    /// it does alone.
    fn check(&self) -> Result<(), Error> {
        self.apply(&Metadata::default()).map(drop)
    }
}

#[async_trait]
impl SecretChange for Checked {
    type Answer = SecretView;

    async fn decide(
        &self,
        granted: &Granted<'_>,
        mut secret: Secret,
        at: Timestamp,
    ) -> Result<Wanted<SecretView>, Error> {
        if self.lowers_maximum(&secret) {
            granted.check_may_destroy().await?;
        }
        secret.metadata = self.metadata.apply(&secret.metadata)?;
        secret.max_active_versions = self.max_active_versions.unwrap_or(secret.max_active_versions);
        secret.state = secret.state.touched(at);
        let (metadata, max_active_versions, state) =
            (secret.metadata.clone(), secret.max_active_versions, secret.state);
        let change = Change::ReplaceMetadata { secret: secret.id, metadata, max_active_versions, state };
        let answer = granted.engine.view(granted.session, secret).await?;
        Ok(Wanted { change: Some(change), version: None, access: None, status: 200, answer })
    }
}

impl Patch<'_> {
    /// Applies the patch, and gives the secret as it is then. Versions that are too many from now on go with the puts to come.
    ///
    /// # Errors
    /// [`Code::Forbidden`] when a maximum is set or lowered by one who may not destroy versions here,
    /// [`Code::SecretNotFound`], [`Code::InvalidRequest`] when the metadata
    /// would break a rule, whether by what the patch gives, which is said first, or together with what is there, and those of the store.
    pub async fn run(self, patch: SecretPatch) -> Result<SecretView, Error> {
        let checked = Self::check(patch);
        let checked = self.0.recorded(checked).await?;
        self.0.change(&checked).await
    }

    fn check(SecretPatch { metadata, max_active_versions }: SecretPatch) -> Result<Checked, Error> {
        metadata.check()?;
        let max_active_versions = match max_active_versions {
            None => None,
            Some(wanted) => Some(wanted.map(check_max_active_versions).transpose()?),
        };
        Ok(Checked { metadata, max_active_versions })
    }
}

impl Granted<'_> {
    /// Whoever sets or lowers a maximum has versions destroyed.
    async fn check_may_destroy(&self) -> Result<(), Error> {
        let may_destroy = |grants: &Grants| grants.on_secret(Permission::Delete, &self.path);
        match self.engine.allowed(self.session, may_destroy).await? {
            Some(_) => Ok(()),
            None => Err(Error::new(
                Code::Forbidden,
                "Setting or lowering `maxActiveVersions` also needs `delete` on this path, since puts destroy versions by it; ask for a rule on resource type `secret` that grants it.",
            )
            .decided_by(MAXIMUM_WANTS_DELETE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MetadataPatch;
    use std::collections::BTreeMap;
    use strongroom_domain::metadata::Metadata;

    #[test]
    fn follows_rfc_7396() {
        let entries = |list: &[(&str, &str)]| -> BTreeMap<String, String> {
            list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let before =
            Metadata::new("d".into(), entries(&[("a", "1"), ("b", "2")]), entries(&[("x", "y")])).expect("legal");
        let patch = MetadataPatch {
            description: None,
            labels: Some(Some(BTreeMap::from([("a".into(), None), ("c".into(), Some("3".into()))]))),
            annotations: Some(None),
        };
        let after = patch.apply(&before).expect("legal");
        let wanted = Metadata::new("d".into(), entries(&[("b", "2"), ("c", "3")]), BTreeMap::new()).expect("legal");
        assert_eq!(after, wanted);
        let cleared =
            MetadataPatch { description: Some(None), ..MetadataPatch::default() }.apply(&before).expect("legal");
        assert_eq!(cleared.description(), "");
        assert_eq!(cleared.labels(), before.labels());
    }
}
