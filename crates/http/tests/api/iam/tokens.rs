//! `/oidc/token` and the discovery documents.

use super::installation::{Installation, members};
use crate::documented;
use crate::support::{Reply, Room};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use core::num::NonZeroU32;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use strongroom_crypto::{Ed25519Signer, ed25519_public};
use strongroom_domain::audit::AuditRecord;
use strongroom_http::Settings;

const SEED: [u8; 32] = [3; 32];
const NOW: u64 = 1_750_000_000;
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// The key of an issuer that the tests play.
pub(super) fn jwks() -> Value {
    let public = ed25519_public(&SEED).expect("a seed");
    json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": URL_SAFE_NO_PAD.encode(public) }] })
}

/// A token of that issuer.
fn foreign(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = json!({
        "iss": "https://ci.example", "sub": "repo:a/b", "aud": "strongroom", "exp": NOW + 300, "iat": NOW,
    });
    change(&mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "k1" })), part(&claims));
    let signature = Ed25519Signer::from_seed(&SEED).expect("a seed").sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

async fn raw(room: &Installation, request: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
    let (method, url) = request.split_once(' ').expect("method and URL");
    let mut builder = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let request = builder.body(Full::new(body.into())).expect("a request");
    documented::send(&room.api, request).await
}

async fn form(room: &Installation, text: &str) -> Reply {
    raw(room, "POST /oidc/token", &[FORM], text.to_owned()).await
}

/// An installation with a signing key and a service account `app`, and its access key and secret.
async fn shop() -> (Installation, String, String) {
    let room = Installation::new().await;
    let (key, secret) = furnish(&room).await;
    (room, key, secret)
}

async fn furnish(room: &Installation) -> (String, String) {
    let rotated = room.call(&room.operator, "POST /v1/system/signing-keys/rotate", Value::Null).await;
    assert_eq!(rotated.status, 200, "{}", rotated.message());
    room.owner("POST /v1/service-accounts", json!({ "name": "App" })).await;
    let made = room.owner("POST /v1/service-accounts/app/access-credentials", json!({ "name": "" })).await.json();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (text("accessKey"), text("accessSecret"))
}

fn assert_oauth(reply: &Reply, status: u16, error: &str) {
    let body = reply.json();
    assert_eq!((reply.status, body["error"].as_str()), (status, Some(error)), "{body}");
    assert_eq!(members(&body), ["code", "error", "error_description", "message", "requestId"]);
    assert_eq!(body["requestId"], reply.header("x-request-id"));
    assert_eq!((reply.header("cache-control"), reply.header("content-type")), ("no-store", "application/json"));
    assert_eq!(reply.header("www-authenticate"), if status == 401 { "Basic" } else { "" });
    let legal = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    assert!(body["error_description"].as_str().expect("a text").bytes().all(legal), "{body}");
}

