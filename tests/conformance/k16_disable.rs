//! K16: a key switched off. There is no body, and so no media type.

use crate::Replay;
use crate::decode::{not_found, object};
use crate::shapes::KEY;
use serde_json::json;

const SDK: &str = "POST /v1/kms/nl-01/keys/{key}/disable HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Content-Length: 0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_SLUG: &str = "POST /v1/kms/nl-01/keys/dev-key/disable HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Content-Length: 0
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "POST /v1/kms/nl-01/keys/{key}/disable HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Content-Length: 0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn once_and_again() {
    let mut replay = Replay::new();
    for request in [SDK, CLI_SLUG, TERRAFORM] {
        let key = object(&replay.send(request), 200, &KEY);
        assert_eq!((&key["status"], &key["objectVersion"]), (&json!("disabled"), &json!(2)));
    }
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(SDK));
}
