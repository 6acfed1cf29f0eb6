use crate::TransitKms;
use crate::answer::NO_KEY_TYPE;
use crate::buffer::{Base64, body};
use crate::ciphertext::{Bound, draw_context, join};
use crate::client::Call;
use crate::error::{CallError, Failed};
use crate::handle::{Place, strip};
use core::ops::RangeInclusive;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_domain::envelope::{NONCE_LEN, TAG_LEN};
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersion};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

/// By how many bytes an RSA plaintext is shorter than the modulus: two SHA-256 digests and two bytes (RFC 8017 section 7.1.1).
const OAEP_OVERHEAD: usize = 2 * 32 + 2;

#[derive(Serialize)]
struct EncryptBody<'a> {
    plaintext: Base64<'a>,
    key_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_data: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Base64<'a>>,
    /// Counts only where there is no key.
    #[serde(rename = "type")]
    no_key_type: &'static str,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

/// The length of the modulus of a type's keys, in bytes, if it is RSA.
pub(crate) const fn modulus_len(key_type: KeyType) -> Option<usize> {
    match key_type {
        KeyType::Rsa2048 => Some(256),
        KeyType::Rsa3072 => Some(384),
        KeyType::Rsa4096 => Some(512),
        _ => None,
    }
}

/// How long what the server makes of so long a plaintext is: the modulus, or a nonce, as much as the plaintext, and a tag.
fn sealed_len(key_type: KeyType, plain_len: usize) -> RangeInclusive<usize> {
    let len = modulus_len(key_type).unwrap_or(NONCE_LEN + plain_len + TAG_LEN);
    len..=len
}

impl TransitKms {
    pub(crate) async fn encrypt_plain(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, Failed> {
        if !spec.key_type.encrypts() {
            return Err(Failed::unsupported());
        }
        let place = self.place(spec, version)?;
        let modulus = modulus_len(spec.key_type);
        if modulus.is_some_and(|len| plain.len() > len - OAEP_OVERHEAD) {
            return Err(Failed::with(KmsErrorKind::TooLong, "the plaintext is too long for the key"));
        }
        self.prove(spec.key_type).await?;
        Ok(self.encrypt_at(&place, spec.key_type, aad, plain).await?)
    }

    /// A symmetric key binds `aad`; RSA has no place for it.
    pub(crate) async fn encrypt_at(
        &self,
        place: &Place,
        key_type: KeyType,
        aad: &[u8],
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, CallError> {
        if !key_type.is_symmetric() {
            return self.seal_at(place, key_type, None, plain).await;
        }
        let context = draw_context(&*self.entropy)?;
        let sealed = self.seal_at(place, key_type, Some(Bound { context: &context, aad }), plain).await?;
        Ok(join(&context, &sealed))
    }

    async fn seal_at(
        &self,
        place: &Place,
        key_type: KeyType,
        bound: Option<Bound<'_>>,
        plain: &SecretBytes,
    ) -> Result<Vec<u8>, CallError> {
        let request = EncryptBody {
            plaintext: Base64(plain.expose()),
            key_version: place.version,
            associated_data: bound.map(|bound| Base64(bound.aad)),
            context: bound.map(|bound| Base64(bound.context)),
            no_key_type: NO_KEY_TYPE,
        };
        let body = Some(body(&request).ok_or(CallError::Request)?);
        let path = format!("encrypt/{}", place.name);
        let call = Call { method: Method::POST, path, capability: "update", body };
        let Encrypted { ciphertext } = self.client.ask(&call).await?;
        strip(&ciphertext, place.version, &sealed_len(key_type, plain.len()))
    }
}
