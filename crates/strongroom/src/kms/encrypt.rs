use super::GrantedKey;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::envelope::public_aad;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, KeyVersionNumber, MAX_PLAINTEXT_LEN};
use strongroom_domain::value::SecretBytes;

/// What was encrypted.
#[derive(Clone, Debug)]
pub struct Encrypted {
    /// The ciphertext, which names its key version.
    pub ciphertext: Ciphertext,
}

/// A caller who may encrypt with this key.
pub struct Encrypt<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may encrypt with the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn encrypt<'a>(&'a self, session: &'a Session, name: &str) -> Result<Encrypt<'a>, Error> {
        let any_of = [Permission::Encrypt, Permission::Update];
        self.grant_key(session, Action::KmsEncrypt, &any_of, name).await.map(Encrypt)
    }
}

impl Encrypt<'_> {
    /// Encrypts 1 to 65,535 bytes under the newest version of the key, or the one given.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a plaintext of another length, [`Code::KeyVersionNotFound`], [`Code::KeyUnusable`],
    /// [`Code::KeyPendingDeletion`], and those of KMS and store.
    pub async fn run(self, plain: SecretBytes, version: Option<KeyVersionNumber>) -> Result<Encrypted, Error> {
        let outcome = self.attempt(&plain, version).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self, plain: &SecretBytes, version: Option<KeyVersionNumber>) -> Result<Encrypted, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        if plain.is_empty() || plain.len() > MAX_PLAINTEXT_LEN {
            return Err(Error::new(Code::InvalidRequest, "`plaintext` has 1 to 65535 bytes, before base64."));
        }
        let found = match version {
            None => key.latest(),
            Some(number) => key.version(number),
        };
        let version =
            found.ok_or_else(|| Error::new(Code::KeyVersionNotFound, "`keyVersion`: the key has no such version; leave it out for the newest, or read the key for those it has."))?;
        key.check_usable()?;
        let aad = public_aad(&key.spec.scope, key.spec.id, version.number);
        let bytes = engine.kms(&session.region)?.encrypt(&key.spec, version, &aad, plain).await?;
        self.0.commit_success(version.number).await?;
        Ok(Encrypted { ciphertext: Ciphertext { version: version.number, bytes } })
    }
}
