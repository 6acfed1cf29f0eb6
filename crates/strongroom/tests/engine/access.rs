use crate::support::{World, code, create, key, path, put, reveal, rule, user};
use std::collections::BTreeMap;
use strongroom::Code;
use strongroom::domain::document::Document;
use strongroom::domain::path::Directory;
use strongroom::domain::policy::AccessPolicy;
use strongroom::secret::{BrowseView, CreateInput};

fn text(text: &str) -> Document {
    Document::Text(text.to_owned())
}

/// A policy that denies every address, also that of an embedding program, which has none.
fn deny_all() -> Option<AccessPolicy> {
    let entry = Document::Map(vec![
        ("type".to_owned(), text("ip")),
        ("effect".to_owned(), text("deny")),
        ("cidrs".to_owned(), Document::List(vec![text("0.0.0.0/0"), text("::/0")])),
    ]);
    let document = Document::Map(vec![("conditions".to_owned(), Document::List(vec![entry]))]);
    AccessPolicy::parse(document).expect("legal")
}

#[tokio::test]
async fn a_denial_tells_nothing_and_is_recorded() {
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    let key = key(&room, &owner, "app").await;
    create(&room, &owner, "/app/prod/db", &key, b"x").await.expect("creates");
    let guest = room.session_with(user(), [rule("secret", &["/app/staging/*"], &["*"])]);
    let before = world.records().await.len();
    let existing = reveal(&room, &guest, "/app/prod/db").await.expect_err("denied");
    let missing = reveal(&room, &guest, "/app/prod/none").await.expect_err("denied");
    assert_eq!(existing.code(), Code::Forbidden);
    assert_eq!(existing.to_string(), missing.to_string());
    assert_eq!(code(put(&room, &guest, "/app/prod/db", b"y").await), Some(Code::Forbidden));
    assert_eq!(
        world.log_after(before).await,
        [
            ("secret.value.read", "denied", 403),
            ("secret.value.read", "denied", 403),
            ("secret.value.write", "denied", 403)
        ]
    );
    assert!(world.records().await[before..].iter().all(|record| {
        record.principal.map(|it| it.to_string()) == Some(user().to_string())
            && record.resource.as_ref().is_some_and(|it| it.identity.starts_with("/app/prod/"))
    }));
}

#[tokio::test]
async fn reveal_and_put_need_the_key_too() {
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    let key = key(&room, &owner, "app").await;
    create(&room, &owner, "/a", &key, b"x").await.expect("creates");
    let secrets = || rule("secret", &[], &["*"]);
    let keyless = room.session_with(user(), [secrets()]);
    assert_eq!(code(reveal(&room, &keyless, "/a").await), Some(Code::KeyForbidden));
    assert_eq!(code(put(&room, &keyless, "/a", b"y").await), Some(Code::KeyForbidden));
    assert_eq!(code(create(&room, &keyless, "/b", &key, b"y").await), Some(Code::KeyNotFound));

    let id = key.spec.id.to_string();
    let reader = room.session_with(user(), [secrets(), rule("kms_key", &[&id], &["decrypt"])]);
    assert!(reveal(&room, &reader, "/a").await.is_ok());
    assert_eq!(code(put(&room, &reader, "/a", b"y").await), Some(Code::KeyForbidden));
    let by_slug = room.session_with(user(), [secrets(), rule("kms_key", &["app"], &["update"])]);
    assert!(reveal(&room, &by_slug, "/a").await.is_ok());
    assert!(put(&room, &by_slug, "/a", b"y").await.is_ok());
}

