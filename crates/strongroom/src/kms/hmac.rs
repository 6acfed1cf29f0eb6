use super::{GrantedKey, size};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, HashAlgorithm, KeyType, KeyVersionNumber, MAX_PLAINTEXT_LEN};

/// A caller who may make HMACs with this key.
pub struct Hmac<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may make HMACs with the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn hmac<'a>(&'a self, session: &'a Session, name: &str) -> Result<Hmac<'a>, Error> {
        let any_of = [Permission::Hmac, Permission::Update];
        self.grant_key(session, Action::KmsHmac, &any_of, name).await.map(Hmac)
    }
}

/// Whether a key of this type takes the message, with the hash that the caller names.
pub(super) fn check_message(key_type: KeyType, message: &[u8], algorithm: Option<HashAlgorithm>) -> Result<(), Error> {
    if message.len() > MAX_PLAINTEXT_LEN {
        let message = format!("`input` has at most {MAX_PLAINTEXT_LEN} bytes, before base64; send its digest instead.");
        return Err(Error::new(Code::InvalidRequest, message));
    }
    let of_key = match key_type {
        KeyType::HmacSha512 => HashAlgorithm::Sha512,
        _ => HashAlgorithm::Sha256,
    };
    match algorithm {
        Some(named) if named != of_key => Err(Error::new(
            Code::InvalidRequest,
            format!(
                "The hash of a key of type {key_type} is {of_key}, not {named}; leave it out, or use a key of another type."
            ),
        )),
        _ => Ok(()),
    }
}

impl Hmac<'_> {
    /// The HMAC of at most 65,535 bytes under the newest version of the key, or the one given. It is given only when the record of it is
    /// durable. It is written like a ciphertext: it names its key version.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for a message that is too long, or another hash than the key's, [`Code::UnsupportedOperation`],
    /// [`Code::KeyVersionNotFound`], [`Code::KeyVersionRetired`], [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those of KMS
    /// and store.
    pub async fn run(
        mut self,
        message: &[u8],
        version: Option<KeyVersionNumber>,
        algorithm: Option<HashAlgorithm>,
    ) -> Result<Ciphertext, Error> {
        self.0.bytes_in = size(message);
        let outcome = self.attempt(message, version, algorithm).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(
        &self,
        message: &[u8],
        version: Option<KeyVersionNumber>,
        algorithm: Option<HashAlgorithm>,
    ) -> Result<Ciphertext, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        self.0.check_type(KeyType::authenticates, "make HMACs")?;
        check_message(key.spec.key_type, message, algorithm)?;
        let version = self.0.version(version)?;
        key.check_usable()?;
        let bytes = engine.kms(&session.region)?.mac(&key.spec, version, message).await?;
        self.0.commit_success(version.number, size(&bytes)).await?;
        Ok(Ciphertext { version: version.number, bytes })
    }
}
