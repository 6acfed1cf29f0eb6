use crate::contract::{Store, leases};
use crate::{build, units};
use strongroom_domain::directory::{DirectoryObject, ObjectKind, User};
use strongroom_domain::id::{KeyId, OrganisationId, ProjectId, SecretId, UserId};
use strongroom_domain::kms::{Key, KeyState};
use strongroom_domain::lease::{Epoch, Lease, LeaseName, LeaseTtl};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::scope::Scope;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, UniqueKey, Unit};

fn only(expect: Expect) -> Unit {
    units::expecting(vec![expect], Vec::new())
}

/// A secret's revision is the one of its last change, and nobody else's.
pub async fn expects_the_revision_of_a_secret(store: Store) {
    let first = store.insert(build::secret(build::scope(), "/a")).await;
    let id = AggregateId::Secret(first.id);
    store.commit(only(units::unchanged(&first))).await;
    let second = store.apply(units::append(&first)).await;
    store.commit(only(units::unchanged(&second))).await;
    for revision in [first.state.revision, second.state.revision.next(), Revision::new(0)] {
        store.conflicts(only(Expect::Revision(id, revision)), &Expect::Revision(id, revision)).await;
    }
    let missing = units::unchanged(&build::secret(first.scope, "/a"));
    store.conflicts(only(missing.clone()), &missing).await;
    store.commit(units::delete(&second)).await;
    store.conflicts(only(units::unchanged(&second)), &units::unchanged(&second)).await;
}

/// A key's revision is the one of its last change.
pub async fn expects_the_revision_of_a_key(store: Store) {
    let first = build::key(build::scope(), "k");
    store.commit(units::insert_key(&first)).await;
    store.commit(only(units::unchanged_key(&first))).await;
    let second = store.apply(units::append_key_version(&first)).await;
    store.commit(only(units::unchanged_key(&second))).await;
    store.conflicts(only(units::unchanged_key(&first)), &units::unchanged_key(&first)).await;
    let handle = build::key_version(1).handle;
    let third = store.apply(units::replace_key_handle(&second, 0, handle)).await;
    store.conflicts(only(units::unchanged_key(&second)), &units::unchanged_key(&second)).await;
    store.commit(only(units::unchanged_key(&third))).await;
    // A secret and a key of one identity are two.
    let id = SecretId::new(first.spec.id.uuid());
    let secret = Expect::Revision(AggregateId::Secret(id), third.state.revision);
    store.conflicts(only(secret.clone()), &secret).await;
}

/// An organisation's revision is the one of the last change of it and its directory.
pub async fn expects_the_revision_of_an_organisation(store: Store) {
    let first = store.organisation("o").await;
    store.commit(only(units::unchanged_organisation(&first))).await;
    let second = store.put(&first, [build::team(first.id, "t").into()]).await;
    store.commit(only(units::unchanged_organisation(&second))).await;
    store.conflicts(only(units::unchanged_organisation(&first)), &units::unchanged_organisation(&first)).await;
    let third = store.apply(units::replace_organisation(&second, |it| it.name = "New".to_owned())).await;
    store.commit(only(units::unchanged_organisation(&third))).await;
    for stale in [&second, &build::organisation("missing")] {
        store.conflicts(only(units::unchanged_organisation(stale)), &units::unchanged_organisation(stale)).await;
    }
    // A key and an organisation of one identity are two.
    let id = KeyId::new(first.id.uuid());
    let key = Expect::Revision(AggregateId::Key(id), third.revision);
    store.conflicts(only(key.clone()), &key).await;
}

