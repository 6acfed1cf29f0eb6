use super::{Cache, CiphertextWeight, Kept};
use crate::directory::{Access, Extent, MAX_RULES_WEIGHT, Standing, Whose};
use async_trait::async_trait;
use quick_cache::Weighter;
use std::sync::Arc;
use strongroom_domain::iam::{BoundRole, Rule};
use strongroom_domain::id::{BindingId, KeyId, OrganisationId, RoleId, RuleId, SecretId, ServiceAccountId, StreamId};
use strongroom_domain::kms::{Key, KeyStatus, KeySummary, KeyVersionNumber};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::policy::PolicySubject;
use strongroom_domain::port::{
    BrowseEntry, Committer, Freshness, KeyCounts, KeyDue, KeyFilter, KeyName, KeyReader, ReadError, SealedRead,
    SealedVersionState, SecretReader, WrappedVersion,
};
use strongroom_domain::principal::{CredentialScopes, Principal};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Revision, Unit};
use strongroom_domain::version::{Version, VersionLimits, VersionNumber, VersionSelector};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{FixedSigner, ManualClock, build};
use tokio::sync::Notify;
use uuid::Uuid;

/// A store whose answers of keys and ciphertexts are held back until a test lets them go.
struct Slow {
    store: Arc<MemoryStore>,
    /// Told when an answer is held back.
    read: Notify,
    go: Notify,
}

impl Slow {
    async fn hold<T>(&self, answer: T) -> T {
        self.read.notify_one();
        self.go.notified().await;
        answer
    }
}

#[async_trait]
impl KeyReader for Slow {
    async fn get(&self, id: KeyId, freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        let answer = self.store.get(id, freshness).await;
        self.hold(answer).await
    }

    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError> {
        KeyReader::find(&*self.store, scope, name).await
    }

    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
        KeyReader::list(&*self.store, scope, filter).await
    }

    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
        self.store.summaries(ids).await
    }

    async fn counts(&self, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError> {
        self.store.counts(scope, at).await
    }

    async fn due(&self, what: KeyDue, at: Timestamp, limit: u32) -> Result<Vec<Key>, ReadError> {
        self.store.due(what, at, limit).await
    }

    async fn all(&self, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError> {
        self.store.all(after, limit).await
    }
}

#[async_trait]
impl SecretReader for Slow {
    async fn find(&self, scope: &Scope, path: &SecretPath) -> Result<Option<Secret>, ReadError> {
        SecretReader::find(&*self.store, scope, path).await
    }

    async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        freshness: Freshness,
    ) -> Result<Option<SealedRead>, ReadError> {
        let answer = self.store.sealed(scope, path, version, freshness).await;
        self.hold(answer).await
    }

    async fn version(&self, secret: SecretId, number: VersionNumber) -> Result<Option<Version>, ReadError> {
        self.store.version(secret, number).await
    }

    async fn active_below(&self, secret: SecretId, number: VersionNumber) -> Result<Option<VersionNumber>, ReadError> {
        self.store.active_below(secret, number).await
    }

    async fn oldest_active(&self, secret: SecretId, limit: u32) -> Result<Vec<VersionNumber>, ReadError> {
        self.store.oldest_active(secret, limit).await
    }

    async fn versions(
        &self,
        secret: SecretId,
        after: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<Version>, ReadError> {
        self.store.versions(secret, after, limit).await
    }

    async fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Secret>, ReadError> {
        SecretReader::list(&*self.store, scope, prefix, after, limit).await
    }

    async fn count_bound(&self, key: KeyId) -> Result<u64, ReadError> {
        self.store.count_bound(key).await
    }

    async fn count_wrapped(&self, key: KeyId) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError> {
        self.store.count_wrapped(key).await
    }

    async fn wrapped(
        &self,
        key: KeyId,
        below: Option<KeyVersionNumber>,
        after: Option<(SecretId, VersionNumber)>,
        limit: u32,
    ) -> Result<Vec<WrappedVersion>, ReadError> {
        self.store.wrapped(key, below, after, limit).await
    }

    async fn browse(
        &self,
        scope: &Scope,
        directory: &Directory,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BrowseEntry>, ReadError> {
        self.store.browse(scope, directory, after, limit).await
    }
}

fn room() -> (Arc<Slow>, Arc<Cache>) {
    let store = Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil())));
    let slow = Arc::new(Slow { store: Arc::clone(&store), read: Notify::new(), go: Notify::new() });
    let ciphertexts = Some(Kept::of_bytes("ciphertexts", 16, 1 << 20, CiphertextWeight));
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000)));
    let cache = Cache::over(ciphertexts, Arc::clone(&slow) as _, Arc::clone(&slow) as _, store, clock);
    (slow, Arc::new(cache))
}

async fn commit(slow: &Slow, change: Change) {
    slow.store.commit(Unit { changes: vec![change], ..Unit::default() }).await.expect("commits");
}

