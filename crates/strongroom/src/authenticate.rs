//! Who calls.

use crate::audit::Place;
use crate::directory::Whose;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::{Identified, Needs};
use std::sync::Arc;
use strongroom_domain::audit::{Action, RequestInfo, Resource, ResourceKind};
use strongroom_domain::directory::{DirectoryObject, User};
use strongroom_domain::id::{CredentialId, OrganisationId, UserId};
use strongroom_domain::port::{AuthenticateError, Authenticated, CommitErrorKind, Credential, Freshness, UserLogin};
use strongroom_domain::principal::{Caller, CredentialScopes, Principal, Reach};
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};

impl Engine {
    /// Tells who calls. A refusal is counted, and recorded at most once per second, source and cause.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] without a credential or with one that isn't valid, or whose owner is gone.
    pub async fn authenticate(
        &self,
        credential: Option<&Credential>,
        request: Arc<RequestInfo>,
    ) -> Result<Identified, Error> {
        match self.caller_of(credential, &request).await {
            Ok(caller) => Ok(Identified::new(caller, request)),
            Err(error) => {
                if error.code() == Code::Unauthenticated {
                    let cause = if credential.is_none() { "missing_credentials" } else { "invalid_credentials" };
                    self.record_refused_credential(cause, &request).await;
                }
                Err(error)
            }
        }
    }

    async fn caller_of(
        &self,
        credential: Option<&Credential>,
        request: &Arc<RequestInfo>,
    ) -> Result<Arc<Caller>, Error> {
        let Some(credential) = credential else { return Err(AuthenticateError::Refused.into()) };
        match self.ports.authenticator.authenticate(credential, self.ports.clock.now()).await? {
            Authenticated::Login(login) => self.user_of(login, request).await,
            Authenticated::Caller(caller) => match (caller.principal, &caller.reach) {
                (Principal::ServiceAccount(_), Reach::Only(organisation)) => {
                    self.workload(Arc::clone(&caller), *organisation).await
                }
                _ => Ok(caller),
            },
        }
    }

    /// A service account, as far as its credential goes at present: everything that is signed may have been taken back since.
    async fn workload(&self, caller: Arc<Caller>, organisation: OrganisationId) -> Result<Arc<Caller>, Error> {
        let whose = Whose::by(&caller, organisation);
        let refused = || Error::from(AuthenticateError::Refused);
        let (access, _) = self.access(whose).await?.ok_or_else(refused)?;
        if access.narrowed(caller.scopes) == caller.scopes {
            return Ok(caller);
        }
        // Less than the token says is never told out of a cache.
        self.cache.organisation(organisation, Freshness::Latest).await?;
        let (access, _) = self.access(whose).await?.ok_or_else(refused)?;
        Ok(Arc::new(Caller { scopes: access.narrowed(caller.scopes), ..Caller::clone(&caller) }))
    }

    /// The user who logged in elsewhere; at their first login they become known here, as a member of nothing.
    async fn user_of(&self, login: UserLogin, request: &Arc<RequestInfo>) -> Result<Arc<Caller>, Error> {
        let user = User {
            id: UserId::new(self.ports.ids.next()),
            login: Some(login.login),
            name: login.name,
            email: login.email,
            created_at: self.ports.clock.now(),
        };
        let handle = DirectoryObject::from(user.clone()).handle().into_owned();
        let known = self.object_by_handle::<User>(None, &handle).await?;
        Ok(logged_in(match known {
            Some(known) => known.id,
            None => self.welcome(user, &handle, request).await?,
        }))
    }

    async fn welcome(&self, user: User, handle: &str, request: &Arc<RequestInfo>) -> Result<UserId, Error> {
        let (id, at) = (user.id, user.created_at);
        // A call of its own: what the user calls for has yet to be recorded.
        let call = Identified::new(logged_in(id), Arc::clone(request));
        let resource =
            Resource { kind: ResourceKind::User, identity: id.to_string(), id: Some(id.uuid()), version: None };
        let recorder = call.recorder(self, None, Place::default());
        let records = vec![recorder.success(at, Action::IamUserCreate, resource, None, 201)];
        let unit = Unit { changes: vec![Change::PutObject(Box::new(user.into()))], records, ..Unit::default() };
        match self.ports.committer.commit(unit).await {
            Ok(()) => Ok(id),
            // Their other request was faster.
            Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(Expect::Absent(UniqueKey::Handle(..)))) => {
                let known = self.object_by_handle::<User>(None, handle).await?;
                known.map(|known| known.id).ok_or_else(|| error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the credential's scopes cover the operation.
    pub(crate) fn check_scope(&self, call: &Identified, needs: Needs) -> Result<(), Error> {
        let scopes = call.caller.scopes;
        let (allowed, scope) = match needs {
            Needs::Read => (scopes.read, "api:read"),
            Needs::Write => (scopes.write, "api:write"),
        };
        if allowed {
            return Ok(());
        }
        Err(Error::new(
            Code::InsufficientScope,
            format!("The credential lacks the scope `{scope}`; use one that was made with it."),
        ))
    }
}

/// A user who logged in elsewhere.
fn logged_in(id: UserId) -> Arc<Caller> {
    let credential = CredentialId::new(id.uuid());
    Arc::new(Caller::new(Principal::User(id), credential, CredentialScopes::ALL, Reach::Memberships))
}
