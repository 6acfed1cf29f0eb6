//! A call that panics halfway must not leave a half-changed store that goes on answering.

use std::sync::Arc;
use strongroom_domain::audit::{Action, Signature};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{AuditLog, AuditSigner, CommitErrorKind, Committer, ReadErrorKind, TenancyReader};
use strongroom_domain::unit::Unit;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::build;

struct PanickingSigner;

impl AuditSigner for PanickingSigner {
    fn sign(&self, _: &[u8]) -> Signature {
        panic!("breaks off")
    }
}

#[tokio::test]
async fn after_a_panic_the_store_is_unavailable() {
    let store = Arc::new(MemoryStore::new(Arc::new(PanickingSigner), StreamId::new(build::uuid())));
    let panicking = Arc::clone(&store);
    let record = build::record(Action::SecretRead);
    assert!(tokio::spawn(async move { panicking.enqueue(record).await }).await.is_err());
    let error = store.regions().await.expect_err("poisoned");
    assert_eq!(error.kind(), &ReadErrorKind::Unavailable);
    let error = store.commit(Unit::default()).await.expect_err("poisoned");
    assert_eq!(error.kind(), &CommitErrorKind::Unavailable);
}
