use super::{Granted, not_found, version_not_found};
use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Code, Error, busy};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{Key, KeyVersionNumber};
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::PolicyOperation;
use strongroom_domain::port::{Access, AccessErrorKind, Freshness, SealedVersionState};
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::value::SecretValue;
use strongroom_domain::version::{VersionNumber, VersionSelector};

/// A revealed value. It is recorded already.
pub struct Revealed {
    /// Of which secret.
    pub path: SecretPath,
    /// Which version.
    pub version: VersionNumber,
    /// The value.
    pub value: SecretValue,
    /// The KMS key that unwrapped its data key.
    pub key: KeyId,
    /// The version of that key.
    pub key_version: KeyVersionNumber,
}

/// A caller who may reveal values at this path.
pub struct Reveal<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may reveal values at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn reveal<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Reveal<'a>, Error> {
        self.grant(session, Action::SecretValueRead, Permission::GetSecretValue, path).await.map(Reveal)
    }
}

impl Reveal<'_> {
    /// Decrypts a version and records the access; the value is given only when both records are durable and the version was still
    /// there at that moment.
    ///
    /// # Errors
    /// [`Code::SecretNotFound`], [`Code::VersionNotFound`], [`Code::VersionDestroyed`], [`Code::NoActiveVersion`],
    /// [`Code::AccessPolicyDenied`], [`Code::KeyForbidden`], [`Code::KeyUnusable`], and those of KMS and store.
    pub async fn run(self, version: VersionSelector) -> Result<Revealed, Error> {
        let outcome = self.attempts(version).await;
        self.0.recorded(outcome).await
    }

    async fn attempts(&self, version: VersionSelector) -> Result<Revealed, Error> {
        // What a cache said is good for a yes, which the access log checks; a no comes from the store.
        match self.attempt(version, Freshness::Hint).await {
            Ok(Some(revealed)) => return Ok(revealed),
            Ok(None) => {}
            Err(error) if is_final(&error) => return Err(error),
            Err(_) => {}
        }
        if let Some(revealed) = self.attempt(version, Freshness::Latest).await? {
            return Ok(revealed);
        }
        // Others keep changing the secret: from here on the changes of this process wait.
        let _turn = self.0.engine.queue((&self.0.session.scope, &self.0.path)).await;
        for attempt in 2..MAX_TRIES {
            if let Some(revealed) = self.attempt(version, Freshness::Latest).await? {
                return Ok(revealed);
            }
            self.0.engine.back_off(attempt).await?;
        }
        Err(busy())
    }

    /// `None` when the secret was changed between reading and recording.
    async fn attempt(&self, selector: VersionSelector, freshness: Freshness) -> Result<Option<Revealed>, Error> {
        let Granted { engine, session, path, .. } = &self.0;
        let at = self.0.now();
        let read = engine.cache.sealed(&session.scope, path, selector, freshness).await?.ok_or_else(not_found)?;
        let secret = &read.secret;
        let sealed = match (&read.version, selector) {
            (SealedVersionState::Active(version), _) => version,
            (SealedVersionState::Destroyed, _) => {
                return Err(Error::new(
                    Code::VersionDestroyed,
                    "This version was destroyed; its value is gone for good. Leave the version out for the current one.",
                ));
            }
            (SealedVersionState::Missing, VersionSelector::Number(number)) => return Err(version_not_found(number)),
            (SealedVersionState::Missing, VersionSelector::Current) => {
                return Err(Error::new(
                    Code::NoActiveVersion,
                    "Every version of this secret is destroyed; put a new one.",
                ));
            }
        };
        self.0.check_policy(secret, PolicyOperation::Reveal, at)?;
        let key = self.0.usable_key(secret, Permission::Decrypt, freshness).await?;
        let opened = engine.open(session, secret, &key, sealed).await;
        let value = match opened {
            // It will be tried again.
            Err(error) if freshness == Freshness::Hint && !is_final(&error) => return Err(error),
            opened => {
                let version = Some(sealed.wrapped.key_version);
                self.0.kms_recorded(Action::KmsDecrypt, &key, version, opened).await?
            }
        };
        let access = Access {
            secret: secret.id,
            version: sealed.number,
            seen: secret.state.revision,
            at,
            records: self.records(secret, &key, sealed, at),
        };
        match engine.ports.access_log.record(access).await {
            Ok(()) => Ok(Some(Revealed {
                path: path.clone(),
                version: sealed.number,
                value,
                key: key.spec.id,
                key_version: sealed.wrapped.key_version,
            })),
            Err(error) if *error.kind() == AccessErrorKind::Stale => {
                engine.cache.forget_secret(&session.scope, path);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn records(
        &self,
        secret: &Secret,
        key: &Key,
        sealed: &SealedVersion,
        at: strongroom_domain::time::Timestamp,
    ) -> [strongroom_domain::audit::AuditRecord; 2] {
        let recorder = self.0.recorder();
        let resource = audit::secret(&self.0.path, Some(secret.id), Some(sealed.number));
        let key_resource = audit::key(key.spec.id, Some(sealed.wrapped.key_version));
        [
            recorder.success(at, self.0.action, resource, Some(self.0.rule), 200),
            recorder.success(at, Action::KmsDecrypt, key_resource, None, 200),
        ]
    }
}

/// Whether reading anew wouldn't help: something is out of reach.
fn is_final(error: &Error) -> bool {
    error.code().status() >= 500 && error.code() != Code::Internal
}
