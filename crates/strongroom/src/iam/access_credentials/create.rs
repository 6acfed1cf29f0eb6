use super::{attempted, check_expiry};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::iam::granted::by_credential;
use crate::iam::room::check_room;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use std::collections::BTreeMap;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{AccessCredential, BoundTo, Expiry, Scopes, ServiceAccount};
use strongroom_domain::id::CredentialId;
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::unit::Change;
use strongroom_domain::value::SecretBytes;

/// The most access credentials of a service account.
const MAX_CREDENTIALS: usize = 100;

/// Makes an access credential for a service account.
pub struct CreateAccessCredential<'a>(Permit<'a>);

/// An access credential to be made.
#[derive(Clone, Debug, Default)]
pub struct NewAccessCredential {
    /// Its name: at most 255 characters, none of them a control character; may be empty.
    pub name: String,
    /// What it is for: at most 1,024 characters; may be empty.
    pub description: String,
    /// What it allows; no more than the caller's own credential does.
    pub scopes: Scopes,
    /// The moment from which on it opens nothing, in the future; `None` for never.
    pub expires: Option<Expiry>,
}

/// An access credential with its secret, which can't be had again.
pub struct CreatedAccessCredential {
    /// The credential.
    pub credential: AccessCredential,
    /// The secret, of `A–Z a–z 0–9 _ -`.
    pub secret: SecretBytes,
}

impl Engine {
    /// Checks that the caller may make credentials for this service account.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn create_access_credential<'a>(
        &'a self,
        session: &'a OrganisationSession,
        account: &str,
    ) -> Result<CreateAccessCredential<'a>, Error> {
        self.may::<ServiceAccount>(session, attempted(Action::IamAccessCredentialCreate), account)
            .await
            .map(CreateAccessCredential)
    }
}

impl CreateAccessCredential<'_> {
    /// Makes it. The secret is given only once credential and audit record are durable.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), [`Code::InvalidRequest`](crate::Code::InvalidRequest),
    /// [`Code::Escalation`](crate::Code::Escalation) when the service account may do more than the caller,
    /// [`Code::NoCredentials`](crate::Code::NoCredentials), and those of the store.
    pub async fn run(self, new: NewAccessCredential) -> Result<CreatedAccessCredential, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewAccessCredential,
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = CreatedAccessCredential;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<CreatedAccessCredential>, Error> {
        let NewAccessCredential { name, description, scopes, expires } = &self.new;
        if !name.is_empty() {
            check_name(name)?;
        }
        Metadata::new(description.clone(), BTreeMap::new(), BTreeMap::new())?;
        check_expiry(expires.as_ref(), scene.at)?;
        let (account, rule) = scene.permitted::<ServiceAccount>(self.permit).await?;
        let known = scene.engine.parts_of::<AccessCredential>(scene.organisation.id, account.id.uuid()).await?.len();
        check_room(known, MAX_CREDENTIALS, "The service account", "access credentials")?;
        scene.check_minted(scopes, expires.as_ref())?;
        scene.check_gain(&scene.rules_of(&[BoundTo::ServiceAccount(account.id)]).await?)?;
        let key = scene.engine.credentials()?.maker.access_key()?;
        let credential = AccessCredential {
            id: CredentialId::new(scene.new_id()),
            organisation: scene.organisation.id,
            service_account: account.id,
            name: name.clone(),
            description: description.clone(),
            access_key: key.access_key,
            digest: key.digest,
            digest_key_version: key.digest_key_version,
            scopes: scopes.clone(),
            expires: expires.clone(),
            created_at: scene.at,
        };
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(credential.clone().into()))],
            resource: self.permit.attempted.object(credential.id.to_string(), credential.id.uuid()),
            access: Some(by_credential(&credential)),
            rule: Some(rule),
            status: 201,
            answer: CreatedAccessCredential { credential, secret: key.secret },
        })
    }
}
