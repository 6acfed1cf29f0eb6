//! Cases for [`AccessLog`](strongroom_domain::port::AccessLog).

use super::{Store, eventually};
use crate::{build, units};
use std::sync::Arc;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::port::{Access, AccessErrorKind, BrowseEntry, Freshness};
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::version::VersionSelector;

async fn record(store: &Store, access: &Access) -> Result<(), AccessErrorKind> {
    store.access.record(access.clone()).await.map_err(|error| *error.kind())
}

/// What `find`, `list`, `browse` and `sealed` say of a secret's last access.
async fn shown(store: &Store, secret: &Secret) -> [Option<Timestamp>; 4] {
    let found = store.find(secret).await.and_then(|secret| secret.last_accessed_at);
    let listed = store.secrets.list(&secret.scope, secret.path.as_str(), None, 1).await.expect("readable");
    let browsed = store.secrets.browse(&secret.scope, &secret.path.parent(), None, 1).await.expect("readable");
    let [BrowseEntry::Secret(browsed)] = &browsed[..] else { panic!("{browsed:?}") };
    let sealed = store
        .secrets
        .sealed(&secret.scope, &secret.path, VersionSelector::Current, Freshness::Latest)
        .await
        .expect("readable")
        .expect("there");
    [found, listed[0].last_accessed_at, browsed.last_accessed_at, sealed.secret.last_accessed_at]
}

/// What `versions` and `version` say of the last accesses of versions 1 and 2.
async fn shown_of_versions(store: &Store, secret: &Secret) -> Vec<[Option<Timestamp>; 2]> {
    let mut shown = Vec::new();
    for version in store.secrets.versions(secret.id, None, 9).await.expect("readable") {
        let one = store.secrets.version(secret.id, version.number).await.expect("readable").expect("there");
        shown.push([version.last_accessed_at, one.last_accessed_at]);
    }
    shown
}

/// Both records are in the log on return, the secret's first, side by side.
pub async fn both_records_are_there_on_return(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let mut wanted: Vec<AuditRecord> = Vec::new();
    for second in 1..4 {
        let access = build::access(&secret, 1, build::at(second));
        assert_eq!(record(&store, &access).await, Ok(()));
        wanted.extend(access.records);
        assert_eq!(store.logged(&wanted).await, wanted);
    }
}

/// A secret that was changed since it was read is stale, whatever the change; nothing is left.
pub async fn a_changed_secret_is_stale(store: Store) {
    let read = store.insert(build::secret(build::scope(), "/a")).await;
    let access = build::access(&read, 1, build::at(5));
    let appended = store.apply(units::append(&read)).await;
    assert_eq!(record(&store, &access).await, Err(AccessErrorKind::Stale));
    let erased = store.apply(units::erase(&appended, build::number(1), None)).await;
    assert_eq!(record(&store, &build::access(&appended, 1, build::at(5))).await, Err(AccessErrorKind::Stale));
    let ahead = Access { seen: erased.state.revision.next(), ..build::access(&erased, 2, build::at(5)) };
    assert_eq!(record(&store, &ahead).await, Err(AccessErrorKind::Stale));
    assert_eq!(store.logged(&access.records).await, []);
    assert_eq!(store.logged(&ahead.records).await, []);
    assert_eq!(store.find(&read).await, Some(erased));
}

/// A secret that is gone is stale, also when another lies at its path.
pub async fn a_deleted_secret_is_stale(store: Store) {
    let old = store.insert(build::secret(build::scope(), "/a")).await;
    let access = build::access(&old, 1, build::at(5));
    store.commit(units::delete(&old)).await;
    let new = store.insert(build::secret(old.scope, "/a")).await;
    assert_eq!(new.state.revision, old.state.revision);
    assert_eq!(record(&store, &access).await, Err(AccessErrorKind::Stale));
    assert_eq!(store.logged(&access.records).await, []);
    assert_eq!(store.find(&new).await, Some(new));
}

/// The access shows in every read of the secret and of its version, and in no other version; it changes nothing else.
pub async fn last_accessed_at_shows_everywhere(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let secret = store.apply(units::append(&secret)).await;
    assert_eq!(shown(&store, &secret).await, [None; 4]);
    assert_eq!(record(&store, &build::access(&secret, 1, build::at(50))).await, Ok(()));
    let at = Some(build::at(50));
    eventually(&[at; 4], async || shown(&store, &secret).await).await;
    eventually(&vec![[at; 2], [None; 2]], async || shown_of_versions(&store, &secret).await).await;
    assert_eq!(store.find(&secret).await, Some(Secret { last_accessed_at: at, ..secret }));
}

/// An access with an earlier time, from a clock that went back, doesn't take the last access with it.
pub async fn last_accessed_at_never_goes_back(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let secret = store.apply(units::append(&secret)).await;
    for (version, second) in [(1, 50), (1, 40), (2, 30), (2, 20)] {
        assert_eq!(record(&store, &build::access(&secret, version, build::at(second))).await, Ok(()));
    }
    eventually(&[Some(build::at(50)); 4], async || shown(&store, &secret).await).await;
    let versions = vec![[Some(build::at(50)); 2], [Some(build::at(30)); 2]];
    eventually(&versions, async || shown_of_versions(&store, &secret).await).await;
}

/// The last access outlives changes of the secret.
pub async fn last_accessed_at_outlives_changes(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    assert_eq!(record(&store, &build::access(&secret, 1, build::at(50))).await, Ok(()));
    let secret = store.apply(units::append(&secret)).await;
    let secret = store.apply(units::replace_metadata(&secret, build::metadata("new"))).await;
    let secret = store.apply(units::erase(&secret, build::number(1), None)).await;
    eventually(&[Some(build::at(50)); 4], async || shown(&store, &secret).await).await;
    let versions = vec![[Some(build::at(50)); 2], [None; 2]];
    eventually(&versions, async || shown_of_versions(&store, &secret).await).await;
}

/// Accesses of many callers at once: those that are stale fail alone.
pub async fn accesses_fail_alone(store: Store) {
    let fresh = store.insert(build::secret(build::scope(), "/fresh")).await;
    let stale = store.insert(build::secret(fresh.scope, "/stale")).await;
    store.apply(units::append(&stale)).await;
    let (mut calls, mut wanted) = (Vec::new(), Vec::new());
    for index in 0..48 {
        let secret = if index % 3 == 0 { &stale } else { &fresh };
        let access = build::access(secret, 1, build::at(index));
        let outcome = if index % 3 == 0 { Err(AccessErrorKind::Stale) } else { Ok(()) };
        if outcome.is_ok() {
            wanted.extend(access.records.clone());
        }
        let log = Arc::clone(&store.access);
        calls.push((outcome, tokio::spawn(async move { log.record(access).await.map_err(|error| *error.kind()) })));
    }
    for (outcome, call) in calls {
        assert_eq!(call.await.expect("no panic"), outcome);
    }
    let logged = store.logged(&wanted).await;
    assert_eq!(logged.len(), wanted.len());
    for pair in logged.chunks(2) {
        let place = wanted.iter().position(|record| record == &pair[0]).expect("wanted");
        assert_eq!((place % 2, &wanted[place + 1]), (0, &pair[1]), "the two records of an access stand side by side");
    }
    assert_eq!(store.records().await.len(), wanted.len() + 3);
}
