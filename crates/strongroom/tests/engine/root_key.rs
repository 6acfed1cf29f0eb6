//! Rotating the root key: over a KMS whose material is sealed under it, cut short anywhere, beside others who change the same keys.

mod site;

use crate::support::{bytes, code, path, string};
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Waker};
use site::{KEYS, Raced, SECRETS, Site, Slow, id, ring, root};
use std::sync::{Arc, Mutex};
use strongroom::domain::audit::{Checkpoint, Signature, SignedCheckpoint};
use strongroom::domain::kms::{KeyHandle, KeyVersion};
use strongroom::domain::port::{
    AuditKeys, AuditReader, Clock, Committer, Entropy, KeyReader, Kms, RootKeys, SetupReader,
};
use strongroom::domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom::domain::unit::{AggregateId, Change, Expect, Unit};
use strongroom::kms::CreateKeyInput;
use strongroom::{AuditKeyPorts, Code, Engine, Limits, Ports, Service};
use strongroom_crypto::{Ed25519Verifier, OsEntropy};
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{AuditKeyRing, InstanceKeys};

#[tokio::test]
async fn in_steps_until_nothing_is_sealed_under_the_old_key() {
    let site = Site::new().await;
    let all: usize = site.sealed_under().await.iter().sum();
    assert_eq!(all, KEYS + 2 + 4);
    let steps = site.rotate_all(&site.engine, 2).await;
    assert_eq!(steps.iter().sum::<u64>(), all as u64);
    assert!(steps.len() > KEYS / 2, "{steps:?}");
    // The installation's own keys go together, and so do a key's versions.
    assert!(steps.iter().all(|resealed| *resealed <= 4), "{steps:?}");
    assert_eq!((site.ring.current(), site.ring.newest()), (id(2), id(2)));
    site.assert_moved().await;
    let name = format!("root-key {}", id(2));
    assert_eq!(site.records().await, [("success", 202, name.clone()), ("success", 200, name.clone())]);

    // Again, there is nothing to do, and it is said so.
    assert_eq!(site.rotate_all(&site.engine, 2).await, [0]);
    assert_eq!(site.records().await.last(), Some(&("success", 200, name)));
    let status = site.engine.root_key_status(&site.operator().await).await.expect("known");
    assert_eq!((status.root_key, status.newest), (id(2), id(2)));
    assert_eq!(site.house.last_record().await, ("system.root_key.read", "success", 200));
}

#[tokio::test]
async fn the_rest_goes_on_meanwhile() {
    let site = Site::new().await;
    let session = site.session(Service::Kms).await;
    let first = site.rotate_on(&site.engine, 1).await.expect("begins");
    assert!(first.remaining);
    let create = site.engine.create_key(&session).await.expect("allowed");
    let key = create.run(CreateKeyInput::named("meanwhile")).await.expect("created");
    site.engine.rotate(&session, "key-1").await.expect("allowed").run().await.expect("rotated");
    let secrets = site.session(Service::Secrets).await;
    let put = site.engine.put(&secrets, path("/app/0")).await.expect("allowed");
    put.run(string(b"new"), None).await.map(drop).expect("put");
    site.create_secret(SECRETS, &key).await;
    site.rotate_all(&site.engine, 3).await;
    site.assert_moved().await;
}

/// What comes back from before, as from a backup, is found by the next rotation.
#[tokio::test]
async fn what_comes_late_is_found_too() {
    let site = Site::new().await;
    let late = site.keys().await.pop().expect("keys");
    site.rotate_all(&site.engine, 1_000).await;
    let version = late.versions[0].clone();
    let found = site.house.store.get(late.spec.id, strongroom::domain::port::Freshness::Latest).await;
    let revision = found.expect("readable").expect("there").state.revision;
    let change = Change::ReplaceKeyHandle { key: late.spec.id, version, revision: revision.next() };
    site.house.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("stored");
    assert_eq!(site.sealed_under().await[0], 1);
    assert_eq!(site.rotate_all(&site.engine, 1_000).await, [1]);
    site.assert_moved().await;
}

