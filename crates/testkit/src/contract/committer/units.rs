use crate::contract::{Store, eventually};
use crate::{build, units};
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::{DirectoryObject, ObjectKind, Team};
use strongroom_domain::port::{CommitErrorKind, Freshness, ObjectSelector};
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, Unit};

/// How many commit at once where cases make them compete.
pub(super) const CROWD: usize = 16;

/// Everything of a unit is there when `commit` returns, its records in their order.
pub async fn a_unit_is_there_whole_when_commit_returns(store: Store) {
    let scope = build::scope();
    let (secret, other, key) = (build::secret(scope, "/a"), build::secret(scope, "/b"), build::key(scope, "k"));
    let insert = |secret: &_| Change::InsertSecret { secret: Clone::clone(secret), version: build::sealed(1) };
    let unit = Unit {
        expect: vec![units::path_is_free(&secret)],
        changes: vec![insert(&secret), Change::InsertKey(key.clone()), insert(&other)],
        records: [Action::SecretCreate, Action::KmsCreate, Action::KmsEncrypt].map(build::record).to_vec(),
    };
    let records = unit.records.clone();
    store.commit(unit).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&secret));
    assert_eq!(store.find(&other).await.as_ref(), Some(&other));
    let read = store.keys.get(key.spec.id, Freshness::Latest).await.expect("readable");
    assert_eq!(read.as_deref(), Some(&key));
    assert_eq!(store.logged(&records).await, records);
}

/// A unit without changes is applied: its records are kept; one without anything is nothing.
pub async fn a_unit_may_hold_records_only(store: Store) {
    store.commit(Unit::default()).await;
    let records = vec![build::record(Action::SystemInit)];
    store.commit(Unit { records: records.clone(), ..Unit::default() }).await;
    assert_eq!(store.records().await, records);
}

/// A unit whose expectation fails leaves none of its changes and records.
pub async fn a_failed_expectation_leaves_nothing(store: Store) {
    let there = store.insert(build::secret(build::scope(), "/there")).await;
    let secret = build::secret(there.scope, "/new");
    let stale = Expect::Revision(AggregateId::Secret(there.id), Revision::new(7));
    let mut unit = units::insert(&secret);
    unit.expect.push(stale.clone());
    store.conflicts(unit, &stale).await;
    assert_eq!(store.find(&secret).await, None);
    // And nothing stands in the way of doing it right.
    store.insert(secret).await;
}

/// Of several expectations that fail, the first in order is named.
pub async fn the_first_failed_expectation_is_named(store: Store) {
    let there = store.insert(build::secret(build::scope(), "/there")).await;
    let holds = units::unchanged(&there);
    let taken = units::path_is_free(&there);
    let stale = Expect::Revision(AggregateId::Secret(there.id), there.state.revision.next());
    let change = || vec![Change::DeleteSecret { secret: there.id }];
    store.conflicts(units::expecting(vec![holds.clone(), taken.clone(), stale.clone()], change()), &taken).await;
    store.conflicts(units::expecting(vec![stale.clone(), holds, taken], change()), &stale).await;
    assert_eq!(store.find(&there).await, Some(there));
}

/// A change that can't be made takes those before it back with it.
pub async fn a_change_that_does_not_fit_undoes_the_changes_before_it(store: Store) {
    let there = store.insert(build::secret(build::scope(), "/there")).await;
    let before = store.sealed(&there, strongroom_domain::version::VersionSelector::Current).await;
    let (new, key) = (build::secret(there.scope, "/new"), build::key(there.scope, "k"));
    let missing = build::secret(there.scope, "/missing");
    let mut unit = units::insert(&new);
    unit.changes.push(Change::InsertKey(key.clone()));
    let (append, appended) = units::append(&there);
    unit.changes.extend(append.changes);
    unit.changes.extend(units::erase(&appended, build::number(1), None).0.changes);
    unit.changes.extend(units::append(&missing).0.changes);
    store.conflicts(unit, &units::unchanged(&missing)).await;
    assert_eq!(store.find(&new).await, None);
    assert_eq!(store.find(&there).await.as_ref(), Some(&there));
    assert_eq!(store.sealed(&there, strongroom_domain::version::VersionSelector::Current).await, before);
    assert_eq!(store.secrets.version(there.id, build::number(2)).await.expect("readable"), None);
    assert_eq!(store.keys.get(key.spec.id, Freshness::Latest).await.expect("readable"), None);
}

