use super::fields::{
    expiry, list, named, principal, put_expiry, put_list, put_named, put_principal, put_scopes, put_text_or_none,
    put_texts, scopes, text_or_none, texts,
};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::{
    AudienceMatch, FederatedIdentity, FederatedIdentityStatus, IdentityProvider, ProviderStatus, SubjectPattern,
};
use strongroom_domain::document::Document;
use strongroom_domain::id::{FederatedIdentityId, OrganisationId, ProviderId, ServiceAccountId};

pub(super) fn put_provider(to: &mut Encoder, provider: &IdentityProvider) {
    to.id(provider.id.uuid()).id(provider.organisation.uuid());
    put_named(to, &provider.named);
    to.text(&provider.issuer);
    put_text_or_none(to, provider.jwks_uri.as_ref());
    put_text_or_none(to, provider.local_jwks.as_ref());
    to.text(provider.status.as_str());
    put_principal(to, provider.created_by);
}

pub(super) fn provider(from: &mut Decoder<'_>) -> Result<IdentityProvider, DecodeError> {
    Ok(IdentityProvider {
        id: ProviderId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        named: named(from)?,
        issuer: from.text()?,
        jwks_uri: text_or_none(from)?,
        local_jwks: text_or_none(from)?,
        status: ProviderStatus::from_name(&from.text()?).ok_or(DecodeError)?,
        created_by: principal(from)?,
    })
}

pub(super) fn put_identity(to: &mut Encoder, identity: &FederatedIdentity) {
    to.id(identity.id.uuid()).id(identity.organisation.uuid());
    put_named(to, &identity.named);
    to.id(identity.service_account.uuid()).id(identity.provider.uuid()).text(identity.subject.as_str());
    put_texts(to, &identity.audiences);
    to.text(identity.audience_match.as_str());
    put_scopes(to, &identity.scopes);
    to.text(identity.status.as_str());
    put_expiry(to, identity.expires.as_ref());
    // Each for itself: in one document they would nest a level deeper than they were sent.
    put_list(to, &identity.conditions, |to, (claim, value)| {
        to.text(claim).bytes(&value.encode());
    });
}

pub(super) fn identity(from: &mut Decoder<'_>) -> Result<FederatedIdentity, DecodeError> {
    Ok(FederatedIdentity {
        id: FederatedIdentityId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        named: named(from)?,
        service_account: ServiceAccountId::new(from.id()?),
        provider: ProviderId::new(from.id()?),
        subject: SubjectPattern::new(from.text()?).map_err(|_| DecodeError)?,
        audiences: texts(from)?,
        audience_match: AudienceMatch::from_name(&from.text()?).ok_or(DecodeError)?,
        scopes: scopes(from)?,
        status: FederatedIdentityStatus::from_name(&from.text()?).ok_or(DecodeError)?,
        expires: expiry(from)?,
        conditions: list(from, |from| Ok((from.text()?, Document::decode(from.bytes()?).map_err(|_| DecodeError)?)))?,
    })
}