/// Cut short after every step, on a node that is started anew: what was done stays, and the next call ends it.
#[tokio::test]
async fn wherever_it_is_cut_it_is_ended_by_the_next_call() {
    let mut cuts = 0;
    loop {
        let site = Site::with(|ports| ports.committer = Arc::new(Slow(Arc::clone(&ports.committer)))).await;
        let ended = {
            let mut run = pin!(site.rotate_all(&site.engine, 2));
            let mut context = Context::from_waker(Waker::noop());
            (0..=cuts).any(|_| run.as_mut().poll(&mut context).is_ready())
        };
        let under = site.sealed_under().await;
        assert_eq!(under.iter().sum::<usize>(), KEYS + 2 + 4, "cut {cuts}");
        site.assert_secrets(&[1, 2]).await;
        // The node that was cut is gone; the next one has both keys, and the store's check.
        let (engine, ring) = site.node(&[1, 2]).await;
        assert_eq!(ring.newest(), id(2));
        site.rotate_all(&engine, 3).await;
        site.assert_moved().await;
        if ended {
            break;
        }
        cuts += 1;
        assert!(cuts < 1_000);
    }
    assert!(cuts > 10, "there were steps to cut at: {cuts}");
}

#[tokio::test]
async fn a_key_that_others_change_at_the_same_time_is_moved_after_them() {
    let mut site = Site::new().await;
    let key = site.keys().await.swap_remove(3);
    let state = key.switched(false, site.house.clock.now()).expect("active").expect("changes");
    let rival = Unit {
        expect: vec![Expect::Revision(AggregateId::Key(key.spec.id), key.state.revision)],
        changes: vec![Change::ReplaceKeyState { key: key.spec.id, state }],
        records: Vec::new(),
    };
    let (store, rival, conflicts) = (site.house.store.clone(), Mutex::new(Some(rival)), AtomicUsize::new(0));
    let committer = Arc::new(Raced { store, rival, conflicts });
    site.ports.committer = committer.clone();
    let (engine, _) = site.node(&[1, 2]).await;
    let steps = site.rotate_all(&engine, 1_000).await;
    assert_eq!(steps.iter().sum::<u64>(), (KEYS + 2 + 4) as u64);
    assert_eq!(committer.conflicts.load(Ordering::Relaxed), 2, "together, and the one alone");
    let after = site.keys().await.into_iter().find(|it| it.spec.id == key.spec.id).expect("there");
    assert!(after.check_usable().is_err(), "what the other changed stands");
    let [old, _] = site.sealed_under().await;
    assert_eq!(old, 0);
}

#[tokio::test]
async fn other_nodes_follow_when_they_keep_house() {
    let site = Site::new().await;
    let (other, others) = site.node(&[1, 2]).await;
    let (stranger, strangers) = site.node(&[1]).await;
    let outdated = site.node(&[3, 1]).await.0;
    site.rotate_on(&site.engine, 1).await.expect("begins");
    assert_eq!(others.current(), id(1));
    other.frequent_housekeeping().await.expect("follows");
    assert_eq!(others.current(), id(2));
    other.frequent_housekeeping().await.expect("nothing new");

    let error = stranger.frequent_housekeeping().await.expect_err("has not the key");
    assert_eq!(error.code(), Code::KmsUnavailable);
    assert!(error.to_string().contains(&id(2).to_string()), "{error}");
    assert_eq!(strangers.current(), id(1));
    // Its own newest key would be a step back.
    for node in [&stranger, &outdated] {
        assert_eq!(code(site.rotate_on(node, 10).await), Some(Code::KmsUnavailable));
    }
    let check = site.house.store.key_check().await.expect("readable").expect("there");
    assert_eq!(check.root_key, id(2));
    // Two nodes may be asked in turn.
    site.rotate_on(&other, 2).await.expect("goes on");
    site.rotate_all(&site.engine, 2).await;
    site.assert_moved().await;
}

#[tokio::test]
async fn a_node_that_has_not_heard_of_the_new_key_stores_nothing_under_the_old_one() {
    let site = Site::new().await;
    let first = site.keys().await.remove(0);
    let session = site.session(Service::Kms).await;
    // Each on a node of its own, which still seals under the key before.
    let mut late = Vec::new();
    for _ in 0..2 {
        late.push(site.node(&[1, 2]).await);
    }
    site.rotate_all(&site.engine, 100).await;
    let [(creates, ring), (rotates, _)] = late.as_slice() else { panic!("two") };
    assert_eq!(ring.current(), id(1));

    let create = creates.create_key(&session).await.expect("allowed");
    let made = create.run(CreateKeyInput::named("late")).await.expect("created");
    assert_eq!((ring.current(), made.slug.as_str()), (id(2), "late"), "it went over, and nothing else is another");
    let rotate = rotates.rotate(&session, &first.slug).await.expect("allowed");
    let rotated = rotate.run().await.expect("rotated");
    assert_eq!(rotated.versions.len(), first.versions.len() + 1);
    let [old, _] = site.sealed_under().await;
    assert_eq!(old, 0);
    assert!(site.keys().await.iter().any(|key| key.spec.id == made.spec.id));
    site.assert_moved().await;
}

