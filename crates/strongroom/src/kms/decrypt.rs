use super::{GrantedKey, size};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::envelope::public_aad;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, KeyStateError, KeyType, KeyVersionNumber};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

/// What was decrypted. It is recorded already.
pub struct Decrypted {
    /// The plaintext.
    pub plain: SecretBytes,
    /// The key version that had encrypted it.
    pub version: KeyVersionNumber,
}

/// A caller who may decrypt with this key.
pub struct Decrypt<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may decrypt with the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn decrypt<'a>(&'a self, session: &'a Session, name: &str) -> Result<Decrypt<'a>, Error> {
        let any_of = [Permission::Decrypt, Permission::Update];
        self.grant_key(session, Action::KmsDecrypt, &any_of, name).await.map(Decrypt)
    }
}

/// One text for every cause, so that none can be told from another.
fn invalid() -> Error {
    Error::new(
        Code::InvalidCiphertext,
        "`ciphertext` is not a ciphertext of this key; send what `encrypt` of this key answered, unchanged.",
    )
}

impl Decrypt<'_> {
    /// Decrypts what [`encrypt`](Engine::encrypt) gave. The plaintext is given only when the record of it is durable.
    ///
    /// # Errors
    /// [`Code::InvalidCiphertext`] for whatever isn't a ciphertext of this key, [`Code::KeyVersionRetired`],
    /// [`Code::UnsupportedOperation`], [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those of KMS and store.
    pub async fn run(mut self, ciphertext: &str) -> Result<Decrypted, Error> {
        let outcome = self.attempt(ciphertext).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&mut self, text: &str) -> Result<Decrypted, Error> {
        let ciphertext: Ciphertext = text.parse().map_err(|_| invalid())?;
        self.0.bytes_in = size(&ciphertext.bytes);
        let GrantedKey { engine, session, key, .. } = &self.0;
        self.0.check_type(KeyType::encrypts, "decrypt")?;
        key.check_usable()?;
        let version = key.decrypts_with(ciphertext.version).map_err(|error| match error {
            KeyStateError::NoSuchVersion(_) => invalid(),
            _ => error.into(),
        })?;
        let aad = public_aad(&key.spec.scope, key.spec.id, version.number);
        let kms = engine.kms(&session.region)?;
        let plain =
            kms.decrypt(&key.spec, version, &aad, &ciphertext.bytes).await.map_err(|error| match error.kind() {
                KmsErrorKind::NotAuthentic => invalid(),
                _ => error.into(),
            })?;
        self.0.commit_success(version.number, Some(plain.len() as u64)).await?;
        Ok(Decrypted { plain, version: version.number })
    }
}
