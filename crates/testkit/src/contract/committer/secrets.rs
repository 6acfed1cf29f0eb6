use crate::contract::Store;
use crate::{build, units};
use core::num::NonZeroU32;
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::port::SealedVersionState;
use strongroom_domain::secret::{SealedVersion, Secret, WrappedKey};
use strongroom_domain::unit::{AggregateId, Change, Expect, Revision, Unit};
use strongroom_domain::version::{Version, VersionSelector, VersionStatus};

/// The version that a unit brings.
fn version_of(unit: &Unit) -> SealedVersion {
    match &unit.changes[0] {
        Change::InsertSecret { version, .. } | Change::AppendVersion { version, .. } => version.clone(),
        other => panic!("{other:?} brings no version"),
    }
}

async fn history(store: &Store, secret: &Secret) -> Vec<Version> {
    store.secrets.versions(secret.id, None, 100).await.expect("readable")
}

/// `InsertSecret`: the secret, with everything known of it, and its first version.
pub async fn insert_secret_keeps_every_field(store: Store) {
    let max_active_versions = NonZeroU32::new(3);
    let secret = build::secret(build::scope(), "/app/db+1/A_b-c.d");
    let secret = Secret { policy: Some(build::policy()), max_active_versions, ..secret };
    let unit = units::insert(&secret);
    let version = version_of(&unit);
    store.commit(unit).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&secret));
    assert_eq!(store.active(&secret, VersionSelector::Current).await, Some(version));
}

/// A path is taken in its own scope only.
pub async fn one_path_may_be_used_in_every_scope(store: Store) {
    let scope = build::scope();
    let scopes = [scope, build::project_in(scope), build::project_in(scope), build::scope()];
    let mut secrets = Vec::new();
    for scope in scopes {
        secrets.push(store.insert(build::secret(scope, "/a")).await);
    }
    for secret in secrets {
        assert_eq!(store.find(&secret).await, Some(secret));
    }
}

/// Paths that differ in case alone are two.
pub async fn paths_are_case_sensitive(store: Store) {
    let lower = store.insert(build::secret(build::scope(), "/app/key")).await;
    let upper = store.insert(build::secret(lower.scope, "/app/KEY")).await;
    assert_eq!(store.find(&lower).await, Some(lower));
    assert_eq!(store.find(&upper).await, Some(upper));
}

/// `AppendVersion`: the version is there beside the others, and the state is replaced.
pub async fn append_version_keeps_the_others(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let insert = units::insert(&secret);
    let (append, appended) = units::append(&secret);
    let (first, second) = (version_of(&insert), version_of(&append));
    store.commit(insert).await;
    store.commit(append).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&appended));
    assert_eq!(store.active(&secret, VersionSelector::Number(build::number(1))).await, Some(first));
    assert_eq!(store.active(&secret, VersionSelector::Current).await, Some(second));
}

/// `EraseVersion`: the version is destroyed, its ciphertext gone, its entry in the history and the other versions stay.
pub async fn erase_version_leaves_the_history(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let insert = units::insert(&secret);
    let gone = version_of(&insert);
    store.commit(insert).await;
    let (append, secret) = units::append(&secret);
    let second = version_of(&append);
    store.commit(append).await;
    let before = history(&store, &secret).await;
    let (erase, erased) = units::erase(&secret, build::number(1), None);
    let Change::EraseVersion { at, .. } = erase.changes[0] else { panic!("erases") };
    store.erase(erase, &[gone]).await;
    assert_eq!(store.find(&secret).await, Some(erased));
    let first = VersionSelector::Number(build::number(1));
    assert_eq!(store.sealed(&secret, first).await, SealedVersionState::Destroyed);
    assert_eq!(store.active(&secret, VersionSelector::Current).await, Some(second));
    let mut after = before;
    after[0].status = VersionStatus::Destroyed { at };
    assert_eq!(history(&store, &secret).await, after);
}

