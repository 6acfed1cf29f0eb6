use super::{Granted, SecretView};
use crate::answers::{Begun, Idempotency, Outcome, Running};
use crate::audit;
use crate::engine::{Engine, MAX_TRIES, check_max_active_versions};
use crate::envelope::{Binding, ValueInput};
use crate::error::{Code, Error, busy};
use crate::iam::granted::by_policy;
use crate::session::Session;
use core::num::NonZeroU32;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::{Grants, Permission};
use strongroom_domain::id::SecretId;
use strongroom_domain::kms::Key;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::path::SecretPath;
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::port::{CommitErrorKind, Freshness};
use strongroom_domain::secret::{Secret, SecretState};
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};
use strongroom_domain::value::{SecretBytes, SecretValue};
use strongroom_domain::version::VersionNumber;

/// A new secret.
pub struct CreateInput {
    /// The identity of the KMS key to bind it to, for good.
    pub key: String,
    /// Description, labels, annotations.
    pub metadata: Metadata,
    /// Further conditions on reveal and put.
    pub policy: Option<AccessPolicy>,
    /// How many active versions are kept, 1 to 100,000: a put that leaves more destroys the oldest. `None` for all. It may be more than the
    /// operator allows, and then says nothing.
    pub max_active_versions: Option<u32>,
    /// The value of its first version.
    pub value: ValueInput,
}

impl CreateInput {
    /// A single value under this key, with nothing else said of it.
    #[must_use]
    pub fn string(key: &Key, value: SecretBytes) -> Self {
        Self {
            key: key.spec.id.to_string(),
            metadata: Metadata::default(),
            policy: None,
            max_active_versions: None,
            value: ValueInput::Value(SecretValue::String(value)),
        }
    }
}

/// What is said of a new secret.
#[derive(Clone)]
struct Said {
    metadata: Metadata,
    policy: Option<AccessPolicy>,
    max_active_versions: Option<NonZeroU32>,
}

/// A caller who may create a secret at this path.
pub struct Create<'a>(Granted<'a>);

impl Engine {
    /// Checks that the caller may create a secret at this path.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub async fn create<'a>(&'a self, session: &'a Session, path: SecretPath) -> Result<Create<'a>, Error> {
        self.grant(session, Action::SecretCreate, Permission::Create, path).await.map(Create)
    }
}

