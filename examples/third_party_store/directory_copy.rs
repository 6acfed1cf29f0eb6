//! A copy of the directory before a store.

use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use strongroom::domain::directory::{DirectoryObject, ObjectKind};
use strongroom::domain::id::{OrganisationId, RegionId};
use strongroom::domain::port::{
    CommitError, CommitErrorKind, Committer, DirectoryReader, ObjectQuery, ObjectSelector, ReadError, TenancyReader,
};
use strongroom::domain::tenancy::{Organisation, Region};
use strongroom::domain::unit::{Change, Unit};
use tokio::sync::RwLock;
use uuid::Uuid;

/// Another store keeps everything; who may do what, which every call asks, is answered from a copy in this process.
///
/// - It must see every change, so nothing else may write to the store.
/// - Organisations are answered from the same copy as their directory: the engine takes an organisation's revision for proof that its
///   directory is as it was.
/// - Once it can't know what is stored, it answers nothing by itself any more, and the store is asked.
pub(crate) struct DirectoryCopy<S> {
    inner: Arc<S>,
    copy: Arc<RwLock<Option<Directory>>>,
}

impl<S: DirectoryReader + TenancyReader> DirectoryCopy<S> {
    /// Copies what is there.
    pub(crate) async fn before(inner: Arc<S>) -> Result<Self, ReadError> {
        let mut copy = Directory::default();
        copy.organisations.extend(inner.organisations().await?.into_iter().map(|it| (it.id, it)));
        copy.regions.extend(inner.regions().await?.into_iter().map(|it| (it.id, it)));
        for kind in ObjectKind::ALL {
            let query = ObjectQuery { kind: *kind, organisation: None, which: ObjectSelector::All };
            inner.objects(&query).await?.into_iter().for_each(|object| copy.put(object));
        }
        Ok(Self { inner, copy: Arc::new(RwLock::new(Some(copy))) })
    }
}

/// What an object is found by, beside its identity.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum FoundBy {
    Kind,
    Organisation(OrganisationId),
    Handle(String),
    HandleWithin(OrganisationId, String),
    Parent(Uuid),
    Subject(Uuid),
}

fn all_ways_to(object: &DirectoryObject) -> impl Iterator<Item = FoundBy> {
    let (organisation, handle) = (object.organisation(), object.handle().into_owned());
    [FoundBy::Kind, FoundBy::Handle(handle.clone())]
        .into_iter()
        .chain(organisation.map(FoundBy::Organisation))
        .chain(organisation.map(|organisation| FoundBy::HandleWithin(organisation, handle)))
        .chain(object.parent().map(FoundBy::Parent))
        .chain(object.subject().map(FoundBy::Subject))
}

#[derive(Default)]
struct Directory {
    objects: BTreeMap<(ObjectKind, Uuid), DirectoryObject>,
    index: BTreeSet<(ObjectKind, FoundBy, Uuid)>,
    organisations: BTreeMap<OrganisationId, Organisation>,
    regions: BTreeMap<RegionId, Region>,
}

impl Directory {
    fn put(&mut self, object: DirectoryObject) {
        let (kind, id) = (object.kind(), object.id());
        self.remove(kind, id);
        self.index.extend(all_ways_to(&object).map(|by| (kind, by, id)));
        self.objects.insert((kind, id), object);
    }

    fn remove(&mut self, kind: ObjectKind, id: Uuid) {
        for by in self.objects.remove(&(kind, id)).iter().flat_map(all_ways_to) {
            self.index.remove(&(kind, by, id));
        }
    }

    /// Makes a change that the store made, if it is one of what is copied.
    fn apply(&mut self, change: Change) {
        match change {
            Change::PutObject(object) => self.put(*object),
            Change::DeleteObject { kind, id } => self.remove(kind, id),
            Change::InsertOrganisation(it) | Change::ReplaceOrganisation(it) => {
                self.organisations.insert(it.id, it);
            }
            Change::ReviseOrganisation { organisation, revision } => {
                self.organisations.entry(organisation).and_modify(|it| it.revision = revision);
            }
            Change::InsertRegion(it) | Change::ReplaceRegion(it) => {
                self.regions.insert(it.id, it);
            }
            _ => {}
        }
    }

    fn found_by(&self, kind: ObjectKind, by: FoundBy) -> impl Iterator<Item = Uuid> {
        self.index.range((kind, by.clone(), Uuid::nil())..=(kind, by, Uuid::max())).map(|entry| entry.2)
    }

