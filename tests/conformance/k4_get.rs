//! K4: one key, by identity or slug.

use crate::Replay;
use crate::decode::{not_found, object};
use crate::shapes::KEY;

const SDK: &str = "GET /v1/kms/nl-01/keys/{key} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_SLUG: &str = "GET /v1/kms/nl-01/keys/dev-key HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "GET /v1/kms/nl-01/keys/{key} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn found() {
    let mut replay = Replay::new();
    for request in [SDK, CLI_SLUG, TERRAFORM] {
        let key = object(&replay.send(request), 200, &KEY);
        assert_eq!(key["identity"], replay.client.kms_key.as_str());
    }
}

/// Terraform takes 404 for a key that is gone, whatever its identity looks like.
#[test]
fn what_is_not_there_is_gone() {
    let mut replay = Replay::new();
    for unknown in ["kms-abc123", "kms-00000000000000000000000000", "Not_A-Key"] {
        replay.set("key", unknown);
        let _ = not_found(&replay.send(TERRAFORM));
    }
}
