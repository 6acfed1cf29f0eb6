//! Cases for [`KeyReader`](strongroom_domain::port::KeyReader).

use super::Store;
use crate::{build, units};
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyOrigin, KeyState, KeyStatus, Rotation};
use strongroom_domain::port::{Freshness, KeyCounts, KeyDue, KeyFilter, KeyName};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

async fn insert(store: &Store, scope: Scope, name: &str, created: i64) -> Key {
    let key = Key { created_at: build::at(created), ..build::key(scope, name) };
    store.commit(units::insert_key(&key)).await;
    key
}

async fn set(store: &Store, key: &Key, status: KeyStatus) -> Key {
    store.apply(units::replace_key_status(key, status)).await
}

async fn list(store: &Store, scope: &Scope, filter: &KeyFilter) -> Vec<String> {
    let keys = store.keys.list(scope, filter).await.expect("readable");
    keys.into_iter().map(|key| key.name).collect()
}

/// A key is got by id whatever its scope; both kinds of freshness answer alike; an unknown id has none.
pub async fn get_ignores_scopes(store: Store) {
    let scope = build::scope();
    let keys = [insert(&store, scope, "k", 0).await, insert(&store, build::project_in(scope), "k", 0).await];
    for freshness in [Freshness::Hint, Freshness::Latest] {
        for key in &keys {
            let read = store.keys.get(key.spec.id, freshness).await.expect("readable");
            assert_eq!(read.as_deref(), Some(key));
        }
        assert_eq!(store.keys.get(KeyId::new(build::uuid()), freshness).await.expect("readable"), None);
    }
}

/// Identity and slug find a key in its own scope only.
pub async fn find_sees_only_its_scope(store: Store) {
    let scope = build::scope();
    let project = build::project_in(scope);
    let key = insert(&store, scope, "My key", 0).await;
    for name in [KeyName::Id(key.spec.id), KeyName::Slug("my-key".to_owned())] {
        assert_eq!(store.keys.find(&scope, &name).await.expect("readable").as_deref(), Some(&key));
        assert_eq!(store.keys.find(&project, &name).await.expect("readable"), None);
    }
    for unknown in ["My key", "my-ke", "MY-KEY"] {
        assert_eq!(store.keys.find(&scope, &KeyName::Slug(unknown.to_owned())).await.expect("readable"), None);
    }
}

/// A slug finds the live key before one pending deletion, and of those pending deletion the newest; an identity finds either.
pub async fn find_by_slug_prefers_the_live_key(store: Store) {
    let scope = build::scope();
    let slug = KeyName::Slug("k".to_owned());
    let mut gone = Vec::new();
    for created in [5, 9, 7] {
        let key = insert(&store, scope, "k", created).await;
        gone.push(set(&store, &key, units::pending_deletion()).await);
    }
    assert_eq!(store.keys.find(&scope, &slug).await.expect("readable").as_deref(), Some(&gone[1]));
    let live = insert(&store, scope, "k", 1).await;
    assert_eq!(store.keys.find(&scope, &slug).await.expect("readable").as_deref(), Some(&live));
    let live = set(&store, &live, KeyStatus::Disabled).await;
    assert_eq!(store.keys.find(&scope, &slug).await.expect("readable").as_deref(), Some(&live));
    let by_id = store.keys.find(&scope, &KeyName::Id(gone[0].spec.id)).await.expect("readable");
    assert_eq!(by_id.as_deref(), Some(&gone[0]));
}

/// A list holds the keys of its scope: live ones first, then those pending deletion, each newest first.
pub async fn list_shows_live_keys_first_and_newest_first(store: Store) {
    let scope = build::scope();
    for (name, created) in [("b", 2), ("d", 4), ("a", 1), ("e", 5), ("c", 3)] {
        let key = insert(&store, scope, name, created).await;
        match name {
            "b" | "d" => drop(set(&store, &key, units::pending_deletion()).await),
            "c" => drop(set(&store, &key, KeyStatus::Disabled).await),
            _ => {}
        }
    }
    insert(&store, build::project_in(scope), "other", 9).await;
    assert_eq!(list(&store, &scope, &KeyFilter::default()).await, ["e", "c", "a", "d", "b"]);
    assert_eq!(list(&store, &build::scope(), &KeyFilter::default()).await, [""; 0]);
    for key in store.keys.list(&scope, &KeyFilter::default()).await.expect("readable") {
        assert_eq!(store.keys.get(key.spec.id, Freshness::Latest).await.expect("readable").as_deref(), Some(&key));
    }
}

