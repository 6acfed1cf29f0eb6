//! Every operation in every state of a key, and on keys of every type.

use super::operation::{Operation, Subject, key_of, listed, message};
use crate::iam::support::{House, REGION};
use crate::support::{World, bytes, code, create, path, put, reveal};
use core::time::Duration;
use std::sync::Arc;
use strongroom::domain::audit::Action;
use strongroom::domain::kms::{Key, KeySpec, KeyState, KeyStatus, KeyType};
use strongroom::domain::port::Committer;
use strongroom::domain::scope::Scope;
use strongroom::domain::tenancy::Region;
use strongroom::domain::unit::{Change, Unit};
use strongroom::embed::{EMBEDDED_SLUG, Embedded};
use strongroom::{Code, Error, Service, Session, Target};
use strongroom_testkit::build;

const OK: Option<Code> = None;
const OFF: Option<Code> = Some(Code::KeyUnusable);
const PENDING: Option<Code> = Some(Code::KeyPendingDeletion);
const GONE: Option<Code> = Some(Code::KeyNotFound);

/// Of each operation, what comes of it on a key that is active, disabled, pending deletion, and past its date.
const IN_EVERY_STATE: [(Operation, [Option<Code>; 4]); 18] = [
    (Operation::Get, [OK, OK, OK, GONE]),
    (Operation::Encrypt, [OK, OFF, PENDING, GONE]),
    (Operation::Decrypt, [OK, OFF, PENDING, GONE]),
    (Operation::Sign, [OK, OFF, PENDING, GONE]),
    (Operation::Verify, [OK, OFF, PENDING, GONE]),
    (Operation::Hmac, [OK, OFF, PENDING, GONE]),
    (Operation::VerifyHmac, [OK, OFF, PENDING, GONE]),
    (Operation::PublicKey, [OK, OK, OK, GONE]),
    (Operation::Export, [OK, OFF, PENDING, GONE]),
    (Operation::Rotate, [OK, OFF, PENDING, GONE]),
    (Operation::SetRotation, [OK, OK, PENDING, GONE]),
    (Operation::Enable, [OK, OK, PENDING, GONE]),
    (Operation::Disable, [OK, OK, PENDING, GONE]),
    (Operation::Delete, [OK, OK, OK, GONE]),
    (Operation::CancelDeletion, [OK, OK, OK, GONE]),
    (Operation::Rewrap, [OK, OFF, PENDING, GONE]),
    (Operation::Inventory, [OK, OK, OK, GONE]),
    (Operation::Retire, [OK, OFF, PENDING, GONE]),
];

const PAST_THE_DATE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Brings the key from active into the state of this column.
async fn enter(state: usize, world: &World, at: (&Embedded, &Session), subject: &Subject) -> Result<(), Error> {
    let at = (at.0.engine(), at.1);
    match state {
        0 => Ok(()),
        1 => Operation::Disable.call(at, subject).await,
        2 => Operation::Delete.call(at, subject).await,
        _ => {
            Operation::Delete.call(at, subject).await?;
            world.clock.advance(PAST_THE_DATE);
            Ok(())
        }
    }
}

#[tokio::test]
async fn every_operation_in_every_state() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let mut count = 0;
    for (operation, codes) in IN_EVERY_STATE {
        for (state, expected) in codes.into_iter().enumerate() {
            count += 1;
            let name = format!("key {count}");
            let subject = Subject::make(room.engine(), &session, &name, operation.able_type()).await;
            enter(state, &world, (&room, &session), &subject).await.expect("gets there");
            let outcome = operation.call((room.engine(), &session), &subject).await;
            assert_eq!(code(outcome), expected, "{operation:?} in state {state}");
        }
    }
    assert!(Operation::ALL.iter().all(|operation| IN_EVERY_STATE.iter().any(|(it, _)| it == operation)));
}

