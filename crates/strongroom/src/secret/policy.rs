use super::change::{SecretChange, Wanted};
use super::{Granted, SecretView};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::granted::by_policy;
use crate::session::Session;
use async_trait::async_trait;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// A caller who may set the access policy at this path.
pub struct SetPolicy<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may set the access policy at this path. The policy in force doesn't gate this, so that nobody is
    /// locked out for good.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn set_policy<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<SetPolicy<'a>, Error> {
        self.grant(session, Action::SecretPolicyUpdate, Permission::Update, path).await.map(SetPolicy)
    }
}

/// The policy that a secret is to have.
struct Wish(Option<AccessPolicy>);

#[async_trait]
impl SecretChange for Wish {
    type Answer = SecretView;

    async fn decide(
        &self,
        granted: &Granted<'_>,
        mut secret: Secret,
        at: Timestamp,
    ) -> Result<Wanted<SecretView>, Error> {
        secret.policy.clone_from(&self.0);
        secret.state = secret.state.touched(at);
        let change = Change::ReplacePolicy { secret: secret.id, policy: self.0.clone(), state: secret.state };
        let access = by_policy(self.0.is_some());
        let answer = granted.engine.view(granted.session, secret).await?;
        Ok(Wanted { change: Some(change), version: None, access: Some(access), status: 200, answer })
    }
}

impl SetPolicy<'_> {
    /// Sets the policy, or clears it with `None`, and gives the secret as it is then.
    ///
    /// # Errors
    /// [`Code::SecretNotFound`](crate::Code::SecretNotFound), and those of the store.
    pub async fn run(self, policy: Option<AccessPolicy>) -> Result<SecretView, Error> {
        self.0.change(&Wish(policy)).await
    }
}
