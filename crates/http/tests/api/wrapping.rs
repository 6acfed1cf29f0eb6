//! A wrapping key for imports that is there at once: RSA-4096 takes seconds to make.

use async_trait::async_trait;
use strongroom_crypto::key_ops::{unwrap_import, wrapping_public_key};
use strongroom_domain::kms::PublicKey;
use strongroom_domain::port::{ImportKeyError, ImportKeyErrorKind, ImportKeys, OaepHash};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::value::SecretBytes;

const PKCS8: &[u8] = include_bytes!("../../../testkit/src/kms/elsewhere/rsa-4096/private.der");

/// Always the same key, which is sealed under nothing.
pub(crate) struct FixedWrappingKey;

#[async_trait]
impl ImportKeys for FixedWrappingKey {
    async fn generate(&self) -> Result<SealedInstanceKey, ImportKeyError> {
        let purpose = InstanceKeyPurpose::ByokWrapping;
        Ok(SealedInstanceKey { purpose, version: 1, sealed: PKCS8.to_vec(), public: None })
    }

    async fn public_key(&self, key: &SealedInstanceKey) -> Result<PublicKey, ImportKeyError> {
        Ok(wrapping_public_key(&key.sealed).expect("a key of the right form"))
    }

    async fn unwrap(
        &self,
        key: &SealedInstanceKey,
        hash: OaepHash,
        wrapped: &[u8],
    ) -> Result<SecretBytes, ImportKeyError> {
        unwrap_import(&key.sealed, hash, wrapped)
            .map_err(|error| ImportKeyError::new(ImportKeyErrorKind::NotAuthentic, "unwrapping").because(error))
    }
}
