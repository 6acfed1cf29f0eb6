use super::{Store, erase};
use crate::{build, units};
use std::collections::BTreeMap;
use strongroom_domain::id::{KeyId, SecretId};
use strongroom_domain::port::WrappedVersion;
use strongroom_domain::secret::{Secret, WrappedKey};
use strongroom_domain::unit::Change;
use strongroom_domain::version::VersionSelector;

/// Secrets bound to two keys, in two scopes, of versions by several key versions, some destroyed; a third key has none. Gives the keys,
/// and what is wrapped under each, in order.
async fn fill_bound(store: &Store) -> [(KeyId, Vec<WrappedVersion>); 3] {
    let scope = build::scope();
    let mut keys = [(); 3].map(|()| (KeyId::new(build::uuid()), Vec::new()));
    for place in 0..9_u32 {
        let (key, wanted) = &mut keys[place as usize % 2];
        let scope = if place % 3 == 0 { build::project_in(scope) } else { scope };
        let path = format!("/{place}");
        // In no order.
        let id = SecretId::new(uuid::Uuid::from_u128(build::uuid().as_u128().reverse_bits()));
        let mut secret = store.insert(Secret { id, key: *key, ..build::secret(scope, &path) }).await;
        let mut versions = vec![store.active(&secret, VersionSelector::Current).await.expect("active")];
        for number in 2..=4_u32 {
            let (mut unit, after) = units::append(&secret);
            let Change::AppendVersion { version, .. } = &mut unit.changes[0] else { panic!("appends") };
            version.wrapped.key_version = build::key_version((number + place) % 4 + 1).number;
            versions.push(version.clone());
            store.commit(unit).await;
            secret = after;
        }
        if place % 4 == 1 {
            secret = erase(store, &secret, 4, Some(3)).await;
            versions.pop();
        }
        wanted.extend(versions.into_iter().map(|version| WrappedVersion {
            secret: id,
            scope,
            path: secret.path.clone(),
            version: version.number,
            wrapped: version.wrapped,
        }));
    }
    for (_, wanted) in &mut keys {
        wanted.sort_by_key(|it| (it.secret, it.version));
    }
    keys
}

/// How many secrets a key has, and how many of their active versions each of its versions wraps.
pub async fn counts_what_is_bound_to_a_key(store: Store) {
    let keys = fill_bound(&store).await;
    for ((key, wrapped), secrets) in keys.iter().zip([5, 4, 0]) {
        assert_eq!(store.secrets.count_bound(*key).await.expect("readable"), secrets);
        let mut wanted = BTreeMap::new();
        for version in wrapped {
            *wanted.entry(version.wrapped.key_version).or_insert(0_u64) += 1;
        }
        let counts = store.secrets.count_wrapped(*key).await.expect("readable");
        assert_eq!(counts, wanted.into_iter().collect::<Vec<_>>());
    }
    let [(key, wrapped), ..] = keys;
    let place = &wrapped[0];
    let found = store.secrets.find(&place.scope, &place.path).await.expect("readable").expect("there");
    store.commit(units::delete(&found)).await;
    assert_eq!(store.secrets.count_bound(key).await.expect("readable"), 4);
    let left = store.secrets.count_wrapped(key).await.expect("readable");
    let gone = wrapped.iter().filter(|it| it.secret == place.secret).count();
    assert_eq!(left.iter().map(|(_, count)| count).sum::<u64>(), (wrapped.len() - gone) as u64);
}

/// What is wrapped under a key pages by secret and version, all of it or what earlier key versions wrap; a page may begin after what
/// isn't there.
pub async fn wrapped_pages_by_secret_and_version(store: Store) {
    for (key, all) in fill_bound(&store).await {
        for below in [None, Some(1), Some(2), Some(3), Some(9)] {
            let below = below.map(|number| build::key_version(number).number);
            let is_wanted = |it: &&WrappedVersion| below.is_none_or(|below| it.wrapped.key_version < below);
            let wanted: Vec<_> = all.iter().filter(is_wanted).cloned().collect();
            for limit in [1, 2, 5, 100] {
                let mut pages: Vec<WrappedVersion> = Vec::new();
                loop {
                    let after = pages.last().map(|it| (it.secret, it.version));
                    let page = store.secrets.wrapped(key, below, after, limit).await.expect("readable");
                    assert!(page.len() <= limit as usize);
                    if page.is_empty() {
                        break;
                    }
                    pages.extend(page);
                    assert!(pages.len() <= wanted.len(), "pages lead on and on");
                }
                assert_eq!(pages, wanted);
            }
            let nil = SecretId::new(uuid::Uuid::nil());
            for after in [
                (nil, build::number(9)),
                all.first().map_or((nil, build::number(1)), |it| (it.secret, build::number(9))),
            ] {
                let later = wanted.iter().filter(|it| (it.secret, it.version) > after).cloned().collect::<Vec<_>>();
                assert_eq!(store.secrets.wrapped(key, below, Some(after), 100).await.expect("readable"), later);
            }
            assert_eq!(store.secrets.wrapped(key, below, None, 0).await.expect("readable"), []);
        }
    }
}

/// What a key wraps follows its replacements.
pub async fn wrapped_shows_what_was_replaced(store: Store) {
    let [(key, all), ..] = fill_bound(&store).await;
    let newest = build::key_version(7).number;
    for it in &all {
        let place = store.secrets.find(&it.scope, &it.path).await.expect("readable").expect("there");
        let after = WrappedKey { key_version: newest, bytes: format!("anew {}", build::uuid()).into_bytes() };
        store.commit(units::rewrap(&place, it.version, it.wrapped.clone(), after)).await;
    }
    assert_eq!(store.secrets.wrapped(key, Some(newest), None, 100).await.expect("readable"), []);
    assert_eq!(store.secrets.count_wrapped(key).await.expect("readable"), [(newest, all.len() as u64)]);
    let now = store.secrets.wrapped(key, None, None, 100).await.expect("readable");
    let places = |versions: &[WrappedVersion]| versions.iter().map(|it| (it.secret, it.version)).collect::<Vec<_>>();
    assert_eq!(places(&now), places(&all));
    assert!(now.iter().all(|it| it.wrapped.bytes.starts_with(b"anew ")));
}
