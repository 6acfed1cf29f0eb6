//! Access tokens for workloads.

use super::answers::Header::{Cached, NoStore};
use super::operation::Operation;
use serde_json::{Value, json};
use strongroom_api::{JwkSet, OpenidConfiguration, TokenAnswer};

/// The parameters of both grants.
fn form() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"]},
            "client_id": text("The access key, where it doesn't stand in the header."),
            "client_secret": text("Its secret."),
            "scope": text("What the token shall allow, separated by spaces; all when not said."),
            "subject_token": text("The other issuer's token, to be exchanged."),
            "subject_token_type": {
                "type": "string",
                "enum": ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"],
            },
            "organisation_id": text("The organisation, by identity or slug."),
            "service_account_id": text("The service account, by identity or slug."),
            "access_token_lifetime": text("1 minute to 24 hours: `3600`, `3600s` or `1h30m`; 1 hour when not said."),
        },
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            "POST /oidc/token",
            "issueToken",
            "Gives an access token for a credential, or for another issuer's token",
        )
        .about("Client credentials stand in `Authorization: Basic`, each URL-escaped, or in the form.")
        .client()
        .takes_form(form(), json!({"grant_type": "client_credentials", "scope": "api:read"}))
        .gives::<TokenAnswer>(200, "The token.")
        .with(200, &[NoStore]),
        Operation::new(
            "GET /.well-known/openid-configuration",
            "getOpenidConfiguration",
            "Tells where tokens are had and how they are verified",
        )
        .open()
        .gives::<OpenidConfiguration>(200, "The configuration.")
        .with(200, &[Cached])
        .refuses(&[503]),
        Operation::new("GET /.well-known/jwks.json", "getJwks", "Shows the keys that verify tokens")
            .open()
            .gives::<JwkSet>(200, "The newest three.")
            .with(200, &[Cached])
            .refuses(&[503]),
    ]
}
