//! A software KMS whose key material is sealed under the root key.
//!
//! It keeps nothing: a key's handle is its material, sealed under the root key and bound to the key's id, scope, type, export
//! permission and version. The handle is opened for every call and the material wiped after it; no unwrapped material is cached.

use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use strongroom_crypto::{AeadError, SealError, open_sealed, random_secret, seal_fresh};
use strongroom_domain::envelope::key_material_aad;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{Entropy, Kms, KmsError, KmsErrorKind, RootKey, RootKeyError};
use strongroom_domain::value::SecretBytes;

/// The first byte of a handle: format 1, then the sealed material.
const HANDLE_FORMAT: u8 = 1;
/// What the probe of [`Kms::check`] is bound to.
const PROBE_AAD: &[u8] = b"strongroom kms-local probe";

/// A KMS that seals its key material under a root key. Ciphertexts are a format byte 1, a random nonce of 12 bytes, ciphertext and 16
/// bytes of tag.
///
/// Random nonces of 96 bits limit one key version to 2^32 encryptions (NIST SP 800-38D section 8.3); rotate a key that may come
/// near.
pub struct LocalKms {
    root: Arc<dyn RootKey>,
    entropy: Arc<dyn Entropy>,
    /// Sealed at the first check and only opened from then on: checks come by the second, and must not use up the root key.
    probe: OnceLock<Vec<u8>>,
}

impl LocalKms {
    /// Seals under `root`, and takes material and nonces from `entropy`.
    #[must_use]
    pub fn new(root: Arc<dyn RootKey>, entropy: Arc<dyn Entropy>) -> Self {
        Self { root, entropy, probe: OnceLock::new() }
    }

    fn make(&self, spec: &KeySpec, version: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        let material = random_secret(&*self.entropy, spec.key_type.material_len())
            .map_err(|error| KmsError::new(KmsErrorKind::Unavailable, "could not make key material").because(error))?;
        let sealed = self
            .root
            .seal(&key_material_aad(spec, version), &material)
            .map_err(|error| KmsError::new(root_key_kind(&error), "could not seal key material").because(error))?;
        let mut handle = Vec::with_capacity(1 + sealed.len());
        handle.push(HANDLE_FORMAT);
        handle.extend_from_slice(&sealed);
        Ok(KeyHandle::new(handle))
    }

    /// The material of a version, if the handle was made for this very key and version.
    fn material(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        let sealed = version
            .handle
            .as_bytes()
            .strip_prefix(&[HANDLE_FORMAT])
            .ok_or_else(|| KmsError::new(KmsErrorKind::BadHandle, "the key handle has an unknown format"))?;
        self.root
            .open(&key_material_aad(spec, version.number), sealed)
            .map_err(|error| KmsError::new(root_key_kind(&error), "could not open key material").because(error))
    }
}

const fn root_key_kind(error: &RootKeyError) -> KmsErrorKind {
    match error {
        RootKeyError::NotAuthentic => KmsErrorKind::BadHandle,
        RootKeyError::Unavailable(_) => KmsErrorKind::Unavailable,
    }
}

#[async_trait]
impl Kms for LocalKms {
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError> {
        self.make(spec, KeyVersionNumber::FIRST)
    }

    async fn rotate(&self, spec: &KeySpec, _: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        self.make(spec, next)
    }

    async fn encrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError> {
        let material = self.material(spec, version)?;
        seal_fresh(spec.key_type, material.expose(), &*self.entropy, aad, plain).map_err(|error| {
            let kind = match error {
                SealError::Aead(AeadError::MaterialLength) => KmsErrorKind::BadHandle,
                SealError::Aead(_) | SealError::Entropy(_) => KmsErrorKind::Unavailable,
            };
            KmsError::new(kind, "could not encrypt under key material").because(error)
        })
    }

    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError> {
        let material = self.material(spec, version)?;
        open_sealed(spec.key_type, material.expose(), aad, ciphertext).map_err(|error| {
            let kind = match error {
                AeadError::MaterialLength => KmsErrorKind::BadHandle,
                AeadError::NotAuthentic | AeadError::TooLong => KmsErrorKind::NotAuthentic,
            };
            KmsError::new(kind, "could not decrypt under key material").because(error)
        })
    }

    async fn erase(&self, _: &KeyHandle) -> Result<(), KmsError> {
        Ok(())
    }

    async fn check(&self) -> Result<(), KmsError> {
        let failed = |error| KmsError::new(KmsErrorKind::Unavailable, "the root key cannot be used").because(error);
        let probe = match self.probe.get() {
            Some(probe) => probe,
            None => {
                let probe = self.root.seal(PROBE_AAD, &SecretBytes::copy_of(PROBE_AAD)).map_err(failed)?;
                self.probe.get_or_init(|| probe)
            }
        };
        self.root.open(PROBE_AAD, probe).map(drop).map_err(failed)
    }
}
