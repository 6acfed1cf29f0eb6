use super::{GrantedKey, KeyChange};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Key, KeyOrigin, KeyStateError, Rotation};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// What is to change of when a key is rotated by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationPatch {
    /// Rotation goes off, and the period is cleared.
    Clear,
    /// What is `None` stays.
    Set {
        /// Whether it is.
        enabled: Option<bool>,
        /// After how many days, 1 to 3,650.
        period_days: Option<i64>,
    },
}

/// A caller who may change when this key is rotated by itself.
pub struct SetRotation<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may change when the key of this identity or slug is rotated by itself.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn set_rotation<'a>(&'a self, session: &'a Session, name: &str) -> Result<SetRotation<'a>, Error> {
        self.grant_key(session, Action::KmsRotationUpdate, &[Permission::Update], name).await.map(SetRotation)
    }
}

impl RotationPatch {
    /// The settings after the patch.
    fn apply(self, to: Rotation) -> Result<Rotation, Error> {
        let Self::Set { enabled, period_days } = self else { return Ok(Rotation::default()) };
        let period_days = period_days.or(to.period_days.map(i64::from));
        Ok(Rotation::new(enabled.unwrap_or(to.enabled), period_days)?)
    }

    const fn period_days(self) -> Option<i64> {
        match self {
            Self::Clear => None,
            Self::Set { period_days, .. } => period_days,
        }
    }
}

#[async_trait]
impl KeyChange for RotationPatch {
    async fn decide(&self, _: &GrantedKey<'_>, mut key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error> {
        if !key.is_live() {
            return Err(KeyStateError::PendingDeletion.into());
        }
        let rotation = self.apply(key.state.rotation)?;
        if rotation.enabled && matches!(key.origin, KeyOrigin::Imported { allow_rotation: false }) {
            return Err(KeyStateError::FixedMaterial.into());
        }
        if rotation == key.state.rotation {
            return Ok(None);
        }
        key.state = key.touched(at);
        key.state.rotation = rotation;
        Ok(Some((Change::ReplaceKeyState { key: key.spec.id, state: key.state }, key)))
    }
}

impl SetRotation<'_> {
    /// Changes the settings, also of a disabled key, and gives the key as it is then.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest) for a period out of range, or none where one is needed,
    /// [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation) for a key that may never be rotated,
    /// [`Code::KeyPendingDeletion`](crate::Code::KeyPendingDeletion), and those of the store.
    pub async fn run(self, patch: RotationPatch) -> Result<Arc<Key>, Error> {
        // A period out of range breaks the rule whatever the key is, so it is said first.
        let outcome = match Rotation::new(false, patch.period_days()) {
            Ok(_) => self.0.change(&patch).await,
            Err(error) => Err(error.into()),
        };
        self.0.recorded(outcome).await
    }
}
