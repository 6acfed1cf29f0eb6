use super::Granted;
use super::expected::check_expected;
use crate::answers::{Begun, Idempotency, Outcome, Running};
use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::envelope::{Binding, ValueInput};
use crate::error::{Error, busy};
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::Key;
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::PolicyOperation;
use strongroom_domain::port::{CommitErrorKind, Freshness, SealedRead, SealedVersionState};
use strongroom_domain::secret::{Secret, SecretState};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};
use strongroom_domain::value::SecretValue;
use strongroom_domain::version::VersionNumber;

/// A new version.
pub struct PutInput {
    /// Its value.
    pub value: ValueInput,
    /// Put only when this is the current version; 0 for none active.
    pub expected: Option<u64>,
}

/// What a put made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutDone {
    /// Of which secret.
    pub path: SecretPath,
    /// The new version, now the current one.
    pub version: VersionNumber,
}

/// A secret that takes another version.
struct Prepared {
    secret: Arc<Secret>,
    /// As it is with that version.
    state: SecretState,
    /// The versions that go with it since no more are kept, with the state after each.
    pruned: Vec<(VersionNumber, SecretState)>,
    key: Arc<Key>,
}

/// A caller who may put versions at this path.
pub struct Put<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may put versions at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn put<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Put<'a>, Error> {
        self.grant(session, Action::SecretValueWrite, Permission::PutSecretValue, path).await.map(Put)
    }
}

