use super::{named, user};
use crate::convert::document;
use crate::failure::Failure;
use strongroom::iam::federated_identities::FederatedIdentityView;
use strongroom::iam::identity_providers::IdentityProviderView;
use strongroom_api::{FederatedIdentity, IdentityProvider, Json};
use strongroom_domain::directory::{AudienceMatch, FederatedIdentityStatus, ProviderStatus, SubjectPattern};
use strongroom_domain::document::Document;

pub(crate) fn identity_provider(view: &IdentityProviderView) -> IdentityProvider {
    IdentityProvider { created_by: view.created_by.as_ref().map(user), ..provider(&view.provider) }
}

fn provider(provider: &strongroom_domain::directory::IdentityProvider) -> IdentityProvider {
    let common = named(provider.id, &provider.named);
    IdentityProvider {
        identity: common.identity,
        name: common.name,
        description: common.description,
        labels: common.labels,
        annotations: common.annotations,
        created_at: common.created_at,
        updated_at: common.updated_at,
        object_version: common.object_version,
        provider_issuer: provider.issuer.clone(),
        provider_jwks_uri: provider.jwks_uri.clone(),
        local_jwks: provider.local_jwks.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        status: provider.status.as_str().to_owned(),
        created_by: None,
    }
}

pub(crate) fn federated_identity(view: &FederatedIdentityView) -> FederatedIdentity {
    let identity = &view.identity;
    let conditions = identity.conditions.iter().map(|(claim, value)| (claim.clone(), document::json(value)));
    FederatedIdentity {
        named: named(identity.id, &identity.named),
        service_account: view.service_account.as_ref().map(|account| named(account.id, &account.named)),
        provider: view.provider.as_ref().map(provider),
        provider_subject: identity.subject.as_str().to_owned(),
        trusted_audiences: identity.audiences.clone(),
        audience_match_mode: identity.audience_match.as_str().to_owned(),
        allowed_scopes: identity.scopes.as_slice().to_vec(),
        status: view.status.as_str().to_owned(),
        expires_at: identity.expires.as_ref().map(|expiry| expiry.text.clone()),
        conditions: (!identity.conditions.is_empty()).then(|| Json::Map(conditions.collect())),
    }
}

/// A JWK set as it is kept: as text, its members in the order in which they were sent.
pub(crate) fn jwks(jwks: Option<Json>) -> Result<Option<String>, Failure> {
    match jwks {
        None | Some(Json::Null) => Ok(None),
        Some(jwks) => serde_json::to_string(&jwks).map(Some).map_err(|_| Failure::internal()),
    }
}

pub(crate) fn provider_status(name: Option<&str>) -> Result<Option<ProviderStatus>, Failure> {
    chosen("status", name, ProviderStatus::from_name, "`active` or `inactive`")
}

pub(crate) fn identity_status(name: Option<&str>) -> Result<Option<FederatedIdentityStatus>, Failure> {
    chosen("status", name, FederatedIdentityStatus::from_name, "`active`, `inactive`, `expired` or `revoked`")
}

pub(crate) fn audience_match(name: Option<&str>) -> Result<Option<AudienceMatch>, Failure> {
    chosen("audienceMatchMode", name, AudienceMatch::from_name, "`exact`, `any` or `all`")
}

/// One of a few names; an empty one counts as missing.
fn chosen<T>(
    field: &str,
    name: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
    names: &str,
) -> Result<Option<T>, Failure> {
    match name.filter(|name| !name.is_empty()) {
        None => Ok(None),
        Some(name) => read(name).map(Some).ok_or_else(|| Failure::invalid(format!("`{field}`: is {names}."))),
    }
}

pub(crate) fn subject(pattern: String) -> Result<SubjectPattern, Failure> {
    SubjectPattern::new(pattern).map_err(|error| Failure::invalid(format!("`providerSubject`: {error}.")))
}

/// Claims that must hold: an object of their names, with their values.
pub(crate) fn conditions(json: Option<Json>) -> Result<Option<Vec<(String, Document)>>, Failure> {
    match json {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Map(members)) => {
            let condition = |(claim, value): (String, Json)| match document::whole(value) {
                Some(value) => Ok((claim, value)),
                None => Err(Failure::invalid(format!(
                    "`conditions.{}`: numbers are whole, written without point or exponent; write others as text.",
                    crate::json::shown(&claim)
                ))),
            };
            members.into_iter().map(condition).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => {
            Err(Failure::invalid("`conditions`: must be an object of claims, each with the value that it must have."))
        }
    }
}