/// A version that is destroyed already, or never was, can't be destroyed: a conflict.
pub async fn erase_version_wants_an_active_one(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let secret = store.apply(units::append(&secret)).await;
    let secret = store.apply(units::erase(&secret, build::number(2), Some(build::number(1)))).await;
    for number in [2, 3] {
        let (unit, _) = units::erase(&secret, build::number(number), None);
        store.conflicts(units::of(unit.changes), &units::unchanged(&secret)).await;
    }
    assert_eq!(store.find(&secret).await, Some(secret));
}

/// `AppendVersion` with `EraseVersion`s after it: all of them in one unit, under the one revision before; what was remembered of the
/// destroyed versions goes too.
pub async fn one_unit_may_append_and_erase(store: Store) {
    for count in [1, 2, 7] {
        let mut secret = build::secret(build::scope(), "/a");
        let insert = units::insert(&secret);
        let mut versions = vec![version_of(&insert)];
        store.commit(insert).await;
        for _ in 1..count + 2 {
            let (append, appended) = units::append(&secret);
            versions.push(version_of(&append));
            store.commit(append).await;
            secret = appended;
        }
        // One between them is destroyed already.
        secret = store.apply(units::erase(&secret, build::number(2), Some(build::number(1)))).await;
        let mut gone = versions;
        let last = gone.pop().expect("the one that stays");
        gone.remove(1);
        let answers = [gone[0].number, last.number].map(|number| build::answer(secret.id, number.get(), build::at(9)));
        store.commit(units::of(answers.iter().cloned().map(Change::RememberAnswer).collect())).await;
        let (mut unit, pruned) = units::append_and_erase(&secret, gone.iter().map(|version| version.number).collect());
        let newest = version_of(&unit);
        let own = build::answer(secret.id, newest.number.get(), build::at(9));
        unit.changes.push(Change::RememberAnswer(own.clone()));
        store.erase(unit, &gone).await;
        assert_eq!(pruned.state.head.active, 2);
        assert_eq!(store.find(&secret).await.as_ref(), Some(&pruned));
        assert_eq!(store.active(&secret, VersionSelector::Current).await.as_ref(), Some(&newest));
        assert_eq!(store.active(&secret, VersionSelector::Number(last.number)).await.as_ref(), Some(&last));
        for version in &gone {
            let state = store.sealed(&secret, VersionSelector::Number(version.number)).await;
            assert_eq!(state, SealedVersionState::Destroyed);
        }
        let destroyed = history(&store, &secret).await.into_iter().filter(|it| it.status != VersionStatus::Active);
        assert_eq!(destroyed.count(), gone.len() + 1);
        for (answer, whole) in [(&answers[0], false), (&answers[1], true), (&own, true)] {
            let kept = store.answers.answer(&answer.key).await.expect("readable").expect("stays");
            assert_eq!(kept.body, answer.body.filter(|_| whole));
        }
    }
}

/// When one of the versions can't be destroyed, or the secret has another revision, none is, and nothing is appended: the conflict is over
/// the revision before that change.
pub async fn one_unit_appends_and_erases_whole_or_not_at_all(store: Store) {
    let mut secret = store.insert(build::secret(build::scope(), "/a")).await;
    for _ in 0..4 {
        secret = store.apply(units::append(&secret)).await;
    }
    let secret = store.apply(units::erase(&secret, build::number(2), Some(build::number(1)))).await;
    let before = history(&store, &secret).await;
    for (numbers, fails) in [(vec![2], 0), (vec![1, 2, 3], 1), (vec![1, 3, 9], 2), (vec![1, 3, 1], 2)] {
        let (unit, _) = units::append_and_erase(&secret, numbers.into_iter().map(build::number).collect());
        let Change::EraseVersion { state, .. } = &unit.changes[1 + fails] else { panic!("erases") };
        let revision = Revision::new(state.revision.get() - 1);
        store.conflicts(unit, &Expect::Revision(AggregateId::Secret(secret.id), revision)).await;
        assert_eq!(store.find(&secret).await.as_ref(), Some(&secret));
        assert_eq!(history(&store, &secret).await, before);
    }
    let (unit, _) = units::append_and_erase(&secret, vec![build::number(1)]);
    let newer = store.apply(units::replace_policy(&secret, None)).await;
    store.conflicts(unit, &units::unchanged(&secret)).await;
    assert_eq!(store.find(&secret).await, Some(newer));
    assert_eq!(history(&store, &secret).await, before);
}

