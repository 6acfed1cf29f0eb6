use super::{GrantedKey, no_such_version};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{KeyType, KeyVersionNumber, PublicKey};

/// A caller who may read the public part of this key.
pub struct ReadPublicKey<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may read the public part of the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn public_key<'a>(&'a self, session: &'a Session, name: &str) -> Result<ReadPublicKey<'a>, Error> {
        self.grant_key(session, Action::KmsPublicKeyRead, &[Permission::Read], name).await.map(ReadPublicKey)
    }
}

impl ReadPublicKey<'_> {
    /// The public part of one version, or of all, by rising version. It is no use of the key: whatever state it is in, and also for
    /// versions that were retired.
    ///
    /// # Errors
    /// [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation) for a type that has none,
    /// [`Code::KeyVersionNotFound`](crate::Code::KeyVersionNotFound), and those of KMS and store.
    pub async fn run(self, version: Option<KeyVersionNumber>) -> Result<Vec<(KeyVersionNumber, PublicKey)>, Error> {
        let outcome = self.attempt(version).await;
        let keys = self.0.recorded(outcome).await?;
        self.0.log_success_of(version).await?;
        Ok(keys)
    }

    async fn attempt(&self, wanted: Option<KeyVersionNumber>) -> Result<Vec<(KeyVersionNumber, PublicKey)>, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        self.0.check_type(KeyType::has_public_key, "give a public key")?;
        let versions = match wanted {
            None => key.versions.iter().collect(),
            Some(number) => vec![key.version(number).ok_or_else(|| no_such_version("version"))?],
        };
        let kms = engine.kms(&session.region)?;
        let mut keys = Vec::with_capacity(versions.len());
        for version in versions {
            keys.push((version.number, kms.public_key(&key.spec, version).await?));
        }
        Ok(keys)
    }
}
