use core::ops::Bound;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyStatus};
use strongroom_domain::port::KeyDue;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;

const fn purge_at(key: &Key) -> Option<Timestamp> {
    match key.state.status {
        KeyStatus::PendingDeletion { purge_at, .. } => Some(purge_at),
        KeyStatus::Active | KeyStatus::Disabled => None,
    }
}

/// All KMS keys.
#[derive(Default)]
pub(crate) struct Keys {
    keys: BTreeMap<KeyId, Arc<Key>>,
    by_scope: BTreeMap<Scope, BTreeSet<KeyId>>,
    rotations: BTreeSet<(Timestamp, KeyId)>,
    purges: BTreeSet<(Timestamp, KeyId)>,
}

impl Keys {
    pub(crate) fn get(&self, id: KeyId) -> Option<&Arc<Key>> {
        self.keys.get(&id)
    }

    /// Adds a key, or replaces the one of its identity.
    pub(crate) fn put(&mut self, key: Arc<Key>) {
        let id = key.spec.id;
        self.take(id);
        self.by_scope.entry(key.spec.scope).or_default().insert(id);
        self.rotations.extend(key.rotation_due_at().map(|at| (at, id)));
        self.purges.extend(purge_at(&key).map(|at| (at, id)));
        self.keys.insert(id, key);
    }

    pub(crate) fn take(&mut self, id: KeyId) -> Option<Arc<Key>> {
        let key = self.keys.remove(&id)?;
        if let Some(keys) = self.by_scope.get_mut(&key.spec.scope) {
            keys.remove(&id);
            if keys.is_empty() {
                self.by_scope.remove(&key.spec.scope);
            }
        }
        if let Some(at) = key.rotation_due_at() {
            self.rotations.remove(&(at, id));
        }
        if let Some(at) = purge_at(&key) {
            self.purges.remove(&(at, id));
        }
        Some(key)
    }

    /// By rising identity.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    /// Those after `after`, by rising identity.
    pub(crate) fn after(&self, after: Option<KeyId>) -> impl Iterator<Item = &Arc<Key>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.keys.range((from, Bound::Unbounded)).map(|(_, key)| key)
    }

    /// The keys of a scope, in no order that means anything.
    pub(crate) fn of(&self, scope: &Scope) -> impl Iterator<Item = &Arc<Key>> {
        self.by_scope.get(scope).into_iter().flatten().filter_map(|id| self.keys.get(id))
    }

    /// Those for which something is due at `at`, the longest due first.
    pub(crate) fn due(&self, what: KeyDue, at: Timestamp) -> impl Iterator<Item = &Arc<Key>> {
        let dates = match what {
            KeyDue::Rotation => &self.rotations,
            KeyDue::Purge => &self.purges,
        };
        dates.iter().take_while(move |(due, _)| *due <= at).filter_map(|(_, id)| self.keys.get(id))
    }
}