#[tokio::test]
async fn a_node_that_was_not_given_the_new_key_stores_nothing() {
    let site = Site::new().await;
    let session = site.session(Service::Kms).await;
    let (stranger, _) = site.node(&[1]).await;
    site.rotate_all(&site.engine, 100).await;
    let before = site.keys().await.len();
    let create = stranger.create_key(&session).await.expect("allowed");
    let error = create.run(CreateKeyInput::named("late")).await.expect_err("sealed under another key");
    assert_eq!(error.code(), Code::KmsUnavailable);
    assert!(error.to_string().contains(&id(2).to_string()), "{error}");
    assert_eq!(site.keys().await.len(), before);
}

#[tokio::test]
async fn keys_of_a_region_without_a_kms_hold_up_the_end_and_nothing_else() {
    let site = Site::new().await;
    let without = Ports { kms: Default::default(), root_keys: Some(site.ring.clone()), ..site.ports.clone() };
    let bare = Engine::new(without, Limits::default());
    let outcome = site.rotate_on(&bare, 1_000).await;
    assert_eq!(code(outcome), Some(Code::KmsNotConfigured));
    assert_eq!(site.sealed_under().await, [KEYS + 2, 4], "the installation's own keys are moved");
    bare.record_counted_failures().await.expect("there is room");
    assert_eq!(site.records().await.last().map(|it| (it.0, it.1)), Some(("failure", 503)));
    site.rotate_all(&site.engine, 1_000).await;
    site.assert_moved().await;
}

#[tokio::test]
async fn a_damaged_key_holds_up_the_end_and_nothing_else() {
    let site = Site::new().await;
    let damaged = site.keys().await.swap_remove(KEYS - 1);
    let version = KeyVersion { handle: KeyHandle::new(vec![1; 80]), ..damaged.versions[0].clone() };
    let change = Change::ReplaceKeyHandle { key: damaged.spec.id, version, revision: damaged.state.revision.next() };
    site.house.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("stored");
    let mut outcome = site.rotate_on(&site.engine, 2).await;
    while outcome.as_ref().is_ok_and(|step| step.remaining) {
        outcome = site.rotate_on(&site.engine, 2).await;
    }
    let error = outcome.expect_err("not whole");
    assert_eq!(error.code(), Code::KeyUnusable);
    assert!(error.to_string().contains(&damaged.spec.id.to_string()), "{error}");
    let kms = LocalKms::new(ring(&[2]), Arc::new(OsEntropy));
    for key in site.keys().await.iter().filter(|key| key.spec.id != damaged.spec.id) {
        for version in &key.versions {
            assert!(kms.encrypt(&key.spec, version, b"", &bytes(b"x")).await.is_ok());
        }
    }
    // Once it is gone, the rotation ends.
    let gone = Change::DeleteKey { key: damaged.spec.id };
    site.house.store.commit(Unit { changes: vec![gone], ..Unit::default() }).await.expect("stored");
    assert_eq!(site.rotate_all(&site.engine, 2).await, [0]);
}

#[tokio::test]
async fn limits_have_bounds_and_some_programs_have_no_root_key() {
    let site = Site::new().await;
    for limit in [0, 1_001, u32::MAX] {
        assert_eq!(code(site.rotate_on(&site.engine, limit).await), Some(Code::InvalidRequest));
    }
    assert_eq!(site.sealed_under().await[1], 0);
    let without = Engine::new(Ports { root_keys: None, ..site.ports.clone() }, Limits::default());
    assert_eq!(code(site.rotate_on(&without, 1).await), Some(Code::UnsupportedOperation));
    let status = without.root_key_status(&site.operator().await).await;
    assert_eq!(code(status), Some(Code::UnsupportedOperation));
    without.frequent_housekeeping().await.expect("there is nothing to follow");
}

#[tokio::test]
async fn two_calls_on_one_node_take_turns() {
    let site = Site::new().await;
    let (one, other) = tokio::join!(site.rotate_on(&site.engine, 1_000), site.rotate_on(&site.engine, 1_000));
    let (one, other) = (one.expect("rotates"), other.expect("rotates"));
    assert!(!one.remaining && !other.remaining);
    assert_eq!(one.resealed + other.resealed, (KEYS + 2 + 4) as u64);
    site.assert_moved().await;
}

