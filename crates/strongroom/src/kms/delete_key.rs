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

/// A key that is pending deletion.
#[derive(Clone, Debug)]
pub struct DeletedKey {
    /// The key; its status names the date of the purge.
    pub key: Arc<Key>,
    /// How many secrets are bound to it, which nobody can read any more.
    pub bound_secrets: u64,
}

/// A caller who may delete this key.
pub struct DeleteKey<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may delete the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn delete_key<'a>(&'a self, session: &'a Session, name: &str) -> Result<DeleteKey<'a>, Error> {
        self.grant_key(session, Action::KmsDelete, &[Permission::Delete], name).await.map(DeleteKey)
    }
}

struct Scheduled;

#[async_trait]
impl KeyChange for Scheduled {
    async fn decide(&self, _: &GrantedKey<'_>, mut key: Key, at: Timestamp) -> Result<Option<(Change, Key)>, Error> {
        let Some(state) = key.deletion_scheduled(at) else { return Ok(None) };
        key.state = state;
        Ok(Some((Change::ReplaceKeyState { key: key.spec.id, state }, key)))
    }
}

impl DeleteKey<'_> {
    /// Schedules the purge of the key, 30 days on. Until then it can be called off; of a key that is pending already the date stays.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn run(self) -> Result<DeletedKey, Error> {
        let outcome = self.attempt().await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self) -> Result<DeletedKey, Error> {
        let bound_secrets = self.0.engine.ports.secrets.count_bound(self.0.key.spec.id).await?;
        let key = self.0.change(&Scheduled).await?;
        Ok(DeletedKey { key, bound_secrets })
    }
}
