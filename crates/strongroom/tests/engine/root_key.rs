//! Rotating the root key: over a KMS whose material is sealed under it, cut short anywhere, beside others who change the same keys.

use crate::iam::support::{House, REGION};
use crate::support::{bytes, code, path, string};
use async_trait::async_trait;
use core::pin::pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use strongroom::domain::audit::{Action, RequestInfo};
use strongroom::domain::id::{CredentialId, RequestId};
use strongroom::domain::kms::{Key, KeyHandle, KeyVersion};
use strongroom::domain::port::{
    AuthenticateError, Authenticated, Authenticator, Clock, CommitError, Committer, Credential, IdGenerator, KeyReader,
    Kms, RootKey, RootKeys, SetupReader,
};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::root_key::RootKeyId;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{AggregateId, Change, Expect, Unit};
use strongroom::domain::version::VersionSelector;
use strongroom::kms::CreateKeyInput;
use strongroom::secret::CreateInput;
use strongroom::system::{OperatorSession, RootKeyRotation};
use strongroom::{Code, Engine, Error, Limits, Needs, Ports, Service, Session, Target};
use strongroom_crypto::OsEntropy;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{InstanceKeys, RootKeyRing, SoftwareRootKey, key_check};
use strongroom_store_memory::MemoryStore;
use uuid::Uuid;

const KEYS: usize = 7;
const SECRETS: usize = 3;
const TARGET: Target<'static> = Target { action: Action::SystemRootKeyRotate, resource: None };

fn root(byte: u8) -> SoftwareRootKey {
    SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives")
}

fn ring(bytes: &[u8]) -> Arc<RootKeyRing> {
    Arc::new(RootKeyRing::new(bytes.iter().map(|byte| root(*byte))).expect("keys"))
}

fn id(byte: u8) -> RootKeyId {
    root(byte).id()
}

/// Knows the operator, besides those whom another one knows.
struct Door(Arc<dyn Authenticator>);

#[async_trait]
impl Authenticator for Door {
    async fn authenticate(&self, shown: &Credential, at: Timestamp) -> Result<Authenticated, AuthenticateError> {
        if let Credential::Token(token) = shown
            && token.expose() == b"operator"
        {
            let id = CredentialId::new(Uuid::from_u128(5));
            let caller = Caller::new(Principal::Operator(id), id, CredentialScopes::ALL, Reach::Given(Vec::new()));
            return Ok(Authenticated::Caller(Arc::new(caller)));
        }
        self.0.authenticate(shown, at).await
    }

    fn forget(&self, token: &Token) {
        self.0.forget(token);
    }
}

/// Is pending once.
async fn breathe() {
    let mut breathed = false;
    core::future::poll_fn(|context| {
        if core::mem::replace(&mut breathed, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A store and a clock that let go of the caller before and after each step, as those of a machine do.
struct Slow<T: ?Sized>(Arc<T>);

#[async_trait]
impl<T: Committer + ?Sized> Committer for Slow<T> {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        breathe().await;
        let committed = self.0.commit(unit).await;
        breathe().await;
        committed
    }
}

#[async_trait]
impl<T: Clock + ?Sized> Clock for Slow<T> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        breathe().await;
        self.0.sleep(duration).await;
        breathe().await;
    }
}

/// A committer before whose next handles somebody else changes a key.
struct Raced {
    store: Arc<MemoryStore>,
    rival: Mutex<Option<Unit>>,
    conflicts: AtomicUsize,
}

#[async_trait]
impl Committer for Raced {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        if unit.changes.iter().any(|change| matches!(change, Change::ReplaceKeyHandle { .. })) {
            let rival = self.rival.lock().expect("unpoisoned").take();
            if let Some(rival) = rival {
                self.store.commit(rival).await.expect("the rival is faster");
            }
        }
        let committed = self.store.commit(unit).await;
        self.conflicts.fetch_add(usize::from(committed.is_err()), Ordering::Relaxed);
        committed
    }
}

