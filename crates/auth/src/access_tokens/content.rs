//! What our tokens say, written and read.

use super::failed;
use crate::claims::Claims;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::Algorithm;
use serde::Serialize;
use strongroom_crypto::Ed25519Signer;
use strongroom_domain::id::{CredentialId, OrganisationId};
use strongroom_domain::port::{AccessClaims, TokenIssuerError};
use strongroom_domain::principal::{CredentialScopes, Principal};
use strongroom_domain::value::SecretBytes;
use uuid::Uuid;
use zeroize::Zeroizing;

pub(super) const ALGORITHM: Algorithm = Algorithm::EdDSA;
/// The type in the header: an access token (RFC 9068 section 2.1).
pub(super) const TYPE: &str = "at+jwt";

const READ: &str = "api:read";
const WRITE: &str = "api:write";

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Content<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    organisation: String,
    credential: String,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
}

/// What a token of ours says that is still to be checked against the directory.
pub(super) struct Said {
    pub(super) principal: Principal,
    pub(super) organisation: OrganisationId,
    pub(super) credential: CredentialId,
    pub(super) scopes: CredentialScopes,
    pub(super) project: Option<String>,
}

/// The signed token.
pub(super) fn write(
    claims: &AccessClaims,
    issuer: &str,
    key: &str,
    id: Uuid,
    signer: &Ed25519Signer,
) -> Result<SecretBytes, TokenIssuerError> {
    if !matches!(claims.principal, Principal::ServiceAccount(_)) {
        return Err(failed("only service accounts have access tokens"));
    }
    let content = Content {
        iss: issuer,
        sub: claims.principal.to_string(),
        aud: issuer,
        iat: claims.issued_at.as_micros() / 1_000_000,
        exp: claims.expires_at.as_micros() / 1_000_000,
        jti: id.to_string(),
        organisation: claims.organisation.to_string(),
        credential: claims.credential.to_string(),
        scope: scope(claims.scopes),
        project: claims.project.as_deref(),
    };
    let unwritten = |error: serde_json::Error| TokenIssuerError {
        context: "an access token cannot be written",
        source: Some(error.into()),
    };
    let header = serde_json::to_vec(&Header { alg: "EdDSA", typ: TYPE, kid: key }).map_err(unwritten)?;
    let content = serde_json::to_vec(&content).map_err(unwritten)?;
    let mut message = BASE64URL_NOPAD.encode(&header);
    message.push('.');
    BASE64URL_NOPAD.encode_append(&content, &mut message);
    let signature = Zeroizing::new(signer.sign(message.as_bytes()));
    // Exact, so that no reallocation leaves a copy of the signature behind.
    let message_len = message.len();
    let mut token = Zeroizing::new(vec![0; message_len + 1 + BASE64URL_NOPAD.encode_len(signature.len())]);
    token[..message_len].copy_from_slice(message.as_bytes());
    token[message_len] = b'.';
    BASE64URL_NOPAD.encode_mut(&*signature, &mut token[message_len + 1..]);
    Ok(SecretBytes::new(token))
}

/// Reads what [`write`] wrote; `None` for anything else.
pub(super) fn read(claims: &Claims, issuer: &str) -> Option<Said> {
    if claims.audiences().ok()? != [issuer] {
        return None;
    }
    let scopes = claims.text("scope")?;
    let has = |scope: &str| scopes.split(' ').any(|it| it == scope);
    Some(Said {
        principal: Principal::ServiceAccount(claims.text("sub")?.parse().ok()?),
        organisation: claims.text("organisation")?.parse().ok()?,
        credential: claims.text("credential")?.parse().ok()?,
        scopes: CredentialScopes { read: has(READ), write: has(WRITE) },
        project: claims.text("project").map(str::to_owned),
    })
}

const fn scope(scopes: CredentialScopes) -> &'static str {
    match (scopes.read, scopes.write) {
        (true, true) => "api:read api:write",
        (true, false) => READ,
        (false, true) => WRITE,
        (false, false) => "",
    }
}
