use crate::TransitKms;
use crate::buffer::{Base64, SecretText, body};
use crate::ciphertext::{Bound, split};
use crate::client::Call;
use crate::encrypt::modulus_len;
use crate::error::{CallError, Failed};
use crate::handle::{Place, version_prefix};
use data_encoding::BASE64;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_domain::kms::{KeySpec, KeyVersion};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

#[derive(Serialize)]
struct DecryptBody<'a> {
    ciphertext: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    associated_data: Option<Base64<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Base64<'a>>,
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
        let parts = match modulus_len(spec.key_type) {
            Some(len) => (ciphertext.len() == len).then_some((None, ciphertext)),
            None => split(ciphertext).map(|(context, sealed)| (Some(Bound { context, aad }), sealed)),
        };
        let no_ciphertext = || Failed::with(KmsErrorKind::NotAuthentic, "the ciphertext is none of such a key");
        let (bound, sealed) = parts.ok_or_else(no_ciphertext)?;
        self.prove(spec.key_type).await?;
        Ok(self.open_at(&place, bound, sealed).await?)
    }

    /// Opens what the server made. Symmetric keys have something that it is bound to, RSA hasn't.
    pub(crate) async fn open_at(
        &self,
        place: &Place,
        bound: Option<Bound<'_>>,
        sealed: &[u8],
    ) -> Result<SecretBytes, CallError> {
        let ciphertext = format!("{}{}", version_prefix(place.version), BASE64.encode(sealed));
        let request = DecryptBody {
            ciphertext,
            associated_data: bound.map(|bound| Base64(bound.aad)),
            context: bound.map(|bound| Base64(bound.context)),
        };
        let body = Some(body(&request).ok_or(CallError::Request)?);
        let path = format!("decrypt/{}", place.name);
        let call = Call { method: Method::POST, path, capability: "update", body };
        let Decrypted { plaintext } = self.client.ask(&call).await?;
        plaintext.decoded().ok_or(CallError::Garbage)
    }
}
