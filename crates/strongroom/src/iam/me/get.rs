use super::{IdentitySession, OrganisationMembership, Who};
use crate::audit;
use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::directory::{ServiceAccount, User};
use strongroom_domain::id::CredentialId;
use strongroom_domain::principal::{CredentialScopes, Principal};

/// Who calls, with what, and where they can act.
#[derive(Clone, Debug)]
pub struct Me {
    /// Who acts.
    pub principal: Principal,
    /// What the directory knows of them.
    pub who: Option<Who>,
    /// What they authenticated with.
    pub credential: CredentialId,
    /// What it allows.
    pub scopes: CredentialScopes,
    /// Where they can act.
    pub memberships: Vec<OrganisationMembership>,
}

impl Engine {
    /// Who calls.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn me(&self, session: &IdentitySession) -> Result<Me, Error> {
        let principal = session.caller().principal;
        let kind = match principal {
            Principal::ServiceAccount(_) => ResourceKind::ServiceAccount,
            Principal::User(_) | Principal::Operator(_) => ResourceKind::User,
        };
        let resource = audit::listing(kind, &principal.to_string());
        session.told(self, Action::IamUserRead, resource, self.who_is(session).await).await
    }

    async fn who_is(&self, session: &IdentitySession) -> Result<Me, Error> {
        let caller = session.caller();
        let who = match caller.principal {
            Principal::User(id) => self.object_by_id::<User>(None, id.uuid()).await?.map(Who::from),
            Principal::ServiceAccount(id) => {
                self.object_by_id::<ServiceAccount>(session.call.only_organisation(), id.uuid()).await?.map(Who::from)
            }
            Principal::Operator(_) => None,
        };
        Ok(Me {
            principal: caller.principal,
            who,
            credential: caller.credential,
            scopes: caller.scopes,
            memberships: self.memberships_of(session).await?,
        })
    }
}
