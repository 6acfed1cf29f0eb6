use super::Faults;
use async_trait::async_trait;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
use strongroom_domain::port::{Kms, KmsError, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

/// A KMS that fails on demand. Without a fault waiting it is the KMS inside.
///
/// ```
/// use std::sync::Arc;
/// use strongroom_domain::port::{Kms, KmsErrorKind};
/// use strongroom_testkit::{FaultyKms, When};
///
/// # fn example(inner: Arc<dyn Kms>) {
/// let kms = FaultyKms::new(inner);
/// // The next call finds it out of reach, the one after that does not.
/// kms.calls.fail(When::Before, KmsErrorKind::Unavailable);
/// // Out of reach until it is plugged in again.
/// kms.unplug();
/// kms.plug_in();
/// # }
/// ```
pub struct FaultyKms {
    inner: Arc<dyn Kms>,
    unplugged: AtomicBool,
    /// Of all methods together.
    pub calls: Faults<KmsErrorKind>,
}

impl FaultyKms {
    /// Without faults.
    #[must_use]
    pub fn new(inner: Arc<dyn Kms>) -> Self {
        Self { inner, unplugged: AtomicBool::new(false), calls: Faults::default() }
    }

    /// From now on every call is [`KmsErrorKind::Unavailable`]. Faults that wait go on waiting.
    pub fn unplug(&self) {
        self.unplugged.store(true, Ordering::SeqCst);
    }

    /// Ends what [`unplug`](Self::unplug) began.
    pub fn plug_in(&self) {
        self.unplugged.store(false, Ordering::SeqCst);
    }

    async fn around<T>(&self, call: impl Future<Output = Result<T, KmsError>> + Send) -> Result<T, KmsError> {
        if self.unplugged.load(Ordering::SeqCst) {
            return Err(KmsError::new(KmsErrorKind::Unavailable, "unplugged"));
        }
        self.calls.around(call).await
    }
}

#[async_trait]
impl Kms for FaultyKms {
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError> {
        self.around(self.inner.create(spec)).await
    }

    async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError> {
        self.around(self.inner.import(spec, material)).await
    }

    async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        self.around(self.inner.rotate(spec, latest, next)).await
    }

    async fn encrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError> {
        self.around(self.inner.encrypt(spec, version, aad, plain)).await
    }

    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError> {
        self.around(self.inner.decrypt(spec, version, aad, ciphertext)).await
    }

    async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError> {
        self.around(self.inner.sign(spec, version, input)).await
    }

    async fn verify(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, KmsError> {
        self.around(self.inner.verify(spec, version, input, signature)).await
    }

    async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        self.around(self.inner.mac(spec, version, message)).await
    }

    async fn verify_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, KmsError> {
        self.around(self.inner.verify_mac(spec, version, message, mac)).await
    }

    async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError> {
        self.around(self.inner.public_key(spec, version)).await
    }

    async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        self.around(self.inner.export(spec, version)).await
    }

    async fn reseal(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Option<KeyHandle>, KmsError> {
        self.around(self.inner.reseal(spec, version)).await
    }

    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError> {
        self.around(self.inner.erase(handle)).await
    }

    async fn check(&self) -> Result<(), KmsError> {
        self.around(self.inner.check()).await
    }
}