/// An installation under root key 1, with keys and secrets.
struct Site {
    house: House,
    ports: Ports,
    engine: Arc<Engine>,
    ring: Arc<RootKeyRing>,
}

impl Site {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Ports)) -> Self {
        let mut found = None;
        let house = House::with(|ports| found = Some(ports.clone())).await;
        let mut ports = found.expect("set");
        let first = ring(&[1]);
        let (_, instance_keys) = InstanceKeys::generate(first.as_ref(), &OsEntropy).expect("generates");
        let mut changes = vec![Change::ReplaceKeyCheck(key_check(first.as_ref()).expect("seals"))];
        changes.extend(instance_keys.into_iter().map(Change::InsertInstanceKey));
        house.store.commit(Unit { changes, ..Unit::default() }).await.expect("stored");
        ports.authenticator = Arc::new(Door(ports.authenticator));
        let site = Self { engine: Arc::new(engine(&ports, &first)), ring: first, ports, house };
        let session = site.session(Service::Kms).await;
        let mut keys = Vec::new();
        for n in 0..KEYS {
            let create = site.engine.create_key(&session).await.expect("allowed");
            keys.push(create.run(CreateKeyInput::named(&format!("key {n}"))).await.expect("created"));
        }
        for _ in 0..2 {
            let rotate = site.engine.rotate(&session, &keys[0].slug).await.expect("allowed");
            rotate.run().await.expect("rotated");
        }
        for (n, key) in keys.iter().enumerate().take(SECRETS) {
            site.create_secret(n, key).await;
        }
        let mut ports = site.ports;
        change(&mut ports);
        // A node that was started with both keys.
        let ring = ring(&[1, 2]);
        assert!(ring.switch_to(id(1)));
        Self { engine: Arc::new(engine(&ports, &ring)), ring, ports, house: site.house }
    }

    /// Another node, or this one started anew, with these root keys in its file. As at every start, the store says which one seals.
    async fn node(&self, keys: &[u8]) -> (Arc<Engine>, Arc<RootKeyRing>) {
        let ring = ring(keys);
        ring.adopt(&self.house.store.key_check().await.expect("readable").expect("set up")).expect("has the store's");
        (Arc::new(engine(&self.ports, &ring)), ring)
    }

    async fn session(&self, service: Service) -> Session {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.house.ids.next())));
        let credential = Credential::Token(bytes(self.house.owner.to_string().as_bytes()));
        let call = self.engine.authenticate(Some(&credential), request).await.expect("known");
        let organisation = self.house.id.to_string();
        let session = self.engine.enter_organisation(call, Some(&organisation), Needs::Write, TARGET).await;
        self.engine.enter(session.expect("a member"), service, REGION, None, TARGET).await.expect("there")
    }

    async fn operator(&self) -> OperatorSession {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.house.ids.next())));
        let call =
            self.engine.authenticate(Some(&Credential::Token(bytes(b"operator"))), request).await.expect("known");
        self.engine.enter_operator(call, Needs::Write, TARGET).await.expect("the operator")
    }

    async fn rotate_on(&self, engine: &Engine, limit: u32) -> Result<RootKeyRotation, Error> {
        let operator = self.operator().await;
        engine.rotate_root_key(&operator).run(limit).await
    }

    /// Asks until nothing remains; gives what each call sealed anew.
    async fn rotate_all(&self, engine: &Engine, limit: u32) -> Vec<u64> {
        let mut resealed = Vec::new();
        loop {
            let step = self.rotate_on(engine, limit).await.expect("rotates");
            assert_eq!(step.root_key, id(2));
            resealed.push(step.resealed);
            if !step.remaining {
                return resealed;
            }
            assert!(resealed.len() < 1_000, "it never ends: {resealed:?}");
        }
    }

    async fn create_secret(&self, n: usize, key: &Key) {
        let session = self.session(Service::Secrets).await;
        let create = self.engine.create(&session, path(&format!("/app/{n}"))).await.expect("allowed");
        let input = CreateInput::string(key, bytes(format!("value {n}").as_bytes()));
        create.run(input, None).await.map(drop).expect("created");
    }

    async fn keys(&self) -> Vec<Key> {
        self.house.store.all(None, 10_000).await.expect("readable")
    }

    /// Under which of the root keys 1 and 2 everything is sealed: how many under each.
    async fn sealed_under(&self) -> [usize; 2] {
        let mut under = [0; 2];
        let alone = [ring(&[1]), ring(&[2])];
        let kms = [0, 1].map(|n| LocalKms::new(alone[n].clone(), Arc::new(OsEntropy)));
        for key in self.keys().await {
            for version in &key.versions {
                let mut opens = 0;
                for n in 0..2 {
                    let reads = kms[n].encrypt(&key.spec, version, b"aad", &bytes(b"x")).await.is_ok();
                    under[n] += usize::from(reads);
                    opens += usize::from(reads);
                }
                assert_eq!(opens, 1, "version {} of {} opens under one root key", version.number, key.spec.id);
            }
        }
        for key in self.house.store.instance_keys().await.expect("readable") {
            let opens: Vec<_> = (0..2).filter(|n| RootKeys::reseal(&*alone[*n], &key).is_ok()).collect();
            assert_eq!(opens.len(), 1, "{:?} opens under one root key", key.purpose);
            under[opens[0]] += 1;
        }
        under
    }

    /// Every secret reveals its value on a node that has these root keys only.
    async fn assert_secrets(&self, keys: &[u8]) {
        let (engine, _) = self.node(keys).await;
        let session = self.session(Service::Secrets).await;
        for n in 0..SECRETS {
            let reveal = engine.reveal(&session, path(&format!("/app/{n}"))).await.expect("allowed");
            reveal.run(VersionSelector::Current).await.map(drop).expect("reveals");
        }
    }

    async fn assert_moved(&self) {
        let [old, new] = self.sealed_under().await;
        assert_eq!(old, 0);
        assert!(new >= KEYS + 2 + 4, "{new}");
        self.assert_secrets(&[2]).await;
    }

    async fn records(&self) -> Vec<(&'static str, u16, String)> {
        let records = self.house.records().await.into_iter();
        let rotations = records.filter(|it| it.action == Action::SystemRootKeyRotate);
        let text = |it: strongroom::domain::audit::AuditRecord| {
            (it.outcome.as_str(), it.status, it.resource.expect("a resource").identity)
        };
        rotations.map(text).collect()
    }
}

