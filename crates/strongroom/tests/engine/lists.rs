//! Lists for callers who may read little of much.

use crate::support::{World, create, key, path, rule, user};
use std::collections::BTreeMap;
use strongroom::Session;
use strongroom::domain::iam::{Grants, Permission, Rule};
use strongroom::domain::id::RuleId;
use strongroom::domain::path::Directory;
use strongroom::domain::port::{Committer, SecretReader};
use strongroom::domain::secret::Secret;
use strongroom::embed::Embedded;
use strongroom::secret::{BrowseView, MetadataPatch};
use strongroom_testkit::{build, units};
use uuid::Uuid;

type Labels = BTreeMap<String, String>;

/// Somebody who may list everything and read what these identities name, and what may be read by that.
fn reader(room: &Embedded, identities: &[&str]) -> (Session, Grants) {
    let rules = [rule("secret", identities, &["read"]), rule("secret", &[], &["list"])];
    (room.session_with(user(), rules.clone()), Grants::compile(rules.to_vec()))
}

fn may_read(grants: &Grants, at: &str) -> bool {
    grants.on_secret(Permission::Read, &path(at)).is_some()
}

/// Every path of a list, in pages of `limit`, and how many pages there were.
async fn listed(
    room: &Embedded,
    (session, grants): &(Session, Grants),
    at: &str,
    limit: u32,
    labels: &Labels,
) -> (Vec<String>, usize) {
    let directory: Directory = at.parse().expect("legal");
    let list = room.engine().list(session, &directory).await.expect("allowed");
    let (mut paths, mut pages, mut after) = (Vec::new(), 0, None);
    loop {
        let page = list.page(after, limit, labels).await.expect("lists");
        assert!(page.items.len() <= limit as usize);
        paths.extend(page.items.iter().map(|view| view.secret.path.to_string()));
        (pages, after) = (pages + 1, page.next);
        if let Some(next) = &after {
            assert!(may_read(grants, next), "a cursor tells of {next}, which the caller may not read");
        } else {
            return (paths, pages);
        }
    }
}

/// As somebody finds it who may read everything.
async fn as_stored(world: &World, owner: &Session, room: &Embedded) -> Vec<Secret> {
    let describe = room.engine().describe(owner, path("/m/00")).await.expect("allowed").run(None).await;
    let scope = describe.expect("there").secret.scope;
    world.store.list(&scope, "/", None, 1_000).await.expect("reads")
}

#[tokio::test]
async fn pages_of_whatever_rules_join_to_what_may_be_read() {
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    let key = key(&room, &owner, "app").await;
    let mut all: Vec<String> = (0..20).map(|n| format!("/m/{n:02}")).collect();
    all.extend(["/a", "/a/b", "/a-b", "/m", "/m/05/x", "/m/05/y/z", "/m-1", "/x/y", "/z"].map(str::to_owned));
    for at in &all {
        create(&room, &owner, at, &key, b"v").await.expect("creates");
    }
    let stored = as_stored(&world, &owner, &room).await;
    assert_eq!(stored.len(), all.len());
    let many: Vec<String> = (0..90).map(|n| format!("/m/{n:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let rules: [&[&str]; 8] = [
        &["/m/*"],
        &["/z", "/a/b", "/m/05/*", "/m/11"],
        &["/**/x", "/a"],
        &["/*/0*"],
        &["/m/1*", "/m/19", "/m-1"],
        &["/nothing/*"],
        &many,
        &["*"],
    ];
    for identities in rules {
        let caller = reader(&room, identities);
        for directory in ["/", "/m", "/m/05", "/none"] {
            let below: Directory = directory.parse().expect("legal");
            let expected: Vec<String> = stored
                .iter()
                .map(|secret| secret.path.to_string())
                .filter(|at| at.starts_with(below.as_str()) && may_read(&caller.1, at))
                .collect();
            for limit in [1, 2, 3, 7, 1_000] {
                let (paths, pages) = listed(&room, &caller, directory, limit, &Labels::new()).await;
                assert_eq!(paths, expected, "{identities:?} {directory} {limit}");
                assert_eq!(pages, expected.len().div_ceil(limit as usize).max(1), "{identities:?} {directory} {limit}");
            }
        }
    }
}

/// A page doesn't look at everything that there is.
#[tokio::test]
async fn a_page_ends_where_little_is_found_in_much() {
    const MANY: usize = 10_600;
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    let key = key(&room, &owner, "app").await;
    create(&room, &owner, "/m/00", &key, b"v").await.expect("creates");
    let scope = as_stored(&world, &owner, &room).await.pop().expect("one").scope;
    for n in 0..MANY {
        world.store.commit(units::insert(&build::secret(scope, &format!("/many/{n:05}")))).await.expect("stored");
    }
    let rare = "/many/zz";
    create(&room, &owner, rare, &key, b"v").await.expect("creates");
    let labels = Labels::from([("rare".to_owned(), "yes".to_owned())]);
    let set = labels.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    let patch = MetadataPatch { labels: Some(Some(set)), ..MetadataPatch::default() };
    let patched = room.engine().patch(&owner, path(rare)).await.expect("allowed").run(patch.into()).await;
    patched.expect("patches");

    let all = (owner, Grants::compile(vec![Rule::everything(RuleId::new(Uuid::from_u128(1)))]));
    let (found, pages) = listed(&room, &all, "/", 5, &labels).await;
    assert_eq!((found, pages), (vec![rare.to_owned()], 2), "the first page ends empty");
    let root: Directory = "/many".parse().expect("legal");
    let browse = room.engine().browse(&all.0, &root).await.expect("allowed");
    let first = browse.page(None, 5, &labels).await.expect("browses");
    assert!(first.items.is_empty() && first.next.is_some());
    let second = browse.page(first.next, 5, &labels).await.expect("browses");
    assert!(matches!(second.items.as_slice(), [BrowseView::Secret(view)] if view.secret.path.as_str() == rare));
    assert_eq!(second.next, None);

    // Where nothing may be read, no page tells of what lies there.
    let caller = reader(&room, &["/**/zz"]);
    assert_eq!(listed(&room, &caller, "/", 5, &Labels::new()).await, (vec![rare.to_owned()], 1));
    let below = room.engine().reveal_below(&caller.0, &Directory::root()).await.expect("allowed");
    let page = below.paths(None, 5).await.expect("lists");
    assert_eq!((page.items, page.next), (vec![path(rare)], None));
}
