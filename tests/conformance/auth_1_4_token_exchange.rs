//! Section 1.4: the token of another issuer for one of ours. The issuer is this test: its provider has the public key.

use crate::decode::{list, object, shown};
use crate::iam_shapes::{ACCESS_TOKEN, OAUTH_ERROR};
use crate::shapes::{REGION, SECRET};
use crate::{Replay, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use strongroom_crypto::Ed25519Signer;
use strongroom_tests::Answer;

const SDK: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token={jwt}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

/// The SDK passes a caller's text through.
const SDK_LIFETIME: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

access_token_lifetime={lifetime}&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token={jwt}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

/// The CLI always sends a number of seconds.
const CLI: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

access_token_lifetime=3600&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token={jwt}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

/// What the CLI prints for pipelines.
const HINT: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token={jwt}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token";

const TWO_SLASHES: &str = "POST //oidc/token HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token={jwt}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

const OTHER_TYPE: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token={jwt}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2";

const NO_TOKEN: &str = "POST /oidc/token HTTP/1.1
Host: {host}
User-Agent: Go-http-client/1.1
Content-Length: {length}
Content-Type: application/x-www-form-urlencoded
Accept-Encoding: gzip

grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&organisation_id={organisation}&service_account_id={account}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

const SECRETS: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Bearer {access}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SECRETS_OF_PROJECT: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Bearer {access}
X-Organisation-Identity: {organisation}
X-Project-Identity: {project}
Accept-Encoding: gzip

";

const REGIONS: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Bearer {access}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const PUT: &str = r#"POST /v1/secrets/nl-01/secret/app/key/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: {length}
Accept: application/json
Authorization: Bearer {access}
Content-Type: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

{"path":"/app/key","generateSecret":{"byteLength":32}}"#;

const ISSUER: &str = "https://ci.example.com/";

/// What an exchange hangs on, and the words for them.
const PARTS: [(&str, &str); 3] = [
    ("/v1/federated-identities", "federated"),
    ("/v1/federated-identity-providers", "provider"),
    ("/v1/service-accounts", "account"),
];

/// 2100: no test waits for it.
const END: u64 = 4_102_444_800;

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32]).expect("a key")
}

/// A token of the issuer.
fn signed(by: &Ed25519Signer, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(by.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token of the issuer with these claims in place of the usual ones; null takes one away.
fn subject_token(claims: &Value) -> String {
    let mut all = json!({"iss": ISSUER, "sub": "repo:acme/shop:ref:refs/heads/main", "aud": "strongroom", "exp": END,
        "ref_protected": "true", "environment": "production"});
    for (name, value) in claims.as_object().expect("an object") {
        all[name] = value.clone();
    }
    all.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    signed(&signer(7), &json!({"alg": "EdDSA", "kid": "one", "typ": "JWT"}), &all)
}

/// A provider, and a service account that may do everything with secrets, which the main branch of a repository becomes.
fn house() -> Replay {
    let mut replay = Replay::new();
    let key = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "one",
        "x": URL_SAFE_NO_PAD.encode(signer(7).public_key())});
    let provider = json!({"name": "CI", "providerIssuer": ISSUER, "localJwks": {"keys": [key]}});
    let provider = replay.client.post("/v1/federated-identity-providers", &provider).ok(201);
    let account = replay.named("/v1/service-accounts", "Deploy");
    let role = replay.role("Secrets", &["secret", "kms_key"], &["*"]);
    let _ = replay.bind(&role, "serviceAccountIdentity", &account);
    let identity = json!({"name": "main", "serviceAccountIdentity": account, "providerIdentity": provider["identity"],
        "providerSubject": "repo:acme/*:ref:refs/heads/main", "trustedAudiences": ["strongroom", "other"],
        "audienceMatchMode": "any", "allowedScopes": [],
        "conditions": {"ref_protected": true, "environment": ["production", "test"]}});
    let identity = replay.client.post("/v1/federated-identities", &identity).ok(201);
    replay.set("account", account);
    replay.set("provider", text(&provider, "identity"));
    replay.set("federated", text(&identity, "identity"));
    replay.set("jwt", subject_token(&json!({})));
    replay
}

/// What the SDK takes: exactly 200.
#[track_caller]
fn issued(answer: &Answer) -> Value {
    let issued = object(answer, 200, &ACCESS_TOKEN);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(issued["token_type"], json!("Bearer"));
    assert_eq!(issued["issued_token_type"], json!("urn:ietf:params:oauth:token-type:access_token"));
    issued
}

