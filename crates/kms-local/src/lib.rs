//! A software KMS whose key material is sealed under the root key.
//!
//! It keeps nothing: a key's handle is its material, sealed under the root key and bound to the key's id, scope, type, export
//! permission and version. The handle is opened for every call and the material wiped after it; no unwrapped material is cached.

mod slow;

use async_trait::async_trait;
use slow::{SlowOps, failed};
use std::sync::{Arc, OnceLock};
use strongroom_crypto::key_ops;
use strongroom_domain::envelope::key_material_aad;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
use strongroom_domain::port::{Entropy, Kms, KmsError, KmsErrorKind, RootKey, RootKeyError};
use strongroom_domain::value::SecretBytes;

/// The first byte of a handle: format 1, then the sealed material.
const HANDLE_FORMAT: u8 = 1;
/// What begins the purpose of a canonical text, after its length. Handles of other KMS are such texts, and say where the material is; those of this
/// one go on with a nonce.
const TEXT: &[u8] = b"strongroom ";
/// What the probe of [`Kms::check`] is bound to.
const PROBE_AAD: &[u8] = b"strongroom kms-local probe";

/// A KMS that seals its key material under a root key. What its keys do, and in which formats, is [`key_ops`]'.
///
/// RSA takes milliseconds, and seconds to make a key: it runs on the threads for blocking work of the caller's tokio runtime, if there is
/// one, at most as many at a time as there are processors. When 64 wait for each of them, more are answered with
/// [`KmsErrorKind::Unavailable`].
pub struct LocalKms {
    root: Arc<dyn RootKey>,
    entropy: Arc<dyn Entropy>,
    slow: SlowOps,
    making: SlowOps,
    /// Sealed at the first check and only opened from then on: checks come by the second, and must not use up the root key.
    probe: OnceLock<Vec<u8>>,
}

impl LocalKms {
    /// Seals under `root`, and takes material and nonces from `entropy`.
    #[must_use]
    pub fn new(root: Arc<dyn RootKey>, entropy: Arc<dyn Entropy>) -> Self {
        Self { root, entropy, slow: SlowOps::of_keys(), making: SlowOps::of_making_keys(), probe: OnceLock::new() }
    }

    async fn make(&self, spec: &KeySpec, version: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        let (key_type, entropy) = (spec.key_type, Arc::clone(&self.entropy));
        let generate = move || key_ops::generate(key_type, &*entropy);
        let material = self.making.run(key_type, "could not make key material", generate).await?;
        self.seal(spec, version, &material)
    }

    fn seal(&self, spec: &KeySpec, version: KeyVersionNumber, material: &SecretBytes) -> Result<KeyHandle, KmsError> {
        let sealed = self.root.seal(&key_material_aad(spec, version), material);
        Ok(handle(&sealed.map_err(|error| root_key_failed("could not seal key material", error))?))
    }

    /// The material of a version, if the handle was made for this very key and version.
    fn material(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        self.root
            .open(&key_material_aad(spec, version.number), sealed_material(version)?)
            .map_err(|error| root_key_failed("could not open key material", error))
    }
}

fn handle(sealed: &[u8]) -> KeyHandle {
    KeyHandle::new([&[HANDLE_FORMAT], sealed].concat())
}

/// Whether a handle was made by another kind of KMS, which keeps the material: it can't be opened, rotated or erased here.
#[must_use]
pub fn is_of_another_kms(handle: &KeyHandle) -> bool {
    let text = handle.as_bytes().get(1 + size_of::<u32>()..);
    text.is_some_and(|text| text.starts_with(TEXT))
}

fn check_own(handle: &KeyHandle) -> Result<(), KmsError> {
    if is_of_another_kms(handle) {
        return Err(KmsError::new(KmsErrorKind::OtherKms, "the key handle is one of another KMS"));
    }
    Ok(())
}

fn sealed_material(version: &KeyVersion) -> Result<&[u8], KmsError> {
    check_own(&version.handle)?;
    let sealed = version.handle.as_bytes().strip_prefix(&[HANDLE_FORMAT]);
    sealed.ok_or_else(|| KmsError::new(KmsErrorKind::BadHandle, "the key handle has an unknown format"))
}

