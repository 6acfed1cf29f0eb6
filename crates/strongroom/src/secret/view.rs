use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{KeyStatus, KeySummary};
use strongroom_domain::secret::Secret;
use strongroom_domain::tenancy::Region;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::{Version, VersionNumber};

/// A secret as callers see it: never a value.
#[derive(Clone, Debug)]
pub struct SecretView {
    /// The secret.
    pub secret: Secret,
    /// Its key; `None` when that was purged.
    pub key: Option<KeySummary>,
    /// Its region.
    pub region: Arc<Region>,
    /// Its versions by rising number, when they were asked for.
    pub versions: Option<Vec<Version>>,
    /// Where the next page of versions begins, when there are more.
    pub next_version: Option<VersionNumber>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// Its items, in order.
    pub items: Vec<T>,
    /// What to continue after; `None` at the end.
    pub next: Option<String>,
}

impl Engine {
    /// One secret as callers see it.
    pub(crate) async fn view(&self, session: &Session, secret: Secret) -> Result<SecretView, Error> {
        let key = self.key_summaries([&secret].into_iter()).await?.remove(&secret.key);
        Ok(SecretView { secret, key, region: Arc::clone(&session.region), versions: None, next_version: None })
    }

    /// What secrets show of their keys: one look-up for all.
    pub(crate) async fn key_summaries<'a>(
        &self,
        secrets: impl Iterator<Item = &'a Secret>,
    ) -> Result<HashMap<KeyId, KeySummary>, Error> {
        let ids: Vec<KeyId> = secrets.map(|secret| secret.key).collect::<BTreeSet<_>>().into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let now = self.ports.clock.now();
        let keys = self.ports.keys.summaries(&ids).await?.into_iter();
        Ok(keys.filter(|key| !is_purged(key, now)).map(|key| (key.id, key)).collect())
    }

    /// Many secrets as callers see them.
    pub(crate) async fn views(&self, session: &Session, secrets: Vec<Secret>) -> Result<Vec<SecretView>, Error> {
        let keys = self.key_summaries(secrets.iter()).await?;
        Ok(secrets.into_iter().map(|secret| view_with(session, secret, &keys)).collect())
    }
}

/// Whether the purge of the key is due; until it is done the store still has it.
fn is_purged(key: &KeySummary, at: Timestamp) -> bool {
    matches!(key.status, KeyStatus::PendingDeletion { purge_at, .. } if at >= purge_at)
}

pub(crate) fn view_with(session: &Session, secret: Secret, keys: &HashMap<KeyId, KeySummary>) -> SecretView {
    let key = keys.get(&secret.key).cloned();
    SecretView { secret, key, region: Arc::clone(&session.region), versions: None, next_version: None }
}
