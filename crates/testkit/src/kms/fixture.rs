use super::test_key::{TestKey, ok, version};
use crate::build;
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsError};
use strongroom_domain::scope::Scope;
use strongroom_domain::value::SecretBytes;

/// A KMS to be tested, and what it can do. The cases leave out what it can't, but for one: that it says so.
pub trait Fixture: Send + Sync {
    /// The KMS.
    fn kms(&self) -> Arc<dyn Kms>;

    /// Whether the KMS itself keeps key material, or the handle holds it: that decides what erasing means.
    fn keeps_material(&self) -> bool;

    /// The types whose keys it makes.
    fn key_types(&self) -> &[KeyType] {
        &KeyType::ALL
    }

    /// Whether it takes material of one of its types that was made elsewhere.
    fn imports(&self, key_type: KeyType) -> bool {
        key_type.is_importable()
    }

    /// Whether it gives out the material of one of its types.
    fn exports(&self, _: KeyType) -> bool {
        true
    }

    /// An id that no key had. A service that outlives the process needs others than these, which begin anew with each process.
    fn key_id(&self) -> KeyId {
        KeyId::new(build::uuid())
    }
}

/// Makes the keys of one case.
pub(super) struct Keys<'a> {
    pub(super) fixture: &'a dyn Fixture,
    pub(super) kms: Arc<dyn Kms>,
    scope: Scope,
}

impl<'a> Keys<'a> {
    pub(super) fn of(fixture: &'a dyn Fixture) -> Self {
        Self { fixture, kms: fixture.kms(), scope: build::scope() }
    }

    /// Every type that the KMS has.
    pub(super) fn every_type(&self) -> Vec<KeyType> {
        self.fixture.key_types().to_vec()
    }

    /// Every type but all RSA types after the first: they differ in nothing but length, and take seconds to make.
    pub(super) fn each_kind(&self) -> Vec<KeyType> {
        let mut rsa = 0;
        self.every_type().into_iter().filter(|key_type| !key_type.is_rsa() || { (rsa += 1, rsa).1 == 1 }).collect()
    }

    /// Every type whose material it takes.
    pub(super) fn importable(&self) -> Vec<KeyType> {
        self.every_type().into_iter().filter(|key_type| self.fixture.imports(*key_type)).collect()
    }

    pub(super) fn spec(&self, key_type: KeyType, export_allowed: bool) -> KeySpec {
        KeySpec { id: self.fixture.key_id(), scope: self.scope, key_type, export_allowed }
    }

    pub(super) async fn make(&self, key_type: KeyType) -> TestKey {
        self.make_of(self.spec(key_type, false)).await
    }

    pub(super) async fn make_exportable(&self, key_type: KeyType) -> TestKey {
        self.make_of(self.spec(key_type, true)).await
    }

    async fn make_of(&self, spec: KeySpec) -> TestKey {
        let handle = ok(self.kms.create(&spec).await);
        TestKey { kms: Arc::clone(&self.kms), spec, versions: vec![version(KeyVersionNumber::FIRST, handle)] }
    }

    /// An exportable key with this material.
    pub(super) async fn import(&self, key_type: KeyType, material: &SecretBytes) -> Result<TestKey, KmsError> {
        let spec = self.spec(key_type, self.fixture.exports(key_type));
        let handle = self.kms.import(&spec, material).await?;
        Ok(TestKey { kms: Arc::clone(&self.kms), spec, versions: vec![version(KeyVersionNumber::FIRST, handle)] })
    }
}