/// A project is empty while neither a secret nor a key is in it, in whatever region; those of another project, and those outside of
/// all, don't count.
pub async fn expects_a_project_to_be_empty(store: Store) {
    let scope = build::scope();
    let (organisation, project) = (scope.organisation, ProjectId::new(build::uuid()));
    let (one, other) = (build::region("one"), build::region("other"));
    let regions = [&one, &other].map(|region| Change::InsertRegion(region.clone()));
    store.commit(units::expecting(Vec::new(), regions.to_vec())).await;
    let within = |region: &Region, project| Scope { organisation, region: region.id, project };
    let empty = Expect::Empty(organisation, project);
    for outside in [None, Some(ProjectId::new(build::uuid()))] {
        store.insert(build::secret(within(&one, outside), "/a")).await;
        store.commit(units::insert_key(&build::key(within(&one, outside), "k"))).await;
    }
    store.commit(only(empty.clone())).await;
    let secret = store.insert(build::secret(within(&other, Some(project)), "/a")).await;
    store.conflicts(only(empty.clone()), &empty).await;
    store.commit(units::delete(&secret)).await;
    store.commit(only(empty.clone())).await;
    store.commit(units::insert_key(&build::key(within(&one, Some(project)), "k"))).await;
    store.conflicts(only(empty.clone()), &empty).await;
    let foreign = Expect::Empty(OrganisationId::new(build::uuid()), project);
    store.commit(only(foreign)).await;
}

/// Each kind of unique key is absent until something holds it; from then on both the expectation and a second insert without one
/// are conflicts that name it.
pub async fn expects_the_absence_of_every_unique_key(store: Store) {
    let scope = build::scope();
    let secret = build::secret(scope, "/a");
    let key = build::key(scope, "k");
    let answer = build::answer(secret.id, 1, build::at(1));
    let insert = |path| Change::InsertSecret { secret: build::secret(scope, path), version: build::sealed(1) };
    let other_name = |name: &str, slug: &str| {
        let key = build::key(scope, name);
        Change::InsertKey(Key { slug: slug.to_owned(), ..key })
    };
    let again = strongroom_domain::unit::Answer { body: Some([9; 32]), ..answer.clone() };
    let organisation = build::organisation("o");
    let within = organisation.id;
    let user = build::user();
    let namesake = User { id: UserId::new(build::uuid()), ..user.clone() };
    let login = DirectoryObject::from(user.clone()).handle().into_owned();
    let cases = [
        (UniqueKey::Setup, Change::InsertKeyCheck(build::key_check()), Change::InsertKeyCheck(build::key_check())),
        (
            UniqueKey::Checkpoint(3),
            Change::AddCheckpoint(build::checkpoint(3, Vec::new())),
            Change::AddCheckpoint(build::checkpoint(3, Vec::new())),
        ),
        (
            UniqueKey::OrganisationSlug("o".to_owned()),
            Change::InsertOrganisation(organisation),
            Change::InsertOrganisation(build::organisation("o")),
        ),
        (
            UniqueKey::Handle(Some(within), ObjectKind::Team, "t".to_owned()),
            units::put(build::team(within, "t")),
            units::put(build::team(within, "t")),
        ),
        (UniqueKey::Handle(None, ObjectKind::User, login), units::put(user), units::put(namesake)),
        (
            UniqueKey::RegionSlug("r".to_owned()),
            Change::InsertRegion(build::region("r")),
            Change::InsertRegion(build::region("r")),
        ),
        (
            UniqueKey::SecretPath(scope, secret.path.clone()),
            Change::InsertSecret { secret, version: build::sealed(1) },
            insert("/a"),
        ),
        (UniqueKey::KeyName(scope, "k".to_owned()), Change::InsertKey(key), other_name("k", "free")),
        (UniqueKey::KeySlug(scope, "s".to_owned()), other_name("m", "s"), other_name("n", "s")),
        (UniqueKey::Answer(answer.key), Change::RememberAnswer(answer), Change::RememberAnswer(again)),
    ];
    for (unique, holder, second) in cases {
        let absent = Expect::Absent(unique);
        store.commit(only(absent.clone())).await;
        store.commit(units::expecting(vec![absent.clone()], vec![holder])).await;
        store.conflicts(only(absent.clone()), &absent).await;
        store.conflicts(units::of(vec![second]), &absent).await;
    }
}

