//! Section 8.4: members of a team, who are read with it. No client reads the answer to a new one.

use crate::decode::{bad_request, not_found, nothing, object, shown};
use crate::iam_shapes::{TEAM, TEAM_MEMBER};
use crate::{Replay, text};
use serde_json::{Value, json};

const SDK_ADD: &str = r#"POST /v1/teams/{team}/members HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"userIdentity":"{user}","role":"MEMBER"}"#;

const CLI_ADD: &str = r#"POST /v1/teams/{team}/members HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"userIdentity":"{user}","role":"ADMIN"}"#;

const TERRAFORM_ADD: &str = r#"POST /v1/teams/{team}/members HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"userIdentity":"{user}","role":"OWNER"}"#;

const SDK_ROLE: &str = r#"POST /v1/teams/{team}/members HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Token {token}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"userIdentity":"{user}","role":"BOSS"}"#;

const TERRAFORM_READ: &str = "GET /v1/teams/{team} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM_REMOVE: &str = "DELETE /v1/teams/{team}/members/{member} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

fn members(replay: &mut Replay) -> Vec<Value> {
    object(&replay.send(TERRAFORM_READ), 200, &TEAM)["members"].as_array().expect("a list").clone()
}

#[test]
fn added_and_removed() {
    let mut replay = Replay::new();
    replay.set("team", replay.named("/v1/teams", "Operators"));
    let mut expected = Vec::new();
    for (name, request, role) in
        [("Ada", SDK_ADD, "MEMBER"), ("Grace", CLI_ADD, "ADMIN"), ("Edsger", TERRAFORM_ADD, "OWNER")]
    {
        replay.set("user", replay.user(name));
        let member = object(&replay.send(request), 201, &TEAM_MEMBER);
        assert_eq!((&member["role"], &member["user"]["name"]), (&json!(role), &json!(name)));
        assert_eq!(member["user"]["subject"], json!(replay.word("user")), "Terraform reads `user_identity` from there");
        assert_eq!(member["user"]["email"], json!(format!("{}@example.com", name.to_lowercase())));
        assert_eq!(member["updatedAt"], member["createdAt"], "always there");
        let _ = shown(&replay.send(request), 409);
        expected.push(member);
    }
    let mut found = members(&mut replay);
    found.sort_by_key(|member| text(member, "createdAt"));
    assert_eq!(found, expected);
    replay.set("member", text(&expected[1], "identity"));
    nothing(&replay.send(TERRAFORM_REMOVE));
    let _ = not_found(&replay.send(TERRAFORM_REMOVE));
    assert_eq!(members(&mut replay).len(), 2);
}

#[test]
fn only_users_who_are_known_by_their_identity() {
    let mut replay = Replay::new();
    replay.set("team", replay.named("/v1/teams", "Operators"));
    for nobody in ["ada@example.com".to_owned(), "Ada".to_owned(), replay.word("team")] {
        replay.set("user", nobody);
        let message = not_found(&replay.send(SDK_ADD));
        assert!(message.contains("identity"), "{message}");
    }
    replay.set("user", replay.user("Ada"));
    assert!(bad_request(&replay.send(SDK_ROLE)).contains("role"));
    replay.set("team", "team-nothing");
    replay.set("member", "tm-nothing");
    for request in [SDK_ADD, TERRAFORM_REMOVE] {
        let _ = not_found(&replay.send(request));
    }
}

#[test]
fn a_team_gives_its_members_no_more_than_who_adds_them_holds() {
    let mut replay = Replay::new();
    let team = replay.named("/v1/teams", "Operators");
    let strong = replay.role("Strong", &["*"], &["*"]);
    let _ = replay.bind(&strong, "teamIdentity", &team);
    let member = replay.user("Ada");
    let held = replay.role("Keeper", &["team"], &["read", "update"]);
    let _ = replay.bind(&held, "userIdentity", &member);
    replay.set("team", team);
    replay.set("user", member.as_str());
    replay.set("token", replay.token_of(&member));
    let _ = bad_request(&replay.send(SDK_ADD));
    assert!(members(&mut replay).is_empty());
}
