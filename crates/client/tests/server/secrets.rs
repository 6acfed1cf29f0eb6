use crate::{Fixture, single, text};
use futures_util::TryStreamExt;
use std::collections::BTreeMap;
use strongroom_client::api::{Json, PatchSecret};
use strongroom_client::{Entry, ErrorKind, NewSecret, NewValue, Plain, PutOptions, Value};

#[tokio::test]
async fn a_secret_lives() {
    let fixture = Fixture::start();
    let secrets = fixture.secrets();
    let bytes = vec![0, 255, b'\n', b'\r', 0xc3];
    let values = BTreeMap::from([("user".to_owned(), text("app")), ("raw".to_owned(), Plain::from(bytes.clone()))]);
    let labels = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
    let new = NewSecret::new("/app/prod/db+x", &fixture.env().kms_key, Value::KeyValues(values));
    let made = secrets.create(&new.labels(labels.clone()).description("The database")).await.expect("made");
    assert_eq!((made.path.as_str(), made.current_version, &made.labels), ("/app/prod/db+x", 1, &labels));

    let revealed = secrets.reveal("/app/prod/db+x", None).await.map_err(|error| error.to_string()).expect("a value");
    assert_eq!(revealed.value.get("raw").map(|plain| plain.expose().to_vec()), Some(bytes));
    assert_eq!(revealed.value.get("user").and_then(Plain::expose_text), Some("app"));
    assert_eq!((revealed.version, &revealed.key), (1, &fixture.env().kms_key));

    let once = PutOptions { expected_version: Some(1), ..PutOptions::default() };
    let put = secrets.put("/app/prod/db+x", &text("two").into(), &once).await.expect("put");
    assert_eq!(put.version, 2);
    let error = secrets.put("/app/prod/db+x", &text("three").into(), &once).await.expect_err("not 1 any more");
    assert_eq!((error.is_conflict(), error.code()), (true, Some("version_mismatch")));
    secrets.put("/app/prod/db+x", &NewValue::Generated(24), &PutOptions::default()).await.expect("put");
    let generated = secrets.reveal("/app/prod/db+x", None).await.map_err(|error| error.to_string()).expect("a value");
    assert_eq!(single(&generated.value).len(), 24);
    let second = secrets.reveal("/app/prod/db+x", Some(2)).await.map_err(|error| error.to_string()).expect("a value");
    assert_eq!(single(&second.value), b"two");

    secrets.destroy("/app/prod/db+x", 2).await.expect("destroyed");
    secrets.destroy("/app/prod/db+x", 2).await.expect("as it is");
    let error = secrets.reveal("/app/prod/db+x", Some(2)).await.err().expect("it is gone");
    assert_eq!(error.code(), Some("version_destroyed"));
    let history: Vec<_> = secrets.history("/app/prod/db+x").try_collect().await.expect("versions");
    let states: Vec<_> = history.iter().map(|version| (version.version, version.status.as_str())).collect();
    assert_eq!(states, [(1, "active"), (2, "destroyed"), (3, "active")]);

    let patch = PatchSecret { description: Some(None), ..PatchSecret::default() };
    assert_eq!(secrets.patch("/app/prod/db+x", &patch).await.expect("changed").description, "");
    let policy = Json::Map(vec![(
        "statements".to_owned(),
        Json::List(vec![Json::Map(vec![
            ("effect".to_owned(), Json::Text("Deny".to_owned())),
            ("actions".to_owned(), Json::List(vec![Json::Text("getSecretValue".to_owned())])),
        ])]),
    )]);
    let guarded = secrets.set_policy("/app/prod/db+x", policy.clone()).await.expect("set");
    assert_eq!(guarded.access_policy, Some(policy));
    let error = secrets.reveal("/app/prod/db+x", None).await.err().expect("denied");
    assert_eq!((error.is_denied(), error.code()), (true, Some("access_policy_denied")));
    let open = secrets.set_policy("/app/prod/db+x", Json::Null).await.expect("cleared");
    assert_eq!(open.access_policy, None);

    let error = secrets.delete("/app/prod/db+x").expected_version(2).await.expect_err("it is 3 by now");
    assert_eq!((error.is_conflict(), error.code()), (true, Some("version_mismatch")));
    secrets.delete("/app/prod/db+x").expected_version(3).await.expect("deleted");
    assert!(secrets.describe("/app/prod/db+x").await.expect_err("it is gone").is_not_found());
}

