use super::installation::{Installation, members};
use crate::support::{ADMIN, IN_PROJECT, NOBODY, READ_SCOPE, Room};
use serde_json::{Value, json};

#[tokio::test]
async fn a_project_on_the_wire() {
    let room = Installation::new().await;
    let body = json!({ "name": "Web Shop", "description": "", "labels": null, "annotations": null, "x": 1 });
    let made = room.owner("POST /v1/projects", body).await;
    assert_eq!(made.status, 201, "{}", made.message());
    let top = made.json();
    assert_eq!(members(&top), ["createdAt", "identity", "name", "objectVersion", "slug"]);
    let id = top["identity"].as_str().expect("an identity");

    let body = json!({ "name": "Payments", "labels": { "a": "b" }, "parentProjectIdentity": id });
    let below = room.owner("POST /v1/projects", body).await.json();
    assert_eq!(below["parentProject"], json!({ "identity": id, "name": "Web Shop", "slug": "web-shop" }));
    // Headers that name a project mean nothing here.
    let elsewhere = [("x-project-identity", "nowhere")];
    let shown = room.send(&room.owner, "GET /v1/projects/payments?project=nowhere", &elsewhere, Value::Null).await;
    assert_eq!((shown.status, shown.json()), (200, below.clone()));
    assert_eq!(room.owner("GET /v1/projects", Value::Null).await.json(), json!([top, below]));
    for query in ["slug=payments", "name=Payments", "matchLabels[a]=b"] {
        assert_eq!(
            room.owner(&format!("GET /v1/projects?{query}"), Value::Null).await.json(),
            json!([below]),
            "{query}"
        );
    }
    assert_eq!(room.owner("GET /v1/projects?slug=other", Value::Null).await.json(), json!([]));

    // What isn't given stays; an empty parent is none.
    let put = async |body: Value| room.owner("PUT /v1/projects/payments", body).await;
    let renamed = put(json!({ "name": "Billing" })).await.json();
    assert_eq!((&renamed["slug"], &renamed["labels"]), (&below["slug"], &below["labels"]));
    assert_eq!((&renamed["parentProject"], &renamed["objectVersion"]), (&below["parentProject"], &json!(2)));
    assert!(renamed["updatedAt"].is_string());
    let at_the_top = put(json!({ "name": "Billing", "parentProjectIdentity": "" })).await.json();
    assert_eq!(at_the_top.get("parentProject"), None);
    assert_eq!(at_the_top, room.owner("GET /v1/projects/payments", Value::Null).await.json());

    let slug = put(json!({ "name": "Billing", "parentProjectIdentity": "web-shop" })).await;
    assert_eq!(slug.verdict(), (404, "object_not_found".to_owned()));
    assert!(slug.message().contains("wants an identity"), "{}", slug.message());
    assert_eq!(put(json!({})).await.verdict(), (400, "invalid_request".to_owned()));
    let own = at_the_top["identity"].clone();
    let ring = put(json!({ "name": "Billing", "parentProjectIdentity": own })).await;
    assert_eq!(ring.verdict(), (400, "invalid_request".to_owned()));
    let again = room.owner("POST /v1/projects", json!({ "name": "web shop" })).await;
    assert_eq!(again.verdict(), (409, "already_exists".to_owned()));

    put(json!({ "name": "Billing", "parentProjectIdentity": id })).await;
    let refused = room.owner("DELETE /v1/projects/web-shop", Value::Null).await;
    assert_eq!(refused.verdict(), (400, "in_use".to_owned()));
    for name in ["payments", "web-shop"] {
        let removed = room.owner(&format!("DELETE /v1/projects/{name}"), Value::Null).await;
        assert_eq!((removed.status, removed.body.len()), (204, 0));
    }
    assert_eq!(
        room.owner("GET /v1/projects/payments", Value::Null).await.verdict(),
        (404, "object_not_found".to_owned())
    );
}

const ALL: [&str; 5] = [
    "GET /v1/projects",
    "POST /v1/projects",
    "GET /v1/projects/nowhere",
    "PUT /v1/projects/nowhere",
    "DELETE /v1/projects/nowhere",
];

#[tokio::test]
async fn what_is_checked_before_a_project_call() {
    let room = Room::new().await;
    for request in ALL {
        let refused = room.raw(request, &[], "?").await;
        assert_eq!(refused.verdict(), (401, "unauthenticated".to_owned()), "{request}");
        let headers = |organisation: &'static str, token: &'static str| {
            [("authorization", token), ("x-organisation-identity", organisation)]
        };
        // The gate comes after the organisation, and before IAM and the body.
        let refused = room.raw(request, &headers("foreign", "Bearer everywhere"), "?").await;
        assert_eq!(refused.verdict(), (403, "organisation_denied".to_owned()), "{request}");
        let refused = room.raw(request, &headers("no-projects", "Bearer everywhere"), "?").await;
        assert_eq!(refused.verdict(), (403, "feature_disabled".to_owned()), "{request}");
        let refused = room.call(NOBODY, request, json!("?")).await;
        assert_eq!(refused.verdict(), (403, "forbidden".to_owned()), "{request}");
        let is_read = request.starts_with("GET");
        let read_only = room.call(READ_SCOPE, request, json!({ "name": "x" })).await;
        assert_eq!(read_only.code() == "insufficient_scope", !is_read, "{request}");
    }
}

