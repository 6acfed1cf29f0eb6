//! A KMS in memory with real ciphers, for tests, harnesses and embedding without persistence.
//!
//! Key material lives in a map inside [`MemoryKms`] and ends with it: a handle is an index into that map, and of no use to any other
//! instance. Nothing here is ever written anywhere.

use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use strongroom_crypto::key_ops::{self, KeyOpError};
use strongroom_domain::envelope::key_material_aad;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
use strongroom_domain::port::{Entropy, Kms, KmsError, KmsErrorKind};
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

/// A KMS that keeps key material in memory. What its keys do, and in which formats, is [`key_ops`]'.
///
/// Everything runs on the caller's thread, also RSA, which takes milliseconds, and seconds to make a key.
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
        let material =
            key_ops::generate(spec.key_type, &*self.entropy).map_err(failed("could not make key material"))?;
        self.keep(spec, version, material)
    }

    fn keep(&self, spec: &KeySpec, version: KeyVersionNumber, bytes: SecretBytes) -> Result<KeyHandle, KmsError> {
        let mut index = Index::default();
        self.entropy
            .fill(&mut index)
            .map_err(|error| KmsError::new(KmsErrorKind::Unavailable, "could not make a key handle").because(error))?;
        let material = Arc::new(Material { made_for: key_material_aad(spec, version), bytes });
        self.materials.write().unwrap_or_else(PoisonError::into_inner).insert(index, material);
        Ok(KeyHandle::new([&[HANDLE_FORMAT], &index[..]].concat()))
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

fn failed(context: &'static str) -> impl FnOnce(KeyOpError) -> KmsError {
    move |error| KmsError::new(error.kind(), context).because(error)
}

#[async_trait]
impl Kms for MemoryKms {
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError> {
        self.make(spec, KeyVersionNumber::FIRST)
    }

    async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError> {
        let material =
            key_ops::check_import(spec.key_type, material).map_err(failed("could not import key material"))?;
        self.keep(spec, KeyVersionNumber::FIRST, material)
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
        key_ops::encrypt(spec.key_type, material.bytes.expose(), &*self.entropy, aad, plain)
            .map_err(failed("could not encrypt under key material"))
    }

    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError> {
        let material = self.material(spec, version)?;
        key_ops::decrypt(spec.key_type, material.bytes.expose(), aad, ciphertext)
            .map_err(failed("could not decrypt under key material"))
    }

    async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError> {
        let material = self.material(spec, version)?;
        key_ops::sign(spec.key_type, material.bytes.expose(), input).map_err(failed("could not sign with key material"))
    }

    async fn verify(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, KmsError> {
        let material = self.material(spec, version)?;
        key_ops::verify(spec.key_type, material.bytes.expose(), input, signature)
            .map_err(failed("could not verify with key material"))
    }

    async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let material = self.material(spec, version)?;
        key_ops::mac(spec.key_type, material.bytes.expose(), message)
            .map_err(failed("could not make an HMAC with key material"))
    }

    async fn verify_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, KmsError> {
        let material = self.material(spec, version)?;
        key_ops::verify_mac(spec.key_type, material.bytes.expose(), message, mac)
            .map_err(failed("could not verify an HMAC with key material"))
    }

    async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError> {
        let material = self.material(spec, version)?;
        key_ops::public_key(spec.key_type, material.bytes.expose())
            .map_err(failed("could not take the public key of key material"))
    }

    async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        if !spec.export_allowed {
            return Err(KmsError::new(KmsErrorKind::BadHandle, "the key may not be exported"));
        }
        Ok(SecretBytes::copy_of(self.material(spec, version)?.bytes.expose()))
    }

    async fn reseal(&self, _: &KeySpec, _: &KeyVersion) -> Result<Option<KeyHandle>, KmsError> {
        Ok(None)
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
