use crate::audit::AuditKeyRing;
use crate::check::{KeyCheckError, key_check};
use crate::instance::{InstanceKeyError, InstanceKeys};
use crate::ring::RootKeyRing;
use std::sync::Arc;
use strongroom_domain::port::{
    AuditReader, CommitError, Committer, Entropy, ReadError, RootKey, RootKeyError, SetupReader,
};
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};

/// The keys of a store could not be opened; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreKeysError {
    /// The root keys are not those of the store.
    #[error("the store does not belong to this root key")]
    RootKey(#[source] KeyCheckError),
    /// The root key can't seal now.
    #[error("the root key could not be used")]
    Unusable(#[source] RootKeyError),
    /// The instance keys can't be opened or made.
    #[error("the instance keys could not be opened")]
    Instance(#[source] InstanceKeyError),
    /// The store can't be read.
    #[error("the store could not be read")]
    Read(#[source] ReadError),
}

/// The keys that a store brings with it, opened under its root key: for a program that opens a store by itself.
///
/// A store wants them in this order: open it for reading; [`open`](Self::open) the keys; start its writer, which signs with
/// [`audit`](Self::audit); and [`store`](Self::store) what it lacked, before anything else is written. On an empty store that sets it up.
pub struct StoreKeys {
    instance: InstanceKeys,
    audit: Arc<AuditKeyRing>,
    lacking: Unit,
}

impl StoreKeys {
    /// Opens the keys of a store, and lets that root key of the ring seal under which the store was set up. For an empty store they are
    /// made, and not yet stored. Writes nothing.
    ///
    /// # Errors
    /// [`StoreKeysError`]; when the store was set up under another root key it is [`StoreKeysError::RootKey`].
    pub async fn open<S>(store: &S, root: &Arc<RootKeyRing>, entropy: Arc<dyn Entropy>) -> Result<Self, StoreKeysError>
    where
        S: SetupReader + AuditReader + ?Sized,
    {
        let stored_check = store.key_check().await.map_err(StoreKeysError::Read)?;
        let (keys, lacking) = match stored_check {
            Some(check) => {
                root.adopt(&check).map_err(StoreKeysError::RootKey)?;
                let mut keys = store.instance_keys().await.map_err(StoreKeysError::Read)?;
                let missing = InstanceKeys::missing(&**root, &*entropy, &keys).map_err(StoreKeysError::Instance)?;
                keys.extend(missing.iter().cloned());
                let expect = if missing.is_empty() { Vec::new() } else { vec![Expect::RootKey(RootKey::id(&**root))] };
                let changes = missing.into_iter().map(Change::InsertInstanceKey).collect();
                (keys, Unit { expect, changes, records: Vec::new() })
            }
            None => {
                let check = key_check(&**root).map_err(StoreKeysError::Unusable)?;
                let (_, keys) = InstanceKeys::generate(&**root, &*entropy).map_err(StoreKeysError::Instance)?;
                let mut changes = vec![Change::InsertKeyCheck(check)];
                changes.extend(keys.iter().cloned().map(Change::InsertInstanceKey));
                (keys, Unit { expect: vec![Expect::Absent(UniqueKey::Setup)], changes, records: Vec::new() })
            }
        };
        let instance = InstanceKeys::open(&**root, &keys).map_err(StoreKeysError::Instance)?;
        // What signs is what the last checkpoint says, before anything is written.
        let last = store.last_checkpoint().await.map_err(StoreKeysError::Read)?;
        let known = last.and_then(|last| last.read()).map(|last| last.checkpoint.newest_key);
        let audit = instance.audit_keys(Arc::clone(root) as _, entropy, known).map_err(StoreKeysError::Instance)?;
        Ok(Self { instance, audit: Arc::new(audit), lacking })
    }

    /// The keys that digest tokens and requests, and sign access tokens.
    #[must_use]
    pub const fn instance(&self) -> &InstanceKeys {
        &self.instance
    }

    /// What signs the audit log: a writer's `AuditSigner`, and the engine's `AuditKeys`.
    #[must_use]
    pub fn audit(&self) -> Arc<AuditKeyRing> {
        Arc::clone(&self.audit)
    }

    /// Stores the keys that the store lacked, in one unit; nothing when it has all. Call it once, before anything else is written.
    ///
    /// # Errors
    /// A conflict when another process set the store up meanwhile: these keys are not the store's, and must be [opened](Self::open) again.
    pub async fn store(&mut self, committer: &dyn Committer) -> Result<(), CommitError> {
        if self.lacking.changes.is_empty() {
            return Ok(());
        }
        committer.commit(self.lacking.clone()).await?;
        self.lacking = Unit::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