/// Each part of a filter is matched exactly, and all of them together.
pub async fn list_filters_exactly(store: Store) {
    let scope = build::scope();
    let one = insert(&store, scope, "My Key", 1).await;
    insert(&store, scope, "My Key too", 2).await;
    let foreign = insert(&store, build::project_in(scope), "foreign", 3).await;
    let by = |id: Option<KeyId>, name: Option<&str>, slug: Option<&str>| KeyFilter {
        id,
        name: name.map(str::to_owned),
        slug: slug.map(str::to_owned),
    };
    for (filter, found) in [
        (by(Some(one.spec.id), None, None), true),
        (by(None, Some("My Key"), None), true),
        (by(None, None, Some("my-key")), true),
        (by(Some(one.spec.id), Some("My Key"), Some("my-key")), true),
        (by(Some(one.spec.id), Some("My Key too"), None), false),
        (by(None, Some("my key"), None), false),
        (by(None, Some("My_Key"), None), false),
        (by(None, None, Some("my-")), false),
        (by(Some(foreign.spec.id), None, None), false),
    ] {
        let wanted: &[&str] = if found { &["My Key"] } else { &[] };
        assert_eq!(list(&store, &scope, &filter).await, wanted, "{filter:?}");
    }
}

/// Summaries of the keys that are there, of any scope and state.
pub async fn summaries_leave_out_what_is_not_there(store: Store) {
    let scope = build::scope();
    let one = insert(&store, scope, "one", 1).await;
    let two = insert(&store, build::project_in(scope), "two", 2).await;
    let two = set(&store, &two, units::pending_deletion()).await;
    insert(&store, scope, "three", 3).await;
    let ids = [two.spec.id, KeyId::new(build::uuid()), one.spec.id];
    let mut summaries = store.keys.summaries(&ids).await.expect("readable");
    summaries.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(summaries, [one.summary(), two.summary()]);
    assert_eq!(store.keys.summaries(&[]).await.expect("readable"), []);
}

/// Counts are by state at a moment, of one scope.
pub async fn counts_are_by_state(store: Store) {
    let scope = build::scope();
    assert_eq!(store.keys.counts(&scope, build::at(0)).await.expect("readable"), KeyCounts::default());
    for (name, status) in [
        ("a", None),
        ("b", None),
        ("c", None),
        ("d", Some(KeyStatus::Disabled)),
        ("e", Some(KeyStatus::Disabled)),
        ("f", Some(units::pending_deletion())),
    ] {
        let key = insert(&store, scope, name, 0).await;
        if let Some(status) = status {
            set(&store, &key, status).await;
        }
    }
    let elsewhere = insert(&store, build::project_in(scope), "a", 0).await;
    set(&store, &elsewhere, units::pending_deletion()).await;
    let KeyStatus::PendingDeletion { purge_at, .. } = units::pending_deletion() else { panic!("it is pending") };
    for (at, pending_deletion, purge_due) in [
        (build::at(0), 1, 0),
        (Timestamp::from_micros(purge_at.as_micros() - 1), 1, 0),
        (purge_at, 0, 1),
        (Timestamp::from_micros(purge_at.as_micros() + 1), 0, 1),
    ] {
        let counts = store.keys.counts(&scope, at).await.expect("readable");
        assert_eq!(counts, KeyCounts { active: 3, disabled: 2, pending_deletion, purge_due });
    }
}

async fn due(store: &Store, what: KeyDue, second: i64, limit: u32) -> Vec<String> {
    let keys = store.keys.due(what, build::at(second), limit).await.expect("readable");
    for key in &keys {
        let read = store.keys.get(key.spec.id, Freshness::Latest).await.expect("readable");
        assert_eq!(read.as_deref(), Some(key));
    }
    keys.into_iter().map(|key| key.name).collect()
}

