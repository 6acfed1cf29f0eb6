use super::{attempted, owners_only};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::granted::by_membership;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::directory::{MemberRole, OrganisationMember, User};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::{MemberId, UserId};
use strongroom_domain::metadata::check_name;
use strongroom_domain::unit::Change;

/// The longest address, in characters.
const MAX_EMAIL_LEN: usize = 254;

/// Makes a user known, and a member of the organisation.
pub struct CreateUser<'a>(Permit<'a>);

/// A user to be made. They log in nowhere: they have tokens only.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their name: 1 to 255 characters, none of them a control character.
    pub name: String,
    /// Their address: at most 254 characters, with something on both sides of an `@`; empty when it isn't known. Nothing is sent to it.
    pub email: String,
}

impl NewUser {
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_name(&self.name)?;
        let email = &self.email;
        let is_address = |(name, host): (&str, &str)| !name.is_empty() && !host.is_empty();
        let is_clean = !email.chars().any(|c| c.is_control() || c.is_whitespace());
        if email.is_empty()
            || (is_clean && email.chars().count() <= MAX_EMAIL_LEN && email.rsplit_once('@').is_some_and(is_address))
        {
            return Ok(());
        }
        Err(Error::new(
            Code::InvalidRequest,
            format!("`email` is an address of at most {MAX_EMAIL_LEN} characters, such as `zoe@example.com`."),
        ))
    }
}

impl Engine {
    /// Checks that the caller may create users: owners may.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create_user<'a>(&'a self, session: &'a OrganisationSession) -> Result<CreateUser<'a>, Error> {
        let attempted = attempted(Action::IamUserCreate, ResourceKind::User, Permission::Create);
        let permit = self.may::<OrganisationMember>(session, attempted, "").await?;
        self.check_owner(&permit).await?;
        Ok(CreateUser(permit))
    }
}

impl CreateUser<'_> {
    /// Creates them.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a bad name or address, and those of the store.
    pub async fn run(self, new: NewUser) -> Result<User, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewUser,
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = User;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named("")
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<User>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<OrganisationMember>(attempted, None)?;
        if !scene.is_by_owner() {
            return Err(owners_only());
        }
        self.new.check()?;
        let NewUser { name, email } = self.new.clone();
        let user = User { id: UserId::new(scene.new_id()), login: None, name, email, created_at: scene.at };
        let member = OrganisationMember {
            id: MemberId::new(scene.new_id()),
            organisation: scene.organisation.id,
            user: user.id,
            role: MemberRole::Member,
            created_at: scene.at,
        };
        let access = by_membership(&member, None);
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(user.clone().into())), Change::PutObject(Box::new(member.into()))],
            resource: attempted.object(user.id.to_string(), user.id.uuid()),
            access: Some(access),
            rule: Some(rule),
            status: 201,
            answer: user,
        })
    }
}
