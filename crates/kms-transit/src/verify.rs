use crate::TransitKms;
use crate::buffer::body;
use crate::client::Call;
use crate::error::{CallError, Failed, Refusal};
use crate::handle::{Place, version_prefix};
use crate::sign::Signing;
use data_encoding::BASE64;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_domain::kms::{KeySpec, KeyVersion, SignInput};

#[derive(Serialize)]
struct VerifyBody<'a> {
    #[serde(flatten)]
    signing: Signing<'a>,
    signature: String,
}

#[derive(Deserialize)]
struct Verified {
    valid: bool,
}

impl TransitKms {
    pub(crate) async fn verify_signature(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
        signature: &[u8],
    ) -> Result<bool, Failed> {
        let signing = Signing::of(spec.key_type, input)?;
        let place = self.place(spec, version)?;
        let signature = format!("{}{}", version_prefix(place.version), BASE64.encode(signature));
        self.ask_valid(&place, &VerifyBody { signing, signature }).await
    }

    /// Whether what stands in a body for `verify` is valid. What can't even be one isn't.
    pub(crate) async fn ask_valid(&self, place: &Place, request: &impl Serialize) -> Result<bool, Failed> {
        let body = Some(body(request).ok_or(CallError::Request)?);
        let call = Call { method: Method::POST, path: format!("verify/{}", place.name), capability: "update", body };
        match self.client.ask(&call).await {
            Ok(Verified { valid }) => Ok(valid),
            Err(CallError::Refused { refusal: Refusal::BadSignature, .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