/// Rotations are due by the date that the domain derives, in any scope, the longest due first: after an insert, a new version, and
/// every change of what it depends on.
pub async fn due_rotations_follow_the_key(store: Store) {
    const DAY: i64 = 86_400;
    let rotating = |days| Rotation { enabled: true, period_days: Some(days) };
    let with = |key: Key, rotation, origin| Key { state: KeyState { rotation, ..key.state }, origin, ..key };
    let off = Rotation { enabled: false, period_days: Some(1) };
    let mut keys = Vec::new();
    for (name, rotation, origin) in [
        ("late", rotating(3), KeyOrigin::Generated),
        ("soon", rotating(1), KeyOrigin::Generated),
        ("next", rotating(2), KeyOrigin::Imported { allow_rotation: true }),
        ("fixed", rotating(1), KeyOrigin::Imported { allow_rotation: false }),
        ("off", off, KeyOrigin::Generated),
    ] {
        let key = with(build::key(build::scope(), name), rotation, origin);
        store.commit(units::insert_key(&key)).await;
        keys.push(key);
    }
    // Their first version was made at second 1.
    assert_eq!(due(&store, KeyDue::Rotation, DAY, 9).await, [""; 0]);
    assert_eq!(due(&store, KeyDue::Rotation, DAY + 1, 9).await, ["soon"]);
    assert_eq!(due(&store, KeyDue::Rotation, 3 * DAY + 1, 9).await, ["soon", "next", "late"]);
    assert_eq!(due(&store, KeyDue::Rotation, 9 * DAY, 2).await, ["soon", "next"]);
    assert_eq!(due(&store, KeyDue::Rotation, 9 * DAY, 0).await, [""; 0]);
    assert_eq!(due(&store, KeyDue::Purge, 9 * DAY, 9).await, [""; 0]);

    let [late, soon, next, fixed, off] = keys.try_into().expect("five");
    let (mut rotate, mut rotated) = units::append_key_version(&soon);
    let Change::AppendKeyVersion { version, .. } = &mut rotate.changes[0] else { panic!("appends") };
    version.created_at = build::at(DAY + 1);
    rotated.versions[1].created_at = build::at(DAY + 1);
    store.commit(rotate).await;
    assert_eq!(due(&store, KeyDue::Rotation, 2 * DAY, 9).await, [""; 0]);
    assert_eq!(due(&store, KeyDue::Rotation, 2 * DAY + 1, 9).await.len(), 2);

    store.apply(units::replace_key_state(&off, |state| state.rotation = rotating(2))).await;
    store.apply(units::replace_key_state(&fixed, |state| state.rotation = rotating(2))).await;
    let late = store.apply(units::replace_key_state(&late, |state| state.rotation = rotating(4))).await;
    let disabled = set(&store, &next, KeyStatus::Disabled).await;
    let pending = set(&store, &rotated, units::pending_deletion()).await;
    assert_eq!(due(&store, KeyDue::Rotation, 9 * DAY, 9).await, ["off", "late"]);
    set(&store, &disabled, KeyStatus::Active).await;
    set(&store, &pending, KeyStatus::Active).await;
    let mut all = due(&store, KeyDue::Rotation, 9 * DAY, 9).await;
    assert_eq!(all.pop().as_deref(), Some("late"));
    all.sort();
    assert_eq!(all, ["next", "off", "soon"]);
    store.commit(units::delete_key(&late)).await;
    assert_eq!(due(&store, KeyDue::Rotation, 9 * DAY, 9).await.len(), 3);
}

/// Purges are due from the date on that was said when the deletion was asked for; whoever called it off is not.
pub async fn due_purges_follow_the_status(store: Store) {
    let mut keys = Vec::new();
    for (name, second) in [("b", 20), ("a", 10), ("c", 30)] {
        let key = insert(&store, build::scope(), name, 0).await;
        let status = KeyStatus::PendingDeletion { purge_at: build::at(second), was_disabled: name == "b" };
        keys.push(set(&store, &key, status).await);
    }
    insert(&store, build::scope(), "live", 0).await;
    assert_eq!(due(&store, KeyDue::Purge, 9, 9).await, [""; 0]);
    assert_eq!(due(&store, KeyDue::Purge, 10, 9).await, ["a"]);
    assert_eq!(due(&store, KeyDue::Purge, 99, 9).await, ["a", "b", "c"]);
    assert_eq!(due(&store, KeyDue::Purge, 99, 2).await, ["a", "b"]);
    set(&store, &keys[1], KeyStatus::Disabled).await;
    store.commit(units::delete_key(&keys[2])).await;
    assert_eq!(due(&store, KeyDue::Purge, 99, 9).await, ["b"]);
}

/// All keys come by identity, of every scope and state, page by page.
pub async fn all_pages_by_identity(store: Store) {
    let mut wanted = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let mut key = build::key(build::scope(), name);
        // In no order.
        key.spec.id = KeyId::new(uuid::Uuid::from_u128(key.spec.id.uuid().as_u128().reverse_bits()));
        store.commit(units::insert_key(&key)).await;
        wanted.push(store.apply(units::append_key_version(&key)).await);
    }
    wanted[2] = set(&store, &wanted[2], units::pending_deletion()).await;
    wanted.sort_by_key(|key| key.spec.id);
    for limit in [1, 2, 5, 9] {
        let mut pages: Vec<Key> = Vec::new();
        loop {
            let after = pages.last().map(|key| key.spec.id);
            let page = store.keys.all(after, limit).await.expect("readable");
            assert!(page.len() <= limit as usize);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
            assert!(pages.len() <= wanted.len());
        }
        assert_eq!(pages, wanted);
    }
    assert_eq!(store.keys.all(None, 0).await.expect("readable"), []);
}