/// A key version is expected while its key is there and does not retire it, whether it exists or not; lowering the oldest one brings
/// those back.
pub async fn expects_a_key_version_that_is_not_retired(store: Store) {
    let key = build::key(build::scope(), "k");
    let version = |number| Expect::KeyVersion(key.spec.id, build::key_version(number).number);
    store.conflicts(only(version(1)), &version(1)).await;
    store.commit(units::insert_key(&key)).await;
    let mut now = key.clone();
    for _ in 0..2 {
        now = store.apply(units::append_key_version(&now)).await;
        store.commit(only(version(1))).await;
    }
    for (oldest, holds) in [(3, [false, false, true, true]), (2, [false, true, true, true]), (1, [true; 4])] {
        let edit = |state: &mut KeyState| state.min_decryption_version = build::key_version(oldest).number;
        now = store.apply(units::replace_key_state(&now, edit)).await;
        for (number, holds) in (1..).zip(holds) {
            match holds {
                true => store.commit(only(version(number))).await,
                false => store.conflicts(only(version(number)), &version(number)).await,
            }
        }
    }
    // What is refused after it changed the key leaves nothing.
    let (mut unit, retired) =
        units::replace_key_state(&now, |state| state.min_decryption_version = build::key_version(2).number);
    unit.changes.push(Change::DeleteSecret { secret: SecretId::new(build::uuid()) });
    assert!(store.committer.commit(unit).await.is_err());
    store.commit(only(version(1))).await;
    assert_eq!(retired.state.revision, now.state.revision.next());
    store.commit(units::delete_key(&now)).await;
    store.conflicts(only(version(3)), &version(3)).await;
}

/// Puts and creations expect the version of the key that wrapped for them, beside what else they expect, alone and many at once: those
/// whose version is retired are refused, each for that reason, and leave nothing.
pub async fn a_put_expects_its_key_version(store: Store) {
    let (retired, good) = (build::key(build::scope(), "retired"), build::key(build::scope(), "good"));
    for key in [&retired, &good] {
        store.commit(units::insert_key(key)).await;
    }
    let expect = |key: &Key| Expect::KeyVersion(key.spec.id, build::key_version(1).number);
    let needing = |mut unit: Unit, key: &Key| {
        unit.expect.push(expect(key));
        unit
    };
    let appended = store.apply(units::append_key_version(&retired)).await;
    let edit = |state: &mut KeyState| state.min_decryption_version = build::key_version(2).number;
    let mut secrets = Vec::new();
    for number in 0..12 {
        let secret = build::secret(retired.spec.scope, &format!("/{number}"));
        store.commit(needing(units::insert(&secret), &retired)).await;
        secrets.push(secret);
    }
    store.apply(units::replace_key_state(&appended, edit)).await;
    for secret in &secrets[..2] {
        store.conflicts(needing(units::append(secret).0, &retired), &expect(&retired)).await;
        let created = build::secret(secret.scope, "/new");
        store.conflicts(needing(units::insert(&created), &retired), &expect(&retired)).await;
        assert_eq!(store.find(&created).await, None);
    }
    let mut puts = tokio::task::JoinSet::new();
    for (place, secret) in secrets.iter().enumerate() {
        let key = if place % 3 == 0 { &retired } else { &good };
        let (unit, after) = units::append(secret);
        let (unit, committer, wanted) = (needing(unit, key), store.committer.clone(), expect(&retired));
        let (before, fails) = (secret.clone(), place % 3 == 0);
        puts.spawn(async move {
            let outcome = committer.commit(unit).await.map_err(|error| error.kind().clone());
            let wanted = if fails { Err(CommitErrorKind::Conflict(wanted)) } else { Ok(()) };
            assert_eq!(outcome, wanted);
            if fails { before } else { after }
        });
    }
    for secret in puts.join_all().await {
        assert_eq!(store.find(&secret).await, Some(secret));
    }
}

