use crate::TransitKms;
use crate::buffer::{Base64, body};
use crate::client::Call;
use crate::encrypt::modulus_len;
use crate::error::{CallError, Failed};
use crate::handle::{Place, strip};
use core::ops::RangeInclusive;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use strongroom_domain::kms::{HashAlgorithm, KeySpec, KeyType, KeyVersion, SignInput};

/// The length of an Ed25519 signature (RFC 8032 section 5.1.6).
const ED25519_LEN: usize = 64;

/// How a signature is made, for signing and verifying alike.
#[derive(Serialize)]
pub(crate) struct Signing<'a> {
    input: Base64<'a>,
    hash_algorithm: &'static str,
    prehashed: bool,
    /// Of RSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_algorithm: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt_length: Option<&'static str>,
    /// Of ECDSA.
    #[serde(skip_serializing_if = "Option::is_none")]
    marshaling_algorithm: Option<&'static str>,
}

#[derive(Serialize)]
struct SignBody<'a> {
    #[serde(flatten)]
    signing: Signing<'a>,
    key_version: u32,
}

#[derive(Deserialize)]
struct Signed {
    signature: String,
}

/// What the server calls a hash.
pub(crate) const fn remote_hash(hash: HashAlgorithm) -> &'static str {
    match hash {
        HashAlgorithm::Sha256 => "sha2-256",
        HashAlgorithm::Sha384 => "sha2-384",
        HashAlgorithm::Sha512 => "sha2-512",
    }
}

/// How long signatures of a type's keys are. Those of ECDSA are DER (RFC 3279 section 2.2.3), two integers without their leading zeros. Each may be eight bytes
/// shorter than the longest, which happens once in 2^64, so that no two curves have a length in common.
fn signature_len(key_type: KeyType) -> RangeInclusive<usize> {
    match key_type {
        KeyType::EcdsaP256 => 54..=72,
        KeyType::EcdsaP384 => 86..=104,
        KeyType::EcdsaP521 => 121..=139,
        key_type => {
            let len = modulus_len(key_type).unwrap_or(ED25519_LEN);
            len..=len
        }
    }
}

impl<'a> Signing<'a> {
    /// How keys of this type sign this.
    pub(crate) fn of(key_type: KeyType, input: &'a SignInput) -> Result<Self, Failed> {
        let is_plain = key_type == KeyType::Ed25519;
        let is_no_digest = input.prehashed && input.bytes.len() != input.hash.digest_len();
        if !key_type.signs() || is_no_digest || (is_plain && input.prehashed) {
            return Err(Failed::unsupported());
        }
        let (rsa, ecdsa) = (key_type.is_rsa(), !key_type.is_rsa() && !is_plain);
        Ok(Self {
            input: Base64(input.bytes.expose()),
            hash_algorithm: remote_hash(input.hash),
            prehashed: input.prehashed,
            signature_algorithm: rsa.then_some("pss"),
            salt_length: rsa.then_some("hash"),
            marshaling_algorithm: ecdsa.then_some("asn1"),
        })
    }
}

impl TransitKms {
    pub(crate) async fn sign_input(
        &self,
        spec: &KeySpec,
        version: &KeyVersion,
        input: &SignInput,
    ) -> Result<Vec<u8>, Failed> {
        let signing = Signing::of(spec.key_type, input)?;
        let Place { name, version } = self.place(spec, version)?;
        let body = Some(body(&SignBody { signing, key_version: version }).ok_or(CallError::Request)?);
        let call = Call { method: Method::POST, path: format!("sign/{name}"), capability: "update", body };
        let Signed { signature } = self.client.ask(&call).await?;
        Ok(strip(&signature, version, &signature_len(spec.key_type))?)
    }
}
