//! What is kept in memory to spare the store: ciphertexts and records of keys, organisations and regions. Never plaintext, never an
//! unwrapped data key, and nothing that a refusal rests on: before a no, the store is read.
//!
//! What was read before a change and comes back after it is not kept, so that this node never serves what it has itself replaced.

use crate::directory::{Access, Whose};
use crate::generations::Generations;
use crate::metrics::{CacheMetrics, Evictions};
use core::hash::Hash;
use core::sync::atomic::{AtomicU64, Ordering};
use quick_cache::sync::Cache as Quick;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter, Weighter};
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::directory::Project;
use strongroom_domain::id::{KeyId, OrganisationId};
use strongroom_domain::kms::Key;
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::port::{
    Clock, Freshness, KeyReader, ReadError, SealedRead, SealedVersionState, SecretReader, TenancyReader,
};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Revision;
use strongroom_domain::version::VersionSelector;

/// How long a record of a key, organisation or region serves without the store: other nodes' changes show within it.
const MAX_AGE_MICROS: u64 = 1_000_000;
/// How many keys and organisations are kept.
const MAX_RECORDS: usize = 10_000;
/// The most memory for what callers may do, in bytes. Who may do so much that it doesn't fit is read anew each time.
const MAX_ACCESS_BYTES: u64 = 128 << 20;

type Place = (Scope, SecretPath);
type Regions = Arc<[Arc<Region>]>;

#[derive(Clone)]
struct CiphertextWeight;

impl Weighter<Place, Arc<SealedRead>> for CiphertextWeight {
    fn weight(&self, (_, path): &Place, read: &Arc<SealedRead>) -> u64 {
        // Path twice (key and secret), what callers may make large, and the fixed parts.
        let policy = read.secret.policy.as_ref().map_or(0, AccessPolicy::weight);
        let fixed = 1024 + 2 * path.as_str().len() + read.secret.metadata.weight() + policy;
        let sealed = match &read.version {
            SealedVersionState::Active(version) => version.payload.len() + version.wrapped.bytes.len(),
            SealedVersionState::Destroyed | SealedVersionState::Missing => 0,
        };
        (fixed + sealed) as u64
    }
}

#[derive(Clone)]
struct AccessWeight;

impl Weighter<Whose, Arc<Access>> for AccessWeight {
    fn weight(&self, _: &Whose, access: &Arc<Access>) -> u64 {
        access.weight() as u64
    }
}

#[derive(Clone)]
struct Aged<T> {
    value: T,
    read_at: Timestamp,
}

type Weighed<K, V, W> = Quick<K, V, W, DefaultHashBuilder, Evictions>;

/// Entries in memory, and what is told of them.
struct Kept<K, V, W = UnitWeighter> {
    entries: Weighed<K, V, W>,
    metrics: CacheMetrics,
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    /// Room for so many entries.
    fn new(name: &'static str, entries: usize) -> Self {
        Self {
            entries: Quick::with(
                entries,
                entries as u64,
                UnitWeighter,
                DefaultHashBuilder::default(),
                Evictions::new(name),
            ),
            metrics: CacheMetrics::new(name),
        }
    }
}

impl<K: Eq + Hash, V: Clone, W: Weighter<K, V> + Clone> Kept<K, V, W> {
    /// Room for so many bytes, by the weight of the entries.
    fn of_bytes(name: &'static str, entries: usize, bytes: u64, weight: W) -> Self {
        Self {
            entries: Quick::with(entries, bytes, weight, DefaultHashBuilder::default(), Evictions::new(name)),
            metrics: CacheMetrics::of_bytes(name),
        }
    }

    /// As [`of_bytes`](Self::of_bytes), for entries of which one may take most of the room: in several parts, each would have its own
    /// share, and what doesn't fit there isn't kept.
    fn of_large(name: &'static str, entries: usize, bytes: u64, weight: W) -> Self {
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(entries).weight_capacity(bytes).shards(1);
        match options.build() {
            Ok(options) => {
                let hasher = DefaultHashBuilder::default();
                let entries = Quick::with_options(options, weight, hasher, Evictions::new(name));
                Self { entries, metrics: CacheMetrics::of_bytes(name) }
            }
            Err(_) => Self::of_bytes(name, entries, bytes, weight),
        }
    }

    /// What may serve a read.
    fn get(&self, key: &K, may_serve: impl FnOnce(&V) -> bool) -> Option<V> {
        let hit = self.entries.get(key).filter(may_serve);
        if hit.is_some() { &self.metrics.hits } else { &self.metrics.misses }.increment(1);
        hit
    }

    fn insert(&self, key: K, value: V) {
        self.entries.insert(key, value);
        self.metrics.holds(&self.entries);
    }

    fn remove(&self, key: &K) {
        if self.entries.remove(key).is_some() {
            self.metrics.holds(&self.entries);
        }
    }
}

