//! Known values in projects, and in who belongs to the organisation.

use crate::canary::Canaries;
use core::time::Duration;
use serde_json::{Value, json};
use strongroom_tests::{Answer, Client, wait_for};

pub(crate) fn scopes(client: &Client, canaries: &mut Canaries) {
    project(client, canaries);
    membership(client, canaries);
}

/// A project with a key and a secret, from its beginning to its end.
fn project(client: &Client, canaries: &mut Canaries) {
    let all = "/v1/projects";
    let project = json!({"name": "Canary", "description": "sings"});
    let project = identity(&canaries.keep(201, client.post(all, &project)).json());
    let one = format!("{all}/{project}");
    let ask = |method: &str, target: String, body: Option<&Value>| {
        let request = client.request(method, target).header("X-Project-Identity", &project);
        body.map_or_else(|| request.clone().send(), |body| request.clone().json(body).send())
    };
    let key = ask("POST", client.keys(), Some(&json!({"name": "Canary's"})));
    let key = identity(&canaries.keep(201, key).json());
    let value = canaries.value("a value of a project");
    let new = |value: &str, key: &str| json!({"path": "/c/project", "kmsKeyIdentity": key, "secretString": value});
    canaries.keep(201, ask("POST", client.secrets(), Some(&new(&value, &key))));
    let reveal = format!("{}/value", client.secret("/c/project"));
    assert_eq!(ask("POST", reveal.clone(), None).ok(200)["secretString"], value);
    canaries.keep(200, ask("GET", client.secret("/c/project"), None));
    canaries.keep(200, ask("GET", format!("{}?pathPrefix=/", client.secrets()), None));
    let plaintext = canaries.value("a plaintext under a project's key");
    let encrypted = ask("POST", format!("{}/encrypt", client.key(&key)), Some(&json!({"plaintext": plaintext})));
    let ciphertext = canaries.keep(200, encrypted).json()["ciphertext"].clone();
    let decrypt = |ask: &dyn Fn(String, Value) -> Answer| {
        ask(format!("{}/decrypt", client.key(&key)), json!({"ciphertext": ciphertext}))
    };
    let inside = decrypt(&|target, body| ask("POST", target, Some(&body)));
    assert_eq!(inside.ok(200)["plaintext"], plaintext);

    // What fails, each time with a value.
    canaries.keep(404, decrypt(&|target, body| client.post(target, &body)));
    canaries.keep(404, client.post_empty(&reveal));
    let value = canaries.value("under another project's key");
    canaries.keep(404, client.post(client.secrets(), &new(&value, &key)));
    let value = canaries.value("in a project that is none");
    let request = client.request("POST", client.secrets()).header("X-Project-Identity", "none");
    canaries.keep(404, request.json(&new(&value, &key)).send());
    let word = canaries.word("a project's name of another type");
    canaries.keep(400, client.post(all, &json!({ "name": [word] })));
    let value = canaries.value("in a member that a project has not");
    canaries.keep(201, client.post(all, &json!({"name": "Other", "secretString": value})));

    canaries.keep(200, client.put(&one, &json!({"name": "Canary", "description": "sings well"})));
    for target in [all, &one] {
        canaries.keep(200, client.get(target));
    }
    canaries.keep(400, client.delete(&one));
    canaries.keep(204, ask("DELETE", client.secret("/c/project"), None));
    canaries.keep(200, ask("DELETE", client.key(&key), None));
}

