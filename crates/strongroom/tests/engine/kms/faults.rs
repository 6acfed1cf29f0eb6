//! A KMS that is down, a store that is, and what the audit log keeps.

use super::MockService;
use super::operation::{Operation, Subject, listed};
use crate::support::{World, code, create, key, put, reveal, rule, user};
use crate::unruly_kms::UnrulyKms;
use std::sync::Arc;
use strongroom::Code;
use strongroom::domain::kms::KeyType;
use strongroom::domain::port::{CommitErrorKind, KmsError, KmsErrorKind};
use strongroom::kms::CreateKeyInput;
use strongroom_testkit::{Faulty, When};

/// The operations that ask the KMS.
const OF_THE_KMS: [Operation; 9] = [
    Operation::Encrypt,
    Operation::Decrypt,
    Operation::Sign,
    Operation::Verify,
    Operation::Hmac,
    Operation::VerifyHmac,
    Operation::PublicKey,
    Operation::Export,
    Operation::Rotate,
];

/// Those whose result must not leave before it is recorded.
const LET_OUT: [Operation; 5] =
    [Operation::Encrypt, Operation::Decrypt, Operation::Sign, Operation::Hmac, Operation::Export];

/// What it answers has the right form and length, and opens; but it is no wrapping of the data key.
#[tokio::test]
async fn a_kms_that_wraps_another_data_key_is_found_out_before_anything_depends_on_it() {
    let mut world = World::new();
    let kms = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = kms.clone();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"1").await.expect("creates");
    engine.rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    *kms.lies.lock().expect("no panic") = true;
    assert_eq!(code(create(&room, &session, "/b", &key, b"1").await), Some(Code::KmsUnavailable));
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::KmsUnavailable));
    let rewrapped = engine.rewrap(&session, "app").await.expect("allowed").run(10).await;
    assert_eq!(code(rewrapped), Some(Code::KmsUnavailable));
    *kms.lies.lock().expect("no panic") = false;
    assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::SecretNotFound));
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"1".to_vec())), "as it was");
    let rewrapped = engine.rewrap(&session, "app").await.expect("allowed").run(10).await.expect("moves");
    assert_eq!((rewrapped.rewrapped, rewrapped.remaining), (1, 0));
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"1".to_vec())));
}

#[tokio::test]
async fn a_kms_that_is_down_does_nothing_and_stores_nothing() {
    let mut world = World::new();
    let kms = UnrulyKms::over(Arc::clone(&world.kms));
    world.kms = kms.clone();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let mut subjects = Vec::new();
    for operation in Operation::ALL {
        subjects.push(Subject::make(engine, &session, &format!("{operation:?}"), operation.able_type()).await);
    }
    create(&room, &session, "/a", &subjects[0].key, b"1").await.expect("creates");
    let before = world.records().await.len();
    *kms.down.lock().expect("no panic") = true;
    for (operation, subject) in Operation::ALL.into_iter().zip(&subjects) {
        let outcome = operation.call((engine, &session), subject).await;
        let expected = OF_THE_KMS.contains(&operation).then_some(Code::KmsUnavailable);
        assert_eq!(code(outcome), expected, "{operation:?}");
    }
    let made = engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named("new")).await;
    assert_eq!(code(made), Some(Code::KmsUnavailable));
    assert_eq!(code(create(&room, &session, "/b", &subjects[0].key, b"1").await), Some(Code::KmsUnavailable));
    assert_eq!(code(put(&room, &session, "/a", b"2").await), Some(Code::KmsUnavailable));
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::KmsUnavailable));

    *kms.down.lock().expect("no panic") = false;
    assert_eq!(listed(engine, &session).await, subjects.len(), "no key is new");
    for subject in &subjects {
        let key = engine.key(&session, &subject.name).await.expect("there").run().await.expect("reads");
        assert_eq!(key.versions, subject.key.versions, "{}", key.name);
    }
    assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"1".to_vec())));
    assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::SecretNotFound));
    // Each fault is told of in the next round.
    engine.housekeeping().await.expect("records");
    let log = world.log_after(before).await;
    for operation in OF_THE_KMS {
        assert!(log.contains(&(operation.action(), "failure", 503)), "{operation:?}: {log:?}");
    }
}

/// A KMS that answers whatever it is asked with this.
fn refusing(kind: KmsErrorKind) -> MockService {
    let error = move || KmsError::new(kind, "refused");
    let mut service = MockService::new();
    service.expect_encrypt().returning(move |_, _, _, _| Err(error()));
    service.expect_decrypt().returning(move |_, _, _, _| Err(error()));
    service.expect_rotate().returning(move |_, _, _| Err(error()));
    service
}

