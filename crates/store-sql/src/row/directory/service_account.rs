use super::fields::{expiry, named, principal, put_at, put_expiry, put_named, put_principal, put_scopes, scopes, time};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::{AccessCredential, ServiceAccount};
use strongroom_domain::id::{CredentialId, OrganisationId, ServiceAccountId};

pub(super) fn put(to: &mut Encoder, account: &ServiceAccount) {
    to.id(account.id.uuid()).id(account.organisation.uuid());
    put_named(to, &account.named);
    put_principal(to, account.created_by);
}

pub(super) fn read(from: &mut Decoder<'_>) -> Result<ServiceAccount, DecodeError> {
    Ok(ServiceAccount {
        id: ServiceAccountId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        named: named(from)?,
        created_by: principal(from)?,
    })
}

pub(super) fn put_credential(to: &mut Encoder, credential: &AccessCredential) {
    to.id(credential.id.uuid()).id(credential.organisation.uuid()).id(credential.service_account.uuid());
    to.text(&credential.name).text(&credential.description).text(&credential.access_key);
    to.bytes(&credential.digest).number(u64::from(credential.digest_key_version));
    put_scopes(to, &credential.scopes);
    put_expiry(to, credential.expires.as_ref());
    put_at(to, credential.created_at);
}

pub(super) fn credential(from: &mut Decoder<'_>) -> Result<AccessCredential, DecodeError> {
    Ok(AccessCredential {
        id: CredentialId::new(from.id()?),
        organisation: OrganisationId::new(from.id()?),
        service_account: ServiceAccountId::new(from.id()?),
        name: from.text()?,
        description: from.text()?,
        access_key: from.text()?,
        digest: from.bytes()?.try_into().map_err(|_| DecodeError)?,
        digest_key_version: u32::try_from(from.number()?).map_err(|_| DecodeError)?,
        scopes: scopes(from)?,
        expires: expiry(from)?,
        created_at: time(from)?,
    })
}
