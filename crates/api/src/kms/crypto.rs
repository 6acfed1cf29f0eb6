use crate::Encoded;
use serde::{Deserialize, Serialize};

/// Something to encrypt with a KMS key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Encrypt {
    /// 1 to 65535 bytes, base64.
    pub plaintext: Encoded,
    /// With which version, a number written as a string; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 0))]
    pub context: Option<Encoded>,
}

/// What was encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Encrypted {
    /// The ciphertext, which names the key version.
    pub ciphertext: String,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}

/// Something to decrypt with a KMS key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Decrypt {
    /// What encrypting answered.
    pub ciphertext: String,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 0))]
    pub context: Option<Encoded>,
}

/// What was decrypted.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Decrypted {
    /// The plaintext, base64.
    pub plaintext: Encoded,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}

/// Something to sign with a KMS key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Sign {
    /// The message, or its digest: at most 65535 bytes, base64.
    pub input: Encoded,
    /// With which version, a number written as a string; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
    /// `sha256` (when not said), `sha384` or `sha512`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hash>))]
    pub hash_algorithm: Option<String>,
    /// Whether the input is the digest already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prehashed: Option<bool>,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 0))]
    pub context: Option<Encoded>,
}

/// What was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Signed {
    /// The signature, which names the key version.
    pub signature: String,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}

/// A signature to be verified with a KMS key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// What was signed, base64.
    pub input: Encoded,
    /// What signing answered.
    pub signature: String,
    /// As when it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hash>))]
    pub hash_algorithm: Option<String>,
    /// Whether the input is the digest already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prehashed: Option<bool>,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 0))]
    pub context: Option<Encoded>,
}

/// Whether it was so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Whether the signature or HMAC is one of the key over the input.
    pub valid: bool,
    /// For an HMAC: the key version that it names, if the key has it; a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}

/// A message whose HMAC is wanted.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Hmac {
    /// The message: at most 65535 bytes, base64.
    pub input: Encoded,
    /// With which version, a number written as a string; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
    /// That of the key's type, if given.
    #[serde(default, alias = "hashAlgorithm", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hash>))]
    pub algorithm: Option<String>,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 0))]
    pub context: Option<Encoded>,
}

/// The HMAC of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedHmac {
    /// The HMAC, which names the key version.
    pub hmac: String,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}

/// An HMAC to be verified with a KMS key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyHmac {
    /// The message, base64.
    pub input: Encoded,
    /// What was answered for it.
    pub hmac: String,
    /// That of the key's type, if given.
    #[serde(default, alias = "algorithm", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Hash>))]
    pub hash_algorithm: Option<String>,
    /// Not supported: must be empty or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, max_length = 0))]
    pub context: Option<Encoded>,
}

/// Which material of a KMS key is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportKey {
    /// Of which version, a number written as a string; none means the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}

/// The material of a KMS key.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExportedKey {
    /// Plain bytes for symmetric and HMAC types, PKCS#8 in DER for the others; base64.
    pub key_material: Encoded,
    /// The key version, a number written as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::KeyVersion>))]
    pub key_version: Option<String>,
}
