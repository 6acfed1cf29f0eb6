//! Fields that several kinds of objects have.

use crate::row::{at, metadata};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::{Expiry, Named, Scopes};
use strongroom_domain::id::{CredentialId, ServiceAccountId, UserId};
use strongroom_domain::principal::Principal;
use strongroom_domain::time::Timestamp;

/// Times are never before the epoch.
pub(super) fn put_at(to: &mut Encoder, at: Timestamp) {
    to.number(at.as_micros().unsigned_abs());
}

pub(super) fn time(from: &mut Decoder<'_>) -> Result<Timestamp, DecodeError> {
    i64::try_from(from.number()?).map(at).map_err(|_| DecodeError)
}

pub(super) fn put_flag(to: &mut Encoder, flag: bool) {
    to.number(u64::from(flag));
}

pub(super) fn flag(from: &mut Decoder<'_>) -> Result<bool, DecodeError> {
    match from.number()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError),
    }
}

pub(super) fn put_list<T>(to: &mut Encoder, list: &[T], mut put: impl FnMut(&mut Encoder, &T)) {
    to.number(list.len() as u64);
    list.iter().for_each(|item| put(to, item));
}

pub(super) fn list<'a, T>(
    from: &mut Decoder<'a>,
    mut read: impl FnMut(&mut Decoder<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = from.number()?;
    (0..count).map(|_| read(from)).collect()
}

pub(super) fn put_texts(to: &mut Encoder, texts: &[String]) {
    put_list(to, texts, |to, text| {
        to.text(text);
    });
}

pub(super) fn texts(from: &mut Decoder<'_>) -> Result<Vec<String>, DecodeError> {
    list(from, Decoder::text)
}

pub(super) fn put_text_or_none(to: &mut Encoder, text: Option<&String>) {
    to.optional(text, |to, text| {
        to.text(text);
    });
}

pub(super) fn text_or_none(from: &mut Decoder<'_>) -> Result<Option<String>, DecodeError> {
    from.optional(Decoder::text)
}

pub(super) fn put_named(to: &mut Encoder, named: &Named) {
    to.text(&named.name).text(&named.slug).bytes(&metadata::encode(&named.metadata));
    put_at(to, named.created_at);
    to.optional(named.updated_at, put_at).number(named.object_version);
}

pub(super) fn named(from: &mut Decoder<'_>) -> Result<Named, DecodeError> {
    Ok(Named {
        name: from.text()?,
        slug: from.text()?,
        metadata: metadata::decode(from.bytes()?).map_err(|_| DecodeError)?,
        created_at: time(from)?,
        updated_at: from.optional(time)?,
        object_version: from.number()?,
    })
}

pub(super) fn put_expiry(to: &mut Encoder, expires: Option<&Expiry>) {
    to.optional(expires, |to, expiry| {
        put_at(to, expiry.at);
        to.text(&expiry.text);
    });
}

pub(super) fn expiry(from: &mut Decoder<'_>) -> Result<Option<Expiry>, DecodeError> {
    from.optional(|from| Ok(Expiry { at: time(from)?, text: from.text()? }))
}

pub(super) fn put_scopes(to: &mut Encoder, scopes: &Scopes) {
    put_texts(to, scopes.as_slice());
}

pub(super) fn scopes(from: &mut Decoder<'_>) -> Result<Scopes, DecodeError> {
    Scopes::new(texts(from)?).map_err(|_| DecodeError)
}

const USER: &str = "user";
const SERVICE_ACCOUNT: &str = "service_account";
const OPERATOR: &str = "operator";

pub(super) fn put_principal(to: &mut Encoder, principal: Option<Principal>) {
    to.optional(principal, |to, principal| {
        match principal {
            Principal::User(id) => to.text(USER).id(id.uuid()),
            Principal::ServiceAccount(id) => to.text(SERVICE_ACCOUNT).id(id.uuid()),
            Principal::Operator(id) => to.text(OPERATOR).id(id.uuid()),
        };
    });
}

pub(super) fn principal(from: &mut Decoder<'_>) -> Result<Option<Principal>, DecodeError> {
    from.optional(|from| {
        let (kind, id) = (from.text()?, from.id()?);
        match kind.as_str() {
            USER => Ok(Principal::User(UserId::new(id))),
            SERVICE_ACCOUNT => Ok(Principal::ServiceAccount(ServiceAccountId::new(id))),
            OPERATOR => Ok(Principal::Operator(CredentialId::new(id))),
            _ => Err(DecodeError),
        }
    })
}
