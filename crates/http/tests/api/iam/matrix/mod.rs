//! Every operation, in every situation that decides whether a caller may: what answers first is what the order of checks says.

mod expected;
mod records;
mod tables;

use super::installation::Installation;
use crate::support::Reply;
use serde_json::{Value, json};
use tables::{
    All, Anywhere, Guard, Ids, Known, Member, Missing, On, Operation, Operator, Owner, SECRET, Same, kms, people,
    projects_and_system, roles, secrets, workloads,
};

/// An organisation with one of everything, and a member who holds nothing yet.
struct Stage {
    house: Installation,
    ids: Ids,
    probe: String,
    token: String,
}

fn identity(reply: &Reply) -> String {
    assert!(reply.status < 300, "{} {:?}", reply.status, reply.body);
    let body = reply.json();
    body["identity"].as_str().or_else(|| body["subject"].as_str()).expect("an identity").to_owned()
}

/// The membership of a user.
async fn membership(house: &Installation, user: &str) -> String {
    let members = house.owner("GET /v1/memberships", Value::Null).await.json();
    let theirs = members.as_array().expect("a list").iter().find(|it| it["user"]["subject"] == json!(user));
    theirs.expect("a member")["identity"].as_str().expect("text").to_owned()
}

impl Stage {
    async fn new() -> Self {
        let house = Installation::new().await;
        let mut ids = Ids::new();
        for (name, request, body) in [
            ("key", "POST /v1/kms/nl-01/keys", json!({ "name": "key" })),
            ("signing key", "POST /v1/kms/nl-01/keys", json!({ "name": "signing", "keyType": "ed25519" })),
            (
                "hmac key",
                "POST /v1/kms/nl-01/keys",
                json!({ "name": "hmac", "keyType": "hmac", "exportAllowed": true }),
            ),
            ("role", "POST /v1/iam/roles", json!({ "name": "role" })),
            ("team", "POST /v1/teams", json!({ "name": "team" })),
            ("account", "POST /v1/service-accounts", json!({ "name": "account" })),
            ("project", "POST /v1/projects", json!({ "name": "web" })),
            (
                "provider",
                "POST /v1/federated-identity-providers",
                json!({ "name": "provider", "providerIssuer": "https://issuer.example" }),
            ),
        ] {
            ids.insert(name, identity(&house.owner(request, body).await));
        }
        ids.insert("path", "/app/prod/db".to_owned());
        ids.insert("new path", "/app/prod/new".to_owned());
        let secret = json!({ "path": "/app/prod/db", "kmsKeyIdentity": ids["key"], "secretString": "YQ==" });
        assert_eq!(house.owner("POST /v1/secrets/nl-01/secrets", secret).await.status, 201);
        let (user, _) = house.user("user").await;
        let (other, _) = house.user("other").await;
        let tokens = house.owner(&format!("GET /v1/users/{other}/personal-access-tokens"), Value::Null).await.json();
        ids.insert("token of other", tokens[0]["identity"].as_str().expect("text").to_owned());
        let parts = [
            ("rule", format!("POST /v1/iam/roles/{}/rules", ids["role"]), json!({})),
            (
                "binding",
                format!("POST /v1/iam/roles/{}/bindings", ids["role"]),
                json!({ "name": "b", "userIdentity": user }),
            ),
            (
                "team member",
                format!("POST /v1/teams/{}/members", ids["team"]),
                json!({ "userIdentity": user, "role": "MEMBER" }),
            ),
            (
                "credential",
                format!("POST /v1/service-accounts/{}/access-credentials", ids["account"]),
                json!({ "name": "" }),
            ),
            (
                "identity",
                "POST /v1/federated-identities".to_owned(),
                json!({
                    "name": "identity", "serviceAccountIdentity": ids["account"], "providerIdentity": ids["provider"],
                    "providerSubject": "subject", "trustedAudiences": ["strongroom"],
                }),
            ),
        ];
        for (name, request, body) in parts {
            ids.insert(name, identity(&house.owner(&request, body).await));
        }
        for (name, of) in [("membership", &user), ("membership of other", &other)] {
            ids.insert(name, membership(&house, of).await);
        }
        ids.insert("user", user);
        ids.insert("other user", other);
        // A user of the installation who isn't a member.
        let (stranger, _) = house.user("stranger").await;
        let left = format!("DELETE /v1/memberships/{}", membership(&house, &stranger).await);
        assert_eq!(house.owner(&left, Value::Null).await.status, 204);
        ids.insert("stranger", stranger);
        let encrypt = format!("POST /v1/kms/nl-01/keys/{}/encrypt", ids["key"]);
        let encrypted = house.owner(&encrypt, json!({ "plaintext": "YQ==" })).await.json();
        ids.insert("ciphertext", encrypted["ciphertext"].as_str().expect("text").to_owned());
        let (probe, token) = house.user("probe").await;
        Self { house, ids, probe, token }
    }

    /// For an operation: one on a secret's value also needs its key.
    async fn of(operation: &Operation) -> Self {
        let stage = Self::new().await;
        if service(operation) == Some("secrets") {
            stage.grant("kms_key", &[], &["encrypt", "decrypt"]).await;
        }
        stage
    }