/// What is shown to a person as it stands.
#[track_caller]
fn refused(answer: &Answer, error: &str) -> String {
    let body = object(answer, 400, &OAUTH_ERROR);
    assert_eq!(body["error"], json!(error), "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    text(&body, "error_description")
}

#[test]
fn exchanged() {
    let mut replay = house();
    replay.create("/app/key");
    for request in [SDK, CLI, HINT, TWO_SLASHES] {
        let token = issued(&replay.send(request));
        assert_eq!((&token["expires_in"], &token["scope"]), (&json!(3600), &json!("api:read api:write")));
        replay.set("access", text(&token, "access_token"));
        assert_eq!(list(&replay.send(SECRETS), &SECRET).len(), 1, "{request}");
        assert_eq!(list(&replay.send(REGIONS), &REGION).len(), 1);
        assert_eq!(replay.send(PUT).status, 201);
    }
}

#[test]
fn by_identity_or_slug() {
    let mut replay = house();
    let organisation = replay.client.get("/v1/me").ok(200)["organisations"][0].clone();
    let account = replay.word("account");
    for organisation in [text(&organisation, "identity"), text(&organisation, "slug")] {
        for account in [account.as_str(), "deploy"] {
            replay.set("organisation", organisation.as_str());
            replay.set("account", account);
            let _ = issued(&replay.send(SDK));
        }
    }
}

#[test]
fn lifetimes() {
    let mut replay = house();
    for (lifetime, seconds) in [
        ("39600s", 39_600),
        ("1h30m", 5_400),
        ("1.5h", 5_400),
        ("3600", 3_600),
        ("60", 60),
        ("1m0s", 60),
        ("24h0m0s", 86_400),
    ] {
        replay.set("lifetime", lifetime);
        assert_eq!(issued(&replay.send(SDK_LIFETIME))["expires_in"], json!(seconds), "{lifetime}");
    }
    for lifetime in ["59", "59s", "86401", "24h0m1s", "0", "-60", "soon", "1d", "1h+30m"] {
        replay.set("lifetime", lifetime);
        let text = refused(&replay.send(SDK_LIFETIME), "invalid_request");
        assert!(text.contains("access_token_lifetime"), "{lifetime}: {text}");
    }
}

#[test]
fn malformed_requests() {
    let mut replay = house();
    assert!(refused(&replay.send(OTHER_TYPE), "unsupported_token_type").contains("subject_token_type"));
    assert!(refused(&replay.send(NO_TOKEN), "invalid_request").contains("subject_token"));
    let account = replay.word("account");
    replay.set("account", "");
    assert!(refused(&replay.send(SDK), "invalid_request").contains("service_account_id"));
    replay.set("account", account);
    replay.set("organisation", "");
    assert!(refused(&replay.send(SDK), "invalid_request").contains("organisation_id"));
}

#[test]
fn tokens_that_are_not_meant() {
    let mut replay = house();
    let good = subject_token(&json!({}));
    let (header, rest) = good.split_once('.').expect("three parts");
    let (claims, signature) = rest.split_once('.').expect("three parts");
    let sound = json!({"iss": ISSUER, "sub": "repo:acme/shop:ref:refs/heads/main", "aud": "strongroom", "exp": END,
        "ref_protected": true, "environment": "test"});
    let named = |header: Value| signed(&signer(7), &header, &sound);
    replay.set("jwt", named(json!({"alg": "EdDSA", "kid": "one"})));
    let _ = issued(&replay.send(SDK));
    let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "kid": "one"}).to_string());
    for (why, token) in [
        ("no token", "nonsense".to_owned()),
        ("a slash less", subject_token(&json!({"iss": "https://ci.example.com"}))),
        ("another issuer", subject_token(&json!({"iss": "https://other.example.com/"}))),
        ("another subject", subject_token(&json!({"sub": "repo:acme/shop:ref:refs/heads/feature"}))),
        ("no subject", subject_token(&json!({"sub": null}))),
        ("another audience", subject_token(&json!({"aud": "somebody"}))),
        ("no audience", subject_token(&json!({"aud": null}))),
        ("over", subject_token(&json!({"exp": 1_500_000_000}))),
        ("no end", subject_token(&json!({"exp": null}))),
        ("not yet", subject_token(&json!({"nbf": END - 60}))),
        ("a condition that fails", subject_token(&json!({"ref_protected": "false"}))),
        ("another of a condition's list", subject_token(&json!({"environment": "staging"}))),
        ("a condition without a claim", subject_token(&json!({"environment": null}))),
        ("another key", signed(&signer(8), &json!({"alg": "EdDSA", "kid": "one"}), &sound)),
        ("an unknown key", named(json!({"alg": "EdDSA", "kid": "two"}))),
        ("another algorithm", named(json!({"alg": "HS256", "kid": "one"}))),
        ("not signed", format!("{none}.{claims}.")),
        ("no signature", format!("{header}.{claims}.")),
        ("another's signature", format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(sound.to_string()))),
    ] {
        replay.set("jwt", token);
        let answer = replay.send(SDK);
        assert_eq!(answer.status, 400, "{why}: {answer:?}");
        let _ = refused(&answer, "invalid_grant");
    }
    replay.set("jwt", subject_token(&json!({"aud": ["somebody", "other"]})));
    let _ = issued(&replay.send(SDK));
}