#[tokio::test]
async fn client_credentials_in_the_header_and_in_the_form() {
    let (room, key, secret) = shop().await;
    // Escaped as a form's value is.
    let escaped = key.replace('A', "%41");
    let basic = format!("Basic {}", STANDARD.encode(format!("{escaped}:{secret}")));
    let grant = "grant_type=client_credentials";
    for path in ["/oidc/token", "//oidc/token"] {
        let issued = raw(&room, &format!("POST {path}"), &[FORM, ("authorization", &basic)], grant).await;
        assert_eq!((issued.status, issued.header("cache-control")), (200, "no-store"), "{}", issued.message());
        assert_eq!(members(&issued.json()), ["access_token", "expires_in", "scope", "token_type"]);
    }
    let issued = form(&room, &format!("{grant}&client_id={key}&client_secret={secret}&scope=api%3Aread")).await.json();
    assert_eq!((&issued["expires_in"], &issued["token_type"]), (&json!(3_600), &json!("Bearer")));
    assert_eq!(issued["scope"], "api:read");
    let token = issued["access_token"].as_str().expect("a token");
    let member = room.call(token, "GET /v1/regions", Value::Null).await;
    assert_eq!(member.status, 200, "{}", member.message());
    let narrow = room.call(token, "POST /v1/service-accounts", json!({ "name": "x" })).await;
    assert_eq!(narrow.code(), "insufficient_scope");

    let wrong = format!("{grant}&client_id={key}&client_secret=wrong");
    let twice = format!("{grant}&client_id={key}&client_secret={secret}");
    let both = raw(&room, "POST /oidc/token", &[FORM, ("authorization", &basic)], twice.clone()).await;
    assert_oauth(&both, 400, "invalid_request");
    for (text, status, error) in [
        (wrong.as_str(), 401, "invalid_client"),
        (grant, 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=x", 401, "invalid_client"),
        (&format!("{twice}&scope=openid"), 400, "invalid_scope"),
        (&format!("{twice}&scope=kubernetes"), 400, "invalid_scope"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("", 400, "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        ("grant_type=%zz", 400, "invalid_request"),
    ] {
        assert_oauth(&form(&room, text).await, status, error);
    }
    let json = raw(&room, "POST /oidc/token", &[("content-type", "application/json")], "{}").await;
    assert_oauth(&json, 400, "invalid_request");
    let long = format!("{grant}&x={}", "x".repeat(64 * 1024));
    assert_oauth(&form(&room, &long).await, 413, "invalid_request");
    let records = room.records().await;
    let failures: Vec<_> = records.iter().filter(|it| it.decided_by.as_deref() == Some("wrong_secret")).collect();
    assert_eq!(failures.len(), 1);
    assert!(failures[0].organisation.is_some());
}

const EXCHANGE: &str =
    "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&organisation_id=dev&service_account_id=app";

#[tokio::test]
async fn a_token_of_another_issuer_is_exchanged() {
    let (room, ..) = shop().await;
    let provider = json!({ "name": "CI", "providerIssuer": "https://ci.example", "localJwks": jwks() });
    let provider = room.owner("POST /v1/federated-identity-providers", provider).await.json();
    let account = room.owner("GET /v1/service-accounts/app", Value::Null).await.json();
    let identity = json!({
        "name": "Deploys", "serviceAccountIdentity": account["identity"], "providerIdentity": provider["identity"],
        "providerSubject": "repo:a/*", "trustedAudiences": ["strongroom"],
    });
    let identity = room.owner("POST /v1/federated-identities", identity).await;
    assert_eq!(identity.status, 201, "{}", identity.message());
    let exchange = async |token: &str, more: &str| {
        let kind = "subject_token_type=urn:ietf:params:oauth:token-type:jwt";
        form(&room, &format!("{EXCHANGE}&{kind}&subject_token={token}{more}")).await
    };
    let good = foreign(|_| {});
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    let reply = form(&room, &format!("{EXCHANGE}&subject_token_type={id_token}&subject_token={good}")).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, "no-store"), "{}", reply.message());
    let issued = reply.json();
    assert_eq!(members(&issued), ["access_token", "expires_in", "issued_token_type", "scope", "token_type"]);
    assert_eq!(issued["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    let token = issued["access_token"].as_str().expect("a token");
    assert_eq!(room.call(token, "GET /v1/regions", Value::Null).await.status, 200);
    for (lifetime, seconds) in [("3600", 3_600), ("3600s", 3_600), ("1h30m", 5_400), ("60", 60), ("24h", 86_400)] {
        let issued = exchange(&good, &format!("&access_token_lifetime={lifetime}")).await.json();
        assert_eq!(issued["expires_in"], seconds, "{lifetime}");
    }
    for lifetime in ["59", "86401", "25h", "-1", "soon", "0"] {
        assert_oauth(&exchange(&good, &format!("&access_token_lifetime={lifetime}")).await, 400, "invalid_request");
    }
    for bad in [
        foreign(|claims| claims["iss"] = json!("https://ci.example/")),
        foreign(|claims| claims["sub"] = json!("repo:b/a")),
        foreign(|claims| claims["aud"] = json!("elsewhere")),
        foreign(|claims| claims["exp"] = json!(NOW - 61)),
        foreign(|claims| claims["nbf"] = json!(NOW + 61)),
        foreign(|claims| drop(claims.as_object_mut().expect("claims").remove("exp"))),
        format!("{good}x"),
        "nonsense".to_owned(),
    ] {
        assert_oauth(&exchange(&bad, "").await, 400, "invalid_grant");
    }
    let other = "urn:ietf:params:oauth:token-type:saml2";
    let other = format!("{EXCHANGE}&subject_token_type={other}&subject_token={good}");
    assert_oauth(&form(&room, &other).await, 400, "unsupported_token_type");
    assert_oauth(&form(&room, EXCHANGE).await, 400, "invalid_request");
    assert_oauth(&exchange(&good, "&actor_token=x").await, 400, "invalid_request");
    assert_oauth(&exchange(&good, "&scope=openid").await, 400, "invalid_scope");

    // Its keys are nowhere to be had.
    let down = json!({ "name": "Down", "providerIssuer": "https://down.example" });
    assert_eq!(room.owner("POST /v1/federated-identity-providers", down).await.status, 201);
    let token = foreign(|claims| claims["iss"] = json!("https://down.example"));
    let reply = exchange(&token, "").await;
    assert_oauth(&reply, 503, "temporarily_unavailable");
    assert_eq!(reply.header("retry-after"), "1");
    assert!(!reply.message().contains("down") && !reply.message().contains("reach"), "{}", reply.message());
    assert_eq!(exchange(&good, "").await.status, 200);
}

#[tokio::test]
async fn discovery_is_open_and_leaves_no_records() {
    let (room, ..) = shop().await;
    let before = room.records().await.len();
    let get = async |path: &str| {
        let reply = raw(&room, &format!("GET {path}"), &[("x-organisation-identity", "nowhere")], "").await;
        assert_eq!((reply.status, reply.header("cache-control")), (200, "public, max-age=300"), "{path}");
        reply.json()
    };
    let configuration = get("/.well-known/openid-configuration").await;
    assert_eq!(configuration["issuer"], "https://room.example");
    assert_eq!(configuration["token_endpoint"], "https://room.example/oidc/token");
    assert_eq!(configuration["jwks_uri"], "https://room.example/.well-known/jwks.json");
    let keys = get("/.well-known/jwks.json").await;
    assert_eq!(members(&keys["keys"][0]), ["alg", "crv", "kid", "kty", "use", "x"]);
    room.call(&room.operator, "POST /v1/system/signing-keys/rotate", Value::Null).await;
    let rotated = get("/.well-known/jwks.json").await;
    assert_eq!((&rotated["keys"][1], rotated["keys"].as_array().map(Vec::len)), (&keys["keys"][0], Some(2)));
    assert_eq!(room.records().await.len(), before + 1);
}

#[tokio::test]
async fn a_failure_is_counted_once() {
    // Here the program around the engine settles callers.
    let room = Room::new().await;
    let text = "grant_type=client_credentials&client_id=a&client_secret=b";
    let reply = room.raw("POST /oidc/token", &[FORM], text).await;
    assert_oauth(&reply, 503, "temporarily_unavailable");
    assert_eq!(room.engine.counted_failures(), 1);
    assert_oauth(&room.raw("POST /oidc/token", &[FORM], "x").await, 400, "invalid_request");
    assert_eq!(room.engine.counted_failures(), 2);
}

#[tokio::test]
async fn tokens_count_against_the_rate_of_their_service_account() {
    let room = Installation::with(Settings { max_per_second: NonZeroU32::new(2), ..Settings::default() }).await;
    let (key, secret) = furnish(&room).await;
    let client = format!("grant_type=client_credentials&client_id={key}&client_secret=");
    let right = format!("{client}{secret}");
    for _ in 0..5 {
        assert_oauth(&form(&room, &format!("{client}wrong")).await, 401, "invalid_client");
    }
    for _ in 0..2 {
        assert_eq!(form(&room, &right).await.status, 200, "wrong secrets were not counted");
    }
    let before = room.records().await.len();
    for _ in 0..3 {
        let reply = form(&room, &right).await;
        assert_oauth(&reply, 429, "temporarily_unavailable");
        assert_eq!((reply.header("retry-after"), &reply.json()["code"]), ("1", &json!("rate_limited")));
    }
    let records = room.records().await;
    let [refused] = &records[before..] else { panic!("one record: {:?}", &records[before..]) };
    assert_eq!((refused.action.as_str(), refused.status), ("auth.token.issue", 429));
    assert!(refused.organisation.is_some() && refused.principal.is_some() && refused.resource.is_some());
    let other = room.call(&room.operator, "GET /v1/system/regions", Value::Null).await;
    assert_eq!(other.status, 200, "others have their own");
}

/// The form; the status; what it leaves at once, and what the next round of housekeeping writes.
type Left<'a> = (&'a str, u16, &'a [&'a str], &'a [&'a str]);