    /// Gives the probe a role of one rule.
    async fn grant(&self, resource: &str, identities: &[&str], permissions: &[&str]) {
        let role = identity(&self.house.owner("POST /v1/iam/roles", json!({ "name": "granted" })).await);
        let rule = json!({ "resources": [resource], "resourceIdentities": identities, "permissions": permissions });
        identity(&self.house.owner(&format!("POST /v1/iam/roles/{role}/rules"), rule).await);
        let binding = json!({ "name": "granted", "userIdentity": self.probe });
        identity(&self.house.owner(&format!("POST /v1/iam/roles/{role}/bindings"), binding).await);
    }

    /// A token of the probe with only this scope.
    async fn token_of_scope(&self, scope: &str) -> String {
        let body = json!({ "name": scope, "scopes": [scope] });
        let made = self.house.call(&self.token, "POST /v1/me/personal-access-tokens", body).await;
        made.json()["token"].as_str().expect("a token").to_owned()
    }

    fn url(&self, operation: &Operation) -> String {
        let mut request = operation.request.to_owned();
        for (name, id) in &self.ids {
            request = request.replace(&format!("{{{name}}}"), id);
        }
        request
    }

    async fn send(&self, token: &str, operation: &Operation, headers: &[(&str, &str)]) -> Reply {
        self.house.send(token, &self.url(operation), headers, (operation.body)(&self.ids)).await
    }

    /// Makes an owner of the probe, which passes every guard but the operator's.
    async fn token_of_all(&self, guard: Guard) -> String {
        if matches!(guard, Operator) { self.house.operator.clone() } else { self.house.owner.clone() }
    }
}

fn reads(operation: &Operation) -> bool {
    let posts = ["/value", "/values", "/decrypt", "/verify", "/verify-hmac", "/explain"];
    let (method, url) = operation.request.split_once(' ').expect("method and URL");
    method == "GET" || (method == "POST" && posts.iter().any(|end| url.ends_with(end)))
}

fn service(operation: &Operation) -> Option<&'static str> {
    let url = operation.request;
    if url.contains(" /v1/secrets/") {
        Some("secrets")
    } else if url.contains(" /v1/kms/nl-01") {
        Some("kms")
    } else if url.contains(" /v1/projects") {
        Some("projects")
    } else {
        None
    }
}

#[track_caller]
fn check(situation: &str, operation: &Operation, reply: &Reply, expected: (u16, &str)) {
    let verdict = (reply.status, reply.code());
    let right = verdict.0 == expected.0 && (expected.0 < 400 || verdict.1 == expected.1);
    assert!(right, "{}, {situation}: {verdict:?}, not {expected:?}: {}", operation.request, reply.message());
}

async fn every_situation(operation: &Operation) {
    let done = (operation.done, "");
    let guard = operation.guard;
    // What an operation that is guarded by rules answers to those who have none.
    let denied = match guard {
        Member | Known => done,
        On("kms_key", ..) => (404, "kms_key_not_found"),
        On(..) | Anywhere(..) | All(..) | Owner | Operator => (403, "forbidden"),
    };

    let stage = Stage::of(operation).await;
    check("no token", operation, &stage.send("nobody", operation, &[]).await, (401, "unauthenticated"));
    let other_scope = stage.token_of_scope(if reads(operation) { "api:write" } else { "api:read" }).await;
    let reply = stage.send(&other_scope, operation, &[]).await;
    check("scope missing", operation, &reply, (403, "insufficient_scope"));
    check("no permission", operation, &stage.send(&stage.token, operation, &[]).await, denied);

    let stage = Stage::of(operation).await;
    let (elsewhere, here) = match guard {
        On(resource, permission, name) => {
            let away = if resource == "secret" { "/app/prod-evil/*" } else { "elsewhere" };
            stage.grant(resource, &[away], &[permission]).await;
            (denied, Some((resource, vec![stage.ids[name].as_str()], permission)))
        }
        Anywhere(resource, permission) => {
            stage.grant(resource, &["elsewhere"], &[permission]).await;
            (done, Some((resource, vec!["elsewhere"], permission)))
        }
        All(resource, permission) => {
            stage.grant(resource, &["elsewhere"], &[permission]).await;
            (denied, Some((resource, Vec::new(), permission)))
        }
        Member | Known | Owner | Operator => (denied, None),
    };
    check("permission elsewhere", operation, &stage.send(&stage.token, operation, &[]).await, elsewhere);

    let stage = Stage::of(operation).await;
    let allowed = match here {
        Some((resource, identities, permission)) => {
            // Those of the other stage name the same objects, by the same sequence of identities.
            stage.grant(resource, &identities, &[permission]).await;
            stage.token.clone()
        }
        None => stage.token_of_all(guard).await,
    };
    let reply = stage.send(&allowed, operation, &[]).await;
    check("permission here", operation, &reply, done);

    let stage = Stage::of(operation).await;
    if let Some(gate) = service(operation) {
        let mut gates = serde_json::Map::new();
        gates.insert(gate.to_owned(), json!(false));
        let switched =
            stage.house.call(&stage.house.operator, "PUT /v1/system/organisations/dev/gates", Value::Object(gates));
        assert_eq!(switched.await.status, 200);
        let reply = stage.send(&stage.house.owner, operation, &[]).await;
        check("gate off", operation, &reply, (403, "feature_disabled"));
    }

    let stage = Stage::of(operation).await;
    let all = stage.token_of_all(guard).await;
    let in_project = stage.send(&all, operation, &[("x-project-identity", "web")]).await;
    let expected = match (operation.in_project, service(operation)) {
        (Same, _) => done,
        (Missing, Some("kms")) => (404, "kms_key_not_found"),
        (Missing, _) => (404, "secret_not_found"),
    };
    check("other scope", operation, &in_project, expected);

    let stage = Stage::of(operation).await;
    let foreign = json!({ "name": "Foreign", "owner": { "name": "f" } });
    let made = stage.house.call(&stage.house.operator, "POST /v1/system/organisations", foreign).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let all = stage.token_of_all(guard).await;
    for organisation in ["foreign", "never-was"] {
        let reply = stage.send(&all, operation, &[("x-organisation-identity", organisation)]).await;
        let expected = if matches!(guard, Known | Operator) { done } else { (403, "organisation_denied") };
        // What was made or removed by the first call is there or gone for the second.
        if organisation == "foreign" || !matches!(guard, Known | Operator) {
            check("other organisation", operation, &reply, expected);
        }
    }
}

