//! Section 8.4: members of the organisation. No client reads the answer to a change.

use crate::decode::{bad_request, list, not_found, nothing, object, shown};
use crate::iam_shapes::MEMBER;
use crate::{Replay, text};
use serde_json::{Value, json};

const SDK_LIST: &str = "GET /v1/memberships HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_OWNER: &str = r#"PUT /v1/memberships/{member} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"role":"OWNER"}"#;

const SDK_MEMBER: &str = r#"PUT /v1/memberships/{member} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"role":"MEMBER"}"#;

const SDK_ROLE: &str = r#"PUT /v1/memberships/{member} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"role":"owner"}"#;

const CLI_DELETE: &str = "DELETE /v1/memberships/{member} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_LIST: &str = "GET /v1/memberships HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

fn member(replay: &mut Replay, user: &str) -> Option<Value> {
    list(&replay.send(SDK_LIST), &MEMBER).into_iter().find(|member| member["user"]["subject"] == user)
}

#[test]
fn raised_and_lowered() {
    let mut replay = Replay::new();
    let (owner, ada) = (replay.owner(), replay.user("Ada"));
    let listed = list(&replay.send(TERRAFORM_LIST), &MEMBER);
    assert_eq!(listed.len(), 2, "Terraform finds users by address there");
    let before = member(&mut replay, &ada).expect("a member");
    assert_eq!((&before["role"], &before["user"]["email"]), (&json!("MEMBER"), &json!("ada@example.com")));
    replay.set("member", text(&before, "identity"));
    for (request, role) in [(CLI_OWNER, "OWNER"), (CLI_OWNER, "OWNER"), (SDK_MEMBER, "MEMBER")] {
        let answer = object(&replay.send(request), 200, &MEMBER);
        assert_eq!((&answer["role"], &answer["identity"]), (&json!(role), &before["identity"]));
        assert_eq!(member(&mut replay, &ada), Some(answer));
    }
    assert!(bad_request(&replay.send(SDK_ROLE)).contains("role"));
    let last = member(&mut replay, &owner).expect("the owner");
    assert_eq!(last["role"], json!("OWNER"));
    replay.set("member", text(&last, "identity"));
    for request in [SDK_MEMBER, CLI_DELETE] {
        let _ = bad_request(&replay.send(request));
    }
    assert_eq!(member(&mut replay, &owner), Some(last), "there is always an owner");
}

#[test]
fn ended_once() {
    let mut replay = Replay::new();
    let ada = replay.user("Ada");
    let token = replay.token_of(&ada);
    let membership = member(&mut replay, &ada).expect("a member");
    replay.set("member", text(&membership, "identity"));
    nothing(&replay.send(CLI_DELETE));
    for request in [CLI_DELETE, CLI_OWNER] {
        let _ = not_found(&replay.send(request));
    }
    assert_eq!(member(&mut replay, &ada), None);
    replay.set("token", token);
    let _ = shown(&replay.send(SDK_LIST), 401);
}

#[test]
fn owners_make_owners() {
    let mut replay = Replay::new();
    let (ada, grace) = (replay.user("Ada"), replay.user("Grace"));
    let _ = replay.bind("org-admin", "userIdentity", &ada);
    let membership = member(&mut replay, &grace).expect("a member");
    replay.set("member", text(&membership, "identity"));
    replay.set("token", replay.token_of(&ada));
    let _ = bad_request(&replay.send(CLI_OWNER));
    replay.set("token", replay.token_of(&grace));
    for request in [CLI_OWNER, SDK_LIST] {
        let _ = shown(&replay.send(request), 403);
    }
}
