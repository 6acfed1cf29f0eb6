//! The contract of the port, and what holds for this adapter beyond it.

use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_memory::MemoryKms;
use strongroom_testkit::FailingEntropy;
use strongroom_testkit::kms::Fixture;
use uuid::Uuid;

fn kms() -> Arc<dyn Kms> {
    Arc::new(MemoryKms::new(Arc::new(OsEntropy)))
}

/// The contract's view of a KMS.
struct Memory(Arc<dyn Kms>);

impl Fixture for Memory {
    fn kms(&self) -> Arc<dyn Kms> {
        Arc::clone(&self.0)
    }

    fn keeps_material(&self) -> bool {
        true
    }
}

strongroom_testkit::kms_contract!(async { Memory(kms()) });

fn spec() -> KeySpec {
    let nil = Uuid::nil();
    let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
    KeySpec { id: KeyId::new(nil), scope, key_type: KeyType::default(), export_allowed: false }
}

#[tokio::test]
async fn a_handle_of_another_instance_is_bad() {
    let (ours, other) = (kms(), kms());
    let handle = ours.create(&spec()).await.expect("creates");
    let version = KeyVersion { number: KeyVersionNumber::FIRST, handle, created_at: Timestamp::EPOCH };
    other.create(&spec()).await.expect("creates");
    let answer = other.encrypt(&spec(), &version, b"", &SecretBytes::copy_of(b"plaintext")).await;
    assert_eq!(answer.err().map(|error| *error.kind()), Some(KmsErrorKind::BadHandle));
}

#[tokio::test]
async fn without_randomness_it_is_unavailable() {
    let kms = MemoryKms::new(Arc::new(FailingEntropy));
    let error = kms.create(&spec()).await.expect_err("no material");
    assert_eq!(*error.kind(), KmsErrorKind::Unavailable);
}
