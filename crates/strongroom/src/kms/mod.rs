//! Use cases of KMS keys: one file each.

mod cancel_deletion;
mod create;
mod decrypt;
mod delete_key;
mod encrypt;
mod export;
mod get;
mod hmac;
mod import;
mod inventory;
mod list;
mod public_key;
mod retire;
mod rewrap;
mod rotate;
mod scheduled;
mod set_rotation;
mod sign;
mod summary;
mod switch;
mod verify;
mod verify_hmac;
mod wrapping_key;

pub use cancel_deletion::CancelDeletion;
pub use create::{CreateKey, CreateKeyInput};
pub use decrypt::{Decrypt, Decrypted};
pub use delete_key::{DeleteKey, DeletedKey};
pub use encrypt::{Encrypt, Encrypted};
pub(crate) use export::check_export;
pub use export::{Export, Exported};
pub use get::GetKey;
pub use hmac::Hmac;
pub use import::ImportInput;
pub use inventory::{Inventory, ReadInventory};
pub use list::ListKeys;
pub use public_key::ReadPublicKey;
pub use retire::Retire;
pub use rewrap::{Rewrap, Rewrapped};
pub use rotate::RotateKey;
pub use set_rotation::{RotationPatch, SetRotation};
pub use sign::Sign;
pub use summary::{KmsSummary, RegionSummary};
pub use switch::SwitchKey;
pub use verify::Verify;
pub use verify_hmac::{VerifiedHmac, VerifyHmac};
pub use wrapping_key::WrappingKey;

use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Code, Error, busy};
use crate::session::Session;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::{Action, AuditRecord, Details, Resource};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::RuleId;
use strongroom_domain::kms::{Key, KeyStateError, KeyType, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{CommitErrorKind, KeyFilter, KeyName, ReadError};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

/// A key that this caller may use so.
pub(crate) struct GrantedKey<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a Session,
    pub(crate) key: Arc<Key>,
    pub(crate) action: Action,
    pub(crate) rule: RuleId,
    /// How many bytes the caller gave it to work on, as far as they could be read.
    bytes_in: Option<u64>,
}

/// One text, whether a key is unknown, of another scope, or not for this caller.
pub(crate) fn not_found() -> Error {
    Error::new(
        Code::KeyNotFound,
        "There is no such KMS key in this region and scope, or you may not use it so; check its identity, the region, and your role.",
    )
}

/// The caller names a version that the key doesn't have.
fn no_such_version(field: &str) -> Error {
    Error::new(
        Code::KeyVersionNotFound,
        format!(
            "`{field}`: the key has no such version; leave it out for the newest, or read the key for those it has."
        ),
    )
}

/// Whether a key of this type can do `what`, as those can for whose type `can` holds.
pub(crate) fn check_type(key_type: KeyType, can: fn(KeyType) -> bool, what: &str) -> Result<(), Error> {
    if can(key_type) {
        return Ok(());
    }
    let able: Vec<_> = KeyType::ALL.into_iter().filter(|other| can(*other)).map(KeyType::as_str).collect();
    Err(Error::new(
        Code::UnsupportedOperation,
        format!("A key of type {key_type} can't {what}; keys of these types can: {}.", able.join(", ")),
    ))
}

/// What every record of an operation with this key tells of it.
fn details(key: &Key) -> Details {
    Details { key_slug: Some(key.slug.clone()), key_type: Some(key.spec.key_type), ..Details::default() }
}

/// A number of bytes, as a record tells it.
fn size(bytes: &[u8]) -> Option<u64> {
    Some(bytes.len() as u64)
}

impl Engine {
    pub(crate) async fn grant_key<'a>(
        &'a self,
        session: &'a Session,
        action: Action,
        any_of: &[Permission],
        name: &str,
    ) -> Result<GrantedKey<'a>, Error> {
        // What the caller hears is the same; what the log keeps is not.
        let (error, key) = match self.key_named(&session.scope, name).await? {
            None => (not_found().decided_by("no such key"), None),
            Some(key) => match self.allowed(session, |grants| grants.on_key(any_of, key.spec.id, &key.slug)).await? {
                Some(rule) => return Ok(GrantedKey { engine: self, session, key, action, rule, bytes_in: None }),
                None => (not_found().denied_by("no rule"), Some(key)),
            },
        };
        let recorder = session.recorder(self);
        let record = AuditRecord {
            details: key.map(|key| Box::new(details(&key))),
            ..recorder.failure(self.ports.clock.now(), action, audit::key_named(name), &error)
        };
        Err(recorder.log_failure(record, error).await)
    }

    /// The key of this identity, else of this slug: a slug may have the form of an identity. One whose purge is due isn't there, whether
    /// that was done or not.
    pub(crate) async fn key_named(&self, scope: &Scope, name: &str) -> Result<Option<Arc<Key>>, ReadError> {
        let (keys, now) = (&self.ports.keys, self.ports.clock.now());
        if let Ok(id) = name.parse()
            && let Some(key) = keys.find(scope, &KeyName::Id(id)).await?
            && !key.is_purged(now)
        {
            return Ok(Some(key));
        }
        match keys.find(scope, &KeyName::Slug(name.to_owned())).await? {
            // It may stand before one that waits longer.
            Some(key) if key.is_purged(now) => {
                let filter = KeyFilter { slug: Some(name.to_owned()), ..KeyFilter::default() };
                let others = keys.list(scope, &filter).await?;
                Ok(others.into_iter().find(|key| !key.is_purged(now)).map(Arc::new))
            }
            found => Ok(found),
        }
    }
}

