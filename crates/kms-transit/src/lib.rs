//! A KMS whose key material stays in the Transit engine of an OpenBao or Vault server.
//!
//! A key of ours is a key of the server, and the numbers of their versions are the same. A handle names mount, key and version; the name holds
//! a digest of all that never changes of the key, so that a record that was altered finds none. Nothing is cached, and what a
//! request or an answer held is wiped after it, as far as the HTTP library allows.
//!
//! - **Proofs.** Before the first use of a symmetric key type the server has to prove that it authenticates `associated_data`, which servers from before there was such
//!   a parameter pass over in silence, and that it derives message keys from `context`. One that doesn't is not used.
//! - **Repeating.** Everything is safe to repeat but rotation, which looks at what the server has before it asks for a version. An operation ends after the
//!   configured time, whatever it tries. A server that fails several times in a row is left alone for some seconds.
//! - **Versions.** The server erases versions from the oldest up, so `erase` of a version that isn't the oldest leaves it there; erasing all of them in rising order
//!   erases the key.
//! - **Encryptions.** Keys of the symmetric types are `derived`: each encryption has a message key of its own, from a random context that is part of the ciphertext. So nothing is
//!   counted, and no version is ever used up.

mod answer;
mod breaker;
mod buffer;
mod check;
mod ciphertext;
mod client;
mod create;
mod decrypt;
mod der;
mod derive;
mod encrypt;
mod erase;
mod error;
mod export;
mod handle;
mod import;
mod mac;
mod options;
mod public_key;
mod remote_key;
mod rotate;
mod sign;
mod token;
mod verify;

pub use options::{
    DEFAULT_KEY_PREFIX, DEFAULT_MOUNT, DEFAULT_TIMEOUT, TransitOptions, TransitOptionsError, check_address,
    check_key_prefix, check_mount, check_namespace, check_proxy,
};

use async_trait::async_trait;
use breaker::in_time;
use check::Proofs;
use client::Client;
use core::time::Duration;
use error::{CallError, Failed};
use handle::Place;
use std::sync::Arc;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
use strongroom_domain::port::{Clock, Entropy, Kms, KmsError};
use strongroom_domain::value::SecretBytes;

/// A KMS over a Transit engine. It runs inside a tokio runtime.
///
/// Ciphertexts of RSA keys are the server's, without their prefix `vault:v…:`. Those of symmetric keys are format 1: the format byte, 32 random bytes of context, a random nonce of 12,
/// ciphertext, 16 bytes of tag. The message key is HKDF-SHA-256 (RFC 5869) of the material, without salt and with the context as info.
pub struct TransitKms {
    client: Client,
    entropy: Arc<dyn Entropy>,
    timeout: Duration,
    proofs: Proofs,
}

impl TransitKms {
    /// Checks the options; the server isn't asked yet, nor the token read. `clock` is what the pauses after failures go by; `entropy` draws
    /// contexts, and wraps material that is imported.
    ///
    /// # Errors
    /// [`TransitOptionsError`].
    pub fn new(
        options: &TransitOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, TransitOptionsError> {
        let client = Client::new(options, clock)?;
        Ok(Self { client, entropy, timeout: options.timeout, proofs: Proofs::default() })
    }

    /// Does something within the time that an operation has.
    async fn within<T>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, Failed>> + Send,
    ) -> Result<T, KmsError> {
        let outcome = in_time(self.timeout, work).await;
        outcome.unwrap_or(Err(Failed::Call(CallError::TimedOut))).map_err(|failed| failed.told(doing))
    }

    fn place(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Place, KmsError> {
        handle::place(&self.client.mount, &self.client.key_prefix, spec, version)
    }

    fn name(&self, spec: &KeySpec) -> String {
        handle::key_name(&self.client.key_prefix, spec)
    }

    fn handle(&self, name: &str, version: KeyVersionNumber) -> KeyHandle {
        handle::handle(&self.client.mount, name, version)
    }
}

#[async_trait]
impl Kms for TransitKms {
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError> {
        self.within("could not make a key in Transit", self.create_key(spec)).await
    }

    async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError> {
        self.within("could not import a key into Transit", self.import_key(spec, material)).await
    }

    async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        self.within("could not rotate a key in Transit", self.rotate_key(spec, latest, next)).await
    }

    async fn encrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError> {
        self.within("could not encrypt in Transit", self.encrypt_plain(spec, version, aad, plain)).await
    }

    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError> {
        self.within("could not decrypt in Transit", self.decrypt_ciphertext(spec, version, aad, ciphertext)).await
    }

    async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError> {
        self.within("could not sign in Transit", self.sign_input(spec, version, input)).await
    }

    async fn verify(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, KmsError> {
        self.within("could not verify in Transit", self.verify_signature(spec, version, input, signature)).await
    }

    async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        self.within("could not make an HMAC in Transit", self.make_mac(spec, version, message)).await
    }

    async fn verify_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, KmsError> {
        self.within("could not verify an HMAC in Transit", self.verify_made_mac(spec, version, message, mac)).await
    }

    async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError> {
        self.within("could not read a public key from Transit", self.read_public_key(spec, version)).await
    }

    async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        self.within("could not export a key from Transit", self.export_key(spec, version)).await
    }

    async fn reseal(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Option<KeyHandle>, KmsError> {
        // Nothing of a handle is sealed.
        self.place(spec, version).map(|_| None)
    }

    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError> {
        self.within("could not erase a key in Transit", self.erase_handle(handle)).await
    }

    async fn check(&self) -> Result<(), KmsError> {
        self.within("Transit cannot be used", self.check_server()).await
    }
}
