//! S1: one level of the tree. The slashes of the argument come as `%2F`.

use crate::Replay;
use crate::decode::object;
use crate::shapes::BROWSED;
use serde_json::json;

const SDK: &str = "GET /v1/secrets/nl-01/secrets?path=%2Fapp%2Fprod%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_WITHOUT_SLASH: &str = "GET /v1/secrets/nl-01/secrets?path=%2Fapp%2Fprod HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_PLUS: &str = "GET /v1/secrets/nl-01/secrets?path=%2Fapp%2Fa%2Bb%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_ROOT: &str = "GET /v1/secrets/nl-01/secrets?path=%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_EMPTY: &str = "GET /v1/secrets/nl-01/secrets?path=%2Fnothing%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SAMPLE: &str = "GET /v1/secrets/nl-01/secrets?path=/app/prod/ HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

#[test]
fn one_level() {
    let mut replay = Replay::new();
    for path in ["/app/prod/config", "/app/prod/db/password", "/app/a+b/token", "/top"] {
        replay.create(path);
    }
    for (request, path, prefixes, secrets) in [
        (SDK, "/app/prod/", json!(["/app/prod/db/"]), json!(["/app/prod/config"])),
        (SDK_WITHOUT_SLASH, "/app/prod/", json!(["/app/prod/db/"]), json!(["/app/prod/config"])),
        (SAMPLE, "/app/prod/", json!(["/app/prod/db/"]), json!(["/app/prod/config"])),
        (SDK_PLUS, "/app/a+b/", json!([]), json!(["/app/a+b/token"])),
        (CLI_ROOT, "/", json!(["/app/"]), json!(["/top"])),
        (CLI_EMPTY, "/nothing/", json!([]), json!([])),
    ] {
        let browsed = object(&replay.send(request), 200, &BROWSED);
        let found: Vec<_> = browsed["secrets"].as_array().into_iter().flatten().map(|secret| &secret["path"]).collect();
        assert_eq!(
            (&browsed["path"], &browsed["prefixes"], json!(found)),
            (&json!(path), &prefixes, secrets),
            "{request}"
        );
    }
}
