use crate::audit::{AuditKeyRing, oldest};
use std::sync::Arc;
use strongroom_crypto::{
    HmacSha256Digest, INSTANCE_KEY_LEN, InstanceKeyError as SealError, open_instance_key, random_secret,
    seal_instance_key,
};
use strongroom_domain::port::{Entropy, EntropyError, KeyedDigest, RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// What a store has from the start. The key that wraps imported material is made when it is first asked for, since making it takes long.
const FROM_THE_START: [InstanceKeyPurpose; 4] = [
    InstanceKeyPurpose::TokenDigest,
    InstanceKeyPurpose::AnswerDigest,
    InstanceKeyPurpose::AuditSigning,
    InstanceKeyPurpose::TokenSigning,
];

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

/// The instance keys, opened: the newest version of each purpose. The keys that sign access tokens and the audit log stay sealed; who
/// signs opens them, and takes on newer ones while it runs.
pub struct InstanceKeys {
    token_digest: Arc<HmacSha256Digest>,
    answer_digest: Arc<HmacSha256Digest>,
    audit_signing: Vec<SealedInstanceKey>,
    token_signing: Vec<SealedInstanceKey>,
}

impl InstanceKeys {
    /// Makes version 1 of every key that a store has from the start, and gives them opened, and sealed to be stored.
    ///
    /// # Errors
    /// [`InstanceKeyError::Entropy`] and [`InstanceKeyError::RootKey`].
    pub fn generate(
        root: &dyn RootKey,
        entropy: &dyn Entropy,
    ) -> Result<(Self, Vec<SealedInstanceKey>), InstanceKeyError> {
        let sealed = FROM_THE_START.map(|purpose| make(root, entropy, purpose));
        let sealed = sealed.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok((Self::open(root, &sealed)?, sealed))
    }

    /// Makes version 1 of the keys that a store lacks because it was set up before they were known; to be stored before the keys are
    /// opened. A key that every store has from the start is not made anew: without it the store is damaged.
    ///
    /// # Errors
    /// [`InstanceKeyError::Entropy`] and [`InstanceKeyError::RootKey`].
    pub fn missing(
        root: &dyn RootKey,
        entropy: &dyn Entropy,
        stored: &[SealedInstanceKey],
    ) -> Result<Vec<SealedInstanceKey>, InstanceKeyError> {
        let purpose = InstanceKeyPurpose::TokenSigning;
        if stored.iter().any(|key| key.purpose == purpose) {
            return Ok(Vec::new());
        }
        Ok(vec![make(root, entropy, purpose)?])
    }

    /// Opens the stored keys: of each purpose the newest version, in whatever order they come; of those that sign the audit log the oldest,
    /// since which one signs is settled by [`audit_keys`](Self::audit_keys). Keys that sign access tokens may be
    /// [missing](Self::missing).
    ///
    /// # Errors
    /// [`InstanceKeyError`] when a purpose has no key, or that version doesn't open or is damaged.
    pub fn open(root: &dyn RootKey, sealed: &[SealedInstanceKey]) -> Result<Self, InstanceKeyError> {
        let token_signing = InstanceKeyPurpose::TokenSigning;
        match open_newest(root, sealed, token_signing) {
            Ok(_) | Err(InstanceKeyError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
        let audit_signing = InstanceKeyPurpose::AuditSigning;
        let signs = oldest(sealed).ok_or(InstanceKeyError::Missing(audit_signing))?;
        open_instance_key(root, signs).map_err(|error| told(error, audit_signing, signs.version))?;
        let of = |purpose| sealed.iter().filter(|key| key.purpose == purpose).cloned().collect();
        Ok(Self {
            token_digest: Arc::new(open_digest(root, sealed, InstanceKeyPurpose::TokenDigest)?),
            answer_digest: Arc::new(open_digest(root, sealed, InstanceKeyPurpose::AnswerDigest)?),
            audit_signing: of(audit_signing),
            token_signing: of(token_signing),
        })
    }

    /// Digests opaque tokens and access secrets, for storing them and looking them up.
    #[must_use]
    pub fn token_digest(&self) -> Arc<dyn KeyedDigest> {
        self.token_digest.clone()
    }

    /// Digests requests that carry an idempotency key.
    #[must_use]
    pub fn answer_digest(&self) -> Arc<dyn KeyedDigest> {
        self.answer_digest.clone()
    }

    /// The keys that sign the audit log; `known` is the newest that a checkpoint of the store made known, `None` before the first.
    ///
    /// # Errors
    /// As for [`AuditKeyRing::open`].
    pub fn audit_keys(
        &self,
        root: Arc<dyn RootKey>,
        entropy: Arc<dyn Entropy>,
        known: Option<u32>,
    ) -> Result<AuditKeyRing, InstanceKeyError> {
        AuditKeyRing::open(root, entropy, &self.audit_signing, known)
    }

    /// The keys that sign the audit log, sealed, all versions.
    #[must_use]
    pub fn audit_signing(&self) -> &[SealedInstanceKey] {
        &self.audit_signing
    }

    /// The keys that sign access tokens, sealed, all versions.
    #[must_use]
    pub fn token_signing(&self) -> &[SealedInstanceKey] {
        &self.token_signing
    }
}

fn make(
    root: &dyn RootKey,
    entropy: &dyn Entropy,
    purpose: InstanceKeyPurpose,
) -> Result<SealedInstanceKey, InstanceKeyError> {
    let key = random_secret(entropy, INSTANCE_KEY_LEN).map_err(InstanceKeyError::Entropy)?;
    seal(root, purpose, 1, &key)
}

fn seal(
    root: &dyn RootKey,
    purpose: InstanceKeyPurpose,
    version: u32,
    key: &SecretBytes,
) -> Result<SealedInstanceKey, InstanceKeyError> {
    seal_instance_key(root, purpose, version, key).map_err(|error| told(error, purpose, version))
}

pub(crate) fn told(error: SealError, purpose: InstanceKeyPurpose, version: u32) -> InstanceKeyError {
    match error {
        SealError::RootKey(source) => InstanceKeyError::RootKey { purpose, version, source },
        SealError::Damaged => InstanceKeyError::Damaged { purpose, version },
    }
}

/// The newest key of a purpose, and its version.
fn open_newest(
    root: &dyn RootKey,
    sealed: &[SealedInstanceKey],
    purpose: InstanceKeyPurpose,
) -> Result<(Zeroizing<[u8; INSTANCE_KEY_LEN]>, u32), InstanceKeyError> {
    let newest = sealed.iter().filter(|key| key.purpose == purpose).max_by_key(|key| key.version);
    let newest = newest.ok_or(InstanceKeyError::Missing(purpose))?;
    let key = open_instance_key(root, newest).map_err(|error| told(error, purpose, newest.version))?;
    Ok((key, newest.version))
}

fn open_digest(
    root: &dyn RootKey,
    sealed: &[SealedInstanceKey],
    purpose: InstanceKeyPurpose,
) -> Result<HmacSha256Digest, InstanceKeyError> {
    let (key, version) = open_newest(root, sealed, purpose)?;
    Ok(HmacSha256Digest::new(&SecretBytes::copy_of(&*key), version))
}

#[cfg(test)]
mod tests;