    fn find(&self, query: &ObjectQuery) -> Vec<DirectoryObject> {
        let (kind, within) = (query.kind, query.organisation);
        // A set, so that each comes once and in the order of identities.
        let ids: BTreeSet<Uuid> = match &query.which {
            ObjectSelector::All => self.found_by(kind, within.map_or(FoundBy::Kind, FoundBy::Organisation)).collect(),
            ObjectSelector::Ids(ids) => ids.iter().copied().collect(),
            ObjectSelector::Handle(handle) => {
                let handle = handle.clone();
                let by = match within {
                    Some(organisation) => FoundBy::HandleWithin(organisation, handle),
                    None => FoundBy::Handle(handle),
                };
                self.found_by(kind, by).collect()
            }
            ObjectSelector::PartsOf(parent) => self.found_by(kind, FoundBy::Parent(*parent)).collect(),
            ObjectSelector::About(subjects) => {
                subjects.iter().flat_map(|subject| self.found_by(kind, FoundBy::Subject(*subject))).collect()
            }
        };
        let objects = ids.into_iter().filter_map(|id| self.objects.get(&(kind, id)));
        objects.filter(|it| within.is_none() || it.organisation() == within).cloned().collect()
    }
}

#[async_trait]
impl<S: DirectoryReader> DirectoryReader for DirectoryCopy<S> {
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
        if let Some(copy) = &*self.copy.read().await {
            return Ok(copy.find(query));
        }
        self.inner.objects(query).await
    }
}

#[async_trait]
impl<S: TenancyReader> TenancyReader for DirectoryCopy<S> {
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError> {
        if let Some(copy) = &*self.copy.read().await {
            let by_identity = name.parse().ok().and_then(|id: OrganisationId| copy.organisations.get(&id));
            let found = by_identity.or_else(|| copy.organisations.values().find(|it| it.slug == name));
            return Ok(found.cloned());
        }
        self.inner.organisation(name).await
    }

    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError> {
        if let Some(copy) = &*self.copy.read().await {
            return Ok(copy.organisations.get(&id).cloned());
        }
        self.inner.organisation_by_id(id).await
    }

    async fn organisations(&self) -> Result<Vec<Organisation>, ReadError> {
        if let Some(copy) = &*self.copy.read().await {
            let mut all: Vec<_> = copy.organisations.values().cloned().collect();
            all.sort_unstable_by(|one, other| one.slug.cmp(&other.slug));
            return Ok(all);
        }
        self.inner.organisations().await
    }

    async fn regions(&self) -> Result<Vec<Region>, ReadError> {
        if let Some(copy) = &*self.copy.read().await {
            let mut all: Vec<_> = copy.regions.values().cloned().collect();
            all.sort_unstable_by(|one, other| one.slug.cmp(&other.slug));
            return Ok(all);
        }
        self.inner.regions().await
    }
}

#[async_trait]
impl<S: Committer + 'static> Committer for DirectoryCopy<S> {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let (inner, copy) = (Arc::clone(&self.inner), Arc::clone(&self.copy));
        // The unit is applied also when the caller stops waiting, and then it must be copied all the same.
        let committed = tokio::spawn(async move {
            let changes: Vec<Change> = unit.changes.iter().filter(|it| is_copied(it)).cloned().collect();
            if changes.is_empty() {
                return inner.commit(unit).await;
            }
            // Held for as long as the store takes: changes are copied in the order in which they are stored.
            let mut copy = copy.write().await;
            // If the store panics, there is no copy.
            let before = copy.take();
            let outcome = inner.commit(unit).await;
            *copy = match &outcome {
                Ok(()) => before.map(|mut copy| {
                    changes.into_iter().for_each(|change| copy.apply(change));
                    copy
                }),
                Err(error) if *error.kind() == CommitErrorKind::OutcomeUnknown => None,
                Err(_) => before,
            };
            outcome
        });
        committed.await.unwrap_or_else(|error| {
            Err(CommitError::new(CommitErrorKind::OutcomeUnknown, "the writer broke off").because(error))
        })
    }
}

const fn is_copied(change: &Change) -> bool {
    matches!(
        change,
        Change::PutObject(_)
            | Change::DeleteObject { .. }
            | Change::InsertOrganisation(_)
            | Change::ReplaceOrganisation(_)
            | Change::ReviseOrganisation { .. }
            | Change::InsertRegion(_)
            | Change::ReplaceRegion(_)
    )
}
