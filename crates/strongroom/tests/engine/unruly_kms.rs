//! A KMS that fails, or lets others act, at chosen moments.

use async_trait::async_trait;
use core::pin::Pin;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use strongroom::domain::id::KeyId;
use strongroom::domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber, PublicKey, SignInput};
use strongroom::domain::port::{Kms, KmsError, KmsErrorKind};
use strongroom::domain::value::SecretBytes;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Another KMS behind it does the work.
pub(crate) struct UnrulyKms {
    inner: Arc<dyn Kms>,
    /// Keys whose calls fail as if the service were out of reach.
    pub(crate) unreachable: Mutex<HashSet<KeyId>>,
    /// Whether nothing can be reached at all.
    pub(crate) down: Mutex<bool>,
    /// Whether it encrypts something else than it was given, of the same length.
    pub(crate) lies: Mutex<bool>,
    /// After how many more calls it goes down.
    pub(crate) calls_left: Mutex<Option<u32>>,
    /// What others do during the next rotation.
    pub(crate) during_rotation: Mutex<Option<Task>>,
    /// What the next check waits for.
    pub(crate) during_check: Mutex<Option<Task>>,
    /// What happens at each erase.
    pub(crate) at_erase: Mutex<Option<Box<dyn Fn() + Send>>>,
    /// What was erased, in order.
    pub(crate) erased: Mutex<Vec<KeyHandle>>,
    /// How many rotations were asked for.
    pub(crate) rotations: Mutex<u32>,
}

impl UnrulyKms {
    pub(crate) fn over(inner: Arc<dyn Kms>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            unreachable: Mutex::default(),
            down: Mutex::default(),
            lies: Mutex::default(),
            calls_left: Mutex::default(),
            during_rotation: Mutex::default(),
            during_check: Mutex::default(),
            at_erase: Mutex::default(),
            erased: Mutex::default(),
            rotations: Mutex::default(),
        })
    }

    fn pass(&self, id: Option<KeyId>) -> Result<(), KmsError> {
        let mut down = self.down.lock().expect("no panic");
        if let Some(left) = self.calls_left.lock().expect("no panic").as_mut() {
            match left.checked_sub(1) {
                Some(fewer) => *left = fewer,
                None => *down = true,
            }
        }
        if *down || id.is_some_and(|id| self.unreachable.lock().expect("no panic").contains(&id)) {
            return Err(KmsError::new(KmsErrorKind::Unavailable, "unplugged"));
        }
        Ok(())
    }
}

#[async_trait]
impl Kms for UnrulyKms {
    async fn create(&self, spec: &KeySpec) -> Result<KeyHandle, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.create(spec).await
    }

    async fn import(&self, spec: &KeySpec, material: &SecretBytes) -> Result<KeyHandle, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.import(spec, material).await
    }

    async fn rotate(&self, spec: &KeySpec, latest: &KeyVersion, next: KeyVersionNumber) -> Result<KeyHandle, KmsError> {
        *self.rotations.lock().expect("no panic") += 1;
        self.pass(Some(spec.id))?;
        let task = self.during_rotation.lock().expect("no panic").take();
        if let Some(task) = task {
            task.await;
        }
        self.inner.rotate(spec, latest, next).await
    }

    async fn encrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError> {
        self.pass(Some(spec.id))?;
        if *self.lies.lock().expect("no panic") {
            let other = SecretBytes::copy_of(&vec![7; plain.len()]);
            return self.inner.encrypt(spec, version, aad, &other).await;
        }
        self.inner.encrypt(spec, version, aad, plain).await
    }

    async fn decrypt(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.decrypt(spec, version, aad, ciphertext).await
    }

    async fn sign(&self, spec: &KeySpec, version: &KeyVersion, input: &SignInput) -> Result<Vec<u8>, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.sign(spec, version, input).await
    }

    async fn verify(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.verify(spec, version, input, signature).await
    }

    async fn mac(&self, spec: &KeySpec, version: &KeyVersion, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.mac(spec, version, message).await
    }

    async fn verify_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.verify_mac(spec, version, message, mac).await
    }

    async fn public_key(&self, spec: &KeySpec, version: &KeyVersion) -> Result<PublicKey, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.public_key(spec, version).await
    }

    async fn export(&self, spec: &KeySpec, version: &KeyVersion) -> Result<SecretBytes, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.export(spec, version).await
    }

    async fn reseal(&self, spec: &KeySpec, version: &KeyVersion) -> Result<Option<KeyHandle>, KmsError> {
        self.pass(Some(spec.id))?;
        self.inner.reseal(spec, version).await
    }

    async fn erase(&self, handle: &KeyHandle) -> Result<(), KmsError> {
        self.pass(None)?;
        self.erased.lock().expect("no panic").push(handle.clone());
        if let Some(happens) = self.at_erase.lock().expect("no panic").as_ref() {
            happens();
        }
        self.inner.erase(handle).await
    }

    async fn check(&self) -> Result<(), KmsError> {
        let task = self.during_check.lock().expect("no panic").take();
        if let Some(task) = task {
            task.await;
        }
        self.pass(None)
    }
}