/// What belongs to another organisation isn't there, whoever asks.
async fn foreign_objects(operation: &Operation) {
    let names_object = operation.request.contains('{') || operation.request.contains(SECRET);
    if !names_object || !matches!(operation.guard, On(..)) {
        return;
    }
    let stage = Stage::of(operation).await;
    let foreign = json!({ "name": "Foreign", "owner": { "name": "f" } });
    let made = stage.house.call(&stage.house.operator, "POST /v1/system/organisations", foreign).await.json();
    let token =
        made["token"].as_str().or_else(|| made["owner"]["token"].as_str()).expect("the owner's token").to_owned();
    let reply = stage.send(&token, operation, &[]).await;
    assert_eq!(reply.status, 404, "{}: {:?}", operation.request, reply.body);
}

async fn walk(operations: Vec<Operation>) {
    for operation in &operations {
        every_situation(operation).await;
        foreign_objects(operation).await;
    }
}

/// What is tested elsewhere, because it is open to everybody, or decides by something else than permissions.
const ELSEWHERE: [&str; 19] = [
    "POST /oidc/token",
    "POST //oidc/token",
    "GET /.well-known/openid-configuration",
    "GET /.well-known/jwks.json",
    "GET /healthz",
    "GET /readyz",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/",
    "GET /docs/page.js",
    "GET /docs/page.css",
    "HEAD /healthz",
    "HEAD /readyz",
    "HEAD /openapi.json",
    "HEAD /docs",
    "HEAD /docs/",
    "HEAD /docs/page.js",
    "HEAD /docs/page.css",
    "DELETE /v1/me/personal-access-tokens/{id}",
];

/// Whether a request is one of the route's: placeholders stand for anything, and a secret's path for several segments.
fn is_of(route: &str, request: &str) -> bool {
    let request = request.split('?').next().unwrap_or_default();
    let (head, tail) = route.split_once("/secret{path}").map_or((route, None), |(head, tail)| (head, Some(tail)));
    let (head, tail) = match tail {
        None => (request.split('/').collect::<Vec<_>>(), None),
        Some(tail) => {
            let Some((before, after)) = request.split_once("/secret/") else { return false };
            let last = ["/value", "/versions", "/policy"].into_iter().find(|last| after.ends_with(last));
            (before.split('/').collect(), Some((last.unwrap_or_default() == tail, head)))
        }
    };
    let template: Vec<_> = tail.map_or(route, |(_, head)| head).split('/').collect();
    let same = |(wanted, found): (&&str, &&str)| wanted.starts_with('{') || wanted == found;
    template.len() == head.len() && template.iter().zip(&head).all(same) && tail.is_none_or(|(same, _)| same)
}

#[test]
fn no_operation_is_left_out() {
    let all = [secrets(), kms(), roles(), people(), workloads(), projects_and_system()];
    let requests: Vec<_> = all.iter().flatten().map(|operation| operation.request).collect();
    for route in strongroom_http::operations() {
        let known = ELSEWHERE.contains(&route.as_str()) || requests.iter().any(|request| is_of(&route, request));
        assert!(known, "{route} is in no table");
    }
}

#[tokio::test]
async fn secrets_in_every_situation() {
    walk(secrets()).await;
}

#[tokio::test]
async fn kms_in_every_situation() {
    walk(kms()).await;
}

#[tokio::test]
async fn roles_in_every_situation() {
    walk(roles()).await;
}

#[tokio::test]
async fn people_in_every_situation() {
    walk(people()).await;
}

#[tokio::test]
async fn workloads_in_every_situation() {
    walk(workloads()).await;
}

#[tokio::test]
async fn projects_and_system_in_every_situation() {
    walk(projects_and_system()).await;
}