/// For another thread, where it is wiped as well.
fn copy(input: &SignInput) -> SignInput {
    let SignInput { hash, prehashed, bytes } = input;
    SignInput { hash: *hash, prehashed: *prehashed, bytes: SecretBytes::copy_of(bytes.expose()) }
}

fn root_key_failed(context: &'static str, error: RootKeyError) -> KmsError {
    let kind = match error {
        RootKeyError::NotAuthentic => KmsErrorKind::BadHandle,
        RootKeyError::Unavailable(_) => KmsErrorKind::Unavailable,
    };
    KmsError::new(kind, context).because(error)
}

#[async_trait]
impl Kms for LocalKms {
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError> {
        self.make(spec, KeyVersionNumber::FIRST).await
    }

    async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError> {
        let (key_type, material) = (spec.key_type, SecretBytes::copy_of(material.expose()));
        let check = move || key_ops::check_import(key_type, &material);
        let material = self.slow.run(key_type, "could not import key material", check).await?;
        self.seal(spec, KeyVersionNumber::FIRST, &material)
    }

    async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        check_own(&latest.handle)?;
        self.make(spec, next).await
    }

    async fn encrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError> {
        let context = "could not encrypt under key material";
        let (key_type, material) = (spec.key_type, self.material(spec, version)?);
        if !key_type.is_rsa() {
            // Without a copy of the plaintext.
            return key_ops::encrypt(key_type, material.expose(), &*self.entropy, aad, plain)
                .map_err(|error| failed(context, error));
        }
        let (entropy, aad, plain) = (Arc::clone(&self.entropy), aad.to_vec(), SecretBytes::copy_of(plain.expose()));
        let encrypt = move || key_ops::encrypt(key_type, material.expose(), &*entropy, &aad, &plain);
        self.slow.run(key_type, context, encrypt).await
    }

    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError> {
        let context = "could not decrypt under key material";
        let (key_type, material) = (spec.key_type, self.material(spec, version)?);
        if !key_type.is_rsa() {
            return key_ops::decrypt(key_type, material.expose(), aad, ciphertext)
                .map_err(|error| failed(context, error));
        }
        let (aad, ciphertext) = (aad.to_vec(), ciphertext.to_vec());
        let decrypt = move || key_ops::decrypt(key_type, material.expose(), &aad, &ciphertext);
        self.slow.run(key_type, context, decrypt).await
    }

    async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError> {
        let (key_type, material, input) = (spec.key_type, self.material(spec, version)?, copy(input));
        let sign = move || key_ops::sign(key_type, material.expose(), &input);
        self.slow.run(key_type, "could not sign with key material", sign).await
    }

    async fn verify(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, KmsError> {
        let (key_type, material) = (spec.key_type, self.material(spec, version)?);
        let (input, signature) = (copy(input), signature.to_vec());
        let verify = move || key_ops::verify(key_type, material.expose(), &input, &signature);
        self.slow.run(key_type, "could not verify with key material", verify).await
    }

    async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        key_ops::mac(spec.key_type, self.material(spec, version)?.expose(), message)
            .map_err(|error| failed("could not make an HMAC with key material", error))
    }

    async fn verify_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, KmsError> {
        key_ops::verify_mac(spec.key_type, self.material(spec, version)?.expose(), message, mac)
            .map_err(|error| failed("could not verify an HMAC with key material", error))
    }

    async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError> {
        let (key_type, material) = (spec.key_type, self.material(spec, version)?);
        let public_key = move || key_ops::public_key(key_type, material.expose());
        self.slow.run(key_type, "could not take the public key of key material", public_key).await
    }

    async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        if !spec.export_allowed {
            return Err(KmsError::new(KmsErrorKind::BadHandle, "the key may not be exported"));
        }
        self.material(spec, version)
    }

    async fn reseal(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Option<KeyHandle>, KmsError> {
        self.root
            .reseal(&key_material_aad(spec, version.number), sealed_material(version)?)
            .map(|sealed| sealed.as_deref().map(handle))
            .map_err(|error| root_key_failed("could not seal key material anew", error))
    }

    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError> {
        check_own(handle)
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
