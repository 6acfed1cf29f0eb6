use super::GrantedKey;
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::Key;

/// A caller who may read this key's description.
pub struct GetKey<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may read the description of the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn key<'a>(&'a self, session: &'a Session, name: &str) -> Result<GetKey<'a>, Error> {
        self.grant_key(session, Action::KmsRead, &[Permission::Read], name).await.map(GetKey)
    }
}

impl GetKey<'_> {
    /// The key's description.
    ///
    /// # Errors
    /// [`Code::KmsNotConfigured`](crate::Code::KmsNotConfigured), and those of the store.
    pub async fn run(self) -> Result<Arc<Key>, Error> {
        let available = self.0.engine.kms(&self.0.session.region).map(|_| ());
        self.0.recorded(available).await?;
        self.0.log_success().await?;
        Ok(self.0.key)
    }
}