#[tokio::test]
async fn a_key_read_before_a_change_and_kept_after_it_is_not_served() {
    let (slow, cache) = room();
    let key = build::key(build::scope(), "app");
    let id = key.spec.id;
    commit(&slow, Change::InsertKey(key.clone())).await;
    let read = |cache: &Arc<Cache>| {
        let cache = Arc::clone(cache);
        tokio::spawn(async move { cache.key(id, Freshness::Hint).await })
    };
    let early = read(&cache);
    slow.read.notified().await;
    let state = key.switched(false, Timestamp::from_micros(1_000_001)).expect("may be").expect("was on");
    commit(&slow, Change::ReplaceKeyState { key: id, state }).await;
    cache.forget_key(id);
    slow.go.notify_one();
    let early = early.await.expect("no panic").expect("reads").expect("there");
    assert_eq!(early.state.status, KeyStatus::Active, "what it read");

    slow.go.notify_one();
    let late = read(&cache).await.expect("no panic").expect("reads").expect("there");
    assert_eq!(late.state.status, KeyStatus::Disabled);
    // Without a change in between it is kept: nobody lets a second answer go.
    let kept = read(&cache).await.expect("no panic").expect("reads").expect("there");
    assert_eq!(kept.state.status, KeyStatus::Disabled);
}

#[tokio::test]
async fn a_ciphertext_read_before_a_change_and_kept_after_it_is_not_served() {
    let (slow, cache) = room();
    let secret = build::secret(build::scope(), "/a");
    let mut key = build::key(secret.scope, "app");
    key.spec.id = secret.key;
    commit(&slow, Change::InsertKey(key)).await;
    commit(&slow, Change::InsertSecret { secret: secret.clone(), version: build::sealed(1) }).await;
    let (scope, path) = (secret.scope, secret.path.clone());
    let read = |cache: &Arc<Cache>| {
        let (cache, path) = (Arc::clone(cache), path.clone());
        tokio::spawn(async move { cache.sealed(&scope, &path, VersionSelector::Current, Freshness::Hint).await })
    };
    let early = read(&cache);
    slow.read.notified().await;
    let state =
        secret.state.appended(Timestamp::from_micros(1_000_001), VersionLimits::most(10)).expect("there is room");
    commit(&slow, Change::AppendVersion { secret: secret.id, version: build::sealed(2), state }).await;
    cache.forget_secret(&scope, &path);
    slow.go.notify_one();
    let early = early.await.expect("no panic").expect("reads").expect("there");
    assert_eq!(early.secret.state.head.latest.get(), 1, "what it read");

    slow.go.notify_one();
    for _ in 0..2 {
        let late = read(&cache).await.expect("no panic").expect("reads").expect("there");
        assert_eq!(late.secret.state.head.latest.get(), 2);
    }
}

#[test]
fn a_ciphertext_weighs_the_policy_and_the_metadata_that_come_with_it() {
    let bare = Secret { metadata: Metadata::default(), ..build::secret(build::scope(), "/a") };
    let weight = |secret: &Secret| {
        let version = SealedVersionState::Active(Arc::new(build::sealed(1)));
        let read = SealedRead { secret: Arc::new(secret.clone()), version };
        CiphertextWeight.weight(&(secret.scope, secret.path.clone()), &Arc::new(read))
    };
    let (policy, metadata) = (build::policy(), build::metadata("large"));
    assert!(policy.weight() > 0 && metadata.weight() > 0);
    let full = Secret { policy: Some(policy.clone()), metadata: metadata.clone(), ..bare.clone() };
    assert_eq!(weight(&full), weight(&bare) + (policy.weight() + metadata.weight()) as u64);
}

/// As much as may be bound to one principal, in projects, serves from memory; on however many processors.
#[test]
fn the_rules_of_whoever_has_the_most_are_kept() {
    let rule = Rule { note: "x".repeat(1_000), ..Rule::everything(RuleId::new(Uuid::nil())) };
    let rules: Arc<[Rule]> = vec![rule.clone(); 1_000].into();
    let role = |number: usize| BoundRole {
        role: RoleId::new(Uuid::from_u128(number as u128)),
        binding: BindingId::new(Uuid::from_u128(number as u128)),
        projects: vec!["p".repeat(250); 100].into(),
        rules: Arc::clone(&rules),
    };
    let bound: Vec<_> = (0..MAX_RULES_WEIGHT / (1_000 * rule.weight())).map(role).collect();
    let standing = Standing::Workload(Extent { end: None, scopes: CredentialScopes::ALL });
    let access = Access::new(Revision::FIRST, standing, PolicySubject::default(), bound);
    let (_, cache) = room();
    let account = Principal::ServiceAccount(ServiceAccountId::new(Uuid::nil()));
    let whose = Whose { organisation: OrganisationId::new(Uuid::nil()), principal: account, credential: None };
    cache.keep_access(whose, Arc::new(access));
    assert!(cache.access(&whose, Revision::FIRST).is_some());
    assert!(cache.access(&whose, Revision::FIRST.next()).is_none());
}
