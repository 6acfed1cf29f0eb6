use super::{GrantedKey, KeyChange};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Key, KeyVersion};
use strongroom_domain::time::Timestamp;
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

/// One version more.
struct NextVersion;

#[async_trait]
impl KeyChange for NextVersion {
    async fn decide(
        &self,
        granted: &GrantedKey<'_>,
        mut key: Key,
        at: Timestamp,
    ) -> Result<Option<(Change, Key)>, Error> {
        key.may_rotate()?;
        let latest =
            key.latest().ok_or_else(|| Error::new(Code::Internal, "The KMS key has no version; tell the operator."))?;
        let number = latest.number.next();
        let handle = granted.engine.kms(&granted.session.region)?.rotate(&key.spec, latest, number).await?;
        let version = KeyVersion { number, handle, created_at: at };
        key.state = key.touched(at);
        key.versions.push(version.clone());
        Ok(Some((Change::AppendKeyVersion { key: key.spec.id, version, state: key.state }, key)))
    }
}

impl RotateKey<'_> {
    /// Adds a version, which encrypts from now on; earlier ones go on decrypting.
    ///
    /// # Errors
    /// [`Code::UnsupportedOperation`] for a key that may never be rotated, [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those
    /// of KMS and store.
    pub async fn run(self) -> Result<Arc<Key>, Error> {
        let outcome = self.0.change(&NextVersion).await;
        self.0.recorded(outcome).await
    }
}
