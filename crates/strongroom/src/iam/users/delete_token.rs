use super::{attempted, owners_only};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::iam::Permit;
use crate::iam::personal_tokens::TakenAway;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::directory::OrganisationMember;
use strongroom_domain::iam::Permission;
use strongroom_domain::id::CredentialId;
use strongroom_domain::unit::Change;

/// Deletes a member's personal access token that is bound to the organisation; on this node it opens nothing from then on.
pub struct DeleteUserToken<'a> {
    permit: Permit<'a>,
    token: Option<CredentialId>,
}

impl Engine {
    /// Checks that the caller may delete tokens of others: owners may.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn delete_user_token<'a>(
        &'a self,
        session: &'a OrganisationSession,
        user: &str,
        token: &str,
    ) -> Result<DeleteUserToken<'a>, Error> {
        let attempted = attempted(Action::IamPersonalTokenDelete, ResourceKind::PersonalToken, Permission::Update);
        let permit = self.may::<OrganisationMember>(session, attempted, user).await?;
        self.check_owner(&permit).await?;
        Ok(DeleteUserToken { permit, token: token.parse().ok() })
    }
}

impl DeleteUserToken<'_> {
    /// Deletes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`] for a user who is no member, and for a token that isn't theirs or isn't bound to the organisation; and
    /// those of the store.
    pub async fn run(self) -> Result<(), Error> {
        let engine = self.permit.engine;
        let deletion = Deletion { permit: &self.permit, token: self.token, tokens: TakenAway::default() };
        let outcome = engine.amend(self.permit.session, &deletion).await;
        deletion.tokens.forget(engine);
        outcome
    }
}

struct Deletion<'a> {
    permit: &'a Permit<'a>,
    token: Option<CredentialId>,
    tokens: TakenAway,
}

#[async_trait]
impl DirectoryChange for Deletion<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<OrganisationMember>(attempted, None)?;
        if !scene.is_by_owner() {
            return Err(owners_only());
        }
        let organisation = scene.organisation.id;
        let user = scene.engine.member_of(organisation, &self.permit.name).await?.user;
        let tokens = scene.engine.bound_tokens(organisation, user).await?;
        let token = tokens.into_iter().find(|token| Some(token.id) == self.token).ok_or_else(|| {
            let message =
                "The user has no such personal access token that is bound to this organisation; check its identity.";
            Error::new(Code::ObjectNotFound, message)
        })?;
        let id = token.id;
        let changes: Vec<Change> = self.tokens.delete(vec![token]);
        Ok(Amended {
            changes,
            resource: attempted.object(format!("{user}/{id}"), id.uuid()),
            access: None,
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
