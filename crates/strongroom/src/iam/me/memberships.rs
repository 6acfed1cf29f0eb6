use super::IdentitySession;
use crate::audit;
use crate::engine::Engine;
use crate::error::Error;
use std::sync::Arc;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::{MemberRole, ServiceAccount, User};
use strongroom_domain::id::{OrganisationId, ServiceAccountId, UserId};
use strongroom_domain::principal::{Principal, Reach};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;

/// Who a caller is, as far as the directory knows.
#[derive(Clone, Debug)]
pub struct Who {
    /// The identity.
    pub identity: String,
    /// The name; empty when there is none.
    pub name: String,
    /// The address; empty when there is none.
    pub email: String,
    /// When they became known.
    pub created_at: Timestamp,
}

/// A place where the caller can act.
#[derive(Clone, Debug)]
pub struct OrganisationMembership {
    /// Of a user the membership; a service account has none, and gives its own identity.
    pub identity: String,
    /// When it began.
    pub created_at: Timestamp,
    /// Where.
    pub organisation: Arc<Organisation>,
    /// Who.
    pub who: Who,
    /// As what; a service account is a member.
    pub role: MemberRole,
}

impl From<User> for Who {
    fn from(user: User) -> Self {
        Self { identity: user.id.to_string(), name: user.name, email: user.email, created_at: user.created_at }
    }
}

impl From<ServiceAccount> for Who {
    fn from(account: ServiceAccount) -> Self {
        let named = account.named;
        Self { identity: account.id.to_string(), name: named.name, email: String::new(), created_at: named.created_at }
    }
}

impl Engine {
    /// Where the caller can act with the credential that they show, by when it began.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn my_memberships(&self, session: &IdentitySession) -> Result<Vec<OrganisationMembership>, Error> {
        let resource = audit::listing(ResourceKind::OrganisationMember, "");
        let found = self.memberships_of(session).await;
        session.told(self, Action::IamMemberList, resource, found).await
    }

    pub(super) async fn memberships_of(&self, session: &IdentitySession) -> Result<Vec<OrganisationMembership>, Error> {
        let caller = session.caller();
        match (caller.principal, &caller.reach) {
            (Principal::User(user), Reach::Memberships) => self.memberships_of_user(user, None).await,
            (Principal::User(user), Reach::Only(only)) => self.memberships_of_user(user, Some(*only)).await,
            (Principal::ServiceAccount(account), Reach::Only(only)) => {
                Ok(self.membership_of_account(account, *only).await?.into_iter().collect())
            }
            // Whoever embeds the engine knows itself where its callers act; the operator acts nowhere.
            _ => Ok(Vec::new()),
        }
    }

    async fn memberships_of_user(
        &self,
        user: UserId,
        only: Option<OrganisationId>,
    ) -> Result<Vec<OrganisationMembership>, Error> {
        let Some(user) = self.object_by_id::<User>(None, user.uuid()).await? else { return Ok(Vec::new()) };
        let mut memberships = Vec::new();
        for member in self.memberships(user.id).await? {
            if only.is_some_and(|only| only != member.organisation) {
                continue;
            }
            if let Some(organisation) = self.organisation(member.organisation).await? {
                memberships.push(OrganisationMembership {
                    identity: member.id.to_string(),
                    created_at: member.created_at,
                    organisation,
                    who: user.clone().into(),
                    role: member.role,
                });
            }
        }
        Ok(memberships)
    }

    async fn membership_of_account(
        &self,
        account: ServiceAccountId,
        organisation: OrganisationId,
    ) -> Result<Option<OrganisationMembership>, Error> {
        let account = self.object_by_id::<ServiceAccount>(Some(organisation), account.uuid()).await?;
        let (Some(account), Some(organisation)) = (account, self.organisation(organisation).await?) else {
            return Ok(None);
        };
        Ok(Some(OrganisationMembership {
            identity: account.id.to_string(),
            created_at: account.named.created_at,
            organisation,
            who: account.into(),
            role: MemberRole::Member,
        }))
    }
}
