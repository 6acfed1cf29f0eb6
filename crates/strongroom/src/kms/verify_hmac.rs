use super::hmac::check_message;
use super::{GrantedKey, size};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Ciphertext, HashAlgorithm, KeyType, KeyVersionNumber};

/// What is known of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedHmac {
    /// Whether it is the message's.
    pub valid: bool,
    /// The key version that it names, when the key has that and it was not retired.
    pub version: Option<KeyVersionNumber>,
}

/// A caller who may verify HMACs of this key.
pub struct VerifyHmac<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may verify HMACs of the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`](crate::Code::KeyNotFound), also when no rule allows it.
    pub async fn verify_hmac<'a>(&'a self, session: &'a Session, name: &str) -> Result<VerifyHmac<'a>, Error> {
        let any_of = [Permission::VerifyHmac, Permission::Update];
        self.grant_key(session, Action::KmsVerifyHmac, &any_of, name).await.map(VerifyHmac)
    }
}

impl VerifyHmac<'_> {
    /// Whether this is the HMAC of the message under the key. A text that is none, or names a version that the key doesn't have or that
    /// was retired, is not.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest), [`Code::UnsupportedOperation`](crate::Code::UnsupportedOperation),
    /// [`Code::KeyUnusable`](crate::Code::KeyUnusable), [`Code::KeyPendingDeletion`](crate::Code::KeyPendingDeletion), and those of KMS
    /// and store.
    pub async fn run(
        mut self,
        message: &[u8],
        hmac: &str,
        algorithm: Option<HashAlgorithm>,
    ) -> Result<VerifiedHmac, Error> {
        self.0.bytes_in = size(message);
        let outcome = self.attempt(message, hmac, algorithm).await;
        let verified = self.0.recorded(outcome).await?;
        self.0.log_success_of(verified.version).await?;
        Ok(verified)
    }

    async fn attempt(
        &self,
        message: &[u8],
        hmac: &str,
        algorithm: Option<HashAlgorithm>,
    ) -> Result<VerifiedHmac, Error> {
        let GrantedKey { engine, session, key, .. } = &self.0;
        self.0.check_type(KeyType::authenticates, "verify HMACs")?;
        check_message(key.spec.key_type, message, algorithm)?;
        key.check_usable()?;
        let kms = engine.kms(&session.region)?;
        let none = VerifiedHmac { valid: false, version: None };
        let Ok(hmac) = hmac.parse::<Ciphertext>() else { return Ok(none) };
        let Ok(version) = key.decrypts_with(hmac.version) else { return Ok(none) };
        let valid = kms.verify_mac(&key.spec, version, message, &hmac.bytes).await?;
        Ok(VerifiedHmac { valid, version: Some(version.number) })
    }
}
