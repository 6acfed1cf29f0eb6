use super::{GrantedKey, KeyChange};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::Key;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Change;

/// A caller who may switch this key on or off.
pub struct SwitchKey<'a> {
    granted: GrantedKey<'a>,
    on: bool,
}

impl Engine {
    /// Checks that the caller may enable (`on`) or disable the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn switch<'a>(&'a self, session: &'a Session, name: &str, on: bool) -> Result<SwitchKey<'a>, Error> {
        let action = if on { Action::KmsEnable } else { Action::KmsDisable };
        let granted = self.grant_key(session, action, &[Permission::Delete], name).await?;
        Ok(SwitchKey { granted, on })
    }
}

/// The state that a key is to be in.
struct Switched {
    on: bool,
}

#[async_trait]
impl KeyChange for Switched {
    async fn decide(&self, _: &GrantedKey<'_>, mut key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error> {
        let Some(state) = key.switched(self.on, at)? else { return Ok(None) };
        key.state = state;
        Ok(Some((Change::ReplaceKeyState { key: key.spec.id, state }, key)))
    }
}

impl SwitchKey<'_> {
    /// Enables or disables the key; one that is in that state already stays as it is.
    ///
    /// # Errors
    /// [`Code::KeyPendingDeletion`](crate::Code::KeyPendingDeletion), and those of the store.
    pub async fn run(self) -> Result<Arc<Key>, Error> {
        let outcome = self.granted.change(&Switched { on: self.on }).await;
        self.granted.recorded(outcome).await
    }
}
