//! Section 6.2: the regions, as a bare list.

use crate::Replay;
use crate::decode::list;
use crate::shapes::REGION;

const SDK: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_SLUG: &str = "GET /v1/regions?slug=nl-01 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SDK_NONE: &str = "GET /v1/regions?slug=xx-01 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn filtered_and_whole() {
    let mut replay = Replay::new();
    for (request, count) in [(SDK, 1), (SDK_SLUG, 1), (SDK_NONE, 0), (CLI, 1), (TERRAFORM, 1)] {
        let regions = list(&replay.send(request), &REGION);
        assert_eq!(regions.len(), count, "{request}");
        assert!(regions.iter().all(|region| region["slug"] == "nl-01"), "{regions:?}");
    }
}