#[tokio::test]
async fn the_operator_can_switch_the_check_of_the_key_off() {
    let mut world = World::new();
    let strict = world.node().await;
    world.limits.check_key_permission = false;
    let lenient = world.node().await;
    let owner = strict.session();
    let key = key(&strict, &owner, "app").await;
    create(&strict, &owner, "/a", &key, b"x").await.expect("creates");
    let keyless = strict.session_with(user(), [rule("secret", &[], &["*"])]);

    assert_eq!(code(create(&strict, &keyless, "/b", &key, b"y").await), Some(Code::KeyNotFound));
    assert_eq!(code(put(&strict, &keyless, "/a", b"y").await), Some(Code::KeyForbidden));
    assert_eq!(code(reveal(&strict, &keyless, "/a").await), Some(Code::KeyForbidden));

    create(&lenient, &keyless, "/b", &key, b"y").await.expect("creates");
    assert_eq!(put(&lenient, &keyless, "/a", b"y").await.ok(), Some(2));
    assert_eq!(reveal(&lenient, &keyless, "/a").await.ok(), Some((2, b"y".to_vec())));
    // It is about the key only, and only about keys of secrets.
    let reader = strict.session_with(user(), [rule("secret", &[], &["read"])]);
    assert_eq!(code(create(&lenient, &reader, "/c", &key, b"y").await), Some(Code::Forbidden));
    assert_eq!(code(put(&lenient, &reader, "/a", b"y").await), Some(Code::Forbidden));
    assert_eq!(code(reveal(&lenient, &reader, "/a").await), Some(Code::Forbidden));
    assert_eq!(code(lenient.engine().encrypt(&keyless, "app").await.map(drop)), Some(Code::KeyNotFound));
}

#[tokio::test]
async fn a_policy_gates_reveal_and_put_only() {
    let world = World::new();
    // Another node changes the policy, so that the first one's cache is outdated.
    let (room, other) = (world.node().await, world.node().await);
    let session = room.session();
    let key = key(&room, &session, "app").await;
    create(&room, &session, "/a", &key, b"x").await.expect("creates");
    reveal(&room, &session, "/a").await.expect("no policy yet");
    let set = async |policy| {
        other.engine().set_policy(&session, path("/a")).await.expect("allowed").run(policy).await.expect("sets")
    };
    let view = set(deny_all()).await;
    assert_eq!(view.secret.policy, deny_all());
    assert_eq!(code(reveal(&room, &session, "/a").await), Some(Code::AccessPolicyDenied));
    assert_eq!(code(put(&room, &session, "/a", b"y").await), Some(Code::AccessPolicyDenied));
    assert!(room.engine().describe(&session, path("/a")).await.expect("allowed").run(None).await.is_ok());
    set(None).await;
    assert!(reveal(&room, &session, "/a").await.is_ok(), "a refusal is never cached");
    set(deny_all()).await;
    room.engine().delete(&session, path("/a")).await.expect("allowed").run().await.expect("not gated");

    let input = CreateInput { policy: deny_all(), ..CreateInput::string(&key, crate::support::bytes(b"z")) };
    room.engine().create(&session, path("/b")).await.expect("allowed").run(input, None).await.expect("not gated");
    assert_eq!(code(reveal(&room, &session, "/b").await), Some(Code::AccessPolicyDenied));
}

#[tokio::test]
async fn lists_show_what_may_be_read() {
    let world = World::new();
    let room = world.node().await;
    let owner = room.session();
    let key = key(&room, &owner, "app").await;
    for at in ["/app/prod/db", "/app/prod-evil/x", "/app/staging/y", "/other/z"] {
        create(&room, &owner, at, &key, b"v").await.expect("creates");
    }
    let guest = room.session_with(user(), [rule("secret", &["/app/prod/*"], &["read", "list"])]);
    let browse = async |at: &str| -> Vec<String> {
        let directory: Directory = at.parse().expect("legal");
        let browse = room.engine().browse(&guest, &directory).await.expect("allowed");
        let page = browse.page(None, 100, &BTreeMap::new()).await.expect("browses");
        page.items
            .into_iter()
            .map(|entry| match entry {
                BrowseView::Directory(directory) => directory.to_string(),
                BrowseView::Secret(view) => view.secret.path.to_string(),
            })
            .collect()
    };
    assert_eq!(browse("/").await, ["/app/"]);
    assert_eq!(browse("/app").await, ["/app/prod/"]);
    assert_eq!(browse("/app/prod").await, ["/app/prod/db"]);
    assert_eq!(browse("/other").await, [""; 0]);
    let list = room.engine().list(&guest, &Directory::root()).await.expect("allowed");
    let page = list.page(None, 100, &BTreeMap::new()).await.expect("lists");
    assert_eq!(page.items.len(), 1);
    let nobody = room.session_with(user(), [rule("secret", &[], &["read"])]);
    assert_eq!(code(room.engine().list(&nobody, &Directory::root()).await.map(drop)), Some(Code::Forbidden));
}
