use crate::contract::Store;
use crate::{build, units};
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{
    Key, KeyHandle, KeyOrigin, KeySpec, KeyState, KeyStatus, KeyType, KeyVersionNumber, Rotation,
};
use strongroom_domain::port::{Freshness, KeyFilter, KeyName};
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};

async fn get(store: &Store, id: KeyId) -> Option<Key> {
    store.keys.get(id, Freshness::Latest).await.expect("readable").map(Arc::unwrap_or_clone)
}

/// `InsertKey`: the key with everything known of it, whatever its type.
pub async fn insert_key_keeps_every_field(store: Store) {
    let plain = build::key(build::scope(), "Plain key");
    let spec = KeySpec { key_type: KeyType::ChaCha20Poly1305, export_allowed: true, ..plain.spec.clone() };
    let other = Key {
        spec: KeySpec { id: KeyId::new(build::uuid()), scope: build::project_in(plain.spec.scope), ..spec },
        origin: KeyOrigin::Imported { allow_rotation: true },
        state: KeyState { status: KeyStatus::Disabled, rotation: Rotation::default(), ..plain.state },
        ..plain.clone()
    };
    let fixed = Key {
        spec: KeySpec {
            id: KeyId::new(build::uuid()),
            scope: build::project_in(plain.spec.scope),
            ..plain.spec.clone()
        },
        origin: KeyOrigin::Imported { allow_rotation: false },
        state: KeyState { min_decryption_version: KeyVersionNumber::FIRST.next(), ..plain.state },
        versions: vec![build::key_version(1), build::key_version(2)],
        ..plain.clone()
    };
    let of_every_type = KeyType::ALL.map(|key_type| {
        let key = build::key(plain.spec.scope, key_type.as_str());
        Key { spec: KeySpec { key_type, ..key.spec }, ..key }
    });
    for key in [plain, other, fixed].into_iter().chain(of_every_type) {
        store.commit(units::insert_key(&key)).await;
        assert_eq!(get(&store, key.spec.id).await, Some(key));
    }
}

/// `AppendKeyVersion`: the version is there after the others, and the state is replaced.
pub async fn append_key_version_keeps_the_others(store: Store) {
    let key = build::key(build::scope(), "k");
    store.commit(units::insert_key(&key)).await;
    let mut key = key;
    for _ in 0..11 {
        key = store.apply(units::append_key_version(&key)).await;
    }
    assert_eq!(key.versions.len(), 12);
    assert_eq!(get(&store, key.spec.id).await, Some(key));
}

/// `ReplaceKeyState`: the state, nothing else.
pub async fn replace_key_state_changes_nothing_else(store: Store) {
    let key = build::key(build::scope(), "k");
    store.commit(units::insert_key(&key)).await;
    let pending_disabled = KeyStatus::PendingDeletion { purge_at: build::at(77), was_disabled: true };
    let mut key = key;
    for status in [KeyStatus::Disabled, KeyStatus::Active, units::pending_deletion(), pending_disabled] {
        key = store.apply(units::replace_key_status(&key, status)).await;
        assert_eq!(get(&store, key.spec.id).await.as_ref(), Some(&key));
    }
    let rotations = [(false, Some(7)), (false, None), (true, Some(3_650))];
    for ((enabled, period_days), min) in rotations.into_iter().zip([3, 1, 2]) {
        let edit = |state: &mut KeyState| {
            state.rotation = Rotation { enabled, period_days };
            state.min_decryption_version = build::key_version(min).number;
        };
        key = store.apply(units::replace_key_state(&key, edit)).await;
        assert_eq!(get(&store, key.spec.id).await.as_ref(), Some(&key));
    }
}

