use super::Operation;
use super::plain::{Plain, PlainSecret};
use crate::build;
use crate::contract::{Store, eventually};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::Key;
use strongroom_domain::path::Step;
use strongroom_domain::port::{
    BrowseEntry, Freshness, KeyCounts, KeyDue, KeyFilter, KeyName, SealedVersionState, WrappedVersion,
};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::version::{Version, VersionNumber, VersionSelector};

const PREFIXES: [&str; 6] = ["/", "/a", "/a/", "/a/b", "/a_", "/b/c/"];
const DIRECTORIES: [&str; 6] = ["/", "/a", "/a/b", "/a-b", "/b", "/b/c"];

/// A store may show an access a moment later; it is compared at the end.
fn without_access(secret: &Secret) -> Secret {
    Secret { last_accessed_at: None, ..secret.clone() }
}

fn entry_without_access(entry: &Version) -> Version {
    Version { last_accessed_at: None, ..entry.clone() }
}

/// Compares what the operation touched whole, and one page of everything else, another at every step.
pub(super) async fn after_step(model: &Plain, store: &Store, operation: &Operation, step: usize) {
    let place = match operation {
        Operation::Insert(place)
        | Operation::Append { place, .. }
        | Operation::AppendAndErase { place, .. }
        | Operation::Erase { place, .. }
        | Operation::KeepVersions { place, .. }
        | Operation::ReplaceMetadata { place, .. }
        | Operation::ReplacePolicy { place, .. }
        | Operation::Delete(place)
        | Operation::Access { place, .. }
        | Operation::Rewrap { place, .. }
        | Operation::Remember { place, .. } => *place,
        _ => step,
    };
    let place = model.place(place);
    compare_secret(model.index_at(&place).map(|index| &model.secrets[index]), store, &place).await;
    let scope = model.scopes[step % 2];
    let limit = u32::try_from(step % 4 + 1).unwrap_or(1);
    compare_list(model, store, &scope, PREFIXES[step % PREFIXES.len()], limit).await;
    compare_browse(model, store, &scope, DIRECTORIES[step % DIRECTORIES.len()], limit).await;
    compare_keys(model, store, &scope).await;
    compare_due(model, store, i64::from(limit)).await;
    compare_bound(model, store, model.bound[step % 2], limit).await;
    model.directory.compare(store, step).await;
    for key in &model.answers_ever {
        let wanted = model.answers.iter().find(|answer| answer.key == *key);
        assert_eq!(store.answers.answer(key).await.expect("readable").as_ref(), wanted);
    }
}

async fn compare_secret(wanted: Option<&PlainSecret>, store: &Store, place: &Secret) {
    let found = store.find(place).await;
    assert_eq!(found.as_ref().map(without_access), wanted.map(|it| without_access(&it.secret)));
    let sealed = async |selector| {
        let read = store.secrets.sealed(&place.scope, &place.path, selector, Freshness::Latest).await;
        read.expect("readable")
    };
    let Some(wanted) = wanted else {
        assert_eq!(sealed(VersionSelector::Current).await, None);
        return;
    };
    let id = wanted.secret.id;
    let latest = wanted.secret.state.head.latest.get();
    assert_eq!(latest, wanted.versions.len() as u64);

    let current = wanted.active_below(latest + 1);
    assert_eq!(wanted.secret.state.head.current, current);
    let state = |number: Option<VersionNumber>| match number.map(|number| wanted.version(number.get())) {
        Some(Some(version)) => version
            .sealed
            .clone()
            .map_or(SealedVersionState::Destroyed, |sealed| SealedVersionState::Active(sealed.into())),
        Some(None) | None => SealedVersionState::Missing,
    };
    let read = sealed(VersionSelector::Current).await.expect("there");
    assert_eq!(without_access(&read.secret), without_access(&wanted.secret));
    assert_eq!(read.version, state(current));
    for number in (1..=latest + 1).map(build::number) {
        let read = sealed(VersionSelector::Number(number)).await.expect("there");
        assert_eq!(read.version, state(Some(number)));
        let entry = store.secrets.version(id, number).await.expect("readable");
        let plain = wanted.version(number.get()).map(|version| entry_without_access(&version.entry));
        assert_eq!(entry.as_ref().map(entry_without_access), plain);
        let below = store.secrets.active_below(id, number).await.expect("readable");
        assert_eq!(below, wanted.active_below(number.get()));
    }
    for limit in [1, 3, 1_000] {
        let oldest = store.secrets.oldest_active(id, limit).await.expect("readable");
        assert_eq!(oldest, wanted.oldest_active(limit));
    }
    let entries = store.secrets.versions(id, None, 1_000).await.expect("readable");
    let plain: Vec<_> = wanted.versions.iter().map(|version| entry_without_access(&version.entry)).collect();
    assert_eq!(entries.iter().map(entry_without_access).collect::<Vec<_>>(), plain);
}

