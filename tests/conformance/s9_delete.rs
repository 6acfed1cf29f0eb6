//! S9: a secret deleted. Terraform takes 404 as done.

use crate::Replay;
use crate::decode::{not_found, nothing};

const SDK: &str = "DELETE /v1/secrets/nl-01/secret/app/prod/db/password HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-client-go (https://github.com/thalassa-cloud/client-go)
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

const CLI_PLUS: &str = "DELETE /v1/secrets/nl-01/secret/app/a+b HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud-cli/1.0.0
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

/// Without `version=` this is the secret `/app/versions`.
const TERRAFORM: &str = "DELETE /v1/secrets/nl-01/secret/app/versions HTTP/1.1
Host: {host}
User-Agent: thalassa-cloud/terraform-provider-thalassa
Accept: application/json
Authorization: Token {token}
X-Organisation-Identity: {organisation}
Accept-Encoding: gzip

";

#[test]
fn once_and_again() {
    let mut replay = Replay::new();
    for path in ["/app/prod/db/password", "/app/a+b", "/app/versions", "/app"] {
        replay.create(path);
    }
    for request in [SDK, CLI_PLUS, TERRAFORM] {
        nothing(&replay.send(request));
        let _ = not_found(&replay.send(request));
    }
    let left = replay.client.get(format!("{}?pathPrefix=/", replay.client.secrets())).ok(200);
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left[0]["path"], "/app");
    replay.create("/app/prod/db/password");
}
