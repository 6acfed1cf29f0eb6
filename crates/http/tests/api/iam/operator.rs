use super::installation::{Installation, members};
use crate::support::{ADMIN, Room};
use serde_json::{Value, json};

/// Every operation of the operator.
const ALL: [&str; 10] = [
    "GET /v1/system/organisations",
    "POST /v1/system/organisations",
    "GET /v1/system/organisations/dev",
    "PATCH /v1/system/organisations/dev",
    "PUT /v1/system/organisations/dev/gates",
    "POST /v1/system/organisations/dev/members",
    "GET /v1/system/regions",
    "POST /v1/system/regions",
    "PUT /v1/system/regions/nl-01",
    "POST /v1/system/signing-keys/rotate",
];

#[tokio::test]
async fn only_the_operator_may() {
    let room = Installation::new().await;
    for request in ALL {
        let before = room.records().await.len();
        let refused = room.owner(request, json!("?")).await;
        assert_eq!(refused.verdict(), (403, "forbidden".to_owned()), "{request}");
        let records = room.records().await.split_off(before);
        let is_named = |action: &str| action.starts_with("system.") || action == "iam.member.create";
        let told: Vec<_> = records.iter().map(|it| (it.status, is_named(it.action.as_str()))).collect();
        assert_eq!(told, [(403, true)], "{request}");
        let unknown = room.call("tc_pat_unknown", request, Value::Null).await;
        assert_eq!(unknown.status, 401, "{request}");
    }
    for request in ["GET /v1/iam/roles", "GET /v1/projects", "GET /v1/secrets/nl-01/secrets?path=/", "GET /v1/regions"]
    {
        for organisation in [&[("x-organisation-identity", "dev")][..], &[]] {
            let refused = room.send(&room.operator, request, organisation, Value::Null).await;
            assert_eq!(refused.verdict(), (403, "organisation_denied".to_owned()), "{request}");
        }
    }
    // Nor may somebody who may do everything in an organisation.
    assert_eq!(Room::new().await.call(ADMIN, ALL[0], Value::Null).await.status, 403);
}

#[tokio::test]
async fn organisations_on_the_wire() {
    let room = Installation::new().await;
    let operator = async |request: &str, body: Value| room.call(&room.operator, request, body).await;
    let owner = json!({ "name": "Zoë", "email": "zoe@example.test" });
    let made = operator("POST /v1/system/organisations", json!({ "name": "Big Shop", "owner": owner })).await;
    assert_eq!((made.status, made.header("cache-control")), (201, "no-store"), "{}", made.message());
    let mut created = made.json();
    assert_eq!(
        members(&created),
        ["createdAt", "gates", "identity", "name", "objectVersion", "owner", "slug", "token"]
    );
    assert_eq!((&created["owner"]["name"], &created["slug"]), (&json!("Zoë"), &json!("big-shop")));
    let token = created["token"].as_str().expect("a token").to_owned();
    assert_eq!(room.call(&token, "GET /v1/iam/roles", Value::Null).await.status, 200);
    let subject = created["owner"]["subject"].clone();
    for member in ["owner", "token"] {
        created.as_object_mut().expect("an object").remove(member);
    }
    let id = created["identity"].as_str().expect("an identity");
    for name in [id, "big-shop"] {
        let shown = operator(&format!("GET /v1/system/organisations/{name}"), Value::Null).await;
        assert_eq!((shown.status, shown.json()), (200, created.clone()));
    }
    let second =
        operator("POST /v1/system/organisations", json!({ "name": "b", "slug": "second", "ownerIdentity": subject }))
            .await;
    assert_eq!((second.status, second.json().get("token")), (201, None), "{}", second.message());
    let listed = operator("GET /v1/system/organisations", Value::Null).await.json();
    let slugs: Vec<_> = listed.as_array().expect("a list").iter().map(|it| it["slug"].clone()).collect();
    assert_eq!(slugs, ["big-shop", "dev", "second"]);
    assert_eq!(operator("GET /v1/system/organisations?slug=big-shop", Value::Null).await.json(), json!([created]));

    for (body, expected) in [
        (json!({ "name": "x" }), (400, "invalid_request")),
        (json!({ "name": "x", "owner": owner, "ownerIdentity": subject }), (400, "invalid_request")),
        (json!({ "name": "x", "ownerIdentity": "zoe" }), (404, "object_not_found")),
        (json!({ "name": "x", "slug": "big-shop", "owner": owner }), (409, "already_exists")),
        (json!({ "owner": owner }), (400, "invalid_request")),
    ] {
        let refused = operator("POST /v1/system/organisations", body.clone()).await;
        assert_eq!(refused.verdict(), (expected.0, expected.1.to_owned()), "{body}");
    }

    let patch = json!({ "name": "Shop", "description": "d", "labels": { "a": "b" } });
    let patched = operator("PATCH /v1/system/organisations/big-shop", patch).await.json();
    assert_eq!(
        (&patched["slug"], &patched["description"], &patched["objectVersion"]),
        (&json!("big-shop"), &json!("d"), &json!(2))
    );
    let patched = operator("PATCH /v1/system/organisations/big-shop", json!({ "description": null })).await.json();
    assert_eq!((patched.get("description"), &patched["labels"]), (None, &json!({ "a": "b" })));
    let unknown = operator("PATCH /v1/system/organisations/big-shop", json!({ "slug": "x" })).await;
    assert_eq!(unknown.status, 400);

    let gates = operator("PUT /v1/system/organisations/big-shop/gates", json!({ "projects": false })).await.json();
    assert_eq!(gates["gates"], json!({ "secrets": true, "kms": true, "projects": false }));
    let refused = room.call(&token, "GET /v1/projects", Value::Null).await;
    assert_eq!(refused.verdict(), (403, "feature_disabled".to_owned()));
    let elsewhere = room.send(&token, "GET /v1/iam/roles", &[("x-organisation-identity", "second")], Value::Null).await;
    assert_eq!(
        elsewhere.verdict(),
        (403, "organisation_denied".to_owned()),
        "the first token acts in its organisation"
    );
    let none = operator("PUT /v1/system/organisations/nowhere/gates", json!({})).await;
    assert_eq!(none.verdict(), (404, "object_not_found".to_owned()));
}

