use crate::MemoryStore;
use async_trait::async_trait;
use core::cmp::Reverse;
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyStatus, KeySummary};
use strongroom_domain::port::{Freshness, KeyCounts, KeyDue, KeyFilter, KeyName, KeyReader, ReadError};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;

/// Live keys before those pending deletion, newer before older; the identity decides between keys of one moment.
fn rank(key: &Key) -> impl Ord + use<> {
    (!key.is_live(), Reverse((key.created_at, key.spec.id)))
}

fn is_wanted(key: &Key, filter: &KeyFilter) -> bool {
    filter.id.is_none_or(|id| key.spec.id == id)
        && filter.name.as_ref().is_none_or(|name| key.name == *name)
        && filter.slug.as_ref().is_none_or(|slug| key.slug == *slug)
}

#[async_trait]
impl KeyReader for MemoryStore {
    async fn get(&self, id: KeyId, _: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        Ok(self.read()?.keys.get(id).cloned())
    }

    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError> {
        let state = self.read()?;
        Ok(match name {
            KeyName::Id(id) => state.keys.get(*id).filter(|key| key.spec.scope == *scope).cloned(),
            KeyName::Slug(slug) => {
                state.keys.of(scope).filter(|key| key.slug == *slug).min_by_key(|key| rank(key)).cloned()
            }
        })
    }

    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
        let state = self.read()?;
        let mut keys: Vec<_> = state.keys.of(scope).filter(|key| is_wanted(key, filter)).collect();
        keys.sort_by_cached_key(|key| rank(key));
        Ok(keys.into_iter().map(|key| Key::clone(key)).collect())
    }

    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
        let state = self.read()?;
        Ok(ids.iter().filter_map(|id| state.keys.get(*id)).map(|key| key.summary()).collect())
    }

    async fn counts(&self, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError> {
        let state = self.read()?;
        let mut counts = KeyCounts::default();
        for key in state.keys.of(scope) {
            match key.state.status {
                KeyStatus::Active => counts.active += 1,
                KeyStatus::Disabled => counts.disabled += 1,
                KeyStatus::PendingDeletion { .. } if key.is_purged(at) => counts.purge_due += 1,
                KeyStatus::PendingDeletion { .. } => counts.pending_deletion += 1,
            }
        }
        Ok(counts)
    }

    async fn due(&self, what: KeyDue, at: Timestamp, limit: u32) -> Result<Vec<Key>, ReadError> {
        let state = self.read()?;
        Ok(state.keys.due(what, at).take(limit as usize).map(|key| Key::clone(key)).collect())
    }

    async fn all(&self, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError> {
        let state = self.read()?;
        Ok(state.keys.after(after).take(limit as usize).map(|key| Key::clone(key)).collect())
    }
}
