//! What callers ask about themselves.

use super::answers::Header::NoStore;
use super::operation::Operation;
use serde_json::json;
use strongroom_api::{
    IssuedPersonalAccessToken, Me, NewPersonalAccessToken, OrganisationMembership, PersonalAccessToken,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/me", "getMe", "Shows who calls").known().gives::<Me>(200, "Who calls.").example(
            200,
            json!({
                "type": "user", "identity": "u-01", "name": "Ada", "credential": "pat-01", "scopes": ["api:read", "api:write"],
                "organisations": [{"identity": "org-01", "name": "Dev", "slug": "dev", "role": "OWNER"}],
            }),
        ),
        Operation::new("GET /v1/me/organisation-memberships", "listMyMemberships", "Lists the caller's organisations")
            .known()
            .gives_list::<OrganisationMembership>("The memberships."),
        Operation::new("GET /v1/me/personal-access-tokens", "listMyTokens", "Lists the caller's tokens")
            .about("Also those that have ended. Service accounts have none (403).")
            .known()
            .gives_list::<PersonalAccessToken>("The tokens, without their texts."),
        Operation::new("POST /v1/me/personal-access-tokens", "createMyToken", "Makes a token for the caller")
            .about("It is never more than the credential that makes it.")
            .known()
            .takes::<NewPersonalAccessToken>(json!({"name": "laptop", "scopes": ["api:read"], "expiresAt": "2031-01-01T00:00:00Z"}))
            .gives::<IssuedPersonalAccessToken>(201, "The token, which is never shown again.")
            .with(201, &[NoStore]),
        Operation::new("DELETE /v1/me/personal-access-tokens/{id}", "deleteMyToken", "Deletes a token of the caller")
            .known()
            .takes_nothing()
            .gives_nothing(204, "It opens nothing any more."),
    ]
}
