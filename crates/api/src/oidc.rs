use crate::{Encoded, ErrorBody};
use serde::{Deserialize, Serialize};

/// An access token that was issued (RFC 6749 section 5.1, RFC 8693 section 2.2).
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// The token.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Password))]
    pub access_token: Encoded,
    /// `Bearer`.
    pub token_type: String,
    /// How long it can be used, in seconds.
    pub expires_in: u64,
    /// What it allows, separated by spaces.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// What kind of token it is, after an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<String>,
}

/// The body of a refusal at the token endpoint: that of RFC 6749 section 5.2, and that of every other endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenErrorBody {
    /// As everywhere.
    #[serde(flatten)]
    pub body: ErrorBody,
    /// What is wrong, in the words of OAuth.
    pub error: String,
    /// A sentence for a person.
    pub error_description: String,
}

/// Where tokens are had and how they are verified (OpenID Connect Discovery 1.0).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenidConfiguration {
    /// The issuer that tokens name.
    pub issuer: String,
    /// Where tokens are had.
    pub token_endpoint: String,
    /// Where the keys are that verify them.
    pub jwks_uri: String,
    /// What a token can be had for.
    pub grant_types_supported: Vec<String>,
    /// How clients prove who they are.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// What a token can be asked for with.
    pub scopes_supported: Vec<String>,
    /// None: there is no authorization endpoint.
    pub response_types_supported: Vec<String>,
    /// `public`.
    pub subject_types_supported: Vec<String>,
    /// What tokens are signed with.
    pub id_token_signing_alg_values_supported: Vec<String>,
}

/// A set of public keys (RFC 7517).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JwkSet {
    /// The keys, newest first.
    pub keys: Vec<Jwk>,
}

/// A public key that verifies EdDSA signatures (RFC 8037).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub used_for: String,
    /// `EdDSA`.
    pub alg: String,
    /// Its name in a token's header.
    pub kid: String,
    /// The key, base64url.
    pub x: String,
}
