use super::{GrantedKey, size};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, KeyType, KeyVersionNumber, MAX_PLAINTEXT_LEN, SignInput};

/// A caller who may sign with this key.
pub struct Sign<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may sign with the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn sign<'a>(&'a self, session: &'a Session, name: &str) -> Result<Sign<'a>, Error> {
        let any_of = [Permission::Sign, Permission::Update];
        self.grant_key(session, Action::KmsSign, &any_of, name).await.map(Sign)
    }
}

/// Whether a key of this type takes the input, to sign it or to verify a signature over it.
pub(super) fn check_input(key_type: KeyType, input: &SignInput) -> Result<(), Error> {
    let invalid = |message: String| Err(Error::new(Code::InvalidRequest, message));
    if input.bytes.len() > MAX_PLAINTEXT_LEN {
        return invalid(format!(
            "`input` has at most {MAX_PLAINTEXT_LEN} bytes, before base64; send a digest with `prehashed` instead."
        ));
    }
    if !input.prehashed {
        return Ok(());
    }
    if key_type == KeyType::Ed25519 {
        return invalid(
            "`prehashed`: Ed25519 signs the message itself, never its digest; send the message.".to_owned(),
        );
    }
    let (hash, wanted) = (input.hash, input.hash.digest_len());
    if input.bytes.len() != wanted {
        return invalid(format!(
            "`input`: with `prehashed` it is the {hash} digest, {wanted} bytes before base64; it has {}.",
            input.bytes.len()
        ));
    }
    Ok(())
}

impl Sign<'_> {
    /// Signs at most 65,535 bytes, or their digest, under the newest version of the key, or the one given. The signature is given only
    /// when the record of it is durable. It is written like a ciphertext: it names its key version.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] for an input that is too long, or no digest of its hash, [`Code::UnsupportedOperation`],
    /// [`Code::KeyVersionNotFound`], [`Code::KeyVersionRetired`], [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those of KMS
    /// and store.
    pub async fn run(mut self, input: SignInput, version: Option<KeyVersionNumber>) -> Result<Ciphertext, Error> {
        self.0.bytes_in = size(input.bytes.expose());
        let outcome = self.attempt(&input, version).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self, input: &SignInput, version: Option<KeyVersionNumber>) -> Result<Ciphertext, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        self.0.check_type(KeyType::signs, "sign")?;
        check_input(key.spec.key_type, input)?;
        let version = self.0.version(version)?;
        key.check_usable()?;
        let bytes = engine.kms(&session.region)?.sign(&key.spec, version, input).await?;
        self.0.commit_success(version.number, size(&bytes)).await?;
        Ok(Ciphertext { version: version.number, bytes })
    }
}
