//! Use cases of secrets: one file each.

mod browse;
mod change;
mod create;
mod delete;
mod describe;
mod destroy;
mod etag;
mod expected;
mod given;
mod list;
mod patch;
mod policy;
mod put;
mod readable;
mod reveal;
mod reveal_many;
mod view;

pub use browse::{Browse, BrowseView};
pub use create::{Create, CreateInput};
pub use delete::Delete;
pub use describe::{Describe, VersionPage};
pub use destroy::Destroy;
pub use etag::{Etag, Known};
pub use given::MAX_GIVEN_LEN;
pub use list::List;
pub(crate) use patch::MAXIMUM_WANTS_DELETE;
pub use patch::{EntriesPatch, MetadataPatch, Patch, SecretPatch};
pub use policy::SetPolicy;
pub use put::{Put, PutDone, PutInput};
pub use reveal::{Reveal, Revealed, Revealing, Unchanged};
pub use reveal_many::{Item, MAX_REVEALED_AT_ONCE, RevealBelow, RevealMany};
pub use view::{Page, SecretView};

use crate::audit::{self, Recorder};
use crate::engine::Engine;
use crate::envelope::Binding;
use crate::error::{Code, Error};
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::{Grants, Permission};
use strongroom_domain::id::{RuleId, SecretId};
use strongroom_domain::kms::{Key, KeyVersionNumber};
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::{PolicyDecision, PolicyOperation, PolicyRequest};
use strongroom_domain::port::Freshness;
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretValue;
use strongroom_domain::version::VersionNumber;

/// A caller who may do this, here: what the first step of every use case gives the second.
pub(crate) struct Granted<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a Session,
    pub(crate) path: SecretPath,
    pub(crate) action: Action,
    pub(crate) rule: RuleId,
}

/// The refusal of a path: one text, whether a secret lives there or not.
pub(crate) fn forbidden(permission: Permission) -> Error {
    Error::new(
        Code::Forbidden,
        format!(
            "You are not allowed `{permission}` on this path; ask for a rule on resource type `secret` that grants it."
        ),
    )
}

impl Engine {
    pub(crate) async fn grant<'a>(
        &'a self,
        session: &'a Session,
        action: Action,
        permission: Permission,
        path: SecretPath,
    ) -> Result<Granted<'a>, Error> {
        if let Some(rule) = self.allowed(session, |grants| grants.on_secret(permission, &path)).await? {
            return Ok(Granted { engine: self, session, path, action, rule });
        }
        let error = forbidden(permission);
        let resource = audit::secret(&path, None, None);
        let recorder = session.recorder(self);
        let record = recorder.failure(self.ports.clock.now(), action, resource, &error);
        Err(recorder.log_failure(record, error).await)
    }
}

impl Granted<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.engine.ports.clock.now()
    }

    pub(crate) fn recorder(&self) -> Recorder<'_> {
        self.session.recorder(self.engine)
    }

    /// Gives the outcome on, after a record of a failure.
    pub(crate) async fn recorded<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        match outcome {
            Ok(done) => Ok(done),
            Err(error) => {
                let resource = audit::secret(&self.path, None, None);
                let recorder = self.recorder();
                let record = recorder.failure(self.now(), self.action, resource, &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    /// Gives what the key did on, after a record of its failure.
    pub(crate) async fn kms_recorded<T>(
        &self,
        action: Action,
        key: &Key,
        version: Option<KeyVersionNumber>,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        match outcome {
            Ok(done) => Ok(done),
            Err(error) => {
                let resource = audit::key(key.spec.id, version);
                let recorder = self.recorder();
                let record = recorder.failure(self.now(), action, resource, &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    /// Encrypts a value for a version to be stored. A failure leaves a record of the key too.
    pub(crate) async fn seal(
        &self,
        binding: Binding<'_>,
        value: &SecretValue,
        at: Timestamp,
    ) -> Result<SealedVersion, Error> {
        let key = binding.key;
        let sealed = self.engine.seal(self.session, binding, value, at).await;
        self.kms_recorded(Action::KmsEncrypt, key, key.latest().map(|version| version.number), sealed).await
    }

    /// Queues the record of a success that gave no value.
    pub(crate) async fn log_success(&self, id: Option<SecretId>, status: u16) -> Result<(), Error> {
        let resource = audit::secret(&self.path, id, None);
        let recorder = self.recorder();
        recorder.log(recorder.success(self.now(), self.action, resource, Some(self.rule), status)).await
    }

    /// The secret, as the store has it now.
    pub(crate) async fn find(&self) -> Result<Secret, Error> {
        self.engine.ports.secrets.find(&self.session.scope, &self.path).await?.ok_or_else(not_found)
    }

    /// Whether the secret's access policy lets this caller do it now.
    pub(crate) fn check_policy(&self, secret: &Secret, operation: PolicyOperation, at: Timestamp) -> Result<(), Error> {
        let Some(policy) = &secret.policy else { return Ok(()) };
        let request = PolicyRequest {
            operation,
            at,
            client: self.session.inner.call.request.client,
            subject: &self.session.inner.access.subject,
        };
        match policy.decide(&request) {
            PolicyDecision::Allowed { .. } => Ok(()),
            PolicyDecision::Denied { by } => Err(Error::new(
                Code::AccessPolicyDenied,
                format!(
                    "The access policy of this secret forbids it from here, now, or for you ({by}); whoever may update the policy can change it."
                ),
            )
            .decided_by(format!("accessPolicy {by}"))),
        }
    }

    /// The secret's key, when this caller may use it and it is fit for use.
    pub(crate) async fn usable_key(
        &self,
        secret: &Secret,
        permission: Permission,
        freshness: Freshness,
    ) -> Result<Arc<Key>, Error> {
        let unusable =
            |what: &str| Error::new(Code::KeyUnusable, format!("The KMS key {} of this secret {what}", secret.key));
        let key = self.engine.cache.key(secret.key, freshness).await?;
        let Some(key) = key.filter(|key| !key.is_purged(self.now())) else {
            return Err(unusable(
                "was deleted; its values can no longer be opened. Delete the secret, or create it anew under another key.",
            ));
        };
        let may_use = |grants: &Grants| grants.on_key(&[permission, Permission::Update], key.spec.id, &key.slug);
        if self.engine.limits.check_key_permission && self.engine.allowed(self.session, may_use).await?.is_none() {
            return Err(Error::new(
                Code::KeyForbidden,
                format!(
                    "You also need `{permission}` on the secret's KMS key {}, which no rule of yours grants; ask an administrator for it.",
                    secret.key
                ),
            ));
        }
        match key.check_usable() {
            Ok(()) => Ok(key),
            Err(error) => Err(unusable(&format!("cannot be used: {error}.")).because(error)),
        }
    }
}

pub(crate) fn not_found() -> Error {
    Error::new(
        Code::SecretNotFound,
        "There is no secret at this path in this region and scope; check the path, the region, the organisation and the project.",
    )
}

pub(crate) fn version_not_found(number: VersionNumber) -> Error {
    Error::new(
        Code::VersionNotFound,
        format!("This secret has no version {number}; `GET` on the secret lists its versions."),
    )
}
