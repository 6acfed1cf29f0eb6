//! S2: everything below a directory, as a bare list.

use crate::decode::list;
use crate::shapes::SECRET;
use crate::{Replay, text};

const SDK: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=%2Fapp%2Fprod%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_PLUS: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=%2Fapp%2Fa%2Bb HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_ROOT: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_EMPTY: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=%2Fnothing%2F HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SAMPLE: &str = "GET /v1/secrets/nl-01/secrets?pathPrefix=/app/ HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

#[test]
fn everything_below() {
    let mut replay = Replay::new();
    for path in ["/app/prod/config", "/app/prod/db/password", "/app/a+b/token", "/apple"] {
        replay.create(path);
    }
    for (request, expected) in [
        (SDK, &["/app/prod/config", "/app/prod/db/password"][..]),
        (SDK_PLUS, &["/app/a+b/token"]),
        (CLI_ROOT, &["/app/a+b/token", "/app/prod/config", "/app/prod/db/password", "/apple"]),
        (CLI_EMPTY, &[]),
        (SAMPLE, &["/app/a+b/token", "/app/prod/config", "/app/prod/db/password"]),
    ] {
        let secrets = list(&replay.send(request), &SECRET);
        let paths: Vec<_> = secrets.iter().map(|secret| text(secret, "path")).collect();
        assert_eq!(paths, expected, "{request}");
        assert!(secrets.iter().all(|secret| secret.get("secretString").is_none()), "a list shows a value");
    }
}
