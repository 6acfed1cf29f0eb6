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

/// A caller who may call the deletion of this key off.
pub struct CancelDeletion<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may call the deletion of the key of this identity or slug off.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn cancel_deletion<'a>(&'a self, session: &'a Session, name: &str) -> Result<CancelDeletion<'a>, Error> {
        self.grant_key(session, Action::KmsCancelDeletion, &[Permission::Delete], name).await.map(CancelDeletion)
    }
}

struct Cancelled;

#[async_trait]
impl KeyChange for Cancelled {
    async fn decide(&self, _: &GrantedKey<'_>, mut key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error> {
        let Some(state) = key.deletion_cancelled(at) else { return Ok(None) };
        key.state = state;
        Ok(Some((Change::ReplaceKeyState { key: key.spec.id, state }, key)))
    }
}

impl CancelDeletion<'_> {
    /// Puts the key back into the state that it had before it was deleted; one that isn't pending deletion stays as it is. It keeps its
    /// name and slug, also beside a newer key that has taken them meanwhile.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run(self) -> Result<Arc<Key>, Error> {
        let outcome = self.0.change(&Cancelled).await;
        self.0.recorded(outcome).await
    }
}
