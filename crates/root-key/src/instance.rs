use std::sync::Arc;
use strongroom_crypto::{Ed25519AuditSigner, HmacSha256Digest, SeedError, random_secret};
use strongroom_domain::port::{AuditSigner, Entropy, EntropyError, KeyedDigest, RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey, instance_key_aad};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

const INSTANCE_KEY_LEN: usize = 32;

/// Instance keys could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum InstanceKeyError {
    /// The store has no key of this purpose.
    #[error("the store has no instance key for {}", .0.as_str())]
    Missing(InstanceKeyPurpose),
    /// The root key did not seal or open a key.
    #[error("the instance key for {}, version {version}, could not be sealed or opened", purpose.as_str())]
    RootKey {
        /// What the key is for.
        purpose: InstanceKeyPurpose,
        /// Its version.
        version: u32,
        /// The cause.
        source: RootKeyError,
    },
    /// A key opened, but it or the public key beside it isn't what was made.
    #[error("the instance key for {}, version {version}, is damaged", purpose.as_str())]
    Damaged {
        /// What the key is for.
        purpose: InstanceKeyPurpose,
        /// Its version.
        version: u32,
    },
    /// There is no randomness for new keys.
    #[error("no instance keys could be made")]
    Entropy(#[source] EntropyError),
}

/// The instance keys, opened: the newest version of each purpose.
pub struct InstanceKeys {
    token_digest: Arc<HmacSha256Digest>,
    answer_digest: Arc<HmacSha256Digest>,
    audit_signer: Arc<Ed25519AuditSigner>,
}

impl InstanceKeys {
    /// Makes version 1 of every key, and gives them opened, and sealed to be stored.
    ///
    /// # Errors
    /// [`InstanceKeyError::Entropy`] and [`InstanceKeyError::RootKey`].
    pub fn generate(
        root: &dyn RootKey,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Vec<SealedInstanceKey>), InstanceKeyError> {
        let sealed = InstanceKeyPurpose::ALL.map(|purpose| {
            let key = random_secret(entropy, INSTANCE_KEY_LEN).map_err(InstanceKeyError::Entropy)?;
            seal(root, purpose, 1, &key)
        });
        let sealed = sealed.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok((Self::open(root, &sealed)?, sealed))
    }

    /// Opens the stored keys: of each purpose the newest version, in whatever order they come.
    ///
    /// # Errors
    /// [`InstanceKeyError`] when a purpose has no key, or its newest version doesn't open or is damaged.
    pub fn open(root: &dyn RootKey, sealed: &[SealedInstanceKey]) -> Result<Self, InstanceKeyError> {
        Ok(Self {
            token_digest: Arc::new(open_digest(root, sealed, InstanceKeyPurpose::TokenDigest)?),
            answer_digest: Arc::new(open_digest(root, sealed, InstanceKeyPurpose::AnswerDigest)?),
            audit_signer: Arc::new(open_signer(root, sealed)?),
        })
    }

    /// Digests opaque tokens, for storing them and looking them up.
    #[must_use]
    pub fn token_digest(&self) -> Arc<dyn KeyedDigest> {
        self.token_digest.clone()
    }

    /// Digests requests that carry an idempotency key.
    #[must_use]
    pub fn answer_digest(&self) -> Arc<dyn KeyedDigest> {
        self.answer_digest.clone()
    }

    /// Signs the audit log.
    #[must_use]
    pub fn audit_signer(&self) -> Arc<dyn AuditSigner> {
        self.audit_signer.clone()
    }
}

fn seal(
    root: &dyn RootKey,
    purpose: InstanceKeyPurpose,
    version: u32,
    key: &SecretBytes,
) -> Result<SealedInstanceKey, InstanceKeyError> {
    let public = match purpose {
        InstanceKeyPurpose::TokenDigest | InstanceKeyPurpose::AnswerDigest => None,
        InstanceKeyPurpose::AuditSigning => {
            let signer = signer(key, version).map_err(|_| InstanceKeyError::Damaged { purpose, version })?;
            Some(signer.public_key())
        }
    };
    let sealed = root.seal(&instance_key_aad(purpose, version), key).map_err(|source| InstanceKeyError::RootKey {
        purpose,
        version,
        source,
    })?;
    Ok(SealedInstanceKey { purpose, version, sealed, public })
}

/// The newest key of a purpose, and how it is stored.
fn open_newest<'a>(
    root: &dyn RootKey,
    sealed: &'a [SealedInstanceKey],
    purpose: InstanceKeyPurpose,
) -> Result<(SecretBytes, &'a SealedInstanceKey), InstanceKeyError> {
    let newest = sealed.iter().filter(|key| key.purpose == purpose).max_by_key(|key| key.version);
    let newest = newest.ok_or(InstanceKeyError::Missing(purpose))?;
    let version = newest.version;
    let key = root
        .open(&instance_key_aad(purpose, version), &newest.sealed)
        .map_err(|source| InstanceKeyError::RootKey { purpose, version, source })?;
    if key.len() != INSTANCE_KEY_LEN {
        return Err(InstanceKeyError::Damaged { purpose, version });
    }
    Ok((key, newest))
}

fn open_digest(
    root: &dyn RootKey,
    sealed: &[SealedInstanceKey],
    purpose: InstanceKeyPurpose,
) -> Result<HmacSha256Digest, InstanceKeyError> {
    let (key, stored) = open_newest(root, sealed, purpose)?;
    Ok(HmacSha256Digest::new(&key, stored.version))
}

fn open_signer(root: &dyn RootKey, sealed: &[SealedInstanceKey]) -> Result<Ed25519AuditSigner, InstanceKeyError> {
    let purpose = InstanceKeyPurpose::AuditSigning;
    let (key, stored) = open_newest(root, sealed, purpose)?;
    let damaged = || InstanceKeyError::Damaged { purpose, version: stored.version };
    let signer = signer(&key, stored.version).map_err(|_| damaged())?;
    // The log is verified with the stored public key: another one would make every signature look forged.
    if stored.public == Some(signer.public_key()) { Ok(signer) } else { Err(damaged()) }
}

fn signer(key: &SecretBytes, version: u32) -> Result<Ed25519AuditSigner, SeedError> {
    let mut seed = Zeroizing::new([0; INSTANCE_KEY_LEN]);
    if key.len() != seed.len() {
        return Err(SeedError);
    }
    seed.copy_from_slice(key.expose());
    Ed25519AuditSigner::from_seed(&seed, version)
}

#[cfg(test)]
mod tests;
