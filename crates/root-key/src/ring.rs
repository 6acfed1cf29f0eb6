use crate::check::{KeyCheckError, key_check, verify_key_check};
use crate::software::SoftwareRootKey;
use std::sync::{Arc, PoisonError, RwLock};
use strongroom_domain::port::{RootKey, RootKeyError, RootKeys};
use strongroom_domain::root_key::{KeyCheck, RootKeyId, SealedInstanceKey, instance_key_aad};
use strongroom_domain::value::SecretBytes;

/// The root keys of a node: one seals, all open.
///
/// Which one seals is the store's to say, by its key check; the last that the node was given is the one that is to seal after the next
/// rotation.
pub struct RootKeyRing {
    keys: RwLock<Arc<Keys>>,
}

#[derive(Clone)]
struct Keys {
    /// Oldest first; at least one.
    all: Vec<Arc<SoftwareRootKey>>,
    current: Arc<SoftwareRootKey>,
    /// Those of the file as it was last read, oldest first.
    file: Vec<RootKeyId>,
    /// The store has another root key by now, which the node wasn't given: what it sealed would open nowhere else.
    left_behind: bool,
}

impl Keys {
    /// A file without the key that seals is one from before: then nothing is newer than that key.
    fn newest(&self) -> RootKeyId {
        let current = self.current.id();
        self.file.last().copied().filter(|_| self.file.contains(&current)).unwrap_or(current)
    }

    fn find(&self, id: RootKeyId) -> Option<&Arc<SoftwareRootKey>> {
        self.all.iter().find(|key| key.id() == id)
    }

    fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
        if self.left_behind {
            let text =
                "the store has another root key by now, which this node was not given; add it to the root key file";
            return Err(RootKeyError::Unavailable(text.into()));
        }
        self.current.seal(aad, plain)
    }

    /// Most is sealed under the current one; after a rotation, what is not is under the one before.
    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError> {
        let others = self.all.iter().rev().filter(|key| key.id() != self.current.id());
        let mut last = Err(RootKeyError::NotAuthentic);
        for key in core::iter::once(&self.current).chain(others) {
            last = key.open(aad, sealed);
            if last.is_ok() {
                break;
            }
        }
        last
    }
}

impl RootKeyRing {
    /// A ring of these keys, oldest first; the last one seals. `None` without keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = SoftwareRootKey>) -> Option<Self> {
        let all: Vec<_> = keys.into_iter().map(Arc::new).collect();
        let current = Arc::clone(all.last()?);
        let file = all.iter().map(|key| key.id()).collect();
        Some(Self { keys: RwLock::new(Arc::new(Keys { all, current, file, left_behind: false })) })
    }

    /// A ring of one key.
    #[must_use]
    pub fn of(key: SoftwareRootKey) -> Self {
        let current = Arc::new(key);
        let file = vec![current.id()];
        Self {
            keys: RwLock::new(Arc::new(Keys { all: vec![Arc::clone(&current)], current, file, left_behind: false })),
        }
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys, oldest first.
    #[must_use]
    pub fn ids(&self) -> Vec<RootKeyId> {
        self.keys().all.iter().map(|key| key.id()).collect()
    }

    /// Lets the key of the store's check seal, when the ring holds it.
    ///
    /// # Errors
    /// [`KeyCheckError`] when it doesn't, or the check is damaged; then nothing may be written, and the ring is as before.
    pub fn adopt(&self, check: &KeyCheck) -> Result<(), KeyCheckError> {
        let keys = self.keys();
        let key = keys.find(check.root_key);
        verify_key_check(&**key.unwrap_or(&keys.current), check)?;
        self.switch_to(check.root_key);
        Ok(())
    }

    /// Takes on the keys of a file that was read anew, oldest first; the last of them is the newest, as long as the one that seals is among them.
    /// Keys that the file lacks go on opening until the process ends: something may be sealed under them still.
    pub fn take_on(&self, keys: impl IntoIterator<Item = SoftwareRootKey>) {
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Keys::clone(&held);
        next.file.clear();
        for key in keys {
            next.file.push(key.id());
            if next.find(key.id()).is_none() {
                next.all.push(Arc::new(key));
            }
        }
        *held = Arc::new(next);
    }
}

impl RootKey for RootKeyRing {
    fn id(&self) -> RootKeyId {
        self.keys().current.id()
    }

    fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
        self.keys().seal(aad, plain)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError> {
        self.keys().open(aad, sealed)
    }

    fn reseal(&self, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
        let keys = self.keys();
        if keys.current.open(aad, sealed).is_ok() {
            return Ok(None);
        }
        let plain = keys.open(aad, sealed)?;
        keys.seal(aad, &plain).map(Some)
    }
}

impl RootKeys for RootKeyRing {
    fn current(&self) -> RootKeyId {
        self.id()
    }

    fn newest(&self) -> RootKeyId {
        self.keys().newest()
    }

    fn switch_to(&self, id: RootKeyId) -> bool {
        let mut held = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let found = held.find(id).cloned();
        let (left_behind, current) = (found.is_none(), found.unwrap_or_else(|| Arc::clone(&held.current)));
        if held.current.id() != current.id() || held.left_behind != left_behind {
            *held = Arc::new(Keys { current, left_behind, ..Keys::clone(&held) });
        }
        !left_behind
    }

    fn check_of(&self, id: RootKeyId) -> Result<KeyCheck, RootKeyError> {
        let keys = self.keys();
        let key = keys
            .find(id)
            .ok_or_else(|| RootKeyError::Unavailable(format!("this node was not given root key {id}").into()))?;
        key_check(&**key)
    }

    fn reseal(&self, key: &SealedInstanceKey) -> Result<Option<SealedInstanceKey>, RootKeyError> {
        let sealed = RootKey::reseal(self, &instance_key_aad(key.purpose, key.version), &key.sealed)?;
        Ok(sealed.map(|sealed| SealedInstanceKey { sealed, ..key.clone() }))
    }
}

#[cfg(test)]
mod tests;
