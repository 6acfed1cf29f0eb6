use super::enter::Operation;
use super::{OperatorSession, organisation_resource, slug, slug_taken};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::granted::by_ownership;
use crate::iam::personal_tokens::NewPersonalToken;
use crate::iam::users::NewUser;
use crate::setup::new_organisation;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::User;
use strongroom_domain::id::UserId;
use strongroom_domain::metadata::check_name;
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};
use strongroom_domain::value::SecretBytes;

/// What an owner's first token is called.
const FIRST_TOKEN: &str = "first";

/// An organisation to be made.
#[derive(Clone, Debug)]
pub struct NewOrganisation {
    /// Its name: 1 to 255 characters, none of them a control character.
    pub name: String,
    /// Its slug: 1 to 63 of `a` to `z` and `0` to `9`, with single hyphens between them; no other organisation has it. `None` for the one
    /// that is made of the name.
    pub slug: Option<String>,
    /// Its owner.
    pub owner: FirstOwner,
}

/// The first owner of an organisation.
#[derive(Clone, Debug)]
pub enum FirstOwner {
    /// Somebody new, who gets a first token.
    New(NewUser),
    /// Somebody who is known.
    Known(UserId),
}

/// An organisation that was made.
pub struct CreatedOrganisation {
    /// The organisation.
    pub organisation: Organisation,
    /// Its owner.
    pub owner: User,
    /// The first token of an owner who is new, which acts in this organisation only; it can't be had again.
    pub token: Option<SecretBytes>,
}

impl Engine {
    /// Makes an organisation with its built-in roles and its first owner. The token is given only once everything is durable.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`], [`Code::ObjectNotFound`] for an unknown owner, [`Code::ObjectExists`] when the slug is taken,
    /// [`Code::NoCredentials`] where no tokens can be made, and those of the store.
    pub async fn create_organisation(
        &self,
        session: &OperatorSession,
        new: NewOrganisation,
    ) -> Result<CreatedOrganisation, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemOrganisationCreate };
        let resource = super::get_organisation::named(&new.name);
        let outcome = make(&operation, new).await;
        operation.failed(None, resource, outcome).await
    }
}

async fn make(operation: &Operation<'_>, new: NewOrganisation) -> Result<CreatedOrganisation, Error> {
    let engine = operation.engine;
    check_name(&new.name)?;
    let slug = slug(new.slug, &new.name)?;
    let at = engine.ports.clock.now();
    let ids = engine.ports.ids.as_ref();
    let (owner, is_new) = match new.owner {
        FirstOwner::Known(id) => (known(engine, id).await?, false),
        FirstOwner::New(user) => {
            user.check().map_err(|error| Error::new(error.code(), format!("In `owner`: {error}")))?;
            let NewUser { name, email } = user;
            (User { id: UserId::new(ids.next()), login: None, name, email, created_at: at }, true)
        }
    };
    let (organisation, mut changes) = new_organisation(ids, new.name, slug, owner.id, at);
    let mut token = None;
    if is_new {
        // It acts there only: the operator sees it, and the owner may become a member elsewhere.
        let first = NewPersonalToken { name: FIRST_TOKEN.to_owned(), ..NewPersonalToken::default() };
        let issued = engine.make_personal_token(owner.id, Some(organisation.id), &first, at)?;
        changes.extend([Change::PutObject(Box::new(owner.clone().into())), Change::InsertToken(issued.token)]);
        token = Some(issued.secret);
    }
    let expect = vec![Expect::Absent(UniqueKey::OrganisationSlug(organisation.slug.clone()))];
    let unit = Unit { expect, changes, records: Vec::new() };
    let committed = operation
        .commit_access(
            unit,
            Some(organisation.id),
            organisation_resource(&organisation),
            Some(by_ownership(owner.id)),
            201,
        )
        .await;
    match committed {
        Ok(()) => Ok(CreatedOrganisation { organisation, owner, token }),
        Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {
            Err(slug_taken("organisation", &organisation.slug))
        }
        Err(error) => Err(error.into()),
    }
}

async fn known(engine: &Engine, id: UserId) -> Result<User, Error> {
    engine.object_by_id(None, id.uuid()).await?.ok_or_else(|| {
        Error::new(Code::ObjectNotFound, "`ownerIdentity` names no user; it wants an identity, not a name or address.")
    })
}
