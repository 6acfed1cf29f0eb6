use crate::TransitKms;
use crate::buffer::{Base64, SecretText, body};
use crate::client::Call;
use crate::encrypt::modulus_len;
use crate::error::{CallError, Failed, Refusal};
use crate::handle::{Place, version_prefix};
use data_encoding::BASE64;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_domain::envelope::{NONCE_LEN, TAG_LEN};
use strongroom_domain::kms::{KeySpec, KeyVersion};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

#[derive(Serialize)]
struct DecryptBody<'a> {
    ciphertext: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_data: Option<Base64<'a>>,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: SecretText,
}

impl TransitKms {
    pub(crate) async fn decrypt_ciphertext(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, Failed> {
        if !spec.key_type.encrypts() {
            return Err(Failed::unsupported());
        }
        let place = self.place(spec, version)?;
        let fits = match modulus_len(spec.key_type) {
            Some(len) => ciphertext.len() == len,
            None => ciphertext.len() >= NONCE_LEN + TAG_LEN,
        };
        if !fits {
            return Err(Failed::with(KmsErrorKind::NotAuthentic, "the ciphertext has not the length of one"));
        }
        self.prove(spec.key_type).await?;
        let aad = spec.key_type.is_symmetric().then_some(aad);
        self.decrypt_at(&place, aad, ciphertext).await.map_err(|error| match error {
            // Whatever it says in other words is about what was sent.
            CallError::Refused { status: 400, refusal: Refusal::Other } => {
                CallError::Refused { status: 400, refusal: Refusal::NotAuthentic }.into()
            }
            error => error.into(),
        })
    }

    pub(crate) async fn decrypt_at(
        &self,
        place: &Place,
        aad: Option<&[u8]>,
        ciphertext: &[u8],
    ) -> Result<SecretBytes, CallError> {
        let ciphertext = format!("{}{}", version_prefix(place.version), BASE64.encode(ciphertext));
        let request = DecryptBody { ciphertext, associated_data: aad.map(Base64) };
        let body = Some(body(&request).ok_or(CallError::Request)?);
        let path = format!("decrypt/{}", place.name);
        let call = Call { method: Method::POST, path, capability: "update", body };
        let Decrypted { plaintext } = self.client.ask(&call).await?;
        plaintext.decoded().ok_or(CallError::Garbage)
    }
}
