//! S8: one version destroyed. Terraform takes 404 as done.

use crate::Replay;
use crate::decode::{bad_request, not_found, nothing};

const SDK: &str = "DELETE /v1/secrets/nl-01/secret/app/prod/db/password/versions?version=3 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_PLUS: &str = "DELETE /v1/secrets/nl-01/secret/app/a+b/versions?version=1 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const TERRAFORM: &str = "DELETE /v1/secrets/nl-01/secret/app/prod/db/password/versions?version=2 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// What a version that was never set becomes.
const SDK_ZERO: &str = "DELETE /v1/secrets/nl-01/secret/app/prod/db/password/versions?version=0 HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn one_version() {
    let mut replay = Replay::new();
    let path = "/app/prod/db/password";
    replay.create(path);
    replay.create("/app/a+b");
    for value in ["second", "third"] {
        let _ = replay.client.put_value(path, value).ok(201);
    }
    nothing(&replay.send(SDK));
    assert_eq!(
        replay.client.describe(path).ok(200)["currentVersion"],
        2,
        "the current one may go, and the next one is"
    );
    nothing(&replay.send(SDK));
    nothing(&replay.send(TERRAFORM));
    nothing(&replay.send(CLI_PLUS));
    assert_eq!(replay.client.describe("/app/a+b").ok(200)["currentVersion"], 0);
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let _ = not_found(&replay.send(TERRAFORM));
    replay.create("/app/prod/db/password");
    let _ = not_found(&replay.send(TERRAFORM));
    let message = bad_request(&replay.send(SDK_ZERO));
    assert!(message.contains("version"), "{message}");
}
