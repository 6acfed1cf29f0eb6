use super::sign::check_input;
use super::{GrantedKey, size};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, KeyType, KeyVersionNumber, SignInput};

/// A caller who may verify signatures of this key.
pub struct Verify<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may verify signatures of the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn verify<'a>(&'a self, session: &'a Session, name: &str) -> Result<Verify<'a>, Error> {
        let any_of = [Permission::Verify, Permission::Update];
        self.grant_key(session, Action::KmsVerify, &any_of, name).await.map(Verify)
    }
}

impl Verify<'_> {
    /// Whether this is a signature of the key over the input. A text that is none, or names a version that the key doesn't have or that
    /// was retired, is not.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest), [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation),
    /// [`Code::KeyUnusable`](crate::Code::KeyUnusable), [`Code::KeyPendingDeletion`](crate::Code::KeyPendingDeletion), and those of KMS
    /// and store.
    pub async fn run(mut self, input: SignInput, signature: &str) -> Result<bool, Error> {
        self.0.bytes_in = size(input.bytes.expose());
        let outcome = self.attempt(&input, signature).await;
        let (is_valid, version) = self.0.recorded(outcome).await?;
        self.0.log_success_of(version).await?;
        Ok(is_valid)
    }

    /// With the version that was asked, when there is one.
    async fn attempt(&self, input: &SignInput, signature: &str) -> Result<(bool, Option<KeyVersionNumber>), Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        self.0.check_type(KeyType::signs, "verify signatures")?;
        check_input(key.spec.key_type, input)?;
        key.check_usable()?;
        let kms = engine.kms(&session.region)?;
        let Ok(signature) = signature.parse::<Ciphertext>() else { return Ok((false, None)) };
        let Ok(version) = key.decrypts_with(signature.version) else { return Ok((false, None)) };
        let is_valid = kms.verify(&key.spec, version, input, &signature.bytes).await?;
        Ok((is_valid, Some(version.number)))
    }
}