/// `ReplaceKeyHandle`: the handle of that version, and the revision; the handle before is erased. A version that isn't there is a
/// conflict.
pub async fn replace_key_handle_erases_the_one_before(store: Store) {
    let key = build::key(build::scope(), "k");
    store.commit(units::insert_key(&key)).await;
    let key = store.apply(units::append_key_version(&key)).await;
    let mut key = store.apply(units::append_key_version(&key)).await;
    // Of the same length, longer, shorter.
    for (place, length) in [(1, None), (1, Some(3_000)), (0, Some(9)), (2, Some(40))] {
        let old = key.versions[place].handle.as_bytes().to_vec();
        let mut new = build::uuid().to_string().into_bytes();
        new.resize(length.unwrap_or(old.len()), b'.');
        let (unit, replaced) = units::replace_key_handle(&key, place, KeyHandle::new(new));
        store.erase_bytes(unit, &[&old]).await;
        assert_eq!(get(&store, key.spec.id).await.as_ref(), Some(&replaced));
        key = replaced;
    }
    let revision = key.state.revision.next();
    let missing = Change::ReplaceKeyHandle { key: key.spec.id, version: build::key_version(4), revision };
    store.conflicts(units::of(vec![missing]), &units::unchanged_key(&key)).await;
    assert_eq!(get(&store, key.spec.id).await, Some(key));
}

/// `DeleteKey`: the key is gone, by every name, and its handles are erased; other keys stay, and so do the secrets that were bound to
/// it. Again is fine.
pub async fn delete_key_leaves_nothing_of_it(store: Store) {
    let scope = build::scope();
    let (key, other) = (build::key(scope, "k"), build::key(scope, "other"));
    store.commit(units::insert_key(&key)).await;
    store.commit(units::insert_key(&other)).await;
    let bound = strongroom_domain::secret::Secret { key: key.spec.id, ..build::secret(scope, "/a") };
    let bound = store.insert(bound).await;
    let key = store.apply(units::append_key_version(&key)).await;
    let handles: Vec<&[u8]> = key.versions.iter().map(|version| version.handle.as_bytes()).collect();
    store.erase_bytes(units::delete_key(&key), &handles).await;
    let again = || Unit { expect: Vec::new(), ..units::delete_key(&key) };
    store.commit(again()).await;
    assert_eq!(get(&store, key.spec.id).await, None);
    for name in [KeyName::Id(key.spec.id), KeyName::Slug(key.slug.clone())] {
        assert_eq!(store.keys.find(&scope, &name).await.expect("readable"), None);
    }
    assert_eq!(store.keys.list(&scope, &KeyFilter::default()).await.expect("readable"), core::slice::from_ref(&other));
    assert_eq!(store.keys.summaries(&[key.spec.id]).await.expect("readable"), []);
    assert_eq!(store.find(&bound).await, Some(bound));
    store.conflicts(units::delete_key(&key), &units::unchanged_key(&key)).await;
    store.commit(units::insert_key(&build::key(scope, "k"))).await;
    assert_eq!(get(&store, other.spec.id).await, Some(other));
}

/// Live keys, disabled ones too, hold name and slug in their own scope; a key pending deletion holds neither, and may come back
/// beside the one that took them.
pub async fn only_live_keys_hold_name_and_slug(store: Store) {
    let old = build::key(build::scope(), "k");
    let scope = old.spec.scope;
    store.commit(units::insert_key(&old)).await;
    let name = Expect::Absent(UniqueKey::KeyName(scope, "k".to_owned()));
    let slug = Expect::Absent(UniqueKey::KeySlug(scope, "k".to_owned()));
    let old = store.apply(units::replace_key_status(&old, KeyStatus::Disabled)).await;
    store.conflicts(units::expecting(vec![slug.clone(), name.clone()], Vec::new()), &slug).await;
    store.conflicts(units::expecting(vec![name.clone(), slug.clone()], Vec::new()), &name).await;
    store.commit(units::insert_key(&build::key(build::project_in(scope), "k"))).await;

    let old = store.apply(units::replace_key_status(&old, units::pending_deletion())).await;
    store.commit(units::expecting(vec![name.clone(), slug], Vec::new())).await;
    let new = Key { created_at: build::at(60), ..build::key(scope, "k") };
    store.commit(units::insert_key(&new)).await;
    store.conflicts(units::insert_key(&build::key(scope, "k")), &name).await;

    let old = store.apply(units::replace_key_status(&old, KeyStatus::Active)).await;
    assert_eq!(get(&store, old.spec.id).await, Some(old));
    let found = store.keys.find(&scope, &KeyName::Slug("k".to_owned())).await.expect("readable");
    assert_eq!(found.as_deref(), Some(&new), "of two live keys the newer");
}