/// Whether the purge was done makes no difference to anyone.
#[tokio::test]
async fn a_key_past_its_date_is_gone_before_its_purge_and_after() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let bystander = Subject::make(engine, &session, "bystander", KeyType::default()).await;
    let subject = Subject::make(engine, &session, "app", KeyType::default()).await;
    create(&room, &session, "/a", &subject.key, b"1").await.expect("creates");
    Operation::Delete.call((engine, &session), &subject).await.expect("deletes");
    Operation::Delete.call((engine, &session), &bystander).await.expect("deletes");
    Operation::CancelDeletion.call((engine, &session), &bystander).await.expect("thinks better of it");
    let view = async || {
        let describe = engine.describe(&session, path("/a")).await.expect("allowed");
        describe.run(None).await.expect("reads").key.map(|key| key.status.as_str())
    };
    assert_eq!(listed(engine, &session).await, 2);
    assert_eq!(view().await, Some("pending_deletion"));
    world.clock.advance(PAST_THE_DATE - Duration::from_secs(1));
    assert_eq!(listed(engine, &session).await, 2, "a second is left");
    world.clock.advance(Duration::from_secs(1));
    for purged in [false, true] {
        if purged {
            assert_eq!(engine.purge_due_keys().await.ok(), Some(0), "clocks may differ");
            world.clock.advance(Duration::from_secs(60 * 60));
            assert_eq!(engine.purge_due_keys().await.ok(), Some(1));
        }
        assert_eq!(listed(engine, &session).await, 1, "purged: {purged}");
        assert_eq!(view().await, None);
        for operation in Operation::ALL {
            let outcome = operation.call((engine, &session), &subject).await;
            assert_eq!(code(outcome), GONE, "{operation:?}, purged: {purged}");
        }
        assert_eq!(code(engine.key(&session, "app").await.map(drop)), GONE, "by slug");
        let unusable = Some(Code::KeyUnusable);
        assert_eq!(code(reveal(&room, &session, "/a").await), unusable);
        assert_eq!(code(put(&room, &session, "/a", b"2").await), unusable);
        assert_eq!(code(create(&room, &session, "/b", &subject.key, b"1").await), GONE);
    }
    engine.delete(&session, path("/a")).await.expect("allowed").run().await.expect("deletes");
}

#[tokio::test]
async fn the_summary_counts_what_is_there() {
    let house = House::new().await;
    let session = house.secrets(house.owner, None).await.expect("enters");
    let engine = &house.engine;
    let counts = async || {
        let summary = engine.summary(&house.by(house.owner).await, None).await.expect("counts");
        let counts = summary.regions[0].counts;
        (counts.active, counts.disabled, counts.pending_deletion)
    };
    for name in ["first", "second", "third", "off"] {
        key_of(engine, &session, name, KeyType::default()).await;
    }
    engine.switch(&session, "off", false).await.expect("allowed").run().await.expect("disables");
    assert_eq!(counts().await, (3, 1, 0));
    for (name, expected) in [("first", (2, 1, 1)), ("off", (2, 0, 2))] {
        engine.delete_key(&session, name).await.expect("allowed").run().await.expect("deletes");
        assert_eq!(counts().await, expected);
    }
    house.clock.advance(Duration::from_secs(24 * 60 * 60));
    engine.delete_key(&session, "second").await.expect("allowed").run().await.expect("deletes");
    assert_eq!(counts().await, (1, 0, 3));
    house.clock.advance(PAST_THE_DATE - Duration::from_secs(24 * 60 * 60));
    assert_eq!(counts().await, (1, 0, 1), "two are past their date");
    house.clock.advance(Duration::from_secs(60 * 60));
    assert_eq!(engine.purge_due_keys().await.ok(), Some(2));
    assert_eq!(counts().await, (1, 0, 1));
}

/// Of a key that can't be used in a region without KMS, the key is what callers hear of.
#[tokio::test]
async fn every_operation_in_a_region_without_a_kms() {
    let world = World::new();
    let organisation = build::organisation(EMBEDDED_SLUG);
    let region = Region { kms_enabled: false, ..build::region(EMBEDDED_SLUG) };
    let scope = Scope { organisation: organisation.id, region: region.id, project: None };
    let mut changes = vec![Change::InsertOrganisation(organisation), Change::InsertRegion(region)];
    let pending = KeyStatus::PendingDeletion { purge_at: build::at(100), was_disabled: false };
    let mut subjects = Vec::new();
    for (operation, codes) in IN_EVERY_STATE {
        for (status, expected) in [KeyStatus::Active, KeyStatus::Disabled, pending].into_iter().zip(codes) {
            let key = build::key(scope, &format!("{operation:?} {}", status.as_str()));
            let spec = KeySpec { key_type: operation.able_type(), export_allowed: true, ..key.spec };
            let key = Key { spec, state: KeyState { status, ..key.state }, ..key };
            let subject = Subject {
                name: key.slug.clone(),
                key: Arc::new(key.clone()),
                ciphertext: "thalassa:v1:AAAA".to_owned(),
                signature: String::new(),
                hmac: String::new(),
            };
            changes.push(Change::InsertKey(key));
            subjects.push((operation, subject, expected.or(Some(Code::KmsNotConfigured))));
        }
    }
    world.store.commit(Unit { changes, ..Unit::default() }).await.expect("an empty store");
    let room = world.node().await;
    let session = room.session();
    for (operation, subject, expected) in subjects {
        let outcome = operation.call((room.engine(), &session), &subject).await;
        assert_eq!(code(outcome), expected, "{operation:?} on {}", subject.key.name);
    }
    assert_eq!(
        code(room.engine().wrapping_key(&session).await.expect("allowed").run().await),
        Some(Code::KmsNotConfigured)
    );
}

