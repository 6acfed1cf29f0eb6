//! K14: a new version of a key. There is no body, and so no media type.

use crate::Replay;
use crate::decode::{bad_request, not_found, object};
use crate::shapes::KEY;
use serde_json::json;

const SDK: &str = "POST /v1/kms/nl-01/keys/{key}/rotate HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: 0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_SLUG: &str = "POST /v1/kms/nl-01/keys/dev-key/rotate HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: 0
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SAMPLE: &str = "POST /v1/kms/nl-01/keys/{key}/rotate HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

#[test]
fn each_call_makes_a_version() {
    let mut replay = Replay::new();
    for (request, version) in [(SDK, 2), (CLI_SLUG, 3), (SAMPLE, 4)] {
        let key = object(&replay.send(request), 200, &KEY);
        let versions = key["versions"].as_array().map(Vec::len);
        assert_eq!((&key["latestVersion"], versions), (&json!(version), Some(version)));
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let _ = replay.client.post_empty(format!("{}/disable", replay.client.key("dev-key"))).ok(200);
    let _ = bad_request(&replay.send(SDK));
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(SDK));
}