#[tokio::test]
async fn every_request_for_a_token_leaves_one_record() {
    for path in ["/oidc/token", "//oidc/token"] {
        let (room, key, secret) = shop().await;
        let grant = "grant_type=client_credentials";
        let (good, wrong) =
            (format!("{grant}&client_id={key}&client_secret={secret}"), format!("{grant}&client_id={key}"));
        let cases: [Left<'_>; 5] = [
            (&good, 200, &["auth.token.issue success service_account"], &[]),
            (&format!("{wrong}&client_secret=wrong"), 401, &["auth.token.issue denied"], &[]),
            (&format!("{good}&scope=openid"), 400, &["auth.token.issue denied"], &[]),
            (&format!("{grant}&client_id=nobody&client_secret=x"), 401, &["auth.failure denied"], &[]),
            ("grant_type=password", 400, &[], &["auth.failure failure"]),
        ];
        for (form, status, at_once, later) in cases {
            let before = room.records().await.len();
            let reply = raw(&room, &format!("POST {path}"), &[FORM], form.to_owned()).await;
            assert_eq!(reply.status, status, "{path} {form}: {}", reply.message());
            let line = |record: &AuditRecord| {
                let info = record.request.as_ref().expect("a request");
                assert_eq!((record.status, info.path.as_deref()), (status, Some(path)), "{form}");
                assert_eq!(info.id.to_string(), reply.header("x-request-id"), "{form}");
                let who = if record.principal.is_some() { " service_account" } else { "" };
                format!("{} {}{who}", record.action.as_str(), record.outcome.as_str())
            };
            let told = async |from: usize| -> Vec<String> { room.records().await[from..].iter().map(line).collect() };
            assert_eq!(told(before).await, at_once, "{path} {form}");
            room.engine.record_counted_failures().await.expect("a store in memory");
            assert_eq!(told(before + at_once.len()).await, later, "{path} {form}");
        }
    }
}
