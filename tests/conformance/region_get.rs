//! Section 6.2: one region, by identity or slug.

use crate::decode::{not_found, object};
use crate::shapes::REGION;
use crate::{Replay, text};

const SDK: &str = "GET /v1/regions/{region} HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI: &str = "GET /v1/regions/nl-01 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn found_and_not() {
    let mut replay = Replay::new();
    let region = object(&replay.send(CLI), 200, &REGION);
    replay.set("region", text(&region, "identity"));
    assert_eq!(object(&replay.send(SDK), 200, &REGION), region);
    replay.set("region", "xx-01");
    let _ = not_found(&replay.send(SDK));
}