/// One who comes, may more, leaves and comes back, and whose tokens go with them.
fn membership(client: &Client, canaries: &mut Canaries) {
    let all = "/v1/memberships";
    let user = json!({"name": "Eve", "email": "eve@example.com"});
    let user = text(&canaries.keep(201, client.post("/v1/users", &user)).json(), "subject");
    let token = format!("/v1/users/{user}/personal-access-tokens");
    let token = text(&client.post(token, &json!({"name": "of one who leaves"})).ok(201), "token");
    canaries.needles.add("a token of one who leaves", token.as_bytes());
    let theirs = Client { token: Some(token), ..client.clone() };
    let members = canaries.keep(200, client.get(all)).json();
    let is_theirs = |member: &&Value| member["user"]["subject"] == json!(user);
    let member = members.as_array().and_then(|members| members.iter().find(is_theirs));
    let member = format!("{all}/{}", identity(member.unwrap_or_else(|| panic!("{user} is not in {members}"))));

    let value = canaries.value("from one who may not");
    let new = json!({"path": "/c/member", "kmsKeyIdentity": client.kms_key, "secretString": value});
    canaries.keep(403, theirs.post(client.secrets(), &new));
    canaries.keep(200, client.put(&member, &json!({"role": "OWNER"})));
    canaries.keep(201, theirs.post(client.secrets(), &new));
    assert_eq!(theirs.reveal("/c/member", None).ok(200)["secretString"], value);
    let word = canaries.word("no role");
    canaries.keep(400, client.put(&member, &json!({"role": [word]})));
    canaries.keep(200, client.put(&member, &json!({"role": "MEMBER"})));
    canaries.keep(403, theirs.reveal("/c/member", None));
    canaries.keep(204, client.delete(&member));
    canaries.keep(401, theirs.reveal("/c/member", None));
    let word = canaries.word("a user of another type");
    canaries.keep(400, client.post(all, &json!({ "userIdentity": [word] })));
    let back = json!({"userIdentity": user, "role": "MEMBER"});
    let back = identity(&canaries.keep(201, client.post(all, &back)).json());
    canaries.keep(401, theirs.reveal("/c/member", None));
    canaries.keep(204, client.delete(format!("{all}/{back}")));
}

/// Why a call was refused, or would be.
pub(crate) fn explain(client: &Client, canaries: &mut Canaries) {
    let explain = "/v1/iam/explain";
    let user = json!({"name": "Sid", "email": "sid@example.com"});
    let user = text(&canaries.keep(201, client.post("/v1/users", &user)).json(), "subject");
    let made = client.post(format!("/v1/users/{user}/personal-access-tokens"), &json!({"name": "of one who asks"}));
    let token = text(&made.ok(201), "token");
    canaries.needles.add("a token of one who asks why", token.as_bytes());
    let theirs = Client { token: Some(token.clone()), ..client.clone() };
    let value = canaries.value("in a call that is explained");
    let new = json!({"path": "/c/why", "kmsKeyIdentity": client.kms_key, "secretString": value});
    let denied = canaries.keep(403, theirs.post(client.secrets(), &new));
    let denied = denied.header("x-request-id").expect("a request id");
    let told = || Some(client.post(explain, &json!({ "requestId": denied }))).filter(|answer| answer.status == 200);
    canaries.keep(200, wait_for(Duration::from_secs(60), told).expect("a call is in the log soon"));
    let call = |more: Value| {
        let mut call = json!({"principal": user, "operation": "secret.value.read", "path": "/c/a"});
        call.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.post(explain, &call)
    };
    canaries.keep(200, call(json!({"region": client.region})));
    canaries.keep(
        200,
        theirs.post(explain, &json!({"operation": "secret.value.read", "path": "/c/a", "region": client.region})),
    );
    // What fails or is passed over, each time with a value.
    let value = canaries.value("in a member that an explanation has not");
    canaries.keep(200, call(json!({"region": client.region, "secretString": value})));
    let word = canaries.word("a path of another type to explain");
    canaries.keep(400, call(json!({ "path": [word] })));
    let word = canaries.word("an address that is none to explain");
    canaries.keep(400, call(json!({ "sourceAddress": word })));
    // Somebody takes the token for who has it.
    canaries.keep(404, call(json!({ "principal": token })));
    let body = format!("{{\"operation\": \"{}\"", canaries.word("in broken JSON to explain"));
    let request = client.request("POST", explain).header("Content-Type", "application/json");
    canaries.keep(400, request.body(body).send());
}

fn identity(answer: &Value) -> String {
    text(answer, "identity")
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {answer}")).to_owned()
}
