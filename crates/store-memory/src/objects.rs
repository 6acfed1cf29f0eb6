use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::directory::{DirectoryObject, ObjectKind};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{ObjectQuery, ObjectSelector};
use uuid::Uuid;

/// Pairs, found by their first half in the order of the second.
type Index<K> = BTreeSet<(K, Uuid)>;

fn behind<K: Ord + Copy>(index: &Index<K>, key: K) -> impl Iterator<Item = Uuid> {
    index.range((key, Uuid::nil())..).take_while(move |entry| entry.0 == key).map(|entry| entry.1)
}

/// The objects of one kind.
#[derive(Default)]
struct Shelf {
    objects: BTreeMap<Uuid, DirectoryObject>,
    by_organisation: Index<OrganisationId>,
    handles: BTreeMap<Box<str>, BTreeMap<Option<OrganisationId>, Uuid>>,
    by_parent: Index<Uuid>,
    by_subject: Index<Uuid>,
}

impl Shelf {
    fn insert(&mut self, object: DirectoryObject) {
        let id = object.id();
        self.handles.entry(object.handle().into()).or_default().insert(object.organisation(), id);
        self.by_organisation.extend(object.organisation().map(|organisation| (organisation, id)));
        self.by_parent.extend(object.parent().map(|parent| (parent, id)));
        self.by_subject.extend(object.subject().map(|subject| (subject, id)));
        self.objects.insert(id, object);
    }

    fn remove(&mut self, id: Uuid) -> Option<DirectoryObject> {
        let object = self.objects.remove(&id)?;
        if let Some(holders) = self.handles.get_mut(&*object.handle()) {
            holders.remove(&object.organisation());
            if holders.is_empty() {
                self.handles.remove(&*object.handle());
            }
        }
        if let Some(organisation) = object.organisation() {
            self.by_organisation.remove(&(organisation, id));
        }
        if let Some(parent) = object.parent() {
            self.by_parent.remove(&(parent, id));
        }
        if let Some(subject) = object.subject() {
            self.by_subject.remove(&(subject, id));
        }
        Some(object)
    }

    /// Those that may answer; whose they are is still to be compared.
    fn candidates(&self, query: &ObjectQuery) -> BTreeSet<Uuid> {
        match (&query.which, query.organisation) {
            (ObjectSelector::All, Some(organisation)) => behind(&self.by_organisation, organisation).collect(),
            (ObjectSelector::All, None) => self.objects.keys().copied().collect(),
            (ObjectSelector::Ids(ids), _) => ids.iter().copied().collect(),
            (ObjectSelector::Handle(handle), organisation) => {
                let holders = self.handles.get(handle.as_str());
                match organisation {
                    Some(_) => holders.and_then(|holders| holders.get(&organisation)).into_iter().copied().collect(),
                    None => holders.into_iter().flat_map(BTreeMap::values).copied().collect(),
                }
            }
            (ObjectSelector::PartsOf(parent), _) => behind(&self.by_parent, *parent).collect(),
            (ObjectSelector::About(subjects), _) => {
                subjects.iter().flat_map(|subject| behind(&self.by_subject, *subject)).collect()
            }
        }
    }
}

/// The directory of all organisations.
#[derive(Default)]
pub(crate) struct Objects {
    shelves: BTreeMap<ObjectKind, Shelf>,
}

impl Objects {
    /// The object that has this handle.
    pub(crate) fn holder(&self, organisation: Option<OrganisationId>, kind: ObjectKind, handle: &str) -> Option<Uuid> {
        self.shelves.get(&kind)?.handles.get(handle)?.get(&organisation).copied()
    }

    /// Adds an object, or replaces the one of its identity and gives that back.
    pub(crate) fn put(&mut self, object: DirectoryObject) -> Option<DirectoryObject> {
        let shelf = self.shelves.entry(object.kind()).or_default();
        let old = shelf.remove(object.id());
        shelf.insert(object);
        old
    }

    pub(crate) fn take(&mut self, kind: ObjectKind, id: Uuid) -> Option<DirectoryObject> {
        self.shelves.get_mut(&kind)?.remove(id)
    }

    /// What a query asks for, in the order of the identities.
    pub(crate) fn find(&self, query: &ObjectQuery) -> Vec<DirectoryObject> {
        let Some(shelf) = self.shelves.get(&query.kind) else { return Vec::new() };
        let found = shelf.candidates(query).into_iter().filter_map(|id| shelf.objects.get(&id));
        let wanted = |object: &&DirectoryObject| {
            query.organisation.is_none_or(|organisation| object.organisation() == Some(organisation))
        };
        found.filter(wanted).cloned().collect()
    }
}
