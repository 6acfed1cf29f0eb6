use crate::contract::Store;
use crate::{build, units};
use strongroom_domain::port::SealedVersionState;
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::unit::{Change, Unit};
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
    let secret = Secret { policy: Some(build::policy()), ..build::secret(build::scope(), "/app/db+1/A_b-c.d") };
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

/// `ReplaceMetadata`: metadata and state, nothing else.
pub async fn replace_metadata_changes_nothing_else(store: Store) {
    let secret = Secret { policy: Some(build::policy()), ..build::secret(build::scope(), "/a") };
    let secret = store.insert(secret).await;
    let versions = history(&store, &secret).await;
    let replaced = store.apply(units::replace_metadata(&secret, build::metadata("other"))).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&replaced));
    let cleared =
        store.apply(units::replace_metadata(&replaced, strongroom_domain::metadata::Metadata::default())).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&cleared));
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