#[tokio::test]
async fn behind_a_closed_gate_there_is_only_the_summary() {
    let house = House::new().await;
    let session = house.secrets(house.owner, None).await.expect("enters");
    key_of(&house.engine, &session, "app", KeyType::default()).await;
    let mut organisation = house.organisation().await;
    organisation.gates.kms = false;
    organisation.revision = organisation.revision.next();
    let changes = vec![Change::ReplaceOrganisation(organisation)];
    house.store.commit(Unit { changes, ..Unit::default() }).await.expect("closes it");
    house.clock.advance(Duration::from_secs(1));
    for service in [Service::Kms, Service::Secrets] {
        let target = Target { action: Action::KmsSign, resource: None };
        let by = house.by(house.owner).await;
        let refused = house.engine.enter(by, service, REGION, None, target).await.map(drop).expect_err("it is closed");
        assert_eq!(refused.code(), Code::FeatureDisabled);
        assert!(refused.to_string().starts_with("KMS must be enabled first"), "{refused}");
    }
    let summary = house.engine.summary(&house.by(house.owner).await, None).await.expect("is open to all");
    assert!(!summary.feature_enabled);
    assert_eq!(summary.regions[0].counts.active, 1);
}

const NO: Option<Code> = Some(Code::UnsupportedOperation);
const UNFIT: Option<Code> = Some(Code::KeyUnusable);

const COLUMNS: [Operation; 9] = [
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

/// Of each type, what comes of each operation; and last, of binding a secret to such a key.
const ON_EVERY_TYPE: [(KeyType, [Option<Code>; 9], Option<Code>); 13] = [
    (KeyType::Aes128Gcm96, [OK, OK, NO, NO, NO, NO, NO, OK, OK], OK),
    (KeyType::Aes256Gcm96, [OK, OK, NO, NO, NO, NO, NO, OK, OK], OK),
    (KeyType::ChaCha20Poly1305, [OK, OK, NO, NO, NO, NO, NO, OK, OK], OK),
    (KeyType::Rsa2048, [OK, OK, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::Rsa3072, [OK, OK, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::Rsa4096, [OK, OK, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::EcdsaP256, [NO, NO, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::EcdsaP384, [NO, NO, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::EcdsaP521, [NO, NO, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::Ed25519, [NO, NO, OK, OK, NO, NO, OK, OK, OK], UNFIT),
    (KeyType::Hmac, [NO, NO, NO, NO, OK, OK, NO, OK, OK], UNFIT),
    (KeyType::HmacSha256, [NO, NO, NO, NO, OK, OK, NO, OK, OK], UNFIT),
    (KeyType::HmacSha512, [NO, NO, NO, NO, OK, OK, NO, OK, OK], UNFIT),
];

#[tokio::test]
async fn every_operation_on_every_type() {
    let world = World::new();
    let room = world.node().await;
    let session = room.session();
    let at = (room.engine(), &session);
    for (key_type, codes, binding) in ON_EVERY_TYPE {
        let subject = Subject::make(room.engine(), &session, key_type.as_str(), key_type).await;
        for (operation, expected) in COLUMNS.into_iter().zip(codes) {
            let outcome = operation.call(at, &subject).await;
            if let Err(error) = &outcome
                && error.code() == Code::UnsupportedOperation
            {
                let text = error.to_string();
                let able = operation.able_type().as_str();
                assert!(text.contains(key_type.as_str()) && text.contains(able), "{text}");
            }
            assert_eq!(code(outcome), expected, "{operation:?} on {key_type}");
        }
        let bound = create(&room, &session, &format!("/{key_type}"), &subject.key, b"1").await;
        assert_eq!(code(bound), binding, "a secret under {key_type}");
    }
    assert!(KeyType::ALL.iter().all(|key_type| ON_EVERY_TYPE.iter().any(|(it, ..)| it == key_type)));
}

#[tokio::test]
async fn what_is_wrong_with_the_input_comes_before_the_state_of_the_key() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let subject = Subject::make(engine, &session, "app", KeyType::Ed25519).await;
    Operation::Disable.call((engine, &session), &subject).await.expect("disables");
    let long = || message(&[0; 65_536]);
    let sign = async |input| code(engine.sign(&session, "app").await.expect("allowed").run(input, None).await);
    assert_eq!(sign(long()).await, Some(Code::InvalidRequest));
    assert_eq!(sign(message(b"")).await, OFF);
    let verify = engine.verify(&session, "app").await.expect("allowed").run(long(), "").await;
    assert_eq!(code(verify), Some(Code::InvalidRequest));
    let unsigned = engine.verify(&session, "app").await.expect("allowed").run(message(b"x"), "").await;
    assert_eq!(code(unsigned), OFF);
    let keyless = key_of(engine, &session, "other", KeyType::Hmac).await;
    assert_eq!(keyless.versions.len(), 1);
    let encrypt = engine.encrypt(&session, "other").await.expect("allowed");
    assert_eq!(code(encrypt.run(bytes(b""), None).await), Some(Code::InvalidRequest));
}