/// A change that a use case makes: asked again with what the key is then, when another came first.
#[async_trait]
pub(crate) trait KeyChange: Sync {
    /// Decides, for the key as it is now: the change and the key as it is then, or `None` when it is that way already.
    async fn decide(&self, granted: &GrantedKey<'_>, key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error>;
}

impl GrantedKey<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.engine.ports.clock.now()
    }

    fn resource(&self, version: Option<KeyVersionNumber>) -> Resource {
        audit::key(self.key.spec.id, version)
    }

    /// Gives the outcome on, after a record of a failure.
    pub(crate) async fn recorded<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        match outcome {
            Ok(done) => Ok(done),
            Err(error) => {
                let recorder = self.session.recorder(self.engine);
                let record = AuditRecord {
                    details: Some(Box::new(self.details())),
                    ..recorder.failure(self.now(), self.action, self.resource(None), &error)
                };
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    fn details(&self) -> Details {
        Details { bytes_in: self.bytes_in, ..details(&self.key) }
    }

    /// The record of a success with this version.
    fn success(&self, at: Timestamp, version: Option<KeyVersionNumber>, details: Details) -> AuditRecord {
        let recorder = self.session.recorder(self.engine);
        let record = recorder.success(at, self.action, self.resource(version), Some(self.rule), 200);
        AuditRecord { details: Some(Box::new(details)), ..record }
    }

    /// Makes the record of a success durable: what it tells of, so many bytes, is about to leave.
    async fn commit_success(&self, version: KeyVersionNumber, bytes_out: Option<u64>) -> Result<(), Error> {
        let record = self.success(self.now(), Some(version), Details { bytes_out, ..self.details() });
        Ok(self.engine.ports.committer.commit(Unit { records: vec![record], ..Unit::default() }).await?)
    }

    /// Whether keys of this type can do `what`.
    pub(crate) fn check_type(&self, can: fn(KeyType) -> bool, what: &str) -> Result<(), Error> {
        check_type(self.key.spec.key_type, can, what)
    }

    /// The version to use: the newest, or the one that the caller names, unless that was retired.
    pub(crate) fn version(&self, named: Option<KeyVersionNumber>) -> Result<&KeyVersion, Error> {
        match named {
            None => self.key.latest().ok_or_else(|| no_such_version("keyVersion")),
            Some(number) => self.key.decrypts_with(number).map_err(|error| match error {
                KeyStateError::NoSuchVersion(_) => no_such_version("keyVersion"),
                _ => error.into(),
            }),
        }
    }

    /// Queues the record of a success that let nothing out.
    pub(crate) async fn log_success(&self) -> Result<(), Error> {
        self.log_success_of(None).await
    }

    /// … of this version.
    pub(crate) async fn log_success_of(&self, version: Option<KeyVersionNumber>) -> Result<(), Error> {
        self.log_success_with(version, self.details()).await
    }

    async fn log_success_with(&self, version: Option<KeyVersionNumber>, details: Details) -> Result<(), Error> {
        let record = self.success(self.now(), version, details);
        self.session.recorder(self.engine).log(record).await
    }

    /// Reads the key, lets the change decide, commits with the audit record; again when another change came first.
    pub(crate) async fn change(&self, wanted: &dyn KeyChange) -> Result<Arc<Key>, Error> {
        let id = self.key.spec.id;
        let _turn = self.engine.queue(id).await;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.engine.back_off(attempt).await?;
            }
            let found = self.engine.ports.keys.find(&self.session.scope, &KeyName::Id(id)).await?;
            let at = self.now();
            let sealing = self.engine.sealing();
            let key = found.filter(|key| !key.is_purged(at)).ok_or_else(not_found)?;
            let (change, changed) = match wanted.decide(self, (*key).clone(), at).await? {
                Some((change, changed)) => (Some(change), Arc::new(changed)),
                None => (None, Arc::clone(&key)),
            };
            // Not earlier: what is wrong with the key is said first.
            let kms = self.engine.kms(&self.session.region)?;
            let new_material = match &change {
                Some(Change::AppendKeyVersion { version, .. }) => Some(version.handle.clone()),
                _ => None,
            };
            let sealing = sealing.filter(|_| new_material.is_some());
            let version = changed.latest().map(|version| version.number);
            let unit = Unit {
                expect: [Expect::Revision(AggregateId::Key(id), key.state.revision)]
                    .into_iter()
                    .chain(sealing)
                    .collect(),
                changes: change.into_iter().collect(),
                records: vec![self.success(at, version, self.details())],
            };
            let committed = self.engine.ports.committer.commit(unit).await;
            self.engine.cache.forget_key(id);
            let Err(error) = committed else { return Ok(changed) };
            // Where it can't be told whether the version was stored, its material must stay.
            if !matches!(error.kind(), CommitErrorKind::OutcomeUnknown)
                && let Some(handle) = &new_material
            {
                // Material that stays behind opens nothing; why the change failed matters more.
                let _ = kms.erase(handle).await;
            }
            if !matches!(error.kind(), CommitErrorKind::Conflict(_)) {
                return Err(error.into());
            }
            self.engine.follow_root_key(error.kind()).await?;
        }
        Err(busy())
    }
}
