use super::KeyType;
use crate::id::KeyId;
use crate::metadata::Metadata;
use crate::scope::Scope;
use crate::time::Timestamp;
use crate::unit::Revision;
use core::fmt;
use core::num::NonZeroU32;
use core::str::FromStr;

/// The longest period of automatic rotation, in days.
pub const MAX_ROTATION_DAYS: u32 = 3_650;

/// The number of a key version, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyVersionNumber(NonZeroU32);

impl KeyVersionNumber {
    /// The first version's.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for KeyVersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for KeyVersionNumber {
    type Err = core::num::ParseIntError;

    /// Decimal digits without sign or leading zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // "x" gives the error of a text that is no number.
        let plain = if text.starts_with(['+', '0']) { "x" } else { text };
        plain.parse().map(Self)
    }
}

/// What a KMS adapter needs to find a key version again: for a software KMS its sealed material, for a remote one a name.
///
/// Opaque to everyone but the adapter that made it, and versioned by it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyHandle(Vec<u8>);

impl KeyHandle {
    /// Wraps an adapter's bytes.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHandle({} bytes)", self.0.len())
    }
}

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

/// One version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyVersion {
    /// Its number.
    pub number: KeyVersionNumber,
    /// How its KMS finds it.
    pub handle: KeyHandle,
    /// When it was made.
    pub created_at: Timestamp,
}

/// When a key is rotated by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Whether it is.
    pub enabled: bool,
    /// After how many days; kept as set, also while rotation is off.
    pub period_days: Option<u32>,
}

/// Rotation settings that break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// Outside 1 to [`MAX_ROTATION_DAYS`].
    #[error("`rotationPeriodInDays` is 1 to 3650")]
    Period,
    /// Rotation is on without a period.
    #[error("`keyRotationEnabled` needs `rotationPeriodInDays`, 1 to 3650")]
    NoPeriod,
}

impl Rotation {
    /// Checks the two settings together.
    ///
    /// # Errors
    /// [`RotationError`] for a period out of range, or none where one is needed.
    pub fn new(enabled: bool, period_days: Option<i64>) -> Result<Self, RotationError> {
        let period_days = match period_days {
            None if enabled => return Err(RotationError::NoPeriod),
            None => None,
            Some(days) => {
                let days = u32::try_from(days).ok().filter(|days| (1..=MAX_ROTATION_DAYS).contains(days));
                Some(days.ok_or(RotationError::Period)?)
            }
        };
        Ok(Self { enabled, period_days })
    }
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
}

/// What changes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// What it may be used for.
    pub status: KeyStatus,
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
    /// When it is rotated by itself.
    pub rotation: Rotation,
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
    use super::{Key, KeySpec, KeyState, KeyStateError, KeyStatus, KeyVersionNumber, Rotation, RotationError};
    use crate::id::{KeyId, OrganisationId, RegionId};
    use crate::kms::KeyType;
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
            rotation: Rotation::default(),
            state: KeyState {
                status,
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

    #[test]
    fn rotation_settings() {
        assert_eq!(Rotation::new(true, None), Err(RotationError::NoPeriod));
        for bad in [0, -1, 3_651, i64::MAX] {
            assert_eq!(Rotation::new(false, Some(bad)), Err(RotationError::Period));
        }
        assert_eq!(Rotation::new(false, Some(30)), Ok(Rotation { enabled: false, period_days: Some(30) }));
    }

    #[test]
    fn version_numbers_have_one_spelling() {
        assert_eq!("12".parse::<KeyVersionNumber>().ok(), KeyVersionNumber::new(12));
        for bad in ["", "0", "01", "+1", "-1", "1.0", "4294967296"] {
            assert!(bad.parse::<KeyVersionNumber>().is_err(), "{bad}");
        }
    }
}