pub(crate) struct Cache {
    /// Current versions only; the revision that a reveal records tells whether one was still current.
    ciphertexts: Option<Kept<Place, Arc<SealedRead>, CiphertextWeight>>,
    ciphertext_changes: Generations,
    keys: Kept<KeyId, Aged<Arc<Key>>>,
    key_changes: Generations,
    organisations: Kept<OrganisationId, Aged<Arc<Organisation>>>,
    organisation_changes: Generations,
    /// By slug, which never changes.
    organisation_names: Kept<String, OrganisationId>,
    /// Each serves while its organisation has the revision that it was read at.
    accesses: Kept<Whose, Arc<Access>, AccessWeight>,
    /// By organisation and name; each serves while its organisation has the revision that it was read at.
    projects: Kept<(OrganisationId, String), (Revision, Arc<Project>)>,
    regions: Mutex<Option<Aged<Regions>>>,
    /// Counts changes of regions by this node.
    region_changes: AtomicU64,
    region_metrics: CacheMetrics,
    secrets: Arc<dyn SecretReader>,
    key_reader: Arc<dyn KeyReader>,
    tenancy: Arc<dyn TenancyReader>,
    clock: Arc<dyn Clock>,
}

impl Cache {
    pub(crate) fn new(ports: &crate::Ports, bytes: u64) -> Self {
        let items = usize::try_from(bytes / 2048).unwrap_or(usize::MAX).clamp(16, 1 << 20);
        let ciphertexts = (bytes > 0).then(|| Kept::of_bytes("ciphertexts", items, bytes, CiphertextWeight));
        let (secrets, keys) = (Arc::clone(&ports.secrets), Arc::clone(&ports.keys));
        Self::over(ciphertexts, secrets, keys, Arc::clone(&ports.tenancy), Arc::clone(&ports.clock))
    }