impl Put<'_> {
    /// Puts a version. On return it is durable, with its audit records, and current; and the oldest active versions beyond what is kept
    /// of the secret are destroyed, each with a record of its own.
    ///
    /// # Errors
    /// [`Code::SecretNotFound`], [`Code::AccessPolicyDenied`], [`Code::KeyForbidden`], [`Code::KeyUnusable`],
    /// [`Code::VersionMismatch`], [`Code::TooManyVersions`], [`Code::ValueTooLarge`], the idempotency codes, [`Code::Busy`], and those
    /// of KMS and store; then nothing was stored, but for [`Code::OutcomeUnknown`].
    ///
    /// [`Code::AccessPolicyDenied`]: crate::Code::AccessPolicyDenied
    /// [`Code::Busy`]: crate::Code::Busy
    /// [`Code::KeyForbidden`]: crate::Code::KeyForbidden
    /// [`Code::KeyUnusable`]: crate::Code::KeyUnusable
    /// [`Code::OutcomeUnknown`]: crate::Code::OutcomeUnknown
    /// [`Code::SecretNotFound`]: crate::Code::SecretNotFound
    /// [`Code::TooManyVersions`]: crate::Code::TooManyVersions
    /// [`Code::ValueTooLarge`]: crate::Code::ValueTooLarge
    /// [`Code::VersionMismatch`]: crate::Code::VersionMismatch
    pub async fn run(
        self,
        input: PutInput,
        idempotency: Option<Idempotency<'_, PutDone>>,
    ) -> Result<Outcome<PutDone>, Error> {
        let outcome = self.attempts(input, idempotency.as_ref()).await;
        if !matches!(outcome, Ok(Outcome::Done(_))) {
            self.0.engine.cache.forget_secret(&self.0.session.scope, &self.0.path);
        }
        let outcome = self.0.recorded(outcome).await?;
        if let Outcome::Repeated(_) = &outcome {
            self.0.log_success(None, 201).await?;
        }
        Ok(outcome)
    }

    async fn attempts(
        &self,
        input: PutInput,
        idempotency: Option<&Idempotency<'_, PutDone>>,
    ) -> Result<Outcome<PutDone>, Error> {
        let Granted { engine, session, path, .. } = &self.0;
        let value = engine.value(input.value)?;
        let running = match engine.begin(session, idempotency).await? {
            Some(Begun::Answered(answer)) => return Ok(Outcome::Repeated(answer)),
            Some(Begun::Running(running)) => Some(running),
            None => None,
        };
        let _turn = engine.queue((&session.scope, path)).await;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                engine.back_off(attempt).await?;
                if let Some(running) = &running
                    && let Some(answer) = engine.answered(running).await?
                {
                    return Ok(Outcome::Repeated(answer));
                }
            }
            let freshness = if attempt == 0 { Freshness::Hint } else { Freshness::Latest };
            if let Some(done) = self.attempt(&value, input.expected, running.as_ref(), freshness).await? {
                return Ok(Outcome::Done(done));
            }
        }
        Err(busy())
    }

    /// `None` when another change came first.
    async fn attempt(
        &self,
        value: &SecretValue,
        expected: Option<u64>,
        running: Option<&Running<'_, PutDone>>,
        freshness: Freshness,
    ) -> Result<Option<PutDone>, Error> {
        let Granted { engine, session, path, action, rule } = &self.0;
        let at = self.0.now();
        let known = match freshness {
            Freshness::Hint => engine.cache.known_secret(&session.scope, path),
            Freshness::Latest => None,
        };
        // What a cache said is good for a yes, which the commit checks; a no comes from the store.
        let prepared = match known {
            Some(secret) => self.prepare(secret, at, expected, freshness).await.ok(),
            None => None,
        };
        let Prepared { secret, state: appended, pruned, key } = match prepared {
            Some(prepared) => prepared,
            None => self.prepare(Arc::new(self.0.find().await?), at, expected, freshness).await?,
        };
        let (number, state) = (appended.head.latest, pruned.last().map_or(appended, |(_, state)| *state));
        let binding = Binding { secret: secret.id, path, number, key: &key };
        let version = self.0.seal(binding, value, at).await?;

        let done = PutDone { path: path.clone(), version: number };
        let read = SealedRead {
            secret: Arc::new(Secret { state, ..Secret::clone(&secret) }),
            version: SealedVersionState::Active(Arc::new(version.clone())),
        };
        let recorder = self.0.recorder();
        let key_resource = audit::key(key.spec.id, Some(version.wrapped.key_version));
        let mut unit = Unit {
            expect: vec![
                Expect::Revision(AggregateId::Secret(secret.id), secret.state.revision),
                Expect::KeyVersion(key.spec.id, version.wrapped.key_version),
            ],
            records: vec![
                recorder.success(at, *action, audit::secret(path, Some(secret.id), Some(number)), Some(*rule), 201),
                recorder.success(at, Action::KmsEncrypt, key_resource, None, 201),
            ],
            changes: vec![Change::AppendVersion { secret: secret.id, version, state: appended }],
        };
        for (number, state) in pruned {
            let resource = audit::secret(path, Some(secret.id), Some(number));
            unit.records.push(recorder.success(at, Action::SecretVersionDestroy, resource, Some(*rule), 201));
            unit.changes.push(Change::EraseVersion { secret: secret.id, version: number, at, state });
        }
        if let Some(running) = running {
            running.remember(engine, &mut unit, &done, secret.id, number);
        }
        match engine.ports.committer.commit(unit).await {
            Ok(()) => {
                engine.cache.replace_secret(&session.scope, path, read);
                Ok(Some(done))
            }
            Err(error) => match error.kind() {
                CommitErrorKind::Conflict(Expect::KeyVersion(id, _)) => {
                    // The version was retired meanwhile, or the key purged.
                    engine.cache.forget_key(*id);
                    Ok(None)
                }
                CommitErrorKind::Conflict(_) => Ok(None),
                _ => Err(error.into()),
            },
        }
    }

    /// Decides whether this secret, as it was read, takes another version.
    async fn prepare(
        &self,
        secret: Arc<Secret>,
        at: Timestamp,
        expected: Option<u64>,
        freshness: Freshness,
    ) -> Result<Prepared, Error> {
        let engine = self.0.engine;
        let limits = engine.limits.versions_of(&secret);
        let state = secret.state.appended(at, limits)?;
        self.0.check_policy(&secret, PolicyOperation::Put, at)?;
        let key = match self.0.usable_key(&secret, Permission::Encrypt, freshness).await {
            Ok(key) => key,
            Err(_) if freshness == Freshness::Hint => {
                self.0.usable_key(&secret, Permission::Encrypt, Freshness::Latest).await?
            }
            Err(error) => return Err(error),
        };
        check_expected(&secret, expected, "nothing was stored")?;
        // Should they be of another revision than the secret, the commit tells.
        let oldest = match limits.surplus(secret.state.head) {
            0 => Vec::new(),
            surplus => engine.ports.secrets.oldest_active(secret.id, surplus).await?,
        };
        Ok(Prepared { pruned: state.pruned(oldest, at), secret, state, key })
    }
}
