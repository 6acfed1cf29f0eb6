use super::GrantedKey;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Key, KeyVersion};
use strongroom_domain::unit::Change;

/// A caller who may rotate this key.
pub struct RotateKey<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may rotate the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn rotate<'a>(&'a self, session: &'a Session, name: &str) -> Result<RotateKey<'a>, Error> {
        let any_of = [Permission::Rotate, Permission::Update];
        self.grant_key(session, Action::KmsRotate, &any_of, name).await.map(RotateKey)
    }
}

impl RotateKey<'_> {
    /// Adds a version, which encrypts from now on; earlier ones go on decrypting.
    ///
    /// # Errors
    /// [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those of KMS and store.
    pub async fn run(self) -> Result<Arc<Key>, Error> {
        let kms = self.0.engine.kms(&self.0.session.region)?;
        let outcome = self
            .0
            .change(async |mut key, at| {
                key.check_usable()?;
                let latest = key.latest().ok_or_else(|| Error::new(Code::Internal, "The KMS key has no version."))?;
                let number = latest.number.next();
                let handle = kms.rotate(&key.spec, latest, number).await?;
                let version = KeyVersion { number, handle, created_at: at };
                key.state = key.touched(at);
                key.versions.push(version.clone());
                let change = Change::AppendKeyVersion { key: key.spec.id, version, state: key.state };
                Ok(Some((change, key)))
            })
            .await;
        self.0.recorded(outcome).await
    }
}