    fn over(
        ciphertexts: Option<Kept<Place, Arc<SealedRead>, CiphertextWeight>>,
        secrets: Arc<dyn SecretReader>,
        key_reader: Arc<dyn KeyReader>,
        tenancy: Arc<dyn TenancyReader>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            ciphertexts,
            ciphertext_changes: Generations::new(),
            keys: Kept::new("keys", MAX_RECORDS),
            key_changes: Generations::new(),
            organisations: Kept::new("organisations", MAX_RECORDS),
            organisation_changes: Generations::new(),
            organisation_names: Kept::new("organisation_names", MAX_RECORDS),
            accesses: Kept::of_large("accesses", MAX_RECORDS, MAX_ACCESS_BYTES, AccessWeight),
            projects: Kept::new("projects", MAX_RECORDS),
            regions: Mutex::new(None),
            region_changes: AtomicU64::new(0),
            region_metrics: CacheMetrics::new("regions"),
            secrets,
            key_reader,
            tenancy,
            clock,
        }
    }

    fn is_fresh<T>(&self, entry: &Aged<T>) -> bool {
        let now = self.clock.now();
        // A clock that went back says nothing of the age.
        now >= entry.read_at && now.micros_since(entry.read_at) < MAX_AGE_MICROS
    }

    fn aged<T>(value: T, read_at: Timestamp) -> Aged<T> {
        Aged { value, read_at }
    }

    pub(crate) async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        freshness: Freshness,
    ) -> Result<Option<Arc<SealedRead>>, ReadError> {
        let cache = self.ciphertexts.as_ref().filter(|_| version == VersionSelector::Current);
        let place = (*scope, path.clone());
        if let Some(hit) = cache.filter(|_| freshness == Freshness::Hint).and_then(|cache| cache.get(&place, |_| true))
        {
            return Ok(Some(hit));
        }
        let generation = self.ciphertext_changes.of(&place);
        let read = self.secrets.sealed(scope, path, version, freshness).await?.map(Arc::new);
        if let Some(cache) = cache {
            match &read {
                Some(read) if matches!(read.version, SealedVersionState::Active(_)) => {
                    let is_current = || self.ciphertext_changes.of(&place) == generation;
                    if is_current() {
                        cache.insert(place.clone(), Arc::clone(read));
                        if !is_current() {
                            cache.remove(&place);
                        }
                    }
                }
                _ => {
                    cache.remove(&place);
                }
            }
        }
        Ok(read)
    }

    /// The secret at this path, if its current version is kept: a hint.
    pub(crate) fn known_secret(&self, scope: &Scope, path: &SecretPath) -> Option<Arc<Secret>> {
        let read = self.ciphertexts.as_ref()?.get(&(*scope, path.clone()), |_| true)?;
        Some(Arc::clone(&read.secret))
    }

    /// After a change that is known whole: what a reveal of the secret's current version reads from now on.
    pub(crate) fn replace_secret(&self, scope: &Scope, path: &SecretPath, read: SealedRead) {
        if let Some(cache) = &self.ciphertexts {
            let place = (*scope, path.clone());
            // Whoever read before must not put that back.
            self.ciphertext_changes.raise(&place);
            // What is replaced was not dropped for want of room.
            cache.remove(&place);
            cache.insert(place, Arc::new(read));
        }
    }

    /// After a change of the secret at this path.
    pub(crate) fn forget_secret(&self, scope: &Scope, path: &SecretPath) {
        if let Some(cache) = &self.ciphertexts {
            let place = (*scope, path.clone());
            self.ciphertext_changes.raise(&place);
            cache.remove(&place);
        }
    }

    pub(crate) async fn key(&self, id: KeyId, freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        if freshness == Freshness::Hint
            && let Some(hit) = self.keys.get(&id, |hit| self.is_fresh(hit))
        {
            return Ok(Some(hit.value));
        }
        let (read_at, generation) = (self.clock.now(), self.key_changes.of(id));
        let key = self.key_reader.get(id, freshness).await?;
        match &key {
            Some(key) => {
                let is_current = || self.key_changes.of(id) == generation;
                if is_current() {
                    self.keys.insert(id, Self::aged(Arc::clone(key), read_at));
                    if !is_current() {
                        self.keys.remove(&id);
                    }
                }
            }
            None => {
                self.keys.remove(&id);
            }
        }
        Ok(key)
    }

    /// After a change of the key.
    pub(crate) fn forget_key(&self, id: KeyId) {
        self.key_changes.raise(id);
        self.keys.remove(&id);
    }

    pub(crate) async fn organisation(
        &self,
        id: OrganisationId,
        freshness: Freshness,
    ) -> Result<Option<Arc<Organisation>>, ReadError> {
        if freshness == Freshness::Hint
            && let Some(hit) = self.organisations.get(&id, |hit| self.is_fresh(hit))
        {
            return Ok(Some(hit.value));
        }
        let (read_at, generation) = (self.clock.now(), self.organisation_changes.of(id));
        let organisation = self.tenancy.organisation_by_id(id).await?.map(Arc::new);
        if let Some(organisation) = &organisation {
            let is_current = || self.organisation_changes.of(id) == generation;
            if is_current() {
                self.organisations.insert(id, Self::aged(Arc::clone(organisation), read_at));
                if !is_current() {
                    self.organisations.remove(&id);
                }
            }
        }
        Ok(organisation)
    }

    /// After a change of the organisation or of its directory.
    pub(crate) fn forget_organisation(&self, id: OrganisationId) {
        self.organisation_changes.raise(id);
        self.organisations.remove(&id);
    }

    /// The organisation of this slug.
    pub(crate) async fn organisation_by_slug(&self, slug: &str) -> Result<Option<OrganisationId>, ReadError> {
        let key = slug.to_owned();
        if let Some(known) = self.organisation_names.get(&key, |_| true) {
            return Ok(Some(known));
        }
        let found = self.tenancy.organisation(slug).await?.filter(|organisation| organisation.slug == slug);
        if let Some(organisation) = &found {
            self.organisation_names.insert(key, organisation.id);
        }
        Ok(found.map(|organisation| organisation.id))
    }

    /// What a principal may do, as it was read at this revision of its organisation.
    pub(crate) fn access(&self, whose: &Whose, revision: Revision) -> Option<Arc<Access>> {
        self.accesses.get(whose, |access| access.revision == revision)
    }

    pub(crate) fn keep_access(&self, whose: Whose, access: Arc<Access>) {
        self.accesses.insert(whose, access);
    }

    /// The project of this identity or slug.
    pub(crate) fn project(&self, organisation: &Organisation, name: &str) -> Option<Arc<Project>> {
        let key = (organisation.id, name.to_owned());
        let known = self.projects.get(&key, |(revision, _)| *revision == organisation.revision);
        known.map(|(_, project)| project)
    }

    pub(crate) fn keep_project(&self, organisation: &Organisation, name: &str, project: Arc<Project>) {
        self.projects.insert((organisation.id, name.to_owned()), (organisation.revision, project));
    }

    pub(crate) fn forget_access(&self, whose: &Whose) {
        self.accesses.remove(whose);
    }

    pub(crate) async fn regions(&self, freshness: Freshness) -> Result<Regions, ReadError> {
        if freshness == Freshness::Hint {
            let hit = self.regions.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(hit) = hit.filter(|hit| self.is_fresh(hit)) {
                self.region_metrics.hits.increment(1);
                return Ok(hit.value);
            }
            self.region_metrics.misses.increment(1);
        }
        let (read_at, generation) = (self.clock.now(), self.region_changes.load(Ordering::Acquire));
        let regions: Regions = self.tenancy.regions().await?.into_iter().map(Arc::new).collect();
        self.region_metrics.holds_entries(regions.len());
        let mut kept = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        // Raised before the lock is taken for forgetting, so that what is outdated is not kept, or forgotten at once.
        if self.region_changes.load(Ordering::Acquire) == generation {
            *kept = Some(Self::aged(Arc::clone(&regions), read_at));
        }
        drop(kept);
        Ok(regions)
    }

    /// After a change of regions.
    pub(crate) fn forget_regions(&self) {
        self.region_changes.fetch_add(1, Ordering::AcqRel);
        *self.regions.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests;
