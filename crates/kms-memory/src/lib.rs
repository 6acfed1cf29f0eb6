//! A KMS in memory with real ciphers, for tests, harnesses and embedding without persistence.
//!
//! Key material lives in a map inside [`MemoryKms`] and ends with it: a handle is an index into that map, and of no use to any other
//! instance. Nothing here is ever written anywhere.

use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use strongroom_crypto::{AeadError, SealError, open_sealed, random_secret, seal_fresh};
use strongroom_domain::envelope::key_material_aad;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{Entropy, EntropyError, Kms, KmsError, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

/// The first byte of a handle: format 1, then the index.
const HANDLE_FORMAT: u8 = 1;

/// Where material stands in the map. Random, so that a handle of another instance never hits.
type Index = [u8; 16];

struct Material {
    /// Key, scope, type, export permission and version that the material was made for, as canonical bytes.
    made_for: Vec<u8>,
    bytes: SecretBytes,
}

/// A KMS that keeps key material in memory. Ciphertexts are a format byte 1, a random nonce of 12 bytes, ciphertext and 16 bytes of
/// tag.
pub struct MemoryKms {
    materials: RwLock<HashMap<Index, Arc<Material>>>,
    entropy: Arc<dyn Entropy>,
}

impl MemoryKms {
    /// An empty one, which takes material and nonces from `entropy`.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { materials: RwLock::default(), entropy }
    }

    fn make(&self, spec: &KeySpec, version: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        let bytes = random_secret(&*self.entropy, spec.key_type.material_len()).map_err(no_randomness)?;
        let mut index = Index::default();
        self.entropy.fill(&mut index).map_err(no_randomness)?;
        let material = Arc::new(Material { made_for: key_material_aad(spec, version), bytes });
        self.materials.write().unwrap_or_else(PoisonError::into_inner).insert(index, material);
        let mut handle = vec![HANDLE_FORMAT];
        handle.extend_from_slice(&index);
        Ok(KeyHandle::new(handle))
    }

    /// The material of a version, if it was made for this very key and version.
    fn material(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Arc<Material>, KmsError> {
        let materials = self.materials.read().unwrap_or_else(PoisonError::into_inner);
        index(&version.handle)
            .and_then(|index| materials.get(&index))
            .filter(|material| material.made_for == key_material_aad(spec, version.number))
            .cloned()
            .ok_or_else(|| KmsError::new(KmsErrorKind::BadHandle, "no key material in memory for the handle"))
    }
}

fn index(handle: &KeyHandle) -> Option<Index> {
    let (format, index) = handle.as_bytes().split_first()?;
    if *format == HANDLE_FORMAT { index.try_into().ok() } else { None }
}

fn no_randomness(error: EntropyError) -> KmsError {
    KmsError::new(KmsErrorKind::Unavailable, "could not make key material").because(error)
}

#[async_trait]
impl Kms for MemoryKms {
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
        seal_fresh(spec.key_type, material.bytes.expose(), &*self.entropy, aad, plain).map_err(|error| {
            let kind = match error {
                SealError::Aead(AeadError::MaterialLength) => KmsErrorKind::BadHandle,
                SealError::Aead(_) | SealError::Entropy(_) => KmsErrorKind::Unavailable,
            };
            KmsError::new(kind, "could not encrypt in memory").because(error)
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
        open_sealed(spec.key_type, material.bytes.expose(), aad, ciphertext).map_err(|error| {
            let kind = match error {
                AeadError::MaterialLength => KmsErrorKind::BadHandle,
                AeadError::NotAuthentic | AeadError::TooLong => KmsErrorKind::NotAuthentic,
            };
            KmsError::new(kind, "could not decrypt in memory").because(error)
        })
    }

    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError> {
        if let Some(index) = index(handle) {
            self.materials.write().unwrap_or_else(PoisonError::into_inner).remove(&index);
        }
        Ok(())
    }

    async fn check(&self) -> Result<(), KmsError> {
        Ok(())
    }
}
