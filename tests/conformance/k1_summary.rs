//! K1: where the KMS can be used. Terraform asks before it makes a key.

use crate::Replay;
use crate::decode::object;
use crate::shapes::SUMMARY;
use serde_json::json;

const SDK: &str = "GET /v1/kms/summary HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI: &str = "GET /v1/kms/summary HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "GET /v1/kms/summary HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn the_region_is_available() {
    let mut replay = Replay::new();
    for request in [SDK, CLI, TERRAFORM] {
        let summary = object(&replay.send(request), 200, &SUMMARY);
        assert_eq!(summary["featureEnabled"], true);
        let region = &summary["regions"][0];
        assert_eq!((&region["slug"], &region["kmsAvailable"]), (&json!("nl-01"), &json!(true)));
        assert_eq!((&region["totalKeys"], &region["activeKeys"]), (&json!(1), &json!(1)));
    }
}
