//! What belongs to another organisation, named in every place where an identity can stand.

use super::installation::Installation;
use crate::support::Reply;
use serde_json::{Value, json};

fn identity(reply: &Reply) -> String {
    assert!(reply.status < 300, "{} {:?}", reply.status, reply.body);
    let body = reply.json();
    body["identity"].as_str().or_else(|| body["subject"].as_str()).expect("an identity").to_owned()
}

/// One of everything, in the organisation of a token.
struct Theirs {
    key: String,
    role: String,
    rule: String,
    binding: String,
    team: String,
    team_member: String,
    user: String,
    membership: String,
    account: String,
    credential: String,
    provider: String,
    federated: String,
    project: String,
}

async fn made_by(house: &Installation, token: &str) -> Theirs {
    let make = async |request: String, body: Value| identity(&house.call(token, &request, body).await);
    let named = |name: &str| json!({ "name": name });
    let role = make("POST /v1/iam/roles".to_owned(), named("role")).await;
    let team = make("POST /v1/teams".to_owned(), named("team")).await;
    let user = make("POST /v1/users".to_owned(), named("user")).await;
    let account = make("POST /v1/service-accounts".to_owned(), named("account")).await;
    let provider = json!({ "name": "p", "providerIssuer": "https://issuer.example" });
    let provider = make("POST /v1/federated-identity-providers".to_owned(), provider).await;
    let federated = json!({
        "name": "f", "serviceAccountIdentity": account, "providerIdentity": provider, "providerSubject": "s",
        "trustedAudiences": ["a"],
    });
    let members = house.call(token, "GET /v1/memberships", Value::Null).await.json();
    let members = members.as_array().expect("a list").clone();
    let membership = members.iter().find(|it| it["user"]["subject"] == json!(user)).expect("a member");
    Theirs {
        key: make("POST /v1/kms/nl-01/keys".to_owned(), named("key")).await,
        rule: make(format!("POST /v1/iam/roles/{role}/rules"), json!({})).await,
        binding: make(format!("POST /v1/iam/roles/{role}/bindings"), json!({ "name": "b", "teamIdentity": team }))
            .await,
        team_member: make(format!("POST /v1/teams/{team}/members"), json!({ "userIdentity": user, "role": "MEMBER" }))
            .await,
        membership: membership["identity"].as_str().expect("text").to_owned(),
        credential: make(format!("POST /v1/service-accounts/{account}/access-credentials"), json!({ "name": "" }))
            .await,
        federated: make("POST /v1/federated-identities".to_owned(), federated).await,
        project: make("POST /v1/projects".to_owned(), named("project")).await,
        role,
        team,
        user,
        account,
        provider,
    }
}

#[tokio::test]
async fn it_is_not_there_wherever_it_is_named() {
    let house = Installation::new().await;
    let organisation = json!({ "name": "Foreign", "owner": { "name": "o" } });
    let made = house.call(&house.operator, "POST /v1/system/organisations", organisation).await.json();
    let token =
        made["token"].as_str().or_else(|| made["owner"]["token"].as_str()).expect("the owner's token").to_owned();
    let theirs = made_by(&house, &token).await;
    let owner = house.owner.clone();
    let ours = made_by(&house, &owner).await;
    let (r, t, a) = (&ours.role, &ours.team, &ours.account);
    let binding = |member: &str, id: &str| json!({ "name": "x", member: id });
    let federated = |account: &str, provider: &str| {
        json!({
            "name": "x", "serviceAccountIdentity": account, "providerIdentity": provider, "providerSubject": "x",
            "trustedAudiences": ["a"],
        })
    };
    let secret = json!({ "path": "/x", "kmsKeyIdentity": theirs.key, "secretString": "YQ==" });
    let calls = [
        // In bodies.
        ("POST /v1/secrets/nl-01/secrets".to_owned(), secret),
        (format!("POST /v1/iam/roles/{r}/bindings"), binding("userIdentity", &theirs.user)),
        (format!("POST /v1/iam/roles/{r}/bindings"), binding("teamIdentity", &theirs.team)),
        (format!("POST /v1/iam/roles/{r}/bindings"), binding("serviceAccountIdentity", &theirs.account)),
        (format!("POST /v1/teams/{t}/members"), json!({ "userIdentity": theirs.user, "role": "MEMBER" })),
        ("POST /v1/federated-identities".to_owned(), federated(&theirs.account, &ours.provider)),
        ("POST /v1/federated-identities".to_owned(), federated(&ours.account, &theirs.provider)),
        ("POST /v1/projects".to_owned(), json!({ "name": "x", "parentProjectIdentity": theirs.project })),
        (format!("PUT /v1/projects/{}", ours.project), json!({ "name": "x", "parentProjectIdentity": theirs.project })),
        // As objects.
        (format!("GET /v1/kms/nl-01/keys/{}", theirs.key), Value::Null),
        (format!("GET /v1/iam/roles/{}", theirs.role), Value::Null),
        (format!("DELETE /v1/iam/roles/{}", theirs.role), Value::Null),
        (format!("GET /v1/teams/{}", theirs.team), Value::Null),
        (format!("PUT /v1/memberships/{}", theirs.membership), json!({ "role": "OWNER" })),
        (format!("DELETE /v1/memberships/{}", theirs.membership), Value::Null),
        (format!("GET /v1/users/{}", theirs.user), Value::Null),
        (format!("POST /v1/users/{}/personal-access-tokens", theirs.user), json!({ "name": "x" })),
        (format!("GET /v1/service-accounts/{}", theirs.account), Value::Null),
        (format!("POST /v1/service-accounts/{}/access-credentials", theirs.account), json!({ "name": "x" })),
        (format!("GET /v1/federated-identity-providers/{}", theirs.provider), Value::Null),
        (format!("GET /v1/federated-identities/{}", theirs.federated), Value::Null),
        (format!("GET /v1/projects/{}", theirs.project), Value::Null),
        // As parts of our own objects.
        (format!("DELETE /v1/iam/roles/{r}/rules/{}", theirs.rule), Value::Null),
        (format!("DELETE /v1/iam/roles/{r}/bindings/{}", theirs.binding), Value::Null),
        (format!("DELETE /v1/teams/{t}/members/{}", theirs.team_member), Value::Null),
        (format!("DELETE /v1/service-accounts/{a}/access-credentials/{}", theirs.credential), Value::Null),
    ];
    for (request, body) in calls {
        let reply = house.owner(&request, body).await;
        assert_eq!(reply.status, 404, "{request}: {:?}", reply.body);
    }
    // As a project.
    let headers = [("x-project-identity", theirs.project.as_str())];
    let reply = house.send(&owner, "GET /v1/secrets/nl-01/secrets?path=/", &headers, Value::Null).await;
    assert_eq!(reply.verdict(), (404, "project_not_found".to_owned()));
    let request = format!("GET /v1/secrets/nl-01/secrets?path=/&project={}", theirs.project);
    assert_eq!(house.owner(&request, Value::Null).await.verdict(), (404, "project_not_found".to_owned()));
    // Nothing of theirs changed.
    for request in [
        format!("GET /v1/kms/nl-01/keys/{}", theirs.key),
        format!("GET /v1/iam/roles/{}", theirs.role),
        format!("GET /v1/users/{}", theirs.user),
        format!("GET /v1/federated-identities/{}", theirs.federated),
    ] {
        assert_eq!(house.call(&token, &request, Value::Null).await.status, 200, "{request}");
    }
    let theirs_now =
        house.call(&token, &format!("GET /v1/iam/roles/{}/bindings", theirs.role), Value::Null).await.json();
    assert_eq!(theirs_now.as_array().map(Vec::len), Some(1));
}