/// A lease's epoch is expected while it stands: not before it was acquired, not after it expired, was released or went to another. What
/// the unit would change stays as it was.
pub async fn expects_the_epoch_of_a_lease(store: Store) {
    let name = LeaseName::KeyRotation;
    let never = Expect::Lease(name, Epoch::FIRST);
    store.conflicts(only(never.clone()), &never).await;

    let first = leases::acquired(&store, name, leases::holder(1), LeaseTtl::MAX).await;
    let secret = build::secret(build::scope(), "/a");
    let Unit { expect, changes, .. } = units::insert(&secret);
    let under = |lease: Lease| Expect::Lease(lease.name, lease.epoch);
    let fenced = |lease| units::expecting([vec![under(lease)], expect.clone()].concat(), changes.clone());
    for other in [
        Expect::Lease(name, first.epoch.next()),
        Expect::Lease(name, Epoch::new(0)),
        Expect::Lease(LeaseName::KeyPurge, first.epoch),
    ] {
        store.conflicts(only(other.clone()), &other).await;
    }
    store.commit(only(under(first))).await;

    store.leases.release(&first).await.expect("a lease store");
    store.conflicts(fenced(first), &under(first)).await;
    let second = leases::acquired(&store, name, leases::holder(2), LeaseTtl::MIN).await;
    store.conflicts(fenced(first), &under(first)).await;
    leases::wait_for_the_end(&store, second).await;
    let third = leases::acquired(&store, name, leases::holder(1), LeaseTtl::MAX).await;
    store.conflicts(fenced(first), &under(first)).await;
    store.conflicts(fenced(second), &under(second)).await;
    assert_eq!(store.find(&secret).await, None);
    store.commit(fenced(third)).await;
    assert_eq!(store.find(&secret).await, Some(secret));
}

/// A change of an aggregate that is missing or has moved on is a conflict also without its expectation.
pub async fn changes_compare_revisions_without_being_told(store: Store) {
    let first = store.insert(build::secret(build::scope(), "/a")).await;
    let key = build::key(first.scope, "k");
    store.commit(units::insert_key(&key)).await;
    let moved = store.apply(units::append(&first)).await;
    let moved_key = store.apply(units::append_key_version(&key)).await;

    let missing = build::secret(first.scope, "/a");
    for secret in [&first, &missing] {
        for (unit, _) in [
            units::append(secret),
            units::erase(secret, build::number(1), None),
            units::replace_metadata(secret, build::metadata("new")),
            units::replace_policy(secret, Some(build::policy())),
        ] {
            store.conflicts(units::of(unit.changes), &units::unchanged(secret)).await;
        }
    }
    for key in [&key, &build::key(first.scope, "k")] {
        for (unit, _) in [
            units::append_key_version(key),
            units::replace_key_status(key, strongroom_domain::kms::KeyStatus::Disabled),
            units::replace_key_handle(key, 0, build::key_version(1).handle),
        ] {
            store.conflicts(units::of(unit.changes), &units::unchanged_key(key)).await;
        }
    }
    let delete = units::of(vec![Change::DeleteSecret { secret: missing.id }]);
    store.conflicts(delete, &Expect::Revision(AggregateId::Secret(missing.id), Revision::FIRST)).await;

    assert_eq!(store.find(&first).await.as_ref(), Some(&moved));
    let read = store.keys.get(key.spec.id, strongroom_domain::port::Freshness::Latest).await.expect("readable");
    assert_eq!(read.as_deref(), Some(&moved_key));
}

/// A root key is expected while the store's key check names it, also by the unit that replaces the check.
pub async fn expects_the_root_key_of_the_key_check(store: Store) {
    let (first, second) = (build::key_check(), build::key_check());
    let [before, after] = [&first, &second].map(|check| Expect::RootKey(check.root_key));
    store.conflicts(only(before.clone()), &before).await;
    store.commit(units::of(vec![Change::InsertKeyCheck(first)])).await;
    store.commit(only(before.clone())).await;
    store.conflicts(only(after.clone()), &after).await;
    let replace = || units::expecting(vec![before.clone()], vec![Change::ReplaceKeyCheck(second.clone())]);
    store.commit(replace()).await;
    store.conflicts(replace(), &before).await;
    let key = build::key(build::scope(), "k");
    let sealed = |expect: &Expect| units::expecting(vec![expect.clone()], vec![Change::InsertKey(key.clone())]);
    store.conflicts(sealed(&before), &before).await;
    store.commit(sealed(&after)).await;
}
