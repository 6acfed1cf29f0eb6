use crate::contract::Store;
use crate::{build, units};
use std::sync::Arc;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeySpec, KeyStatus, KeyType, Rotation};
use strongroom_domain::port::{Freshness, KeyName};
use strongroom_domain::unit::{Expect, UniqueKey};

async fn get(store: &Store, id: KeyId) -> Option<Key> {
    store.keys.get(id, Freshness::Latest).await.expect("readable").map(Arc::unwrap_or_clone)
}

/// `InsertKey`: the key with everything known of it.
pub async fn insert_key_keeps_every_field(store: Store) {
    let plain = build::key(build::scope(), "Plain key");
    let spec = KeySpec { key_type: KeyType::ChaCha20Poly1305, export_allowed: true, ..plain.spec.clone() };
    let other = Key {
        spec: KeySpec { id: KeyId::new(build::uuid()), scope: build::project_in(plain.spec.scope), ..spec },
        rotation: Rotation { enabled: false, period_days: None },
        state: strongroom_domain::kms::KeyState { status: KeyStatus::Disabled, ..plain.state },
        ..plain.clone()
    };
    for key in [plain, other] {
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
