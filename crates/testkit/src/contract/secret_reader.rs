//! Cases for [`SecretReader`](strongroom_domain::port::SecretReader).

mod bound;

pub use bound::*;

use super::Store;
use crate::{build, units};
use strongroom_domain::port::{BrowseEntry, Freshness, SealedVersionState};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::version::{VersionNumber, VersionSelector, VersionStatus};

/// Paths in whose order adapters go wrong: `+`, `-` and `.` sort before `/`, digits and letters after it, `_` is a wildcard to
/// SQL, and a secret may lie where a directory is.
const AWKWARD: [&str; 16] = [
    "/a",
    "/a+b",
    "/a-b",
    "/a.b",
    "/a/b",
    "/a/b/c/d/e/f/g/h",
    "/a/c",
    "/a0",
    "/aXb/c",
    "/aZ",
    "/a_b/c",
    "/aa/b",
    "/b/a",
    "/b/b",
    "/z",
    "/z/z/z",
];

/// A store with a version-1 secret at every path of the scope, put in an order that isn't theirs.
async fn fill(store: &Store, scope: Scope, paths: &[&str]) {
    let half = paths.len() / 2;
    for path in paths[half..].iter().chain(&paths[..half]) {
        store.insert(build::secret(scope, path)).await;
    }
}

async fn list(store: &Store, scope: &Scope, prefix: &str, after: Option<&str>, limit: u32) -> Vec<String> {
    let secrets = store.secrets.list(scope, prefix, after, limit).await.expect("readable");
    secrets.iter().map(|secret| secret.path.to_string()).collect()
}

async fn browse(store: &Store, scope: &Scope, directory: &str, after: Option<&str>, limit: u32) -> Vec<String> {
    let entries = store.secrets.browse(scope, &build::directory(directory), after, limit).await.expect("readable");
    entries.iter().map(|entry| entry.sort_key().to_owned()).collect()
}

async fn three_versions(store: &Store) -> Secret {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let secret = store.apply(units::append(&secret)).await;
    store.apply(units::append(&secret)).await
}

async fn erase(store: &Store, secret: &Secret, number: u64, below: Option<u64>) -> Secret {
    store.apply(units::erase(secret, build::number(number), below.map(build::number))).await
}

/// A path finds its secret in its own scope only.
pub async fn find_sees_only_its_scope(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&secret));
    let scope = secret.scope;
    let region = Scope { region: build::scope().region, ..scope };
    let organisation = Scope { organisation: build::scope().organisation, ..scope };
    for scope in [build::project_in(scope), region, organisation] {
        assert_eq!(store.find(&Secret { scope, ..secret.clone() }).await, None);
    }
    for path in ["/", "/A", "/a/a", "/b"].map(|path| path.parse().ok()).into_iter().flatten() {
        assert_eq!(store.secrets.find(&scope, &path).await.expect("readable"), None);
    }
}

/// The current version is the highest active one.
pub async fn sealed_current_is_the_highest_active(store: Store) {
    let mut secret = three_versions(&store).await;
    for (erased, below, current) in [(None, None, Some(3)), (Some(2), None, Some(3)), (Some(3), Some(1), Some(1))] {
        if let Some(erased) = erased {
            secret = erase(&store, &secret, erased, below).await;
        }
        let version = store.active(&secret, VersionSelector::Current).await;
        assert_eq!(version.map(|version| version.number), current.map(build::number));
    }
    erase(&store, &secret, 1, None).await;
    assert_eq!(store.sealed(&secret, VersionSelector::Current).await, SealedVersionState::Missing);
}

/// A number finds that version, destroyed or never made.
pub async fn sealed_tells_destroyed_from_missing(store: Store) {
    let secret = three_versions(&store).await;
    let secret = erase(&store, &secret, 2, None).await;
    let by_number = |number| VersionSelector::Number(build::number(number));
    for number in [1, 3] {
        let version = store.active(&secret, by_number(number)).await;
        assert_eq!(version.map(|version| version.number), Some(build::number(number)));
    }
    assert_eq!(store.sealed(&secret, by_number(2)).await, SealedVersionState::Destroyed);
    for number in [4, i64::MAX as u64] {
        assert_eq!(store.sealed(&secret, by_number(number)).await, SealedVersionState::Missing);
    }
}

