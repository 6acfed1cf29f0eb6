//! An installation whose root key is rotated, and what cuts it short.

use crate::iam::support::{House, REGION};
use crate::support::{bytes, path};
use async_trait::async_trait;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Poll;
use std::sync::{Arc, Mutex};
use strongroom::domain::audit::{Action, RequestInfo};
use strongroom::domain::id::{CredentialId, RequestId};
use strongroom::domain::kms::Key;
use strongroom::domain::port::{
    AuthenticateError, Authenticated, Authenticator, CommitError, Committer, Credential, IdGenerator, KeyReader, Kms,
    RootKey, RootKeys, SetupReader,
};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::root_key::RootKeyId;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{Change, Unit};
use strongroom::domain::version::VersionSelector;
use strongroom::kms::CreateKeyInput;
use strongroom::secret::CreateInput;
use strongroom::system::{OperatorSession, RootKeyRotation};
use strongroom::{Engine, Error, Limits, Needs, Ports, Service, Session, Target};
use strongroom_crypto::OsEntropy;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{InstanceKeys, RootKeyRing, SoftwareRootKey, key_check};
use strongroom_store_memory::MemoryStore;
use uuid::Uuid;

pub(super) const KEYS: usize = 7;
pub(super) const SECRETS: usize = 3;
pub(super) const TARGET: Target<'static> = Target { action: Action::SystemRootKeyRotate, resource: None };

pub(super) fn root(byte: u8) -> SoftwareRootKey {
    SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives")
}

pub(super) fn ring(bytes: &[u8]) -> Arc<RootKeyRing> {
    Arc::new(RootKeyRing::new(bytes.iter().map(|byte| root(*byte))).expect("keys"))
}

pub(super) fn id(byte: u8) -> RootKeyId {
    root(byte).id()
}

/// Knows the operator, besides those whom another one knows.
pub(super) struct Door(Arc<dyn Authenticator>);

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
pub(super) async fn breathe() {
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

/// A store that lets go of the caller before and after each step, as one on a machine does.
pub(super) struct Slow<T: ?Sized>(pub(super) Arc<T>);

#[async_trait]
impl<T: Committer + ?Sized> Committer for Slow<T> {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        breathe().await;
        let committed = self.0.commit(unit).await;
        breathe().await;
        committed
    }
}

/// A committer before whose next handles somebody else changes a key.
pub(super) struct Raced {
    pub(super) store: Arc<MemoryStore>,
    pub(super) rival: Mutex<Option<Unit>>,
    pub(super) conflicts: AtomicUsize,
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
pub(super) struct Site {
    pub(super) house: House,
    pub(super) ports: Ports,
    pub(super) engine: Arc<Engine>,
    pub(super) ring: Arc<RootKeyRing>,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Ports)) -> Self {
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
    pub(super) async fn node(&self, keys: &[u8]) -> (Arc<Engine>, Arc<RootKeyRing>) {
        let ring = ring(keys);
        ring.adopt(&self.house.store.key_check().await.expect("readable").expect("set up")).expect("has the store's");
        (Arc::new(engine(&self.ports, &ring)), ring)
    }

    pub(super) async fn session(&self, service: Service) -> Session {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.house.ids.next())));
        let credential = Credential::Token(bytes(self.house.owner.to_string().as_bytes()));
        let call = self.engine.authenticate(Some(&credential), request).await.expect("known");
        let organisation = self.house.id.to_string();
        let session = self.engine.enter_organisation(call, Some(&organisation), Needs::Write, TARGET).await;
        self.engine.enter(session.expect("a member"), service, REGION, None, TARGET).await.expect("there")
    }

    pub(super) async fn operator(&self) -> OperatorSession {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.house.ids.next())));
        let call =
            self.engine.authenticate(Some(&Credential::Token(bytes(b"operator"))), request).await.expect("known");
        self.engine.enter_operator(call, Needs::Write, TARGET).await.expect("the operator")
    }

    pub(super) async fn rotate_on(&self, engine: &Engine, limit: u32) -> Result<RootKeyRotation, Error> {
        let operator = self.operator().await;
        engine.rotate_root_key(&operator).run(limit).await
    }

    /// Asks until nothing remains; gives what each call sealed anew.
    pub(super) async fn rotate_all(&self, engine: &Engine, limit: u32) -> Vec<u64> {
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

    pub(super) async fn create_secret(&self, n: usize, key: &Key) {
        let session = self.session(Service::Secrets).await;
        let create = self.engine.create(&session, path(&format!("/app/{n}"))).await.expect("allowed");
        let input = CreateInput::string(key, bytes(format!("value {n}").as_bytes()));
        create.run(input, None).await.map(drop).expect("created");
    }

    pub(super) async fn keys(&self) -> Vec<Key> {
        self.house.store.all(None, 10_000).await.expect("readable")
    }

    /// Under which of the root keys 1 and 2 everything is sealed: how many under each.
    pub(super) async fn sealed_under(&self) -> [usize; 2] {
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
    pub(super) async fn assert_secrets(&self, keys: &[u8]) {
        let (engine, _) = self.node(keys).await;
        let session = self.session(Service::Secrets).await;
        for n in 0..SECRETS {
            let reveal = engine.reveal(&session, path(&format!("/app/{n}"))).await.expect("allowed");
            reveal.run(VersionSelector::Current).await.map(drop).expect("reveals");
        }
    }

    pub(super) async fn assert_moved(&self) {
        let [old, new] = self.sealed_under().await;
        assert_eq!(old, 0);
        assert!(new >= KEYS + 2 + 4, "{new}");
        self.assert_secrets(&[2]).await;
    }

    pub(super) async fn records(&self) -> Vec<(&'static str, u16, String)> {
        let records = self.house.records().await.into_iter();
        let rotations = records.filter(|it| it.action == Action::SystemRootKeyRotate);
        let text = |it: strongroom::domain::audit::AuditRecord| {
            (it.outcome.as_str(), it.status, it.resource.expect("a resource").identity)
        };
        rotations.map(text).collect()
    }
}

pub(super) fn engine(ports: &Ports, ring: &Arc<RootKeyRing>) -> Engine {
    let kms: Arc<dyn Kms> = Arc::new(LocalKms::new(ring.clone(), Arc::new(OsEntropy)));
    let ports = Ports {
        kms: ports.kms.keys().map(|region| (*region, Arc::clone(&kms))).collect(),
        root_keys: Some(ring.clone()),
        ..ports.clone()
    };
    Engine::new(ports, Limits::default())
}
