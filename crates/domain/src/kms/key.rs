use super::{DELETION_DAYS, KeyType, KeyVersion, KeyVersionNumber, MAX_KEY_VERSIONS, Rotation};
use crate::id::KeyId;
use crate::metadata::Metadata;
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::unit::Revision;

const DAY: i64 = 24 * 60 * 60;

/// What never changes of a key, and what its material is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// The key.
    pub id: KeyId,
    /// Whose it is.
    pub scope: Scope,
    /// What it is.
    pub key_type: KeyType,
    /// Whether its material may ever be given out.
    pub export_allowed: bool,
}

/// What a key may be used for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Everything.
    Active,
    /// Nothing but enabling and deletion.
    Disabled,
    /// Nothing but cancelling the deletion; purged when the time has come.
    PendingDeletion {
        /// When the key is purged.
        purge_at: Timestamp,
        /// Whether cancelling leads back to disabled rather than active.
        was_disabled: bool,
    },
}

impl KeyStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::PendingDeletion { .. } => "pending_deletion",
        }
    }
}

/// An operation that the state of a key doesn't allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStateError {
    /// The key is disabled.
    #[error("the KMS key is disabled; enable it first")]
    Disabled,
    /// The key is pending deletion.
    #[error("the KMS key is pending deletion; cancel it first with DELETE …/cancel-deletion")]
    PendingDeletion,
    /// The material came from outside, and the key was not created to be rotated.
    #[error("the KMS key was imported without `allowRotation`, so it keeps its one version; create another key")]
    FixedMaterial,
    /// The version is below the oldest that still decrypts.
    #[error("version {version} of the KMS key was retired; its `minDecryptionVersion` is {min}")]
    Retired {
        /// The version.
        version: KeyVersionNumber,
        /// The oldest that decrypts.
        min: KeyVersionNumber,
    },
    /// It has as many versions as a key may have.
    #[error("the KMS key has {MAX_KEY_VERSIONS} versions, the most there may be; create another key")]
    TooManyVersions,
    /// There is no such version.
    #[error("the KMS key has no version {0}")]
    NoSuchVersion(KeyVersionNumber),
}

/// Where the material of a key came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOrigin {
    /// From its KMS.
    #[default]
    Generated,
    /// From outside.
    Imported {
        /// Whether the KMS may add versions with material of its own.
        allow_rotation: bool,
    },
}

/// What changes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// What it may be used for.
    pub status: KeyStatus,
    /// When it is rotated by itself.
    pub rotation: Rotation,
    /// The oldest version that still decrypts and verifies; earlier ones are retired.
    pub min_decryption_version: KeyVersionNumber,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes that callers can see, from 1.
    pub object_version: u64,
    /// Counts all changes.
    pub revision: Revision,
}

/// A KMS key: its description and the handles of its versions, never material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What never changes.
    pub spec: KeySpec,
    /// Its name; unique among the live keys of its scope.
    pub name: String,
    /// Its slug; unique among the live keys of its scope.
    pub slug: String,
    /// Description, labels, annotations.
    pub metadata: Metadata,
    /// Where its material came from.
    pub origin: KeyOrigin,
    /// What changes.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its versions by rising number; at least one.
    pub versions: Vec<KeyVersion>,
}

/// What a secret shows of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySummary {
    /// The key.
    pub id: KeyId,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// What it is.
    pub key_type: KeyType,
    /// What it may be used for now.
    pub status: KeyStatus,
}

impl Key {
    /// What a secret shows of it.
    #[must_use]
    pub fn summary(&self) -> KeySummary {
        KeySummary {
            id: self.spec.id,
            name: self.name.clone(),
            slug: self.slug.clone(),
            key_type: self.spec.key_type,
            status: self.state.status,
        }
    }

