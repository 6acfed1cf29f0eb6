//! The form of errors, and what isn't an operation.

use crate::documented;
use crate::support::{Room, assert_error};
use bytes::Bytes;
use core::time::Duration;
use http::{Request, StatusCode};
use http_body_util::StreamBody;
use serde_json::{Value, json};
use strongroom_http::Settings;

#[tokio::test]
async fn every_error_has_one_form() {
    let room = Room::new().await;
    let key = format!("POST /v1/kms/nl-01/keys/{}", room.key);
    for (request, status, code) in [
        ("GET /nothing", StatusCode::NOT_FOUND, "not_found"),
        ("GET /v1/kms/nl-01/nothing", StatusCode::NOT_FOUND, "not_found"),
        ("GET /v1/audit/nothing", StatusCode::NOT_FOUND, "not_found"),
        (&format!("{key}/seal"), StatusCode::NOT_FOUND, "not_found"),
        ("PUT /v1/regions", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        (&format!("{key}/cancel-deletion"), StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        ("GET /v1/secrets/nl-01/secret/a%2Fb", StatusCode::BAD_REQUEST, "invalid_request"),
        ("GET /v1/secrets/nl-01/secret/a/", StatusCode::BAD_REQUEST, "invalid_path"),
        ("GET /v1/secrets/nl-01/secret/a", StatusCode::NOT_FOUND, "secret_not_found"),
        ("GET /v1/secrets/xx/secret/a", StatusCode::NOT_FOUND, "region_not_found"),
        ("GET /v1/kms/de-01/keys", StatusCode::SERVICE_UNAVAILABLE, "kms_not_configured"),
    ] {
        let reply = room.admin(request, Value::Null).await;
        assert_error(&reply, status, code);
        let repeat = if status == StatusCode::SERVICE_UNAVAILABLE { "1" } else { "" };
        assert_eq!(reply.header("retry-after"), repeat, "{request}");
    }
    let unknown = room.raw("GET /v1/regions", &[], "").await;
    assert_error(&unknown, StatusCode::UNAUTHORIZED, "unauthenticated");
    assert_eq!(unknown.header("www-authenticate"), "Bearer");
    let method = room.admin("DELETE /v1/secrets/nl-01/secrets", Value::Null).await;
    assert_eq!((method.status, method.header("allow")), (405, "GET, POST"));
}

#[tokio::test]
async fn each_answer_names_its_request() {
    let room = Room::new().await;
    let (first, second) = (room.get("/v1/regions").await, room.get("/nothing").await);
    assert!(first.header("x-request-id").starts_with("req-"));
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    let gone = room.admin("DELETE /v1/secrets/nl-01/secret/a/versions?version=1", Value::Null).await;
    assert!(gone.header("x-request-id").starts_with("req-"));
}

#[tokio::test]
async fn health_needs_nobody() {
    let room = Room::new().await;
    for url in ["GET /healthz", "GET /readyz"] {
        let reply = room.raw(url, &[], "").await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"), "{url}");
    }
}

#[tokio::test]
async fn health_answers_head_as_get_without_a_body() {
    let room = Room::new().await;
    for url in ["/healthz", "/readyz"] {
        let get = room.raw(&format!("GET {url}"), &[], "").await;
        let head = room.raw(&format!("HEAD {url}"), &[], "").await;
        assert_eq!((head.status, head.header("content-type")), (200, "application/json"), "{url}");
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{url}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{url}");
    }
    let other = room.raw("HEAD /v1/regions", &[], "").await;
    assert_eq!((other.status, other.header("allow"), other.body.len()), (405, "GET", 0));
}

#[tokio::test]
async fn documentation_answers_head_as_get_without_a_body() {
    let room = Room::new().await;
    for url in ["/openapi.json", "/docs", "/docs/", "/docs/page.js", "/docs/page.css"] {
        let get = room.raw(&format!("GET {url}"), &[], "").await;
        let head = room.raw(&format!("HEAD {url}"), &[], "").await;
        assert_eq!((get.status, head.status), (200, 200), "{url}");
        for name in ["content-type", "etag", "content-security-policy"] {
            assert!(!get.header(name).is_empty(), "{url}: {name}");
            assert_eq!(head.header(name), get.header(name), "{url}: {name}");
        }
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{url}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{url}");
        let known = room.raw(&format!("HEAD {url}"), &[("if-none-match", get.header("etag"))], "").await;
        assert_eq!((known.status, known.header("content-length")), (304, ""), "{url}");
    }
    for url in ["/docs//", "/docs/other", "/openapi.json/"] {
        assert_eq!(room.raw(&format!("GET {url}"), &[], "").await.status, 404, "{url}");
    }
}

/// Its references are relative, so that it works below a prefix too.
#[tokio::test]
async fn the_page_finds_its_parts_with_and_without_a_slash() {
    let room = Room::new().await;
    for (url, base) in [("/docs", "/"), ("/docs/", "/docs/")] {
        let page = room.raw(&format!("GET {url}"), &[], "").await;
        let page = core::str::from_utf8(&page.body).expect("a text");
        let links = page.split(['"']).filter(|text| [".js", ".css", ".json"].iter().any(|end| text.ends_with(end)));
        let mut found = Vec::new();
        for link in links {
            let target = match link.strip_prefix("../") {
                Some(above) => format!("/{above}"),
                None => format!("{base}{link}"),
            };
            assert_eq!(room.raw(&format!("GET {target}"), &[], "").await.status, 200, "{url}: {link}");
            found.push(target);
        }
        found.sort();
        found.dedup();
        assert_eq!(found, ["/docs/page.css", "/docs/page.js", "/openapi.json"], "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_and_one_that_breaks_off() {
    let room = Room::new().await;
    room.secret("/a").await;
    let send = async |body| {
        let request =
            Request::post("/v1/secrets/nl-01/secret/a/versions").header("authorization", "Bearer admin").body(body);
        let reply = documented::send(&room.api, request.expect("a request")).await;
        (reply.status, json!(reply.code()))
    };
    let begun = || http_body::Frame::data(Bytes::from_static(br#"{"secretString":"YQ=="#));
    let stalled = futures_util::StreamExt::chain(
        futures_util::stream::iter([Ok::<_, std::io::Error>(begun())]),
        futures_util::stream::pending(),
    );
    let stalled = StreamBody::new(Box::pin(stalled) as core::pin::Pin<Box<dyn futures_util::Stream<Item = _> + Send>>);
    assert_eq!(send(stalled).await, (408, json!("request_timeout")));
    let broken = futures_util::stream::iter([Ok(begun()), Err(std::io::Error::other("gone"))]);
    let broken = StreamBody::new(Box::pin(broken) as core::pin::Pin<Box<dyn futures_util::Stream<Item = _> + Send>>);
    assert_eq!(send(broken).await, (400, json!("invalid_request")));
    assert_eq!(room.get("/v1/secrets/nl-01/secret/a").await.json()["currentVersion"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_answered() {
    let settings = Settings {
        request_timeout: Duration::from_secs(5),
        body_timeout: Duration::from_secs(30),
        ..Settings::default()
    };
    let room = Room::with(settings).await;
    room.secret("/a").await;
    let before = room.records_after(0).await.len();
    for (suffix, code) in [("value", "timed_out"), ("versions", "outcome_unknown")] {
        let body = StreamBody::new(futures_util::stream::pending::<Result<http_body::Frame<Bytes>, std::io::Error>>());
        let request =
            Request::post(format!("/v1/secrets/nl-01/secret/a/{suffix}")).header("authorization", "Bearer admin");
        let reply = documented::send(&room.api, request.body(body).expect("a request")).await;
        assert_eq!(reply.verdict(), (503, code.to_owned()));
        assert_eq!(reply.headers.contains_key("retry-after"), code == "timed_out");
    }
    room.engine.housekeeping().await.expect("records");
    let records = room.records_after(before).await;
    let [timed_out] = records.as_slice() else { panic!("one: the change goes on: {records:?}") };
    let decided_by = timed_out.decided_by.as_deref();
    assert_eq!(
        (timed_out.action.as_str(), timed_out.status, decided_by),
        ("secret.value.read", 503, Some("timed_out"))
    );
    assert_eq!(timed_out.resource.as_ref().map(|it| it.identity.as_str()), Some("/a"));
}

#[tokio::test]
async fn a_panic_is_an_answer_and_harms_no_other() {
    let room = Room::new().await;
    room.secret("/a").await;
    room.gate.broken.store(true, core::sync::atomic::Ordering::Relaxed);
    let reply = room.admin("POST /v1/secrets/nl-01/secret/a/versions", json!({ "secretString": "YQ==" })).await;
    assert_error(&reply, StatusCode::INTERNAL_SERVER_ERROR, "internal");
    assert!(!reply.message().contains("told to panic"));
    room.gate.broken.store(false, core::sync::atomic::Ordering::Relaxed);
    room.engine.housekeeping().await.expect("records");
    let record = room.records_after(0).await.pop().expect("a record of the panic");
    assert_eq!((record.action.as_str(), record.status), ("secret.value.write", 500));
    assert_eq!(record.decided_by.as_deref(), Some("internal"));
    let reply = room.admin("POST /v1/secrets/nl-01/secret/a/versions", json!({ "secretString": "YQ==" })).await;
    assert_eq!((reply.status, &reply.json()["version"]), (201, &json!(2)));
}

#[test]
fn the_reference_names_every_code_beside_its_status() {
    let reference = include_str!("../../../../docs/http-api.md");
    for code in strongroom::Code::ALL {
        let line = reference.lines().find(|line| line.starts_with(&format!("| {} |", code.status())));
        let named = line.is_some_and(|line| line.contains(&format!("`{}`", code.as_str())));
        assert!(named, "{} {}", code.status(), code.as_str());
    }
}
