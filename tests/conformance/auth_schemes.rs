//! Section 1.2: the ways in which clients show who they are.

use crate::Replay;
use crate::decode::{list, shown};
use crate::shapes::REGION;

/// A personal access token: the word is `Token`.
const PERSONAL_TOKEN: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const ACCESS_TOKEN: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const SAMPLE: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: curl/8.5.0
Accept: */*
Authorization: Bearer {token}
X-Organisation-Identity: {organisation}

";

/// The CLI sends the header also when its context names no organisation.
const NO_ORGANISATION: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: 
Accept-Encoding: gzip

";

const NO_CREDENTIALS: &str = "GET /v1/regions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn every_scheme_is_let_in() {
    let mut replay = Replay::new();
    for request in [PERSONAL_TOKEN, ACCESS_TOKEN, SAMPLE, NO_ORGANISATION] {
        assert_eq!(list(&replay.send(request), &REGION).len(), 1, "{request}");
    }
}

#[test]
fn what_is_refused_is_shown_to_a_person() {
    let mut replay = Replay::new();
    let text = shown(&replay.send(NO_CREDENTIALS), 401);
    assert!(text.starts_with("server returned status 401: {"), "{text}");
    replay.set("token", "tc_pat_unknown");
    for request in [PERSONAL_TOKEN, ACCESS_TOKEN, SAMPLE] {
        assert_eq!(replay.send(request).header("www-authenticate"), Some("Bearer"));
        let _ = shown(&replay.send(request), 401);
    }
}
