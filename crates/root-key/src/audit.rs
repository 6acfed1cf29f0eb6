//! The keys that sign the audit log.

use crate::instance::{InstanceKeyError, told};
use std::sync::{Arc, PoisonError, RwLock};
use strongroom_crypto::{
    Ed25519AuditSigner, INSTANCE_KEY_LEN, InstanceKeyError as SealError, open_instance_key, random_secret,
    seal_instance_key,
};
use strongroom_domain::audit::Signature;
use strongroom_domain::port::{AuditKeys, AuditSigner, Entropy, RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};

const PURPOSE: InstanceKeyPurpose = InstanceKeyPurpose::AuditSigning;

/// The keys with which a node signs the audit log. One of them signs: the newest that a checkpoint made known, so that nothing is signed
/// with a key that whoever verifies doesn't know.
pub struct AuditKeyRing {
    root: Arc<dyn RootKey>,
    entropy: Arc<dyn Entropy>,
    signing: RwLock<Signing>,
}

#[derive(Clone)]
struct Signing {
    version: u32,
    signer: Arc<Ed25519AuditSigner>,
}

impl AuditKeyRing {
    /// Opens, of the stored keys, the one that signs: the newest whose version is at most `known`, the newest that a checkpoint made known;
    /// before the first checkpoint, the oldest.
    ///
    /// # Errors
    /// [`InstanceKeyError`] when there is none, or it doesn't open or is damaged.
    pub fn open(
        root: Arc<dyn RootKey>,
        entropy: Arc<dyn Entropy>,
        stored: &[SealedInstanceKey],
        known: Option<u32>,
    ) -> Result<Self, InstanceKeyError> {
        let key = match known {
            Some(known) => newest(stored, known),
            None => oldest(stored),
        };
        let signing = Signing::open(&*root, key.ok_or(InstanceKeyError::Missing(PURPOSE))?)?;
        Ok(Self { root, entropy, signing: RwLock::new(signing) })
    }

    fn signing(&self) -> Signing {
        self.signing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The one that signs until a checkpoint makes others known. No key has version 0, so one that says so was slipped in.
pub(crate) fn oldest(stored: &[SealedInstanceKey]) -> Option<&SealedInstanceKey> {
    stored.iter().filter(|key| key.purpose == PURPOSE && key.version > 0).min_by_key(|key| key.version)
}

fn newest(stored: &[SealedInstanceKey], known: u32) -> Option<&SealedInstanceKey> {
    stored.iter().filter(|key| key.purpose == PURPOSE && key.version <= known).max_by_key(|key| key.version)
}

impl Signing {
    fn open(root: &dyn RootKey, key: &SealedInstanceKey) -> Result<Self, InstanceKeyError> {
        let version = key.version;
        let seed = open_instance_key(root, key).map_err(|error| told(error, PURPOSE, version))?;
        let signer = Ed25519AuditSigner::from_seed(&seed, version);
        let signer = signer.map_err(|_| InstanceKeyError::Damaged { purpose: PURPOSE, version })?;
        Ok(Self { version, signer: Arc::new(signer) })
    }
}

impl AuditSigner for AuditKeyRing {
    fn sign(&self, bytes: &[u8]) -> Signature {
        self.signing().signer.sign(bytes)
    }
}

impl AuditKeys for AuditKeyRing {
    fn current(&self) -> u32 {
        self.signing().version
    }

    fn adopt(&self, keys: &[SealedInstanceKey], known: u32) -> Result<(), RootKeyError> {
        let Some(key) = newest(keys, known).filter(|key| key.version > self.current()) else { return Ok(()) };
        let next = Signing::open(&*self.root, key).map_err(unopened)?;
        let mut signing = self.signing.write().unwrap_or_else(PoisonError::into_inner);
        if next.version > signing.version {
            *signing = next;
        }
        Ok(())
    }

    fn public_of(&self, key: &SealedInstanceKey) -> Result<[u8; 32], RootKeyError> {
        if key.purpose != PURPOSE {
            return Err(RootKeyError::NotAuthentic);
        }
        Signing::open(&*self.root, key).map(|signing| signing.signer.public_key()).map_err(unopened)
    }

    fn generate(&self, version: u32) -> Result<SealedInstanceKey, RootKeyError> {
        let seed = random_secret(&*self.entropy, INSTANCE_KEY_LEN)
            .map_err(|error| RootKeyError::Unavailable(error.to_string().into()))?;
        seal_instance_key(&*self.root, PURPOSE, version, &seed).map_err(|error| match error {
            SealError::RootKey(error) => error,
            SealError::Damaged => RootKeyError::NotAuthentic,
        })
    }
}

fn unopened(error: InstanceKeyError) -> RootKeyError {
    match error {
        InstanceKeyError::RootKey { source, .. } => source,
        InstanceKeyError::Missing(_) | InstanceKeyError::Damaged { .. } | InstanceKeyError::Entropy(_) => {
            RootKeyError::NotAuthentic
        }
    }
}

#[cfg(test)]
mod tests;
