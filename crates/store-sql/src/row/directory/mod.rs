//! Objects of the directory: a row of columns that they are found by, and the object itself as canonical bytes.

mod federation;
mod fields;
mod people;
mod project;
mod role;
mod service_account;

use super::organisation_column;
use crate::entity::directory_object;
use crate::error::corrupt;
use std::borrow::Cow;
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::directory::{DirectoryObject, ObjectKind};
use strongroom_domain::port::ReadError;
use uuid::Uuid;

const PURPOSE: &str = "strongroom directory object";
const VERSION: u8 = 1;

/// The columns of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
    pub(crate) organisation: Uuid,
    pub(crate) parent: Option<Uuid>,
    pub(crate) subject: Option<Uuid>,
    pub(crate) handle: Cow<'a, str>,
}

impl<'a> Row<'a> {
    pub(crate) fn of(object: &'a DirectoryObject) -> Self {
        Self {
            kind: object.kind().as_str(),
            id: object.id(),
            organisation: organisation_column(object.organisation()),
            parent: object.parent(),
            subject: object.subject(),
            handle: handle_column(object.handle()),
        }
    }
}

/// A handle as its column keeps it. PostgreSQL refuses one character in texts; it is written in another way, which no other handle is
/// written in.
pub(crate) fn handle_column(handle: Cow<'_, str>) -> Cow<'_, str> {
    if handle.contains(['\0', '\u{1}']) {
        Cow::Owned(handle.replace('\u{1}', "\u{1}1").replace('\0', "\u{1}0"))
    } else {
        handle
    }
}

/// An object as bytes.
pub(crate) fn encode(object: &DirectoryObject) -> Vec<u8> {
    let mut to = Encoder::new(PURPOSE, VERSION);
    to.text(object.kind().as_str());
    match object {
        DirectoryObject::User(it) => people::put_user(&mut to, it),
        DirectoryObject::OrganisationMember(it) => people::put_organisation_member(&mut to, it),
        DirectoryObject::Team(it) => people::put_team(&mut to, it),
        DirectoryObject::TeamMember(it) => people::put_team_member(&mut to, it),
        DirectoryObject::ServiceAccount(it) => service_account::put(&mut to, it),
        DirectoryObject::AccessCredential(it) => service_account::put_credential(&mut to, it),
        DirectoryObject::Role(it) => role::put(&mut to, it),
        DirectoryObject::Binding(it) => role::put_binding(&mut to, it),
        DirectoryObject::IdentityProvider(it) => federation::put_provider(&mut to, it),
        DirectoryObject::FederatedIdentity(it) => federation::put_identity(&mut to, it),
        DirectoryObject::Project(it) => project::put(&mut to, it),
    }
    to.finish()
}

fn decode(bytes: &[u8]) -> Result<DirectoryObject, DecodeError> {
    let mut from = Decoder::new(bytes, PURPOSE, VERSION)?;
    let kind = ObjectKind::from_name(&from.text()?).ok_or(DecodeError)?;
    let object = match kind {
        ObjectKind::User => people::user(&mut from)?.into(),
        ObjectKind::OrganisationMember => people::organisation_member(&mut from)?.into(),
        ObjectKind::Team => people::team(&mut from)?.into(),
        ObjectKind::TeamMember => people::team_member(&mut from)?.into(),
        ObjectKind::ServiceAccount => service_account::read(&mut from)?.into(),
        ObjectKind::AccessCredential => service_account::credential(&mut from)?.into(),
        ObjectKind::Role => role::read(&mut from)?.into(),
        ObjectKind::Binding => role::binding(&mut from)?.into(),
        ObjectKind::IdentityProvider => federation::provider(&mut from)?.into(),
        ObjectKind::FederatedIdentity => federation::identity(&mut from)?.into(),
        ObjectKind::Project => project::read(&mut from)?.into(),
    };
    from.finish()?;
    Ok(object)
}

impl directory_object::Model {
    /// The object. One that isn't what its columns say is damaged: it would be found by what isn't its own.
    pub(crate) fn read(self) -> Result<DirectoryObject, ReadError> {
        let object = decode(&self.body).map_err(|error| corrupt("directory object").because(error))?;
        let row = Row::of(&object);
        let columns = (self.kind.as_str(), self.id, self.organisation, self.parent, self.subject, self.handle.as_str());
        if (row.kind, row.id, row.organisation, row.parent, row.subject, row.handle.as_ref()) != columns {
            return Err(corrupt("directory object"));
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests;