impl Create<'_> {
    /// Creates the secret with its first version. On return it is durable, with its audit records.
    ///
    /// # Errors
    /// [`Code::SecretExists`], [`Code::KeyNotFound`], [`Code::KeyUnusable`], [`Code::ValueTooLarge`], [`Code::InvalidRequest`], the idempotency codes, and those
    /// of KMS and store; then nothing was stored, but for [`Code::OutcomeUnknown`].
    pub async fn run(
        self,
        input: CreateInput,
        idempotency: Option<Idempotency<'_, SecretView>>,
    ) -> Result<Outcome<SecretView>, Error> {
        let outcome = self.attempt(input, idempotency.as_ref()).await;
        let outcome = self.0.recorded(outcome).await?;
        if let Outcome::Repeated(_) = &outcome {
            self.0.log_success(None, 201).await?;
        }
        Ok(outcome)
    }

    async fn attempt(
        &self,
        input: CreateInput,
        idempotency: Option<&Idempotency<'_, SecretView>>,
    ) -> Result<Outcome<SecretView>, Error> {
        let Granted { engine, session, path, .. } = &self.0;
        let max_active_versions = input.max_active_versions.map(check_max_active_versions).transpose()?;
        let value = engine.value(input.value)?;
        let running = match engine.begin(session, idempotency).await? {
            Some(Begun::Answered(answer)) => return Ok(Outcome::Repeated(answer)),
            Some(Begun::Running(running)) => Some(running),
            None => None,
        };
        if engine.ports.secrets.find(&session.scope, path).await?.is_some() {
            return Err(exists());
        }
        let CreateInput { key: name, metadata, policy, .. } = input;
        let said = Said { metadata, policy, max_active_versions };
        let mut key = self.bindable_key(&name).await?;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                engine.back_off(attempt).await?;
                engine.cache.forget_key(key.spec.id);
                key = self.bindable_key(&name).await?;
            }
            if let Some(outcome) = self.store(said.clone(), &value, &key, running.as_ref()).await? {
                return Ok(outcome);
            }
        }
        Err(busy())
    }

    /// The key to bind to; unknown ones and ones that the caller may not use are told alike.
    async fn bindable_key(&self, name: &str) -> Result<Arc<Key>, Error> {
        let Granted { engine, session, .. } = &self.0;
        let not_found = || {
            Error::new(
                Code::KeyNotFound,
                "`kmsKeyIdentity` names no KMS key of this region and scope that you may encrypt with. It wants the key's identity (kms-…), not its name or slug.",
            )
        };
        let id = name.parse().map_err(|_| not_found())?;
        for freshness in [Freshness::Hint, Freshness::Latest] {
            let key = engine.cache.key(id, freshness).await?;
            let Some(key) = key.filter(|key| !key.is_purged(self.0.now())) else { continue };
            let may_encrypt =
                |grants: &Grants| grants.on_key(&[Permission::Encrypt, Permission::Update], id, &key.slug);
            let permitted =
                !engine.limits.check_key_permission || engine.allowed(session, may_encrypt).await?.is_some();
            if !session.scope.may_use_key_of(&key.spec.scope) {
                return Err(not_found());
            }
            if !permitted {
                return Err(not_found().denied_by("no rule on the key"));
            }
            if !key.spec.key_type.wraps_data_keys() {
                return Err(Error::new(
                    Code::KeyUnusable,
                    format!(
                        "Keys of type {} cannot wrap data keys; bind the secret to a symmetric key.",
                        key.spec.key_type
                    ),
                ));
            }
            match key.check_usable() {
                Ok(()) => return Ok(key),
                Err(_) if freshness == Freshness::Hint => {}
                Err(error) => {
                    let message = format!("The KMS key {id} cannot be used: {error}.");
                    return Err(Error::new(Code::KeyUnusable, message).because(error));
                }
            }
        }
        Err(not_found())
    }

    /// `None` when the key version was retired meanwhile, or the key purged.
    async fn store(
        &self,
        said: Said,
        value: &SecretValue,
        key: &Key,
        running: Option<&Running<'_, SecretView>>,
    ) -> Result<Option<Outcome<SecretView>>, Error> {
        let Granted { engine, session, path, action, rule } = &self.0;
        let at = self.0.now();
        let id = SecretId::new(engine.ports.ids.next());
        let binding = Binding { secret: id, path, number: VersionNumber::FIRST, key };
        let version = self.0.seal(binding, value, at).await?;
        let secret = Secret {
            id,
            scope: session.scope,
            path: path.clone(),
            key: key.spec.id,
            metadata: said.metadata,
            policy: said.policy,
            max_active_versions: said.max_active_versions,
            created_at: at,
            last_accessed_at: None,
            state: SecretState::first(at),
        };
        let view = SecretView {
            secret: secret.clone(),
            key: Some(key.summary()),
            region: Arc::clone(&session.region),
            versions: None,
            next_version: None,
        };
        let recorder = self.0.recorder();
        let key_resource = audit::key(key.spec.id, Some(version.wrapped.key_version));
        let made = recorder.success(at, *action, audit::secret(path, Some(id), Some(version.number)), Some(*rule), 201);
        let access = secret.policy.is_some().then(|| by_policy(true));
        let mut unit = Unit {
            expect: vec![
                Expect::Absent(UniqueKey::SecretPath(session.scope, path.clone())),
                Expect::KeyVersion(key.spec.id, version.wrapped.key_version),
            ],
            records: vec![
                audit::with_access(made, access),
                recorder.success(at, Action::KmsEncrypt, key_resource, None, 201),
            ],
            changes: vec![Change::InsertSecret { secret, version }],
        };
        if let Some(running) = running {
            running.remember(engine, &mut unit, &view, id, VersionNumber::FIRST);
        }
        let Err(error) = engine.commit_within(session, unit).await? else { return Ok(Some(Outcome::Done(view))) };
        match (error.kind(), running) {
            (CommitErrorKind::Conflict(Expect::KeyVersion(..)), _) => Ok(None),
            // Another node may have been faster with the same request.
            (CommitErrorKind::Conflict(_), Some(running)) => {
                let answer = engine.answered(running).await?.ok_or_else(exists)?;
                Ok(Some(Outcome::Repeated(answer)))
            }
            (CommitErrorKind::Conflict(_), None) => Err(exists()),
            _ => Err(error.into()),
        }
    }
}

fn exists() -> Error {
    Error::new(
        Code::SecretExists,
        "A secret lives at this path already, and was left as it is. Put a new version instead (POST …/versions), or delete it first.",
    )
}