async fn compare_list(model: &Plain, store: &Store, scope: &Scope, prefix: &str, limit: u32) {
    let mut wanted: Vec<Secret> = model
        .secrets
        .iter()
        .filter(|it| it.secret.scope == *scope && it.secret.path.as_str().starts_with(prefix))
        .map(|it| without_access(&it.secret))
        .collect();
    wanted.sort_by(|a, b| a.path.as_str().cmp(b.path.as_str()));
    let mut pages: Vec<Secret> = Vec::new();
    loop {
        let after = pages.last().map(|secret| secret.path.to_string());
        let page = store.secrets.list(scope, prefix, after.as_deref(), limit).await.expect("readable");
        pages.extend(page.iter().map(without_access));
        if page.len() < limit as usize || pages.len() > wanted.len() {
            break;
        }
    }
    assert_eq!(pages, wanted, "{prefix} by {limit}");
}

async fn compare_browse(model: &Plain, store: &Store, scope: &Scope, directory: &str, limit: u32) {
    let directory = build::directory(directory);
    let mut wanted = BTreeMap::new();
    for it in model.secrets.iter().filter(|it| it.secret.scope == *scope) {
        let entry = match directory.step_towards(&it.secret.path) {
            None => continue,
            Some(Step::Secret) => BrowseEntry::Secret(Box::new(without_access(&it.secret))),
            Some(Step::Directory(child)) => BrowseEntry::Directory(child),
        };
        wanted.insert(entry.sort_key().to_owned(), entry);
    }
    let wanted: Vec<_> = wanted.into_values().collect();
    let mut pages: Vec<BrowseEntry> = Vec::new();
    loop {
        let after = pages.last().map(|entry| entry.sort_key().to_owned());
        let page = store.secrets.browse(scope, &directory, after.as_deref(), limit).await.expect("readable");
        let full = page.len() == limit as usize;
        pages.extend(page.into_iter().map(|entry| match entry {
            BrowseEntry::Secret(secret) => BrowseEntry::Secret(Box::new(without_access(&secret))),
            directory @ BrowseEntry::Directory(_) => directory,
        }));
        if !full || pages.len() > wanted.len() {
            break;
        }
    }
    assert_eq!(pages, wanted, "{directory} by {limit}");
}

async fn compare_keys(model: &Plain, store: &Store, scope: &Scope) {
    let mut wanted: Vec<Key> = model.keys.iter().filter(|key| key.spec.scope == *scope).cloned().collect();
    wanted.sort_by_key(|key| (!key.is_live(), Reverse(key.created_at)));
    assert_eq!(store.keys.list(scope, &KeyFilter::default()).await.expect("readable"), wanted);
    let mut counts = KeyCounts::default();
    for key in &wanted {
        *match key.state.status.as_str() {
            "active" => &mut counts.active,
            "disabled" => &mut counts.disabled,
            _ => &mut counts.pending_deletion,
        } += 1;
        let read = store.keys.get(key.spec.id, Freshness::Latest).await.expect("readable");
        assert_eq!(read.as_deref(), Some(key));
        let found = store.keys.find(scope, &KeyName::Slug(key.slug.clone())).await.expect("readable");
        assert_eq!(found.as_deref(), wanted.iter().find(|other| other.slug == key.slug));
    }
    assert_eq!(store.keys.counts(scope, build::at(0)).await.expect("readable"), counts);
}

