use crate::TransitKms;
use crate::buffer::{Base64, body};
use crate::client::Call;
use crate::error::{CallError, Failed};
use crate::handle::{Place, strip, version_prefix};
use crate::sign::remote_hash;
use data_encoding::BASE64;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_domain::kms::{HashAlgorithm, KeySpec, KeyType, KeyVersion};

#[derive(Serialize)]
struct MacBody<'a> {
    input: Base64<'a>,
    algorithm: &'static str,
    key_version: u32,
}

#[derive(Serialize)]
struct VerifyMacBody<'a> {
    input: Base64<'a>,
    algorithm: &'static str,
    hmac: String,
}

#[derive(Deserialize)]
struct Made {
    hmac: String,
}

fn hash_of(key_type: KeyType) -> Result<HashAlgorithm, Failed> {
    match key_type {
        KeyType::Hmac | KeyType::HmacSha256 => Ok(HashAlgorithm::Sha256),
        KeyType::HmacSha512 => Ok(HashAlgorithm::Sha512),
        _ => Err(Failed::unsupported()),
    }
}

impl TransitKms {
    pub(crate) async fn make_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
    ) -> Result<Vec<u8>, Failed> {
        let hash = hash_of(spec.key_type)?;
        let Place { name, version } = self.place(spec, version)?;
        let request = MacBody { input: Base64(message), algorithm: remote_hash(hash), key_version: version };
        let body = Some(body(&request).ok_or(CallError::Request)?);
        let call = Call { method: Method::POST, path: format!("hmac/{name}"), capability: "update", body };
        let Made { hmac } = self.client.ask(&call).await?;
        let len = hash.digest_len();
        Ok(strip(&hmac, version, &(len..=len))?)
    }

    pub(crate) async fn verify_made_mac(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, Failed> {
        let algorithm = remote_hash(hash_of(spec.key_type)?);
        let place = self.place(spec, version)?;
        let hmac = format!("{}{}", version_prefix(place.version), BASE64.encode(mac));
        self.ask_valid(&place, &VerifyMacBody { input: Base64(message), algorithm, hmac }).await
    }
}
