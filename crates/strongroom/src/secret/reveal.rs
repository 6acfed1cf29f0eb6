use super::etag::{Etag, Known};
use super::given::Given;
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
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretValue;
use strongroom_domain::version::{VersionNumber, VersionSelector};

/// A revealed value. It is recorded already.
pub struct Revealed {
    /// Of which secret.
    pub path: SecretPath,
    /// Which version.
    pub version: VersionNumber,
    /// Tells this value from others of the path.
    pub etag: Etag,
    /// The value.
    pub value: SecretValue,
    /// The KMS key that unwrapped its data key.
    pub key: KeyId,
    /// The version of that key.
    pub key_version: KeyVersionNumber,
}

/// A value that the caller has already. It was not decrypted; that it was asked for is queued for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchanged {
    /// Of which secret.
    pub path: SecretPath,
    /// Which version.
    pub version: VersionNumber,
    /// Tells this value from others of the path.
    pub etag: Etag,
}

/// What comes of asking for a value unless it is known.
pub enum Revealing {
    /// The value.
    Value(Revealed),
    /// It is known.
    Unchanged(Unchanged),
}

/// What is asked for.
struct Wanted<'a> {
    version: VersionSelector,
    known: &'a [Known],
    given: &'a Given,
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
        match self.run_unless(version, &[]).await? {
            Revealing::Value(revealed) => Ok(revealed),
            // Nothing is, to a caller who knows nothing.
            Revealing::Unchanged(_) => Err(busy()),
        }
    }

    /// As [`run`](Self::run), unless the version is one of those that the caller knows. Then it is decided just the same, by what the
    /// store says now, but neither the KMS is asked nor a value given, and one record is queued, of status 304.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub async fn run_unless(self, version: VersionSelector, known: &[Known]) -> Result<Revealing, Error> {
        self.run_among(version, known, &Given::default()).await
    }

    /// As [`run_unless`](Self::run_unless), as one of several values of an answer.
    pub(super) async fn run_among(
        self,
        version: VersionSelector,
        known: &[Known],
        given: &Given,
    ) -> Result<Revealing, Error> {
        let outcome = self.attempts(&Wanted { version, known, given }).await;
        self.0.recorded(outcome).await
    }

    async fn attempts(&self, wanted: &Wanted<'_>) -> Result<Revealing, Error> {
        // What a cache said is good for a yes, which the access log checks; a no comes from the store. So does whether a value is
        // known: no access log checks that, and a value that was cached before would cost a key.
        if wanted.known.is_empty() {
            match self.attempt(wanted, Freshness::Hint).await {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(error) if is_final(&error) => return Err(error),
                Err(_) => {}
            }
        }
        if let Some(done) = self.attempt(wanted, Freshness::Latest).await? {
            return Ok(done);
        }
        // Others keep changing the secret: from here on the changes of this process wait.
        let _turn = self.0.engine.queue((&self.0.session.scope, &self.0.path)).await;
        for attempt in 2..MAX_TRIES {
            if let Some(done) = self.attempt(wanted, Freshness::Latest).await? {
                return Ok(done);
            }
            self.0.engine.back_off(attempt).await?;
        }
        Err(busy())
    }

    /// `None` when the secret was changed between reading and recording.
    async fn attempt(&self, wanted: &Wanted<'_>, freshness: Freshness) -> Result<Option<Revealing>, Error> {
        let Granted { engine, session, path, .. } = &self.0;
        let at = self.0.now();
        let read = engine.cache.sealed(&session.scope, path, wanted.version, freshness).await?.ok_or_else(not_found)?;
        let secret = &read.secret;
        let sealed = match (&read.version, wanted.version) {
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
        let etag = Etag::of(secret.id, sealed);
        if wanted.known.iter().any(|known| known.is(etag)) {
            return self.unchanged(secret, etag, at).await.map(Some);
        }
        let room = wanted.given.room(sealed.payload.len())?;
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
            Ok(()) => {
                room.keep();
                Ok(Some(Revealing::Value(Revealed {
                    path: path.clone(),
                    version: sealed.number,
                    etag,
                    value,
                    key: key.spec.id,
                    key_version: sealed.wrapped.key_version,
                })))
            }
            Err(error) if *error.kind() == AccessErrorKind::Stale => {
                engine.cache.forget_secret(&session.scope, path);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn unchanged(&self, secret: &Secret, etag: Etag, at: Timestamp) -> Result<Revealing, Error> {
        let Granted { path, action, rule, .. } = &self.0;
        let (version, recorder) = (etag.version(), self.0.recorder());
        let resource = audit::secret(path, Some(secret.id), Some(version));
        recorder.log(recorder.success(at, *action, resource, Some(*rule), 304)).await?;
        Ok(Revealing::Unchanged(Unchanged { path: path.clone(), version, etag }))
    }

    fn records(
        &self,
        secret: &Secret,
        key: &Key,
        sealed: &SealedVersion,
        at: Timestamp,
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
    let code = error.code();
    code.status() >= 500 && code != Code::Internal
}
