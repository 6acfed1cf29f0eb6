use crate::failure::Failure;
use crate::json::quoted;
use strongroom_domain::directory::{Expiry, Scopes};

/// When something shall end. What is null or empty isn't given.
pub(crate) fn expiry(field: &str, text: Option<String>) -> Result<Option<Expiry>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    Expiry::parse(text).map(Some).map_err(|error| Failure::invalid(format!("`{field}` is {error}.")))
}

/// What a credential shall allow, from the member `field`; nothing named is both.
pub(crate) fn scopes(field: &str, scopes: Option<Vec<String>>) -> Result<Scopes, Failure> {
    Scopes::new(scopes.unwrap_or_default()).map_err(|unknown| {
        let known = "`api:read`, `api:write`, `kubernetes` and `objectStorage`";
        Failure::invalid(format!("`{field}`: {} is none of {known}.", quoted(&unknown)))
    })
}