/// A wrapped key that no other is, of this key version and length.
fn wrapped(key_version: u32, length: usize) -> WrappedKey {
    let mut bytes = build::uuid().to_string().into_bytes();
    bytes.resize(length, b'.');
    WrappedKey { key_version: build::key_version(key_version).number, bytes }
}

/// `ReplaceWrappedKey`: the wrapped key of that version, nothing else, and the one before is erased.
pub async fn replace_wrapped_key_changes_nothing_else(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let insert = units::insert(&secret);
    let mut first = version_of(&insert);
    store.commit(insert).await;
    let (append, secret) = units::append(&secret);
    let second = version_of(&append);
    store.commit(append).await;
    let versions = history(&store, &secret).await;
    let length = first.wrapped.bytes.len();
    for after in [wrapped(2, length), wrapped(2, length + 40), wrapped(70_000, 38), wrapped(3, 38)] {
        let unit = units::rewrap(&secret, first.number, first.wrapped.clone(), after.clone());
        store.erase_bytes(unit, &[&first.wrapped.bytes]).await;
        first.wrapped = after;
        assert_eq!(store.active(&secret, VersionSelector::Number(first.number)).await.as_ref(), Some(&first));
        assert_eq!(store.active(&secret, VersionSelector::Current).await.as_ref(), Some(&second));
    }
    assert_eq!(store.find(&secret).await.as_ref(), Some(&secret));
    assert_eq!(history(&store, &secret).await, versions);
    let secret = store.apply(units::append(&secret)).await;
    store.erase(units::erase(&secret, first.number, None).0, &[first]).await;
}

/// A version that isn't active, or has another wrapped key than the one that is to be replaced, stays as it is; what else the unit
/// changes is changed.
pub async fn replace_wrapped_key_wants_the_one_before(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let insert = units::insert(&secret);
    let gone = version_of(&insert);
    store.commit(insert).await;
    let (append, secret) = units::append(&secret);
    let second = version_of(&append);
    store.commit(append).await;
    let secret = store.apply(units::erase(&secret, gone.number, None)).await;
    let versions = history(&store, &secret).await;
    let other_version = WrappedKey { key_version: KeyVersionNumber::FIRST.next(), ..second.wrapped.clone() };
    let missing = build::secret(secret.scope, "/b");
    for unit in [
        units::rewrap(&secret, second.number, wrapped(1, 44), wrapped(2, 44)),
        units::rewrap(&secret, second.number, other_version, wrapped(2, 44)),
        units::rewrap(&secret, gone.number, gone.wrapped.clone(), wrapped(2, 44)),
        units::rewrap(&secret, build::number(3), second.wrapped.clone(), wrapped(2, 44)),
        units::rewrap(&missing, build::number(1), second.wrapped.clone(), wrapped(2, 44)),
    ] {
        store.commit(unit).await;
        assert_eq!(store.active(&secret, VersionSelector::Current).await.as_ref(), Some(&second));
        assert_eq!(history(&store, &secret).await, versions);
    }
    assert_eq!(store.find(&secret).await, Some(secret));
    assert_eq!(store.find(&missing).await, None);
}