const SECRETS: &str = "/v1/secrets/nl-01";

/// Sends with a token and, perhaps, the header that names a project.
async fn within(room: &Room, token: &str, request: &str, project: Option<&str>, body: Value) -> (u16, Value) {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(project.map(|project| ("x-project-identity", project)));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let reply = room.raw(request, &headers, body).await;
    (reply.status, reply.json())
}

#[tokio::test]
async fn calls_inside_a_project() {
    let room = Room::new().await;
    let payments = room.admin("POST /v1/projects", json!({ "name": "Payments" })).await.json();
    let other = room.admin("POST /v1/projects", json!({ "name": "Other" })).await.json();
    let id = |project: &Value| project["identity"].as_str().expect("an identity").to_owned();
    let new_key = json!({ "name": "App key" });
    let (status, key) = within(&room, ADMIN, "POST /v1/kms/nl-01/keys", Some("payments"), new_key).await;
    assert_eq!((status, &key["projectId"]), (201, &payments["identity"]), "the name is free in every scope");

    let new = |key: &Value, value: &str| json!({ "path": "/s", "kmsKeyIdentity": key, "secretString": value });
    let create = format!("POST {SECRETS}/secrets");
    let organisations = json!(room.key);
    // An empty header counts as missing.
    assert_eq!(within(&room, ADMIN, &create, Some(""), new(&key["identity"], "YQ==")).await.0, 404);
    assert_eq!(within(&room, ADMIN, &create, Some(""), new(&organisations, "YQ==")).await.0, 201);
    assert_eq!(within(&room, ADMIN, &create, Some("payments"), new(&key["identity"], "Yg==")).await.0, 201);
    assert_eq!(within(&room, ADMIN, &create, Some(&id(&other)), new(&key["identity"], "Yw==")).await.0, 404);
    assert_eq!(within(&room, ADMIN, &create, Some(&id(&other)), new(&organisations, "Yw==")).await.0, 201);

    let value = async |token: &str, header: Option<&str>, query: &str| {
        let (status, body) =
            within(&room, token, &format!("POST {SECRETS}/secret/s/value{query}"), header, Value::Null).await;
        if status == 200 { body["secretString"].clone() } else { body["code"].clone() }
    };
    assert_eq!(value(ADMIN, None, "").await, "YQ==");
    assert_eq!(value(ADMIN, Some(""), "?project=").await, "YQ==");
    assert_eq!(value(ADMIN, Some("payments"), "").await, "Yg==");
    assert_eq!(value(ADMIN, Some(&id(&payments)), "?project=other").await, "Yg==", "the header comes first");
    assert_eq!(value(ADMIN, Some(""), "?project=other").await, "Yw==");
    assert_eq!(value(ADMIN, Some("nowhere"), "").await, "project_not_found");
    // The credential comes before both.
    assert_eq!(value(IN_PROJECT, None, "").await, "Yg==");
    assert_eq!(value(IN_PROJECT, Some(&id(&payments)), "").await, "Yg==");
    assert_eq!(value(IN_PROJECT, Some("other"), "").await, "project_denied");
    assert_eq!(value(IN_PROJECT, None, "?project=other").await, "project_denied");

    // Lists, keys and the summary show the active scope only.
    let list = format!("GET {SECRETS}/secrets?pathPrefix=/");
    for (project, paths) in [(None, 1), (Some("payments"), 1), (Some("other"), 1)] {
        let (_, body) = within(&room, ADMIN, &list, project, Value::Null).await;
        assert_eq!(body.as_array().map(Vec::len), Some(paths), "{project:?}");
    }
    let named = format!("GET /v1/kms/nl-01/keys/{}", room.key);
    assert_eq!(within(&room, ADMIN, &named, None, Value::Null).await.0, 200);
    assert_eq!(within(&room, ADMIN, &named, Some("payments"), Value::Null).await.0, 404);
    let total = async |project| {
        let (_, body) = within(&room, ADMIN, "GET /v1/kms/summary", project, Value::Null).await;
        let regions = body["regions"].as_array().expect("a list").clone();
        regions.iter().find(|region| region["slug"] == "nl-01").expect("it")["totalKeys"].clone()
    };
    assert_eq!(
        (total(None).await, total(Some("payments")).await, total(Some("other")).await),
        (json!(1), json!(1), json!(0))
    );

    let refused = room.admin("DELETE /v1/projects/payments", Value::Null).await;
    assert_eq!(refused.verdict(), (400, "in_use".to_owned()));
    assert!(refused.message().contains("1 secret and 1 KMS key"), "{}", refused.message());
}
