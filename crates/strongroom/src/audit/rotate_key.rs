//! The keys that sign the audit log, and their rotation.

use super::keys::unsealed;
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Error, busy};
use crate::system::{Operation, OperatorSession};
use strongroom_domain::audit::{Action, AuditKey, Resource, ResourceKind};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::unit::{Change, Expect, Unit};

/// What a key of the log is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKeyState {
    /// The next checkpoint makes it known; then it signs.
    Pending,
    /// It signs.
    Signing,
    /// It signed.
    Retired,
    /// It does not open under the root key: it is none of this installation, and signs nothing.
    Foreign,
}

/// A key of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditKeyView {
    /// The key; the public part is what the store says for one that is foreign, zeros where it says nothing.
    pub key: AuditKey,
    /// What it is doing.
    pub state: AuditKeyState,
}

fn resource(version: Option<u32>) -> Resource {
    let identity = InstanceKeyPurpose::AuditSigning.as_str().to_owned();
    Resource { kind: ResourceKind::InstanceKey, identity, id: None, version: version.map(u64::from) }
}

impl Engine {
    /// Makes a new key for the audit log. The next checkpoint makes it known, signed by the key before it; from then on it signs: so who
    /// trusts the first key can follow to this one. Gives its public part.
    ///
    /// # Errors
    /// [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation) where there are no keys of the log, [`Code::KmsUnavailable`](crate::Code::KmsUnavailable) when nothing can be sealed, and those of the
    /// store.
    pub async fn rotate_audit_key(&self, session: &OperatorSession) -> Result<AuditKey, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemAuditKeyRotate };
        let outcome = self.next_audit_key(&operation).await;
        operation.failed(None, resource(None), outcome).await
    }

    /// The keys of the log, oldest first.
    ///
    /// # Errors
    /// [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation) where there are none, and those of the store.
    pub async fn list_audit_keys(&self, session: &OperatorSession) -> Result<Vec<AuditKeyView>, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemAuditRead };
        let keys = self.audit_key_views().await;
        operation.told(None, resource(None), keys).await
    }

    async fn audit_key_views(&self) -> Result<Vec<AuditKeyView>, Error> {
        let ports = self.audit_keys()?;
        let last = self.ports.audit.last_checkpoint().await?.and_then(|last| last.read());
        // Before the first checkpoint, the oldest signs.
        let known = last.map_or_else(|| ports.keys.current(), |last| last.checkpoint.newest_key);
        let view = |key: SealedInstanceKey| {
            let version = key.version;
            let state = match (ports.keys.public_of(&key), version.cmp(&known)) {
                (Err(_), _) => AuditKeyState::Foreign,
                (Ok(_), core::cmp::Ordering::Greater) => AuditKeyState::Pending,
                (Ok(_), core::cmp::Ordering::Equal) => AuditKeyState::Signing,
                (Ok(_), core::cmp::Ordering::Less) => AuditKeyState::Retired,
            };
            AuditKeyView { key: AuditKey { version, public: key.public.unwrap_or_default() }, state }
        };
        Ok(self.stored_audit_keys().await?.into_iter().map(view).collect())
    }

    async fn next_audit_key(&self, operation: &Operation<'_>) -> Result<AuditKey, Error> {
        let ports = self.audit_keys()?;
        let _turn = self.queue(InstanceKeyPurpose::AuditSigning).await;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.back_off(attempt).await?;
            }
            let version = self.next_audit_key_version(ports, &self.stored_audit_keys().await?)?;
            let expect = Vec::from_iter(self.sealing());
            let key = ports.keys.generate(version).map_err(unsealed)?;
            let public = key.public.unwrap_or_default();
            let unit = Unit { expect, changes: vec![Change::InsertInstanceKey(key)], records: Vec::new() };
            let Err(error) = operation.commit(unit, None, resource(Some(version)), 201).await else {
                return Ok(AuditKey { version, public });
            };
            if matches!(error.kind(), CommitErrorKind::Conflict(Expect::RootKey(_))) {
                self.follow_root_key(error.kind()).await?;
                continue;
            }
            let is_taken = self.stored_audit_keys().await?.iter().any(|key| key.version == version);
            if !is_taken || *error.kind() == CommitErrorKind::OutcomeUnknown {
                return Err(error.into());
            }
        }
        Err(busy())
    }
}