/// The same, of changes of tenancy, directory and tokens.
pub async fn a_change_that_does_not_fit_undoes_changes_of_the_directory(store: Store) {
    let organisation = store.organisation("o").await;
    let (kept, gone) = (build::team(organisation.id, "kept"), build::team(organisation.id, "gone"));
    let objects = [DirectoryObject::from(kept.clone()), gone.into()];
    let organisation = store.put(&organisation, objects.clone()).await;
    let (token, region) = (build::token(organisation.id), build::region("r"));
    store.commit(units::of(vec![Change::InsertToken(token.clone()), Change::InsertRegion(region.clone())])).await;

    let (unit, revised) = units::revise(
        &organisation,
        vec![
            units::put(Team { named: build::named("renamed"), ..kept }),
            units::put(build::team(organisation.id, "new")),
            units::remove(&objects[1]),
            units::put(build::team(organisation.id, "gone")),
            Change::DeleteToken { id: token.id },
            Change::InsertToken(build::token(organisation.id)),
            Change::ReplaceRegion(Region { slug: "moved".to_owned(), ..region.clone() }),
        ],
    );
    let mut changes = unit.changes;
    changes.extend(units::replace_organisation(&revised, |it| it.slug = "moved".to_owned()).0.changes);
    let missing = build::secret(build::scope(), "/missing");
    changes.extend(units::append(&missing).0.changes);
    store.conflicts(units::of(changes), &units::unchanged(&missing)).await;

    assert_eq!(store.objects(ObjectKind::Team, None, ObjectSelector::All).await, objects);
    for object in objects {
        let handle = ObjectSelector::Handle(object.handle().into_owned());
        assert_eq!(store.objects(ObjectKind::Team, Some(organisation.id), handle).await, [object]);
    }
    assert_eq!(store.tokens.by_digest(&token.digest).await.expect("readable").as_ref(), Some(&token));
    assert_eq!(store.tenancy.regions().await.expect("readable"), [region]);
    assert_eq!(store.tenancy.organisations().await.expect("readable"), [organisation]);
}

/// Changes are made in their order: a path freed by one is free for the next.
pub async fn changes_are_made_in_order(store: Store) {
    let old = store.insert(build::secret(build::scope(), "/a")).await;
    let new = build::secret(old.scope, "/a");
    let mut unit = units::delete(&old);
    unit.changes.push(Change::InsertSecret { secret: new.clone(), version: build::sealed(1) });
    store.commit(unit).await;
    assert_eq!(store.find(&old).await, Some(new));

    let twice = [build::secret(old.scope, "/b"), build::secret(old.scope, "/b")];
    let insert = |secret: &_| Change::InsertSecret { secret: Clone::clone(secret), version: build::sealed(1) };
    store.conflicts(units::of(twice.iter().map(insert).collect()), &units::path_is_free(&twice[0])).await;
    assert_eq!(store.find(&twice[0]).await, None);
}

/// Of commits at once that expect the same revision, exactly one is applied; the others name the expectation.
pub async fn of_commits_that_expect_one_revision_one_is_applied(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let commits = (0..CROWD).map(|_| {
        let (committer, (unit, _)) = (Arc::clone(&store.committer), units::append(&secret));
        tokio::spawn(async move { committer.commit(unit).await })
    });
    let mut applied = 0;
    for commit in commits.collect::<Vec<_>>() {
        match commit.await.expect("no panic") {
            Ok(()) => applied += 1,
            Err(error) => assert_eq!(error.kind(), &CommitErrorKind::Conflict(units::unchanged(&secret))),
        }
    }
    assert_eq!(applied, 1);
    let versions = store.secrets.versions(secret.id, None, 100).await.expect("readable");
    assert_eq!(versions.len(), 2);
}

/// Units of many callers at once: those whose expectation fails fail alone, and leave nothing.
pub async fn units_fail_alone(store: Store) {
    let taken = store.insert(build::secret(build::scope(), "/taken")).await;
    let mut good = Vec::new();
    let mut commits = Vec::new();
    for index in 0..4 * CROWD {
        let fails = index % 3 == 1;
        let path = if fails { "/taken".to_owned() } else { format!("/new/{index}") };
        let secret = build::secret(taken.scope, &path);
        let unit = units::insert(&secret);
        if !fails {
            good.push((secret, unit.records.clone()));
        }
        let committer = Arc::clone(&store.committer);
        commits.push((fails, tokio::spawn(async move { committer.commit(unit).await })));
    }
    for (fails, commit) in commits {
        let outcome = commit.await.expect("no panic").map_err(|error| error.kind().clone());
        let wanted = if fails { Err(CommitErrorKind::Conflict(units::path_is_free(&taken))) } else { Ok(()) };
        assert_eq!(outcome, wanted);
    }
    for (secret, records) in &good {
        assert_eq!(store.find(secret).await.as_ref(), Some(secret));
        assert_eq!(&store.logged(records).await, records);
    }
    assert_eq!(store.records().await.len(), good.len() + 1);
}

/// A unit is applied even when the caller stops waiting after the first poll.
pub async fn a_unit_is_applied_when_the_caller_stops_waiting(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let unit = units::insert(&secret);
    let records = unit.records.clone();
    {
        let mut commit = pin!(store.committer.commit(unit));
        poll_fn(|context| {
            let _ = commit.as_mut().poll(context);
            Poll::Ready(())
        })
        .await;
    }
    eventually(&Some(secret.clone()), async || store.find(&secret).await).await;
    assert_eq!(store.logged(&records).await, records);
}
