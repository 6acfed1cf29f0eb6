//! Section 6.4: where the caller is a member, which needs no organisation; and their personal access tokens.

use crate::decode::{bad_request, list, not_found, nothing, shown};
use crate::iam_shapes::MEMBERSHIP;
use crate::{Replay, text};
use serde_json::json;
use strongroom_tests::base64;

const SDK: &str = "GET /v1/me/organisation-memberships HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// Before the context names an organisation.
const CLI: &str = "GET /v1/me/organisation-memberships HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: 
X-Project-Identity: prj-of-the-context
Accept-Encoding: gzip

";

const TERRAFORM: &str = "GET /v1/me/organisation-memberships HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
Accept-Encoding: gzip

";

const SDK_BASIC: &str = "GET /v1/me/organisation-memberships HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Basic {basic}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_ROLES: &str = "GET /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_NO_ORGANISATION: &str = "GET /v1/iam/roles HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: 
Accept-Encoding: gzip

";

const SAMPLE_NEW: &str = r#"POST /v1/me/personal-access-tokens HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"name":"laptop","scopes":["api:read"],"expiresAt":"2047-01-15T08:00:00+02:00"}"#;

const SAMPLE_ALL: &str = "GET /v1/me/personal-access-tokens HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

const SAMPLE_DELETE: &str = "DELETE /v1/me/personal-access-tokens/{id} HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

const SAMPLE_PAST: &str = r#"POST /v1/me/personal-access-tokens HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Content-Type: application/json
Content-Length: {length}

{"name":"laptop","expiresAt":"2020-01-15T08:00:00Z"}"#;

#[test]
fn one_membership_whatever_the_headers_say() {
    let mut replay = Replay::new();
    let first = list(&replay.send(SDK), &MEMBERSHIP);
    assert_eq!(first.len(), 1);
    assert_eq!((&first[0]["role"], &first[0]["organisation"]["slug"]), (&json!("OWNER"), &json!("dev")));
    assert_eq!(first[0]["user"]["subject"], json!(replay.owner()));
    for request in [CLI, TERRAFORM] {
        assert_eq!(list(&replay.send(request), &MEMBERSHIP), first, "{request}");
    }
    replay.set("organisation", "nobody");
    assert_eq!(list(&replay.send(SDK), &MEMBERSHIP), first);
    let ada = replay.user("Ada");
    replay.set("token", replay.token_of(&ada));
    let of_ada = list(&replay.send(SDK), &MEMBERSHIP);
    assert_eq!((&of_ada[0]["role"], &of_ada[0]["user"]["subject"]), (&json!("MEMBER"), &json!(ada)));
    assert_eq!(of_ada[0]["organisation"], first[0]["organisation"]);
    replay.set("token", "tc_pat_unknown");
    let _ = shown(&replay.send(SDK), 401);
}

#[test]
fn a_service_account_is_in_its_one_organisation() {
    let mut replay = Replay::new();
    let account = replay.named("/v1/service-accounts", "Deploy");
    let address = format!("/v1/service-accounts/{account}/access-credentials");
    let made = replay.client.post(address, &json!({"name": ""})).ok(201);
    replay.set("basic", base64(format!("{}:{}", text(&made, "accessKey"), text(&made, "accessSecret"))));
    let memberships = list(&replay.send(SDK_BASIC), &MEMBERSHIP);
    assert_eq!(memberships.len(), 1);
    assert_eq!(memberships[0]["organisation"]["slug"], json!("dev"));
}

#[test]
fn the_organisation_of_every_other_call() {
    let mut replay = Replay::new();
    let _ = replay.send(CLI_NO_ORGANISATION).ok(200);
    let organisation = list(&replay.send(SDK), &MEMBERSHIP)[0]["organisation"].clone();
    for name in ["identity", "slug"] {
        replay.set("organisation", text(&organisation, name));
        let _ = replay.send(SDK_ROLES).ok(200);
    }
    let mut refusals = Vec::new();
    for nobody in ["nobody", "o-nothing"] {
        replay.set("organisation", nobody);
        let answer = replay.send(SDK_ROLES);
        let _ = shown(&answer, 403);
        refusals.push(text(&answer.json(), "message"));
    }
    assert_eq!(refusals[0], refusals[1]);
}

#[test]
fn personal_access_tokens() {
    let mut replay = Replay::new();
    let before = replay.send(SAMPLE_ALL).ok(200).as_array().map(Vec::len).expect("a bare list");
    let made = replay.send(SAMPLE_NEW).ok(201);
    assert!(text(&made, "token").starts_with("tc_pat_"), "what the CLI knows it by");
    assert_eq!((&made["name"], &made["scopes"]), (&json!("laptop"), &json!(["api:read"])));
    assert_eq!(made["expiresAt"], json!("2047-01-15T08:00:00+02:00"));
    let all = replay.send(SAMPLE_ALL).ok(200);
    assert_eq!(all.as_array().map(Vec::len), Some(before + 1));
    assert!(!all.to_string().contains("tc_pat_"), "shown once");
    let _ = bad_request(&replay.send(SAMPLE_PAST));
    let owner = replay.word("token");
    replay.set("token", text(&made, "token"));
    let _ = list(&replay.send(SDK), &MEMBERSHIP);
    assert!(shown(&replay.send(SAMPLE_NEW), 403).contains("insufficient_scope"));
    replay.set("token", owner);
    replay.set("id", text(&made, "identity"));
    nothing(&replay.send(SAMPLE_DELETE));
    let _ = not_found(&replay.send(SAMPLE_DELETE));
    replay.set("token", text(&made, "token"));
    let _ = shown(&replay.send(SDK_ROLES), 401);
}
