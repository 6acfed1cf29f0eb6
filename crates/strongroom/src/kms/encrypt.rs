use super::{GrantedKey, size};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::envelope::public_aad;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, HashAlgorithm, KeyType, KeyVersionNumber, MAX_PLAINTEXT_LEN};
use strongroom_domain::port::KmsErrorKind;
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

/// The most bytes that RSA-OAEP with SHA-256 holds: the modulus less two digests and two bytes (RFC 8017 section 7.1.1).
const fn oaep_limit(key_type: KeyType) -> Option<usize> {
    let modulus = match key_type {
        KeyType::Rsa2048 => 256,
        KeyType::Rsa3072 => 384,
        KeyType::Rsa4096 => 512,
        _ => return None,
    };
    Some(modulus - 2 * HashAlgorithm::Sha256.digest_len() - 2)
}

fn too_long(key_type: KeyType) -> Error {
    let limit = oaep_limit(key_type).unwrap_or(MAX_PLAINTEXT_LEN);
    Error::new(
        Code::InvalidRequest,
        format!(
            "`plaintext` is too long: a key of type {key_type} encrypts at most {limit} bytes, before base64; encrypt longer ones with a symmetric key."
        ),
    )
}

impl Encrypt<'_> {
    /// Encrypts 1 to 65,535 bytes, with RSA as many as it holds, under the newest version of the key, or the one given.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a plaintext of another length, [`Code::UnsupportedOperation`], [`Code::KeyVersionNotFound`],
    /// [`Code::KeyVersionRetired`], [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those of KMS and store.
    pub async fn run(mut self, plain: SecretBytes, version: Option<KeyVersionNumber>) -> Result<Encrypted, Error> {
        self.0.bytes_in = Some(plain.len() as u64);
        let outcome = self.attempt(&plain, version).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self, plain: &SecretBytes, version: Option<KeyVersionNumber>) -> Result<Encrypted, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        if plain.is_empty() || plain.len() > MAX_PLAINTEXT_LEN {
            return Err(Error::new(Code::InvalidRequest, "`plaintext` has 1 to 65535 bytes, before base64."));
        }
        self.0.check_type(KeyType::encrypts, "encrypt")?;
        let key_type = key.spec.key_type;
        if oaep_limit(key_type).is_some_and(|limit| plain.len() > limit) {
            return Err(too_long(key_type));
        }
        let version = self.0.version(version)?;
        key.check_usable()?;
        let aad = public_aad(&key.spec.scope, key.spec.id, version.number);
        let kms = engine.kms(&session.region)?;
        let bytes = kms.encrypt(&key.spec, version, &aad, plain).await.map_err(|error| match error.kind() {
            KmsErrorKind::TooLong => too_long(key_type).because(error),
            _ => error.into(),
        })?;
        self.0.commit_success(version.number, size(&bytes)).await?;
        Ok(Encrypted { ciphertext: Ciphertext { version: version.number, bytes } })
    }
}