#[tokio::test]
async fn regions_on_the_wire() {
    let room = Installation::new().await;
    let operator = async |request: &str, body: Value| room.call(&room.operator, request, body).await;
    let made = operator("POST /v1/system/regions", json!({ "name": "DE 01", "description": "d" })).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let region = made.json();
    assert_eq!(
        members(&region),
        [
            "createdAt",
            "description",
            "identity",
            "kmsAvailable",
            "kmsEnabled",
            "name",
            "objectVersion",
            "slug",
            "updatedAt"
        ]
    );
    assert_eq!(
        (&region["slug"], &region["kmsEnabled"], &region["kmsAvailable"]),
        (&json!("de-01"), &json!(true), &json!(false))
    );
    assert_eq!(operator("GET /v1/system/regions?slug=de-01", Value::Null).await.json(), json!([region]));
    assert_eq!(room.owner("GET /v1/regions/de-01", Value::Null).await.status, 200, "everybody sees it at once");
    let keys = room.owner("GET /v1/kms/de-01/keys", Value::Null).await;
    assert_eq!(keys.verdict(), (503, "kms_not_configured".to_owned()));
    let browsed = room.owner("GET /v1/secrets/de-01/secrets?path=/", Value::Null).await;
    assert_eq!(browsed.status, 200);
    let changed =
        operator("PUT /v1/system/regions/de-01", json!({ "kmsEnabled": false, "description": "" })).await.json();
    assert_eq!(
        (changed.get("description"), &changed["kmsEnabled"], &changed["name"]),
        (None, &json!(false), &json!("DE 01"))
    );
    let again = operator("POST /v1/system/regions", json!({ "name": "de 01" })).await;
    assert_eq!(again.verdict(), (409, "already_exists".to_owned()));
    let none = operator("PUT /v1/system/regions/nowhere", json!({})).await;
    assert_eq!(none.verdict(), (404, "region_not_found".to_owned()));
}

#[tokio::test]
async fn the_signing_key_is_rotated() {
    let room = Installation::new().await;
    let rotate = async || room.call(&room.operator, "POST /v1/system/signing-keys/rotate", Value::Null).await;
    let (first, second) = (rotate().await, rotate().await);
    assert_eq!((first.status, second.status), (200, 200), "{}", first.message());
    assert!(first.json()["kid"].is_string());
    assert_ne!(first.json()["kid"], second.json()["kid"]);
}