/// Many wrapped keys are replaced by one unit, in the order of its changes, beside other changes of it.
pub async fn one_unit_may_replace_many_wrapped_keys(store: Store) {
    let scope = build::scope();
    let (mut changes, mut wanted) = (Vec::new(), Vec::new());
    for path in ["/a", "/b", "/c"] {
        let secret = build::secret(scope, path);
        let insert = units::insert(&secret);
        let mut version = version_of(&insert);
        store.commit(insert).await;
        for key_version in 2..=4 {
            let after = wrapped(key_version, 50);
            changes.extend(units::rewrap(&secret, version.number, version.wrapped.clone(), after.clone()).changes);
            version.wrapped = after;
        }
        wanted.push((secret, version));
    }
    let (touch, touched) = units::replace_metadata(&wanted[0].0, build::metadata("between"));
    changes.splice(4..4, touch.changes);
    wanted[0].0 = touched;
    let stale = units::rewrap(&wanted[1].0, build::number(1), wrapped(1, 50), wrapped(9, 50));
    changes.extend(stale.changes);
    store.commit(units::of(changes)).await;
    for (secret, version) in wanted {
        assert_eq!(store.active(&secret, VersionSelector::Current).await, Some(version));
        assert_eq!(store.find(&secret).await, Some(secret));
    }
}

/// `ReplaceMetadata`: metadata, how many active versions are kept, and state, nothing else.
pub async fn replace_metadata_changes_nothing_else(store: Store) {
    let secret = Secret { policy: Some(build::policy()), ..build::secret(build::scope(), "/a") };
    let secret = store.insert(secret).await;
    let versions = history(&store, &secret).await;
    let replaced = store.apply(units::replace_metadata(&secret, build::metadata("other"))).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&replaced));
    let cleared =
        store.apply(units::replace_metadata(&replaced, strongroom_domain::metadata::Metadata::default())).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&cleared));
    let mut kept = cleared;
    for most in [Some(1), Some(u32::MAX), None, Some(7)] {
        kept = store.apply(units::keep_versions(&kept, most.and_then(NonZeroU32::new))).await;
        assert_eq!(store.find(&secret).await.as_ref(), Some(&kept));
    }
    assert_eq!(history(&store, &secret).await, versions);
}

/// `ReplacePolicy`: sets the policy as it was sent, and clears it.
pub async fn replace_policy_sets_and_clears(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let set = store.apply(units::replace_policy(&secret, Some(build::policy()))).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&set));
    let cleared = store.apply(units::replace_policy(&set, None)).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&cleared));
}

/// `DeleteSecret`: secret and versions are gone, by path and by id, and their ciphertext; others stay.
pub async fn delete_secret_leaves_nothing_of_it(store: Store) {
    let secret = build::secret(build::scope(), "/a");
    let insert = units::insert(&secret);
    let first = version_of(&insert);
    store.commit(insert).await;
    let neighbour = store.insert(build::secret(secret.scope, "/a/b")).await;
    let (append, secret) = units::append(&secret);
    let second = version_of(&append);
    store.commit(append).await;
    store.erase(units::delete(&secret), &[first, second]).await;
    assert_eq!(store.find(&secret).await, None);
    assert_eq!(history(&store, &secret).await, []);
    assert_eq!(store.secrets.version(secret.id, build::number(1)).await.expect("readable"), None);
    assert_eq!(store.secrets.active_below(secret.id, build::number(9)).await.expect("readable"), None);
    assert_eq!(store.find(&neighbour).await, Some(neighbour));
}

/// The path of a deleted secret is free; a new secret there is another, and starts at version 1.
pub async fn delete_secret_frees_the_path(store: Store) {
    let old = store.insert(build::secret(build::scope(), "/a")).await;
    let old = store.apply(units::append(&old)).await;
    store.commit(units::delete(&old)).await;
    let new = build::secret(old.scope, "/a");
    let insert = units::insert(&new);
    let version = version_of(&insert);
    store.commit(insert).await;
    assert_eq!(store.find(&old).await.as_ref(), Some(&new));
    assert_eq!(store.active(&new, VersionSelector::Current).await, Some(version));
    assert_eq!(store.sealed(&new, VersionSelector::Number(build::number(2))).await, SealedVersionState::Missing);
    assert_eq!(history(&store, &new).await.len(), 1);
}
