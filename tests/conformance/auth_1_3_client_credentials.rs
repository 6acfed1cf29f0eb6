//! Section 1.3: an access key for an access token. Go's OAuth library says who it is in the header first and, whatever it is
//! answered but success, once more in the form.

use crate::decode::{list, nothing, object, shown};
use crate::iam_shapes::{ACCESS_TOKEN, ACCOUNT, OAUTH_ERROR};
use crate::shapes::REGION;
use crate::{Replay, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use strongroom_tests::{Answer, base64};

/// No `Accept`, no organisation, and the user agent of Go's own client.
const IN_HEADER: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Authorization: Basic {basic}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=client_credentials";

const IN_FORM: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

client_id={key}&client_secret={secret}&grant_type=client_credentials";

/// What comes of a base URL that ends with a slash.
const TERRAFORM_TWO_SLASHES: &str = "POST //oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Authorization: Basic {basic}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=client_credentials";

const SCOPES: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Authorization: Basic {basic}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=client_credentials&scope={scope}";

const NOBODY: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=client_credentials";

const OTHER_GRANT: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Authorization: Basic {basic}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=password&password=p&username=u";

const NO_GRANT: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Authorization: Basic {basic}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

scope=api%3Aread";

/// Neither header means anything here.
const SAMPLE: &str = "POST /oidc/token HTTP/1.1
Host: {host}
Authorization: Basic {basic}
User-Agent: curl/8.5.0
Accept: */*
X-Organisation-Identity: nobody
X-Project-Identity: nothing
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded

grant_type=client_credentials";

const JSON: &str = r#"POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Content-Type: application/json
Content-Length: {length}

{"grant_type":"client_credentials","client_id":"{key}","client_secret":"{secret}"}"#;

const REGIONS: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {access}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const ACCOUNTS: &str = "GET /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {access}
X-Organisation-Identity: 
Accept-Encoding: gzip

";

const NEW_ACCOUNT: &str = r#"POST /v1/service-accounts HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: {length}
Accept: application/json
Authorization: Bearer {access}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"name":"another"}"#;

/// The SDK's `WithAuthBasic`, at the API itself.
const BASIC: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Basic {basic}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const DELETE: &str = "DELETE /v1/service-accounts/{account}/access-credentials/{credential} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const DISCOVERY: &str = "GET /.well-known/openid-configuration HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Accept-Encoding: gzip

";

const KEYS: &str = "GET /.well-known/jwks.json HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Accept-Encoding: gzip

";

/// A service account that may do everything with service accounts, and an access key of it.
fn workload() -> Replay {
    let mut replay = Replay::new();
    let account = replay.named("/v1/service-accounts", "Deploy");
    let role = replay.role("Accounts", &["service_account"], &["*"]);
    let _ = replay.bind(&role, "serviceAccountIdentity", &account);
    let address = format!("/v1/service-accounts/{account}/access-credentials");
    let made = replay.client.post(address, &json!({"name": ""})).ok(201);
    replay.set("account", account);
    replay.set("credential", text(&made, "identity"));
    sign_in(&mut replay, &text(&made, "accessKey"), &text(&made, "accessSecret"));
    replay
}

/// As Go escapes what goes into a query or a form.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let letter = |byte| match byte {
        b' ' => "+".to_owned(),
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// Who the requests say that they are: as Go does, key and secret are escaped in the form, and in the header before base64.
fn sign_in(replay: &mut Replay, key: &str, secret: &str) {
    let (key, secret) = (escaped(key), escaped(secret));
    replay.set("basic", base64(format!("{key}:{secret}")));
    replay.set("key", key);
    replay.set("secret", secret);
}

/// An access token.
#[track_caller]
fn issued(answer: &Answer) -> Value {
    let issued = object(answer, 200, &ACCESS_TOKEN);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!((&issued["token_type"], &issued["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert!(issued.get("refresh_token").is_none() && issued.get("error").is_none(), "{issued}");
    assert_eq!(text(&issued, "access_token").split('.').count(), 3, "a signed token");
    issued
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    let body = object(answer, status, &OAUTH_ERROR);
    assert_eq!(body["error"], json!(error), "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(body.get("access_token").is_none(), "{body}");
}

#[test]
fn in_the_header_or_in_the_form() {
    let mut replay = workload();
    for request in [IN_HEADER, IN_FORM, TERRAFORM_TWO_SLASHES, SAMPLE] {
        let token = issued(&replay.send(request));
        assert_eq!(token["scope"], json!("api:read api:write"));
        replay.set("access", text(&token, "access_token"));
        assert_eq!(list(&replay.send(REGIONS), &REGION).len(), 1, "{request}");
        assert_eq!(list(&replay.send(ACCOUNTS), &ACCOUNT).len(), 1, "its roles are the account's");
    }
}

#[test]
fn refused_twice() {
    let mut replay = workload();
    let (key, secret) = (replay.word("key"), replay.word("secret"));
    let changed = format!("{}~", &secret[..secret.len() - 1]);
    for (key, secret) in [(&*key, &*changed), (&*key, "p%ss w:rd+ä"), ("nobody", &*secret), (&*key, &*key)] {
        sign_in(&mut replay, key, secret);
        let in_header = replay.send(IN_HEADER);
        assert_eq!(in_header.header("www-authenticate"), Some("Basic"));
        refused(&in_header, 401, "invalid_client");
        refused(&replay.send(IN_FORM), 401, "invalid_client");
        let _ = shown(&replay.send(BASIC), 401);
    }
    refused(&replay.send(NOBODY), 401, "invalid_client");
}

#[test]
fn what_is_escaped_is_unescaped_once() {
    let mut replay = workload();
    let all = |text: String| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let (key, secret) = (all(replay.word("key")), all(replay.word("secret")));
    replay.set("basic", base64(format!("{key}:{secret}")));
    let _ = issued(&replay.send(IN_HEADER));
    let _ = shown(&replay.send(BASIC), 401);
    replay.set("basic", base64(format!("{}:{secret}", key.replace('%', "%25"))));
    refused(&replay.send(IN_HEADER), 401, "invalid_client");
    replay.set("key", key);
    replay.set("secret", secret);
    let _ = issued(&replay.send(IN_FORM));
}

#[test]
fn malformed_in_the_words_of_oauth() {
    let mut replay = workload();
    refused(&replay.send(OTHER_GRANT), 400, "unsupported_grant_type");
    refused(&replay.send(NO_GRANT), 400, "invalid_request");
    replay.set("scope", "api%3Aadmin");
    refused(&replay.send(SCOPES), 400, "invalid_scope");
    let answer = replay.send(JSON);
    refused(&answer, 400, "invalid_request");
}

#[test]
fn scopes_that_were_asked_for() {
    let mut replay = workload();
    for (asked, granted, may_write) in
        [("api%3Aread", "api:read", 403), ("api%3Aread+api%3Awrite", "api:read api:write", 201)]
    {
        replay.set("scope", asked);
        let token = issued(&replay.send(SCOPES));
        assert_eq!(token["scope"], json!(granted));
        replay.set("access", text(&token, "access_token"));
        assert_eq!(list(&replay.send(ACCOUNTS), &ACCOUNT).len(), 1);
        let answer = replay.send(NEW_ACCOUNT);
        assert_eq!(answer.status, may_write, "{answer:?}");
        if may_write == 403 {
            assert!(shown(&answer, 403).contains("insufficient_scope"), "{answer:?}");
        }
    }
}

#[test]
fn an_access_key_at_the_api_itself() {
    let mut replay = workload();
    assert_eq!(list(&replay.send(BASIC), &REGION).len(), 1);
}

#[test]
fn a_token_ends_with_its_access_key() {
    let mut replay = workload();
    let token = issued(&replay.send(IN_HEADER));
    replay.set("access", text(&token, "access_token"));
    assert_eq!(list(&replay.send(ACCOUNTS), &ACCOUNT).len(), 1);
    nothing(&replay.send(DELETE));
    for request in [ACCOUNTS, REGIONS, BASIC] {
        let _ = shown(&replay.send(request), 401);
    }
    for request in [IN_HEADER, IN_FORM] {
        refused(&replay.send(request), 401, "invalid_client");
    }
}

#[test]
fn others_can_verify_a_token() {
    let mut replay = workload();
    let token = text(&issued(&replay.send(IN_HEADER)), "access_token");
    let part = |at: usize| -> Value {
        let part = token.split('.').nth(at).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    };
    let discovery = replay.send(DISCOVERY).ok(200);
    assert_eq!(discovery["issuer"], part(1)["iss"]);
    for (member, path) in [("token_endpoint", "/oidc/token"), ("jwks_uri", "/.well-known/jwks.json")] {
        assert_eq!(text(&discovery, member), format!("{}{path}", text(&discovery, "issuer")));
    }
    let keys = replay.send(KEYS).ok(200);
    let key = keys["keys"].as_array().expect("a list").iter().find(|key| key["kid"] == part(0)["kid"]);
    let key = key.expect("the key that signed");
    assert_eq!((&key["alg"], &key["kty"], &part(0)["alg"]), (&json!("EdDSA"), &json!("OKP"), &json!("EdDSA")));
}
