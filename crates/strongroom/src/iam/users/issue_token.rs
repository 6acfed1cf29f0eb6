use super::{attempted, owners_only};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::personal_tokens::{IssuedPersonalToken, NewPersonalToken};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::directory::{OrganisationMember, User};
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Makes a personal access token for a user who logs in nowhere, which an owner hands to them.
///
/// It acts in this organisation only, where an owner holds everything already. Its record names the owner, and every record of its use
/// names the token.
pub struct IssueUserToken<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may make tokens for others: owners may.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn issue_user_token<'a>(
        &'a self,
        session: &'a OrganisationSession,
        user: &str,
    ) -> Result<IssueUserToken<'a>, Error> {
        let attempted = attempted(Action::IamPersonalTokenCreate, ResourceKind::PersonalToken, Permission::Update);
        let permit = self.may::<OrganisationMember>(session, attempted, user).await?;
        self.check_owner(&permit).await?;
        Ok(IssueUserToken(permit))
    }
}

impl IssueUserToken<'_> {
    /// Makes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`] for a user who is no member, [`Code::InvalidRequest`] for one who logs in elsewhere, for what breaks
    /// a rule and for one token too many, [`Code::Escalation`] for a token that is more than the one that makes it, and those of the
    /// store.
    pub async fn run(self, new: NewPersonalToken) -> Result<IssuedPersonalToken, Error> {
        self.0.engine.amend(self.0.session, &Issue { permit: &self.0, new }).await
    }
}

struct Issue<'a> {
    permit: &'a Permit<'a>,
    new: NewPersonalToken,
}

impl Issue<'_> {
    /// The user for whom it is.
    async fn holder(&self, scene: &Scene<'_>) -> Result<User, Error> {
        let member = scene.engine.member_of(scene.organisation.id, &self.permit.name).await?;
        let user = scene.engine.member_view(member).await?.user;
        if user.login.is_some() {
            let message = "This user logs in through an issuer, and makes their tokens themselves.";
            return Err(Error::new(Code::InvalidRequest, message));
        }
        Ok(user)
    }
}

#[async_trait]
impl DirectoryChange for Issue<'_> {
    type Answer = IssuedPersonalToken;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<IssuedPersonalToken>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<OrganisationMember>(attempted, None)?;
        if !scene.is_by_owner() {
            return Err(owners_only());
        }
        // It may outlive the one that makes it: an owner could as well make another owner, and one who comes back by a token of an
        // hour needs one that stays.
        scene.engine.check_personal_token(&scene.session.call, &self.new)?;
        let user = self.holder(scene).await?;
        scene.engine.check_room(user.id, Some(scene.organisation.id)).await?;
        let issued = scene.engine.make_personal_token(user.id, Some(scene.organisation.id), &self.new, scene.at)?;
        Ok(Amended {
            changes: vec![Change::InsertToken(issued.token.clone())],
            // Who may act with it from now on is what the log must tell.
            resource: attempted.object(format!("{}/{}", user.id, issued.token.id), issued.token.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 201,
            answer: issued,
        })
    }
}
