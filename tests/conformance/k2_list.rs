//! K2: the keys of a region, as a bare list. Clients take the first one of a name.

use crate::decode::{list, not_found};
use crate::shapes::KEY;
use crate::{Replay, text};
use serde_json::json;

/// The query is that of a form: a space is a `+`.
const SDK_NAME: &str = "GET /v1/kms/nl-01/keys?name=App+Secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_SLUG: &str = "GET /v1/kms/nl-01/keys?slug=app-secrets HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_IDENTITY: &str = "GET /v1/kms/nl-01/keys?identity={key} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_NONE: &str = "GET /v1/kms/nl-01/keys?name=nothing HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI: &str = "GET /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "GET /v1/kms/nl-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_OTHER_REGION: &str = "GET /v1/kms/xx-01/keys HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn filtered_and_whole() {
    let mut replay = Replay::new();
    let made = replay.client.post(replay.client.keys(), &json!({"name": "App Secrets"})).ok(201);
    let made = text(&made, "identity");
    let of_dev = replay.client.kms_key.clone();
    for (request, expected) in [
        (SDK_NAME, &[made.as_str()][..]),
        (SDK_SLUG, &[made.as_str()]),
        (SDK_IDENTITY, &[of_dev.as_str()]),
        (SDK_NONE, &[]),
        (CLI, &[made.as_str(), of_dev.as_str()]),
        (TERRAFORM, &[made.as_str(), of_dev.as_str()]),
    ] {
        let keys: Vec<_> = list(&replay.send(request), &KEY).iter().map(|key| text(key, "identity")).collect();
        assert_eq!(keys, expected, "{request}");
    }
    let _ = not_found(&replay.send(CLI_OTHER_REGION));
}
