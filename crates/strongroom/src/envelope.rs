//! Sealing and opening the values of versions.

use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::Session;
use strongroom_domain::envelope::{
    DATA_KEY_LEN, DataKey, NONCE_LEN, data_key_aad, decode_payload, encode_payload, payload_aad,
};
use strongroom_domain::id::SecretId;
use strongroom_domain::kms::{Key, KeyVersion};
use strongroom_domain::path::SecretPath;
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::secret::{SealedVersion, Secret, WrappedKey};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::{SecretBytes, SecretValue, ValueError};
use strongroom_domain::version::VersionNumber;
use zeroize::Zeroizing;

/// How a caller gives a value.
pub enum ValueInput {
    /// Here it is.
    Value(SecretValue),
    /// So many random bytes.
    Generate(usize),
}

/// What a version is bound to.
pub(crate) struct Binding<'a> {
    pub(crate) secret: SecretId,
    pub(crate) path: &'a SecretPath,
    pub(crate) number: VersionNumber,
    pub(crate) key: &'a Key,
}

impl Engine {
    /// The value to store: the caller's, checked against the limit, or a generated one.
    pub(crate) fn value(&self, input: ValueInput) -> Result<SecretValue, Error> {
        match input {
            ValueInput::Value(value) if value.size() > self.limits.max_value_len => {
                Err(ValueError::TooLarge { size: value.size(), limit: self.limits.max_value_len }.into())
            }
            ValueInput::Value(value) => Ok(value),
            ValueInput::Generate(len) if len > self.limits.max_value_len => {
                Err(ValueError::TooLarge { size: len, limit: self.limits.max_value_len }.into())
            }
            ValueInput::Generate(len) => {
                let mut bytes = Zeroizing::new(vec![0; len]);
                self.ports.entropy.fill(&mut bytes)?;
                Ok(SecretValue::string(SecretBytes::new(bytes), usize::MAX)?)
            }
        }
    }

    /// Encrypts a value under a fresh data key, and wraps that under the newest version of the KMS key.
    pub(crate) async fn seal(
        &self,
        session: &Session,
        binding: Binding<'_>,
        value: &SecretValue,
        at: Timestamp,
    ) -> Result<SealedVersion, Error> {
        let Binding { secret, path, number, key } = binding;
        let kms = self.kms(&session.region)?;
        let version =
            key.latest().ok_or_else(|| Error::new(Code::Internal, "The KMS key has no version; tell the operator."))?;

        let mut data_key = Zeroizing::new([0; DATA_KEY_LEN]);
        self.ports.entropy.fill(data_key.as_mut())?;
        let mut nonce = [0; NONCE_LEN];
        self.ports.entropy.fill(&mut nonce)?;
        let data_key = DataKey::new(data_key);

        let aad = data_key_aad(&session.scope, path, secret, number, key.spec.id);
        let wrapped = wrap(&**kms, key, version, &aad, &SecretBytes::copy_of(data_key.expose())).await?;
        let aad = payload_aad(secret, number, value.format());
        let ciphertext = self.ports.cipher.seal(&data_key, &nonce, &aad, &value.encode())?;
        Ok(SealedVersion {
            number,
            format: value.format(),
            created_at: at,
            wrapped: WrappedKey { key_version: version.number, bytes: wrapped },
            payload: encode_payload(&nonce, &ciphertext),
        })
    }

    /// Unwraps a version's data key and decrypts its value.
    pub(crate) async fn open(
        &self,
        session: &Session,
        secret: &Secret,
        key: &Key,
        version: &SealedVersion,
    ) -> Result<SecretValue, Error> {
        let damaged = |what| Error::new(Code::Internal, format!("The stored {what} is damaged; tell the operator."));
        let kms = self.kms(&session.region)?;
        // A retired version too: retirement keeps callers and new data keys from a version, never a secret from being read.
        let key_version = key.version(version.wrapped.key_version).ok_or_else(|| damaged("key version"))?;
        let aad = data_key_aad(&secret.scope, &secret.path, secret.id, version.number, key.spec.id);
        let data_key = kms.decrypt(&key.spec, key_version, &aad, &version.wrapped.bytes).await?;
        let data_key = DataKey::from_slice(data_key.expose()).ok_or_else(|| damaged("data key"))?;
        let (nonce, ciphertext) = decode_payload(&version.payload).ok_or_else(|| damaged("value"))?;
        let aad = payload_aad(secret.id, version.number, version.format);
        let plain = self.ports.cipher.open(&data_key, nonce, &aad, ciphertext)?;
        SecretValue::decode(version.format, plain).map_err(|error| damaged("value").because(error))
    }
}

/// Wraps a data key, and sees that it opens again before anything depends on it: a KMS is another program, perhaps on another machine, and a
/// value whose data key does not open is lost.
pub(crate) async fn wrap(
    kms: &dyn Kms,
    key: &Key,
    version: &KeyVersion,
    aad: &[u8],
    data_key: &SecretBytes,
) -> Result<Vec<u8>, Error> {
    let wrapped = kms.encrypt(&key.spec, version, aad, data_key).await?;
    match kms.decrypt(&key.spec, version, aad, &wrapped).await {
        Ok(opened) if opened.expose() == data_key.expose() => Ok(wrapped),
        Err(error) if *error.kind() == KmsErrorKind::Unavailable => Err(error.into()),
        Ok(_) | Err(_) => Err(Error::new(
            Code::KmsUnavailable,
            "The KMS gave a wrapped data key that does not open; nothing was stored. Tell the operator of the server.",
        )),
    }
}