#[test]
fn whoever_has_any_token_learns_nothing() {
    let mut replay = house();
    let there = replay.named("/v1/service-accounts", "Another");
    replay.set("account", there);
    let known = refused(&replay.send(SDK), "invalid_grant");
    replay.set("account", "sa-nothing");
    assert_eq!(refused(&replay.send(SDK), "invalid_grant"), known);
    replay.set("jwt", subject_token(&json!({"iss": "https://other.example.com"})));
    let known = refused(&replay.send(SDK), "invalid_grant");
    replay.set("organisation", "nobody");
    assert_eq!(refused(&replay.send(SDK), "invalid_grant"), known);
}

#[test]
fn allowed_scopes_are_the_most_that_it_allows() {
    let mut replay = house();
    replay.create("/app/key");
    let address = format!("/v1/federated-identities/{}", replay.word("federated"));
    let _ = replay.client.put(address.as_str(), &json!({"allowedScopes": ["api:read"]})).ok(200);
    let token = issued(&replay.send(SDK));
    assert_eq!(token["scope"], json!("api:read"));
    replay.set("access", text(&token, "access_token"));
    assert_eq!(list(&replay.send(SECRETS), &SECRET).len(), 1);
    assert!(shown(&replay.send(PUT), 403).contains("insufficient_scope"));
}

#[test]
fn a_token_ends_with_what_it_was_given_for() {
    let mut replay = house();
    let [identity, provider, _] = PARTS.map(|(collection, word)| format!("{collection}/{}", replay.word(word)));
    for (address, off) in [(&identity, "inactive"), (&identity, "expired"), (&provider, "inactive")] {
        let token = issued(&replay.send(SDK));
        replay.set("access", text(&token, "access_token"));
        assert!(list(&replay.send(SECRETS), &SECRET).is_empty());
        let _ = replay.client.put(address.as_str(), &json!({"status": off})).ok(200);
        let _ = refused(&replay.send(SDK), "invalid_grant");
        let _ = shown(&replay.send(SECRETS), 401);
        let _ = replay.client.put(address.as_str(), &json!({"status": "active"})).ok(200);
    }
    for (collection, word) in PARTS {
        let mut replay = house();
        let token = issued(&replay.send(SDK));
        replay.set("access", text(&token, "access_token"));
        assert!(list(&replay.send(SECRETS), &SECRET).is_empty());
        replay.client.delete(format!("{collection}/{}", replay.word(word))).empty();
        let _ = refused(&replay.send(SDK), "invalid_grant");
        let _ = shown(&replay.send(SECRETS), 401);
    }
}

#[test]
fn revoked_for_good() {
    let mut replay = house();
    let token = issued(&replay.send(SDK));
    replay.set("access", text(&token, "access_token"));
    assert!(list(&replay.send(SECRETS), &SECRET).is_empty());
    let address = format!("/v1/federated-identities/{}", replay.word("federated"));
    let _ = replay.client.put(address.as_str(), &json!({"status": "revoked"})).ok(200);
    let _ = refused(&replay.send(SDK), "invalid_grant");
    let _ = shown(&replay.send(SECRETS), 401);
}

#[test]
fn a_claim_chooses_the_project() {
    let mut replay = house();
    replay.create("/app/key");
    let (shop, other) = (replay.named("/v1/projects", "Shop"), replay.named("/v1/projects", "Other"));
    replay.set("project", other);
    replay.set("jwt", subject_token(&json!({"project": "shop"})));
    let token = issued(&replay.send(SDK));
    replay.set("access", text(&token, "access_token"));
    assert!(list(&replay.send(SECRETS), &SECRET).is_empty(), "those of the project");
    let _ = shown(&replay.send(SECRETS_OF_PROJECT), 403);
    replay.set("project", shop);
    assert!(list(&replay.send(SECRETS_OF_PROJECT), &SECRET).is_empty());
    replay.set("jwt", subject_token(&json!({})));
    let token = issued(&replay.send(SDK));
    replay.set("access", text(&token, "access_token"));
    assert_eq!(list(&replay.send(SECRETS), &SECRET).len(), 1, "those of the organisation");
    assert!(list(&replay.send(SECRETS_OF_PROJECT), &SECRET).is_empty());
}
