//! An API below a path of a server of somebody else: the addresses that it tells are those that its clients know.

use crate::support::Room;
use serde_json::{Value, json};
use strongroom_http::Settings;

async fn mounted() -> Room {
    Room::with(Settings { base_path: "/vault".parse().expect("legal"), ..Settings::default() }).await
}

/// Where the next page is, as the API knows it.
fn next(link: &str) -> Option<String> {
    let address = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(address.strip_prefix("/vault").unwrap_or_else(|| panic!("{link}")).to_owned())
}

#[tokio::test]
async fn what_is_made_is_found_below_the_mount() {
    let room = mounted().await;
    let body = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretString": "YQ==" });
    let created = room.admin("POST /v1/secrets/nl-01/secrets", body).await;
    assert_eq!((created.status, created.header("location")), (201, "/vault/v1/secrets/nl-01/secret/a"));
    let put = room.admin("POST /v1/secrets/nl-01/secret/a/versions", json!({ "secretString": "Yg==" })).await;
    assert_eq!((put.status, put.header("location")), (201, "/vault/v1/secrets/nl-01/secret/a"));
}

#[tokio::test]
async fn pages_go_on_below_the_mount() {
    let room = mounted().await;
    for path in ["/a", "/b", "/c"] {
        room.secret(path).await;
    }
    let put = json!({ "secretString": "Yg==" });
    assert_eq!(room.admin("POST /v1/secrets/nl-01/secret/a/versions", put).await.status, 201);
    while room.engine.index_audit(100).await.expect("indexes").more {}
    let inventory = format!("/v1/kms/nl-01/keys/{}/inventory?limit=1", room.key);
    for first in [
        "/v1/secrets/nl-01/secrets?pathPrefix=/&limit=1",
        "/v1/secrets/nl-01/secrets?path=/&limit=1",
        "/v1/secrets/nl-01/secret/a?includeVersions=true&versionLimit=1",
        "/v1/audit?limit=2",
        inventory.as_str(),
    ] {
        let page = room.get(first).await;
        assert_eq!(page.status, 200, "{first}");
        let second = next(page.header("link")).unwrap_or_else(|| panic!("{first} has more"));
        let after = room.get(&second).await;
        assert_eq!(after.status, 200, "{second}");
        assert_ne!(after.body, page.body, "{second}");
    }
}

#[tokio::test]
async fn the_document_names_the_mount_as_its_server() {
    for (room, server) in [(mounted().await, "/vault"), (Room::new().await, "/")] {
        let document = room.raw("GET /openapi.json", &[], "").await;
        assert_eq!(document.json()["servers"], json!([{ "url": server }]));
        let tag = document.header("etag").to_owned();
        assert_eq!(room.raw("GET /openapi.json", &[("if-none-match", &tag)], "").await.status, 304);
    }
    let tags = [mounted().await, Room::new().await];
    let [one, other] = [&tags[0], &tags[1]].map(|room| room.raw("GET /openapi.json", &[], ""));
    assert_ne!(one.await.headers["etag"], other.await.headers["etag"]);
}

/// A change that was begun ends, though nobody waits for it: what a server waits for before it closes its store.
#[tokio::test]
async fn changes_have_ended_when_it_is_drained() {
    let room = mounted().await;
    room.gate.close();
    let body = json!({ "path": "/a", "kmsKeyIdentity": room.key, "secretString": "YQ==" });
    let mut create = Box::pin(room.admin("POST /v1/secrets/nl-01/secrets", body));
    assert!(futures_util::FutureExt::now_or_never(&mut create).is_none());
    room.gate.reached.notified().await;
    drop(create);
    let mut drained = Box::pin(room.api.drained());
    assert!(futures_util::FutureExt::now_or_never(&mut drained).is_none(), "it is still at it");
    room.gate.open();
    drained.await;
    assert_eq!(room.admin("GET /v1/secrets/nl-01/secret/a", Value::Null).await.status, 200);
}