/// The secret that comes with a version is the one that `find` gives; both kinds of freshness answer alike; another scope or path
/// has none.
pub async fn sealed_gives_the_secret_too(store: Store) {
    let secret = three_versions(&store).await;
    for freshness in [Freshness::Hint, Freshness::Latest] {
        let read = store.secrets.sealed(&secret.scope, &secret.path, VersionSelector::Current, freshness).await;
        let read = read.expect("readable").expect("there");
        assert_eq!(*read.secret, secret);
        assert!(matches!(read.version, SealedVersionState::Active(version) if version.number == build::number(3)));
        for (scope, path) in [(build::scope(), "/a"), (build::project_in(secret.scope), "/a"), (secret.scope, "/b")] {
            let read = store.secrets.sealed(&scope, &build::path(path), VersionSelector::Current, freshness).await;
            assert_eq!(read.expect("readable"), None);
        }
    }
}

/// The history rises by number, holds destroyed versions, and pages.
pub async fn versions_rise_and_page(store: Store) {
    let mut secret = three_versions(&store).await;
    for _ in 3..12 {
        secret = store.apply(units::append(&secret)).await;
    }
    let secret = erase(&store, &secret, 10, None).await;
    let read = async |after: Option<u64>, limit| {
        let versions = store.secrets.versions(secret.id, after.map(build::number), limit).await.expect("readable");
        versions.into_iter().map(|version| version.number.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(None, 100).await, (1..=12).collect::<Vec<_>>());
    assert_eq!(read(None, 2).await, [1, 2]);
    assert_eq!(read(Some(9), 2).await, [10, 11]);
    assert_eq!(read(Some(11), 2).await, [12]);
    assert_eq!(read(Some(12), 2).await, [0; 0]);
    assert_eq!(read(None, 0).await, [0; 0]);
    let all = store.secrets.versions(secret.id, None, 100).await.expect("readable");
    for version in all {
        let destroyed = matches!(version.status, VersionStatus::Destroyed { .. });
        assert_eq!(destroyed, version.number == build::number(10));
        assert_eq!(store.secrets.version(secret.id, version.number).await.expect("readable"), Some(version));
    }
}

/// One version's entry; none for a number that never was, or another secret.
pub async fn version_is_one_entry(store: Store) {
    let secret = store.insert(build::secret(build::scope(), "/a")).await;
    let other = store.insert(build::secret(secret.scope, "/b")).await;
    let other = store.apply(units::append(&other)).await;
    let wanted = build::sealed(1);
    let entry = store.secrets.version(secret.id, build::number(1)).await.expect("readable").expect("there");
    assert_eq!((entry.format, entry.created_at), (wanted.format, wanted.created_at));
    assert_eq!((entry.status, entry.last_accessed_at), (VersionStatus::Active, None));
    assert_eq!(store.secrets.version(secret.id, build::number(2)).await.expect("readable"), None);
    assert!(store.secrets.version(other.id, build::number(2)).await.expect("readable").is_some());
}

/// The highest active version below a number, over destroyed ones.
pub async fn active_below_skips_destroyed_versions(store: Store) {
    let secret = three_versions(&store).await;
    let secret = store.apply(units::append(&secret)).await;
    let secret = erase(&store, &secret, 2, None).await;
    let secret = erase(&store, &secret, 3, None).await;
    for (below, wanted) in [(1, None), (2, Some(1)), (4, Some(1)), (5, Some(4)), (i64::MAX as u64, Some(4))] {
        let found = store.secrets.active_below(secret.id, build::number(below)).await.expect("readable");
        assert_eq!(found.map(VersionNumber::get), wanted, "below {below}");
    }
}

/// The lowest active versions, by rising number, over destroyed ones.
pub async fn oldest_active_skips_destroyed_versions(store: Store) {
    let oldest = async |secret: &Secret, limit| {
        let found = store.secrets.oldest_active(secret.id, limit).await.expect("readable");
        found.into_iter().map(VersionNumber::get).collect::<Vec<_>>()
    };
    let mut secret = three_versions(&store).await;
    for _ in 3..12 {
        secret = store.apply(units::append(&secret)).await;
    }
    assert_eq!(oldest(&secret, 3).await, [1, 2, 3]);
    for (number, below) in [(1, None), (4, Some(3)), (10, Some(9)), (12, Some(11)), (2, None)] {
        secret = erase(&store, &secret, number, below).await;
    }
    for (limit, wanted) in [
        (0, &[][..]),
        (1, &[3]),
        (2, &[3, 5]),
        (6, &[3, 5, 6, 7, 8, 9]),
        (7, &[3, 5, 6, 7, 8, 9, 11]),
        (100, &[3, 5, 6, 7, 8, 9, 11]),
        (u32::MAX, &[3, 5, 6, 7, 8, 9, 11]),
    ] {
        assert_eq!(oldest(&secret, limit).await, wanted, "{limit}");
    }
    let other = store.insert(build::secret(secret.scope, "/b")).await;
    assert_eq!(oldest(&other, 9).await, [1]);
    let other = erase(&store, &other, 1, None).await;
    assert_eq!(oldest(&other, 9).await, [0; 0]);
    assert_eq!(oldest(&build::secret(secret.scope, "/missing"), 9).await, [0; 0]);
}

/// A list is ordered bytewise by path.
pub async fn list_is_ordered_bytewise(store: Store) {
    let scope = build::scope();
    fill(&store, scope, &AWKWARD).await;
    assert_eq!(list(&store, &scope, "/", None, 100).await, AWKWARD);
    let secrets = store.secrets.list(&scope, "/", None, 100).await.expect("readable");
    for secret in secrets {
        assert_eq!(store.find(&secret).await, Some(secret));
    }
}

/// A prefix may end inside a segment, is case-sensitive, and none of its characters is a wildcard.
pub async fn list_takes_the_prefix_literally(store: Store) {
    let scope = build::scope();
    fill(&store, scope, &AWKWARD).await;
    for prefix in
        ["/", "/a", "/a/", "/a/b", "/a_", "/a_b/c", "/a.", "/aX", "/A", "/ax", "/z/z", "/q", "/a/b/c/d/e/f/g/hh"]
    {
        let wanted: Vec<_> = AWKWARD.into_iter().filter(|path| path.starts_with(prefix)).collect();
        assert_eq!(list(&store, &scope, prefix, None, 100).await, wanted, "{prefix}");
    }
}

/// Pages of every size together give the whole list, also after a path that isn't there.
pub async fn list_pages_by_path(store: Store) {
    let scope = build::scope();
    fill(&store, scope, &AWKWARD).await;
    for prefix in ["/", "/a", "/a/"] {
        let whole = list(&store, &scope, prefix, None, 100).await;
        for limit in [1, 2, 5, 100] {
            let mut pages: Vec<String> = Vec::new();
            loop {
                let page = list(&store, &scope, prefix, pages.last().map(String::as_str), limit).await;
                assert!(page.len() <= limit as usize);
                if page.is_empty() {
                    break;
                }
                pages.extend(page);
                assert!(pages.len() <= whole.len(), "pages lead on and on: {pages:?}");
            }
            assert_eq!(pages, whole, "{prefix} by {limit}");
        }
        for after in ["/", "/a", "/a/bb", "/a1", "/zz"] {
            let wanted: Vec<_> = whole.iter().filter(|path| path.as_str() > after).take(3).cloned().collect();
            assert_eq!(list(&store, &scope, prefix, Some(after), 3).await, wanted, "{prefix} after {after}");
        }
        assert_eq!(list(&store, &scope, prefix, None, 0).await, [""; 0]);
    }
}

/// Neither lists nor directories show what another scope holds.
pub async fn list_and_browse_see_only_their_scope(store: Store) {
    let scope = build::scope();
    let project = build::project_in(scope);
    fill(&store, scope, &["/a", "/d/a"]).await;
    fill(&store, project, &["/b", "/d/b"]).await;
    assert_eq!(list(&store, &scope, "/", None, 100).await, ["/a", "/d/a"]);
    assert_eq!(list(&store, &project, "/", None, 100).await, ["/b", "/d/b"]);
    assert_eq!(browse(&store, &scope, "/d", None, 100).await, ["/d/a"]);
    assert_eq!(browse(&store, &project, "/", None, 100).await, ["/b", "/d/"]);
    assert_eq!(browse(&store, &build::scope(), "/", None, 100).await, [""; 0]);
}

/// A directory shows its secrets and child directories in one bytewise order, each child once.
pub async fn browse_merges_secrets_and_directories(store: Store) {
    let scope = build::scope();
    fill(&store, scope, &AWKWARD).await;
    let root = ["/a", "/a+b", "/a-b", "/a.b", "/a/", "/a0", "/aXb/", "/aZ", "/a_b/", "/aa/", "/b/", "/z", "/z/"];
    assert_eq!(browse(&store, &scope, "/", None, 100).await, root);
    assert_eq!(browse(&store, &scope, "/a", None, 100).await, ["/a/b", "/a/b/", "/a/c"]);
    assert_eq!(browse(&store, &scope, "/a/b/c/d/e", None, 100).await, ["/a/b/c/d/e/f/"]);
    assert_eq!(browse(&store, &scope, "/a_b", None, 100).await, ["/a_b/c"]);
    for nothing in ["/A", "/a0", "/zz", "/a/c"] {
        assert_eq!(browse(&store, &scope, nothing, None, 100).await, [""; 0], "{nothing}");
    }
    for entry in store.secrets.browse(&scope, &build::directory("/"), None, 100).await.expect("readable") {
        if let BrowseEntry::Secret(secret) = entry {
            assert_eq!(store.find(&secret).await, Some(*secret));
        }
    }
}

/// Pages of every size together give the whole directory; a page may begin after a directory, inside one, or after nothing there.
pub async fn browse_pages_by_sort_key(store: Store) {
    let scope = build::scope();
    fill(&store, scope, &AWKWARD).await;
    for directory in ["/", "/a", "/z"] {
        let whole = browse(&store, &scope, directory, None, 100).await;
        for limit in [1, 2, 5, 100] {
            let mut pages: Vec<String> = Vec::new();
            loop {
                let page = browse(&store, &scope, directory, pages.last().map(String::as_str), limit).await;
                assert!(page.len() <= limit as usize);
                if page.is_empty() {
                    break;
                }
                pages.extend(page);
                assert!(pages.len() <= whole.len(), "pages lead on and on: {pages:?}");
            }
            assert_eq!(pages, whole, "{directory} by {limit}");
        }
        for after in ["/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/b0", "/a1", "/aa", "/z/", "/zz"] {
            let wanted: Vec<_> = whole.iter().filter(|key| key.as_str() > after).take(2).cloned().collect();
            assert_eq!(browse(&store, &scope, directory, Some(after), 2).await, wanted, "{directory} after {after}");
        }
        assert_eq!(browse(&store, &scope, directory, None, 0).await, [""; 0]);
    }
}

/// A directory is gone with the last secret below it.
pub async fn browse_forgets_empty_directories(store: Store) {
    let scope = build::scope();
    let secrets = [build::secret(scope, "/a/b/one"), build::secret(scope, "/a/b/two")];
    for secret in &secrets {
        store.insert(secret.clone()).await;
    }
    for (secret, left) in secrets.iter().zip([vec!["/a/b/".to_owned()], Vec::new()]) {
        store.commit(units::delete(secret)).await;
        assert_eq!(browse(&store, &scope, "/a", None, 100).await, left);
    }
    assert_eq!(browse(&store, &scope, "/", None, 100).await, [""; 0]);
}

/// Metadata and versions that changed show in `find`, `list`, `browse` and `sealed` alike.
pub async fn every_read_shows_the_latest_state(store: Store) {
    let secret = three_versions(&store).await;
    let secret = store.apply(units::replace_metadata(&secret, build::metadata("new"))).await;
    let secret = store.apply(units::replace_policy(&secret, Some(build::policy()))).await;
    let secret = erase(&store, &secret, 3, Some(2)).await;
    let secret = store.apply(units::keep_versions(&secret, core::num::NonZeroU32::new(2))).await;
    assert_eq!(store.find(&secret).await.as_ref(), Some(&secret));
    let listed = store.secrets.list(&secret.scope, "/", None, 9).await.expect("readable");
    assert_eq!(listed, std::slice::from_ref(&secret));
    let browsed = store.secrets.browse(&secret.scope, &build::directory("/"), None, 9).await.expect("readable");
    assert_eq!(browsed, [BrowseEntry::Secret(Box::new(secret.clone()))]);
    let sealed = store.secrets.sealed(&secret.scope, &secret.path, VersionSelector::Current, Freshness::Latest).await;
    assert_eq!(*sealed.expect("readable").expect("there").secret, secret);
}