#[tokio::test]
async fn what_a_kms_cannot_open_or_use_is_told_and_nothing_is_stored() {
    for (kind, otherwise, of_decrypt) in [
        (KmsErrorKind::BadHandle, Code::KeyUnusable, Code::KeyUnusable),
        // Of what a caller sends it is the caller's fault; of what is stored it is not.
        (KmsErrorKind::NotAuthentic, Code::Internal, Code::InvalidCiphertext),
    ] {
        let mut world = World::new();
        let room = world.node().await;
        let (session, engine) = (room.session(), room.engine());
        let subject = Subject::make(engine, &session, "app", KeyType::Aes256Gcm96).await;
        create(&room, &session, "/a", &subject.key, b"1").await.expect("creates");
        let good = std::mem::replace(&mut world.kms, Arc::new(refusing(kind)));
        let refused = world.node().await;
        let before = world.records().await.len();

        let at = (refused.engine(), &session);
        let call = async |operation: Operation| code(operation.call(at, &subject).await);
        assert_eq!(call(Operation::Encrypt).await, Some(otherwise), "{kind:?}");
        assert_eq!(call(Operation::Decrypt).await, Some(of_decrypt), "{kind:?}");
        assert_eq!(call(Operation::Rotate).await, Some(otherwise), "{kind:?}");
        assert_eq!(code(put(&refused, &session, "/a", b"2").await), Some(otherwise), "{kind:?}");
        assert_eq!(code(create(&refused, &session, "/b", &subject.key, b"1").await), Some(otherwise), "{kind:?}");
        assert_eq!(code(reveal(&refused, &session, "/a").await), Some(otherwise), "{kind:?}");

        refused.engine().housekeeping().await.expect("records");
        let log = world.log_after(before).await;
        for action in ["kms.encrypt", "kms.decrypt", "kms.rotate", "secret.value.write", "secret.value.read"] {
            let outcomes: Vec<_> =
                log.iter().filter(|(of, ..)| *of == action).map(|(_, outcome, _)| *outcome).collect();
            assert!(!outcomes.is_empty() && outcomes.iter().all(|it| *it == "failure"), "{kind:?}, {action}: {log:?}");
        }
        // A node that remembers nothing of before sees what is stored.
        world.kms = good;
        let room = world.node().await;
        let key = room.engine().key(&session, &subject.name).await.expect("there").run().await.expect("reads");
        assert_eq!((&key.versions, key.state), (&subject.key.versions, subject.key.state), "{kind:?}");
        assert_eq!(reveal(&room, &session, "/a").await.ok(), Some((1, b"1".to_vec())));
        assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::SecretNotFound));
    }
}

#[tokio::test]
async fn every_operation_leaves_a_record() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let guest = room.session_with(user(), [rule("secret", &[], &["*"])]);
    for operation in Operation::ALL {
        let name = format!("{operation:?}");
        let subject = Subject::make(engine, &session, &name, operation.able_type()).await;
        let action = operation.action();
        let told = async |before: usize| {
            let records = world.records().await;
            let last = records.last().expect("a record").clone();
            let resource = last.resource.expect("says on what");
            (records.len() - before, last.action.as_str(), last.outcome.as_str(), last.status, resource)
        };
        let before = world.records().await.len();
        operation.call((engine, &session), &subject).await.expect("does it");
        let (count, of, outcome, status, resource) = told(before).await;
        assert_eq!((count, of, outcome, status), (1, action, "success", 200));
        assert_eq!(resource.identity, subject.name, "{operation:?}");
        let names_version =
            LET_OUT.contains(&operation) || matches!(operation, Operation::Verify | Operation::VerifyHmac);
        assert!(!names_version || resource.version == Some(1), "{operation:?}: {resource:?}");

        let before = world.records().await.len();
        assert_eq!(code(operation.call((engine, &guest), &subject).await), Some(Code::KeyNotFound));
        let (count, of, outcome, status, resource) = told(before).await;
        assert_eq!((count, of, outcome, status), (1, action, "denied", 404));
        assert_eq!((resource.identity, resource.id), (subject.name.clone(), None));

        // What can fail because of the key's state.
        Operation::CancelDeletion.call((engine, &session), &subject).await.expect("is back");
        Operation::Delete.call((engine, &session), &subject).await.expect("deletes");
        let before = world.records().await.len();
        if code(operation.call((engine, &session), &subject).await).is_some() {
            let (count, of, outcome, status, _) = told(before).await;
            assert_eq!((count, of, outcome, status), (1, action, "failure", 400));
        }
    }
}

#[tokio::test]
async fn nothing_leaves_when_its_record_is_not_durable() {
    let world = World::new();
    let faulty = Arc::new(Faulty::new(Arc::clone(&world.store)));
    let room = world.node_over(Arc::clone(&faulty)).await;
    let (session, engine) = (room.session(), room.engine());
    for operation in LET_OUT {
        let name = format!("{operation:?}");
        let subject = Subject::make(engine, &session, &name, operation.able_type()).await;
        for (when, kind, expected) in [
            (When::Before, CommitErrorKind::Unavailable, Code::StoreUnavailable),
            (When::Before, CommitErrorKind::Full, Code::StorageFull),
            (When::After, CommitErrorKind::OutcomeUnknown, Code::OutcomeUnknown),
        ] {
            faulty.commits.fail(when, kind);
            assert_eq!(code(operation.call((engine, &session), &subject).await), Some(expected), "{operation:?}");
            assert_eq!(faulty.commits.left(), 0);
        }
        assert!(operation.call((engine, &session), &subject).await.is_ok());
    }
    for operation in [Operation::Verify, Operation::VerifyHmac, Operation::PublicKey, Operation::Get] {
        let name = format!("{operation:?}");
        let subject = Subject::make(engine, &session, &name, operation.able_type()).await;
        // It doesn't wait for a commit, but it is queued.
        faulty.commits.fail(When::Before, CommitErrorKind::Unavailable);
        assert!(operation.call((engine, &session), &subject).await.is_ok(), "{operation:?}");
        assert_eq!(faulty.commits.left(), 1);
        faulty.records.fail(When::Before, CommitErrorKind::Unavailable);
        let outcome = operation.call((engine, &session), &subject).await;
        assert_eq!(code(outcome), Some(Code::StoreUnavailable), "{operation:?}");
        let disabled = Operation::Disable.call((engine, &session), &subject).await;
        assert_eq!(code(disabled), Some(Code::StoreUnavailable), "here the fault strikes");
    }
}
