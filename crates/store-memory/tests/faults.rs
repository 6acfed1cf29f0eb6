//! What the decorator that fails on demand does to a store.

use std::sync::Arc;
use strongroom_domain::directory::ObjectKind;
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{
    AccessErrorKind, AccessLog, AuditLog, AuditReader, CommitErrorKind, Committer, DirectoryReader, ObjectQuery,
    ObjectSelector, ReadErrorKind, SecretReader,
};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{Faulty, FixedSigner, When, build, units};

fn store() -> (Arc<MemoryStore>, Faulty<MemoryStore>) {
    let store = Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid())));
    (Arc::clone(&store), Faulty::new(store))
}

#[tokio::test]
async fn before_leaves_nothing_and_after_leaves_everything() {
    let (inner, faulty) = store();
    for (when, kind, stored) in
        [(When::Before, CommitErrorKind::Full, false), (When::After, CommitErrorKind::OutcomeUnknown, true)]
    {
        let secret = build::secret(build::scope(), "/a");
        faulty.commits.fail(when, kind.clone());
        let error = faulty.commit(units::insert(&secret)).await.expect_err("told to fail");
        assert_eq!(error.kind(), &kind);
        assert_eq!(faulty.commits.left(), 0);
        let found = SecretReader::find(&*inner, &secret.scope, &secret.path).await.expect("readable");
        assert_eq!(found.is_some(), stored);
    }
}

#[tokio::test]
async fn every_port_has_faults_of_its_own() {
    let (inner, faulty) = store();
    let secret = build::secret(build::scope(), "/a");
    faulty.accesses.fail(When::After, AccessErrorKind::OutcomeUnknown);
    faulty.records.fail(When::Before, CommitErrorKind::Unavailable);
    faulty.reads.fail(When::Before, ReadErrorKind::Corrupt);
    faulty.directory.fail(When::Before, ReadErrorKind::Unavailable);
    faulty.commit(units::insert(&secret)).await.expect("no fault");

    let access = build::access(&secret, 1, build::at(7));
    let error = faulty.record(access.clone()).await.expect_err("told to fail");
    assert_eq!(error.kind(), &AccessErrorKind::OutcomeUnknown);
    let record = access.records[0].clone();
    let error = faulty.enqueue(record).await.expect_err("told to fail");
    assert_eq!(error.kind(), &CommitErrorKind::Unavailable);
    let error = SecretReader::find(&faulty, &secret.scope, &secret.path).await.expect_err("told to fail");
    assert_eq!(error.kind(), &ReadErrorKind::Corrupt);
    let users = ObjectQuery { kind: ObjectKind::User, organisation: None, which: ObjectSelector::All };
    let error = faulty.objects(&users).await.expect_err("told to fail");
    assert_eq!(error.kind(), &ReadErrorKind::Unavailable);
    assert_eq!(faulty.objects(&users).await.expect("no fault left"), []);

    let found = SecretReader::find(&faulty, &secret.scope, &secret.path).await.expect("no fault left").expect("there");
    assert_eq!(found.last_accessed_at, Some(build::at(7)), "failed after it was recorded");
    let stream = inner.streams().await.expect("readable")[0];
    assert_eq!(inner.records(stream, 0, 9).await.expect("readable").len(), 3, "the queued record was not taken");
}