fn engine(ports: &Ports, ring: &Arc<RootKeyRing>) -> Engine {
    let kms: Arc<dyn Kms> = Arc::new(LocalKms::new(ring.clone(), Arc::new(OsEntropy)));
    let ports = Ports {
        kms: ports.kms.keys().map(|region| (*region, Arc::clone(&kms))).collect(),
        root_keys: Some(ring.clone()),
        ..ports.clone()
    };
    Engine::new(ports, Limits::default())
}

#[tokio::test]
async fn in_steps_until_nothing_is_sealed_under_the_old_key() {
    let site = Site::new().await;
    let all: usize = site.sealed_under().await.iter().sum();
    assert_eq!(all, KEYS + 2 + 4);
    let before = site.house.clock.now();
    let steps = site.rotate_all(&site.engine, 2).await;
    assert_eq!(steps.iter().sum::<u64>(), all as u64);
    assert!(steps.len() > KEYS / 2, "{steps:?}");
    // The installation's own keys go together, and so do a key's versions.
    assert!(steps.iter().all(|resealed| *resealed <= 4), "{steps:?}");
    assert!(site.house.clock.now().micros_since(before) >= 2_000_000, "the other nodes were given their time");
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

/// What was sealed before the switch and stored after the first sweep passed it is found by the second.
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
        let site = Site::with(|ports| {
            ports.committer = Arc::new(Slow(Arc::clone(&ports.committer)));
            ports.clock = Arc::new(Slow(Arc::clone(&ports.clock)));
        })
        .await;
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
    assert!(cuts > 15, "there were steps to cut at: {cuts}");
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