    /// Whether the key holds its name and slug; a key pending deletion does not.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self.state.status, KeyStatus::PendingDeletion { .. })
    }

    /// The newest version.
    #[must_use]
    pub fn latest(&self) -> Option<&KeyVersion> {
        self.versions.last()
    }

    /// The version of this number.
    #[must_use]
    pub fn version(&self, number: KeyVersionNumber) -> Option<&KeyVersion> {
        self.versions.iter().find(|version| version.number == number)
    }

    /// Whether the key may encrypt, decrypt and be rotated.
    ///
    /// # Errors
    /// [`KeyStateError`] when it is disabled or pending deletion.
    pub const fn check_usable(&self) -> Result<(), KeyStateError> {
        match self.state.status {
            KeyStatus::Active => Ok(()),
            KeyStatus::Disabled => Err(KeyStateError::Disabled),
            KeyStatus::PendingDeletion { .. } => Err(KeyStateError::PendingDeletion),
        }
    }

    /// Whether the key may get another version.
    ///
    /// # Errors
    /// [`KeyStateError`] when it isn't active, its material came from outside and is to stay alone, or it has too many versions.
    pub fn may_rotate(&self) -> Result<(), KeyStateError> {
        self.check_usable()?;
        match self.origin {
            KeyOrigin::Imported { allow_rotation: false } => Err(KeyStateError::FixedMaterial),
            _ if self.versions.len() >= MAX_KEY_VERSIONS => Err(KeyStateError::TooManyVersions),
            KeyOrigin::Generated | KeyOrigin::Imported { .. } => Ok(()),
        }
    }

    /// The version of this number, when it still decrypts and verifies.
    ///
    /// # Errors
    /// [`KeyStateError::NoSuchVersion`] and [`KeyStateError::Retired`].
    pub fn decrypts_with(&self, number: KeyVersionNumber) -> Result<&KeyVersion, KeyStateError> {
        let min = self.state.min_decryption_version;
        match self.version(number) {
            None => Err(KeyStateError::NoSuchVersion(number)),
            Some(_) if number < min => Err(KeyStateError::Retired { version: number, min }),
            Some(version) => Ok(version),
        }
    }

    /// When the next rotation by itself is due; `None` when there will be none.
    #[must_use]
    pub fn rotation_due_at(&self) -> Option<Timestamp> {
        let days =
            self.state.rotation.period_days.filter(|_| self.state.rotation.enabled && self.may_rotate().is_ok())?;
        Some(self.latest()?.created_at.plus_seconds(i64::from(days) * DAY))
    }

    /// The state after the deletion was asked for: the key is purged [`DELETION_DAYS`] later. `None` when it is pending already.
    #[must_use]
    pub fn deletion_scheduled(&self, at: Timestamp) -> Option<KeyState> {
        let was_disabled = match self.state.status {
            KeyStatus::PendingDeletion { .. } => return None,
            KeyStatus::Active => false,
            KeyStatus::Disabled => true,
        };
        let purge_at = at.plus_seconds(DELETION_DAYS * DAY);
        Some(KeyState { status: KeyStatus::PendingDeletion { purge_at, was_disabled }, ..self.touched(at) })
    }

    /// The state after the deletion was called off: the one before. `None` when it isn't pending.
    #[must_use]
    pub fn deletion_cancelled(&self, at: Timestamp) -> Option<KeyState> {
        let KeyStatus::PendingDeletion { was_disabled, .. } = self.state.status else { return None };
        let status = if was_disabled { KeyStatus::Disabled } else { KeyStatus::Active };
        Some(KeyState { status, ..self.touched(at) })
    }

    /// Whether the date of the purge has come. From then on the key is as if it were not there, whether its material is erased already
    /// or not.
    #[must_use]
    pub fn is_purged(&self, at: Timestamp) -> bool {
        matches!(self.state.status, KeyStatus::PendingDeletion { purge_at, .. } if at >= purge_at)
    }

    /// The state in which only versions from `min` on decrypt and verify. `None` when it is so already.
    ///
    /// # Errors
    /// [`KeyStateError::NoSuchVersion`], and those of a key that isn't active.
    pub fn retired(&self, min: KeyVersionNumber, at: Timestamp) -> Result<Option<KeyState>, KeyStateError> {
        self.check_usable()?;
        if self.version(min).is_none() {
            return Err(KeyStateError::NoSuchVersion(min));
        }
        let changes = min != self.state.min_decryption_version;
        Ok(changes.then(|| KeyState { min_decryption_version: min, ..self.touched(at) }))
    }

    /// The state after switching the key on (`true`) or off. `None` when it is in that state already.
    ///
    /// # Errors
    /// [`KeyStateError::PendingDeletion`].
    pub fn switched(&self, on: bool, at: Timestamp) -> Result<Option<KeyState>, KeyStateError> {
        let wanted = if on { KeyStatus::Active } else { KeyStatus::Disabled };
        match self.state.status {
            KeyStatus::PendingDeletion { .. } => Err(KeyStateError::PendingDeletion),
            status if status == wanted => Ok(None),
            _ => Ok(Some(KeyState { status: wanted, ..self.touched(at) })),
        }
    }

    /// The state after any visible change at `at`.
    #[must_use]
    pub fn touched(&self, at: Timestamp) -> KeyState {
        KeyState {
            updated_at: at.max(self.state.updated_at),
            object_version: self.state.object_version + 1,
            revision: self.state.revision.next(),
            ..self.state
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        DAY, Key, KeyOrigin, KeySpec, KeyState, KeyStateError, KeyStatus, KeyVersion, KeyVersionNumber, Rotation,
    };
    use crate::id::{KeyId, OrganisationId, RegionId};
    use crate::kms::{DELETION_DAYS, KeyHandle, KeyType, MAX_KEY_VERSIONS};
    use crate::metadata::Metadata;
    use crate::scope::Scope;
    use crate::time::Timestamp;
    use crate::unit::Revision;
    use uuid::Uuid;

    fn key(status: KeyStatus) -> Key {
        let nil = Uuid::nil();
        let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
        Key {
            spec: KeySpec { id: KeyId::new(nil), scope, key_type: KeyType::default(), export_allowed: false },
            name: "k".to_owned(),
            slug: "k".to_owned(),
            metadata: Metadata::default(),
            origin: KeyOrigin::Generated,
            state: KeyState {
                status,
                rotation: Rotation::default(),
                min_decryption_version: KeyVersionNumber::FIRST,
                updated_at: Timestamp::from_micros(5),
                object_version: 1,
                revision: Revision::FIRST,
            },
            created_at: Timestamp::EPOCH,
            versions: Vec::new(),
        }
    }

    #[test]
    fn every_state_and_every_switch() {
        let pending = KeyStatus::PendingDeletion { purge_at: Timestamp::EPOCH, was_disabled: false };
        let at = Timestamp::from_micros(9);
        for (status, on, outcome) in [
            (KeyStatus::Active, true, Ok(None)),
            (KeyStatus::Active, false, Ok(Some(KeyStatus::Disabled))),
            (KeyStatus::Disabled, true, Ok(Some(KeyStatus::Active))),
            (KeyStatus::Disabled, false, Ok(None)),
            (pending, true, Err(KeyStateError::PendingDeletion)),
            (pending, false, Err(KeyStateError::PendingDeletion)),
        ] {
            let switched = key(status).switched(on, at);
            assert_eq!(switched.map(|state| state.map(|state| state.status)), outcome, "{status:?} {on}");
            if let Ok(Some(state)) = switched {
                assert_eq!((state.object_version, state.revision, state.updated_at), (2, Revision::FIRST.next(), at));
            }
        }
        assert_eq!(key(KeyStatus::Active).check_usable(), Ok(()));
        assert_eq!(key(KeyStatus::Disabled).check_usable(), Err(KeyStateError::Disabled));
        assert_eq!(key(pending).check_usable(), Err(KeyStateError::PendingDeletion));
        // A clock that went back doesn't take `updated_at` with it.
        assert_eq!(key(KeyStatus::Active).touched(Timestamp::EPOCH).updated_at, Timestamp::from_micros(5));
    }

    fn version(number: u32) -> KeyVersion {
        let number = KeyVersionNumber::new(number).expect("not 0");
        KeyVersion { number, handle: KeyHandle::new(Vec::new()), created_at: Timestamp::from_micros(7) }
    }

    #[test]
    fn deletion_waits_and_leads_back() {
        let at = Timestamp::from_micros(9);
        for (status, was_disabled) in [(KeyStatus::Active, false), (KeyStatus::Disabled, true)] {
            let mut key = key(status);
            let state = key.deletion_scheduled(at).expect("not pending");
            let purge_at = at.plus_seconds(DELETION_DAYS * DAY);
            assert_eq!(state.status, KeyStatus::PendingDeletion { purge_at, was_disabled });
            key.state = state;
            assert_eq!(key.deletion_scheduled(at.plus_seconds(1)), None, "the date stays");
            assert!(!key.is_purged(purge_at.plus_seconds(-1)) && key.is_purged(purge_at));
            let state = key.deletion_cancelled(at).expect("pending");
            assert_eq!((state.status, state.object_version), (status, 3));
        }
        assert_eq!(key(KeyStatus::Disabled).deletion_cancelled(at), None);
        assert!(!key(KeyStatus::Active).is_purged(Timestamp::from_micros(i64::MAX)));
    }

    #[test]
    fn who_may_rotate_and_when_it_is_due() {
        let pending = KeyStatus::PendingDeletion { purge_at: Timestamp::EPOCH, was_disabled: false };
        let fixed = KeyOrigin::Imported { allow_rotation: false };
        let free = KeyOrigin::Imported { allow_rotation: true };
        for (status, origin, outcome) in [
            (KeyStatus::Active, KeyOrigin::Generated, Ok(())),
            (KeyStatus::Active, free, Ok(())),
            (KeyStatus::Active, fixed, Err(KeyStateError::FixedMaterial)),
            (KeyStatus::Disabled, fixed, Err(KeyStateError::Disabled)),
            (KeyStatus::Disabled, free, Err(KeyStateError::Disabled)),
            (pending, KeyOrigin::Generated, Err(KeyStateError::PendingDeletion)),
        ] {
            let mut key = Key { origin, versions: vec![version(1)], ..key(status) };
            assert_eq!(key.may_rotate(), outcome, "{status:?} {origin:?}");
            assert_eq!(key.rotation_due_at(), None, "it is off");
            key.state.rotation = Rotation { enabled: true, period_days: Some(2) };
            let due = Timestamp::from_micros(7).plus_seconds(2 * DAY);
            assert_eq!(key.rotation_due_at(), outcome.is_ok().then_some(due), "{status:?} {origin:?}");
        }
    }

    #[test]
    fn versions_are_bounded() {
        let mut key = Key { versions: vec![version(1); MAX_KEY_VERSIONS - 1], ..key(KeyStatus::Active) };
        assert_eq!(key.may_rotate(), Ok(()));
        key.versions.push(version(1));
        assert_eq!(key.may_rotate(), Err(KeyStateError::TooManyVersions));
    }

    #[test]
    fn retired_versions_decrypt_no_more() {
        let number = |number| KeyVersionNumber::new(number).expect("not 0");
        let at = Timestamp::from_micros(9);
        let mut key = Key { versions: vec![version(1), version(2)], ..key(KeyStatus::Active) };
        assert!(key.decrypts_with(number(1)).is_ok());
        assert_eq!(key.retired(number(1), at), Ok(None));
        assert_eq!(key.retired(number(3), at), Err(KeyStateError::NoSuchVersion(number(3))));
        key.state = key.retired(number(2), at).expect("may").expect("changes");
        let refused = key.decrypts_with(number(1)).err();
        assert_eq!(refused, Some(KeyStateError::Retired { version: number(1), min: number(2) }));
        assert!(key.decrypts_with(number(2)).is_ok());
        assert_eq!(key.decrypts_with(number(3)).err(), Some(KeyStateError::NoSuchVersion(number(3))));
        let back = key.retired(number(1), at).expect("may").expect("changes");
        assert_eq!(back.min_decryption_version, number(1));
        key.state.status = KeyStatus::Disabled;
        assert_eq!(key.retired(number(2), at), Err(KeyStateError::Disabled));
    }
}