/// Somebody who can write to the database added keys of their own beside those of the log.
async fn with_foreign_keys() -> (Site, Arc<AuditKeyRing>, Engine) {
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let mut site = Site::new().await;
    let store = site.house.store.clone();
    let (_, made) = InstanceKeys::generate(&root(9), &OsEntropy).expect("generates");
    let theirs = AuditKeyRing::open(Arc::new(root(9)), entropy.clone(), &made, None).expect("opens");
    let slipped = [2, 3, u32::MAX].map(|version| Change::InsertInstanceKey(theirs.generate(version).expect("seals")));
    store.commit(Unit { changes: slipped.into(), ..Unit::default() }).await.expect("stored");
    let both = ring(&[1, 2]);
    assert!(both.switch_to(id(1)));
    let keys = AuditKeyRing::open(both.clone(), entropy, &store.instance_keys().await.expect("readable"), None);
    let keys = Arc::new(keys.expect("opens"));
    site.ports.audit_keys = Some(AuditKeyPorts { keys: keys.clone(), verifier: Arc::new(Ed25519Verifier) });
    let engine = site::engine(&site.ports, &both);
    (site, keys, engine)
}

#[tokio::test]
async fn a_damaged_checkpoint_beside_a_foreign_key_holds_up_the_end_and_nothing_else() {
    let (site, _, engine) = with_foreign_keys().await;
    let _ = engine.checkpoint_audit().await;
    let last = site.house.store.last_checkpoint().await.expect("readable").expect("written").read().expect("sound");
    let checkpoint =
        Checkpoint { number: last.checkpoint.number + 1, previous: last.checkpoint.hash(), ..last.checkpoint };
    let damaged = SignedCheckpoint { checkpoint, signature: Signature { key_version: 1, bytes: [7; 64] } };
    let unit = Unit { changes: vec![Change::AddCheckpoint(damaged)], ..Unit::default() };
    site.house.store.commit(unit).await.expect("stored");
    let mut outcome = site.rotate_on(&engine, 1_000).await;
    while outcome.as_ref().is_ok_and(|step| step.remaining) {
        outcome = site.rotate_on(&engine, 1_000).await;
    }
    assert_eq!(outcome.expect_err("not whole").code(), Code::Internal);
    let kms = LocalKms::new(ring(&[2]), Arc::new(OsEntropy));
    for key in site.keys().await {
        for version in &key.versions {
            assert!(kms.encrypt(&key.spec, version, b"", &bytes(b"x")).await.is_ok());
        }
    }
}

#[tokio::test]
async fn a_key_that_was_slipped_in_keeps_no_rotation_from_ending() {
    let (site, keys, engine) = with_foreign_keys().await;
    let store = site.house.store.clone();
    // What the house records is signed with another key: so there is an error, and checkpoints all the same.
    let checkpoint = async || drop(engine.checkpoint_audit().await);
    checkpoint().await;
    let operator = site.operator().await;
    let made = engine.rotate_audit_key(&operator).await.expect("rotates");
    assert_eq!(made.version, 4);
    for _ in 0..5 {
        checkpoint().await;
    }
    assert_eq!(keys.current(), 4);
    // Versions 2 and 3 are before the newest, and known to nobody all the same.
    let steps = site.rotate_all(&engine, 1_000).await;
    assert_eq!(steps.iter().sum::<u64>(), (KEYS + 2 + 4 + 1) as u64);
    let (mut own, mut foreign) = (0, 0);
    for key in store.instance_keys().await.expect("readable") {
        match RootKeys::reseal(&*ring(&[2]), &key) {
            Ok(_) => own += 1,
            Err(_) => foreign += 1,
        }
    }
    assert_eq!((own, foreign), (5, 3));
    // One that a checkpoint made known is missed.
    let stored = store.instance_keys().await.expect("readable");
    let known =
        |version| stored.iter().find(|key| key.purpose == InstanceKeyPurpose::AuditSigning && key.version == version);
    let (before, other) = (known(1).expect("there"), known(2).expect("there"));
    let key = SealedInstanceKey { sealed: other.sealed.clone(), ..before.clone() };
    let changes = vec![Change::ReplaceInstanceKey { before: before.sealed.clone(), key }];
    store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
    assert_eq!(code(site.rotate_on(&engine, 1_000).await), Some(Code::Internal));
}