/// Rules compare paths as they are: case, dots, pluses, and where a name only begins alike.
#[tokio::test]
async fn tricks_with_paths_open_nothing() {
    let house = Installation::new().await;
    let (user, token) = house.user("probe").await;
    let role = identity(&house.owner("POST /v1/iam/roles", json!({ "name": "prod" })).await);
    let rule = json!({ "resources": ["secret"], "resourceIdentities": ["/app/prod/*"], "permissions": ["*"] });
    identity(&house.owner(&format!("POST /v1/iam/roles/{role}/rules"), rule).await);
    let binding = json!({ "name": "b", "userIdentity": user });
    identity(&house.owner(&format!("POST /v1/iam/roles/{role}/bindings"), binding).await);
    let key = identity(&house.owner("POST /v1/kms/nl-01/keys", json!({ "name": "key" })).await);
    for path in [
        "/app/prod-evil/db",
        "/app/Prod/db",
        "/APP/prod/db",
        "/app/prod",
        "/app/prod+x/db",
        "/app/prod.x",
        "/x/app/prod/db",
    ] {
        let secret = json!({ "path": path, "kmsKeyIdentity": key, "secretString": "YQ==" });
        assert_eq!(house.owner("POST /v1/secrets/nl-01/secrets", secret).await.status, 201, "{path}");
        let reply = house.call(&token, &format!("GET /v1/secrets/nl-01/secret{path}"), Value::Null).await;
        assert_eq!(reply.verdict(), (403, "forbidden".to_owned()), "{path}");
        let by_query = format!("GET /v1/secrets/nl-01/secret?path={path}");
        assert_eq!(house.call(&token, &by_query, Value::Null).await.status, 403, "{path}");
    }
    // What a careless server would normalise into the directory.
    for url in [
        "/app/prod/../secret/db",
        "/app/x/../prod/db",
        "/app/prod/..%2f..%2fother",
        "/app/prod%2Fdb",
        "//app/prod/db",
        "/app//prod/db",
        "/app/prod/./db",
        "/app/prod/%2e%2e/other",
    ] {
        let reply = house.call(&token, &format!("GET /v1/secrets/nl-01/secret{url}"), Value::Null).await;
        assert_eq!(reply.status, 400, "{url}: {:?}", reply.body);
    }
    // Absent ones inside are told so; those outside are refused alike, whether they are there or not.
    let read = async |path: &str| house.call(&token, &format!("GET /v1/secrets/nl-01/secret{path}"), Value::Null).await;
    assert_eq!(read("/app/prod/none").await.status, 404);
    let (there, absent) = (read("/app/prod-evil/db").await, read("/app/prod-evil/none").await);
    let without_request = |reply: &Reply| {
        let mut body = reply.json();
        body.as_object_mut().expect("an object").remove("requestId");
        body
    };
    assert_eq!(without_request(&there), without_request(&absent));
    let names = |reply: &Reply| {
        let mut names: Vec<_> = reply.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&there), names(&absent));
}