#[tokio::test]
async fn paths_that_look_like_operations() {
    let fixture = Fixture::start();
    let secrets = fixture.secrets();
    let paths = ["/app/value", "/app/value/value", "/versions", "/versions/policy", "/policy"];
    fixture.fill(&paths).await;
    for path in paths {
        let revealed = secrets.reveal(path, None).await.map_err(|error| error.to_string()).expect(path);
        assert_eq!(single(&revealed.value), path.as_bytes());
        secrets.put(path, &text("two").into(), &PutOptions::default()).await.expect(path);
        secrets.destroy(path, 1).await.expect(path);
        assert_eq!(secrets.set_policy(path, Json::Null).await.expect(path).current_version, 2);
        secrets.delete(path).await.expect(path);
    }
}

#[tokio::test]
async fn lists_and_directories() {
    let fixture = Fixture::start();
    let secrets = fixture.secrets();
    fixture.fill(&["/app/a", "/app/b/c", "/app/b/d", "/app+/x", "/other"]).await;
    let below: Vec<_> = secrets.list("/app").map_ok(|secret| secret.path).try_collect().await.expect("a list");
    assert_eq!(below, ["/app/a", "/app/b/c", "/app/b/d"]);
    let all: Vec<_> = secrets.list("/").try_collect().await.expect("a list");
    assert_eq!(all.len(), 5);
    let entries: Vec<_> = secrets.browse("/app/").try_collect().await.expect("a directory");
    let paths: Vec<_> = entries.iter().map(|entry| (entry.path(), matches!(entry, Entry::Directory(_)))).collect();
    assert_eq!(paths, [("/app/a", false), ("/app/b/", true)]);
    let plus: Vec<_> = secrets.browse("/app+").try_collect().await.expect("a directory");
    assert_eq!(plus[0].path(), "/app+/x");
    let wanted = BTreeMap::from([("env".to_owned(), "prod".to_owned())]);
    assert!(secrets.list_labelled("/", &wanted).try_collect::<Vec<_>>().await.expect("a list").is_empty());
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let fixture = Fixture::start();
    fixture.fill(&["/a"]).await;
    let secrets = fixture.secrets();
    for _ in 0..3 {
        secrets.put("/a", &text("x").into(), &PutOptions::default()).await.expect("put");
    }
    let small =
        fixture.builder().credentials(strongroom_client::Credentials::Token(fixture.env().token.as_str().into()));
    let small = small.largest_list(200).build().expect("a client");
    let error =
        small.secrets(&fixture.env().region).history("/a").try_collect::<Vec<_>>().await.expect_err("too large");
    assert_eq!(error.kind(), &ErrorKind::TooLarge);
    let history: Vec<_> = secrets.history("/a").try_collect().await.expect("versions");
    assert_eq!(history.len(), 4);
}

#[tokio::test]
async fn names_of_calls_are_kept() {
    let fixture = Fixture::start();
    fixture.fill(&["/a"]).await;
    let secrets = fixture.secrets();
    let named = PutOptions { idempotency_key: Some("deploy-7".to_owned()), ..PutOptions::default() };
    for _ in 0..2 {
        assert_eq!(secrets.put("/a", &text("x").into(), &named).await.expect("put").version, 2);
    }
    let error = secrets.put("/a", &text("y").into(), &named).await.expect_err("another value");
    assert_eq!(error.code(), Some("idempotency_mismatch"));
    let error = secrets.create(&NewSecret::new("/a", &fixture.env().kms_key, text("x"))).await.expect_err("taken");
    assert_eq!((error.is_conflict(), error.code()), (true, Some("secret_exists")));
}

#[tokio::test]
async fn known_values_are_not_revealed_again() {
    let fixture = Fixture::start();
    fixture.fill(&["/a"]).await;
    let secrets = fixture.secrets();
    let first = secrets.reveal("/a", None).await.map_err(|error| error.to_string()).expect("a value");
    let etag = first.etag.expect("an etag");
    assert!(secrets.reveal_unless("/a", &etag).await.map_err(|error| error.to_string()).expect("unchanged").is_none());
    secrets.put("/a", &text("new").into(), &PutOptions::default()).await.expect("put");
    let second = secrets.reveal_unless("/a", &etag).await.map_err(|error| error.to_string()).expect("changed");
    assert_eq!(single(&second.expect("a value").value), b"new");
}

#[tokio::test]
async fn the_oldest_versions_go() {
    let fixture = Fixture::start();
    let secrets = fixture.secrets();
    let new = NewSecret::new("/a", &fixture.env().kms_key, text("1")).max_active_versions(2);
    secrets.create(&new).await.expect("made");
    for value in ["2", "3"] {
        secrets.put("/a", &text(value).into(), &PutOptions::default()).await.expect("put");
    }
    let history: Vec<_> = secrets.history("/a").try_collect().await.expect("versions");
    let states: Vec<_> = history.iter().map(|version| version.status.as_str()).collect();
    assert_eq!(states, ["destroyed", "active", "active"]);
}