/// Compares what is due within so many days, and all keys.
async fn compare_due(model: &Plain, store: &Store, days: i64) {
    let mut keys = model.keys.clone();
    keys.sort_by_key(|key| key.spec.id);
    assert_eq!(store.keys.all(None, 1_000).await.expect("readable"), keys);
    for (what, at) in [(KeyDue::Rotation, build::at(days * 86_400)), (KeyDue::Purge, build::at(31 * 86_400))] {
        let date = |key: &Key| match what {
            KeyDue::Rotation => key.rotation_due_at(),
            KeyDue::Purge => key.is_purged(at).then_some(at),
        };
        let mut wanted: Vec<_> = keys.iter().filter(|key| date(key).is_some_and(|date| date <= at)).cloned().collect();
        wanted.sort_by_key(date);
        assert_eq!(store.keys.due(what, at, 1_000).await.expect("readable"), wanted);
    }
}

/// Compares what is bound to a key, page by page, all of it and what its first versions wrap.
async fn compare_bound(model: &Plain, store: &Store, key: KeyId, limit: u32) {
    let secrets = || model.secrets.iter().filter(|it| it.secret.key == key);
    assert_eq!(store.secrets.count_bound(key).await.expect("readable"), secrets().count() as u64);
    let active = |it: &PlainSecret| {
        let secret = &it.secret;
        let wrapped = it.versions.iter().filter_map(|version| version.sealed.clone()).map(|version| WrappedVersion {
            secret: secret.id,
            scope: secret.scope,
            path: secret.path.clone(),
            version: version.number,
            wrapped: version.wrapped,
        });
        wrapped.collect::<Vec<_>>()
    };
    let mut all: Vec<WrappedVersion> = secrets().flat_map(active).collect();
    all.sort_by_key(|it| (it.secret, it.version));
    let mut counts = BTreeMap::new();
    all.iter().for_each(|it| *counts.entry(it.wrapped.key_version).or_insert(0) += 1);
    let counted = store.secrets.count_wrapped(key).await.expect("readable");
    assert_eq!(counted, counts.into_iter().collect::<Vec<_>>());
    for below in [None, Some(build::key_version(limit + 1).number)] {
        let mut wanted = all.clone();
        wanted.retain(|it| below.is_none_or(|below| it.wrapped.key_version < below));
        let mut pages: Vec<WrappedVersion> = Vec::new();
        loop {
            let after = pages.last().map(|it| (it.secret, it.version));
            let page = store.secrets.wrapped(key, below, after, limit).await.expect("readable");
            let full = page.len() == limit as usize;
            pages.extend(page);
            if !full || pages.len() > wanted.len() {
                break;
            }
        }
        assert_eq!(pages, wanted, "by {limit}");
    }
}

/// Compares what may come a moment late: last accesses, and the audit log.
pub(super) async fn at_end(model: &Plain, store: &Store) {
    for PlainSecret { secret, versions } in &model.secrets {
        eventually(&Some(secret.clone()), async || store.find(secret).await).await;
        let entries: Vec<_> = versions.iter().map(|version| version.entry.clone()).collect();
        let read = async || store.secrets.versions(secret.id, None, 1_000).await.expect("readable");
        eventually(&entries, read).await;
    }
    let mut wanted = model.records.clone();
    wanted.sort_by_key(|record| record.event);
    let logged = async || {
        let mut logged = store.records().await;
        logged.sort_by_key(|record| record.event);
        logged
    };
    eventually(&wanted, logged).await;
}
