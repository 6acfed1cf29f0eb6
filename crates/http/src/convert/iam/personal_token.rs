use super::{expiry, scopes};
use crate::failure::Failure;
use strongroom::iam::personal_tokens::{IssuedPersonalToken, NewPersonalToken};
use strongroom_api::{Encoded, IssuedPersonalAccessToken, NewPersonalAccessToken, PersonalAccessToken};
use strongroom_domain::principal::Token;
use zeroize::Zeroizing;

pub(crate) fn personal_token(token: &Token) -> PersonalAccessToken {
    PersonalAccessToken {
        identity: token.id.to_string(),
        name: token.name.clone(),
        scopes: token.scopes.as_slice().to_vec(),
        organisation_identity: token.organisation.map(|organisation| organisation.to_string()),
        created_at: token.created_at.to_rfc3339(),
        expires_at: token.expires.as_ref().map(|expiry| expiry.text.clone()),
    }
}

pub(crate) fn issued_personal_token(issued: &IssuedPersonalToken) -> Result<IssuedPersonalAccessToken, Failure> {
    let text = core::str::from_utf8(issued.secret.expose()).map_err(|_| Failure::internal())?;
    let token = Encoded::new(Zeroizing::new(text.to_owned()));
    Ok(IssuedPersonalAccessToken { described: personal_token(&issued.token), token })
}

pub(crate) fn new_personal_token(request: NewPersonalAccessToken) -> Result<NewPersonalToken, Failure> {
    Ok(NewPersonalToken {
        name: request.name,
        scopes: scopes("scopes", request.scopes)?,
        expires: expiry("expiresAt", request.expires_at)?,
    })
}
