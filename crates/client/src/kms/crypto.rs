use super::Kms;
use crate::value::{decode, encode};
use crate::{Error, Plain};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use strongroom_api::{
    CreatedHmac, Decrypt, Decrypted, Encrypt, Encrypted, ExportKey, ExportedKey, Hmac, Sign, Signed, Verified, Verify,
    VerifyHmac,
};

impl Kms {
    /// Encrypts 1 to 65535 bytes (with RSA less) with a version of a key; `None`: the newest.
    ///
    /// # Errors
    /// Any; as of [every operation](Self); `invalid_request` (400) for a plaintext of another length.
    pub async fn encrypt(&self, key: &str, plaintext: &[u8], version: Option<u32>) -> Result<Encrypted, Error> {
        let body =
            Encrypt { plaintext: encode(plaintext), key_version: version.as_ref().map(u32::to_string), context: None };
        self.change(key, "encrypt", &body).await
    }

    /// Decrypts what [`encrypt`](Self::encrypt) gave.
    ///
    /// # Errors
    /// Any; as of [every operation](Self); `invalid_ciphertext` (400) for what isn't one of the key, whatever the cause.
    pub async fn decrypt(&self, key: &str, ciphertext: &str) -> Result<Plain, Error> {
        let body = Decrypt { ciphertext: ciphertext.to_owned(), context: None };
        let decrypted: Decrypted = self.ask(key, "decrypt", &body).await?;
        decode(&decrypted.plaintext)
    }

    /// Signs a message or digest of at most 65535 bytes.
    ///
    /// # Errors
    /// Any; as of [every operation](Self); `invalid_request` (400) for an input that is too long, or no digest of its hash.
    pub async fn sign(&self, key: &str, sign: &Sign) -> Result<Signed, Error> {
        self.change(key, "sign", sign).await
    }

    /// Verifies what [`sign`](Self::sign) gave.
    ///
    /// # Errors
    /// Any; as of [every operation](Self). What is no signature at all is no error but not valid, and so is one of a version that was
    /// retired.
    pub async fn verify(&self, key: &str, verify: &Verify) -> Result<Verified, Error> {
        self.ask(key, "verify", verify).await
    }

    /// The HMAC of at most 65535 bytes, with a version of a key; `None`: the newest.
    ///
    /// # Errors
    /// Any; as of [every operation](Self); `invalid_request` (400) for a message that is too long.
    pub async fn hmac(&self, key: &str, input: &[u8], version: Option<u32>) -> Result<CreatedHmac, Error> {
        let key_version = version.as_ref().map(u32::to_string);
        self.change(key, "hmac", &Hmac { input: encode(input), key_version, algorithm: None, context: None }).await
    }

    /// Verifies what [`hmac`](Self::hmac) gave.
    ///
    /// # Errors
    /// Any; as of [every operation](Self). What is no HMAC at all is no error but not valid, and so is one of a version that was retired.
    pub async fn verify_hmac(&self, key: &str, input: &[u8], hmac: &str) -> Result<Verified, Error> {
        let body = VerifyHmac { input: encode(input), hmac: hmac.to_owned(), hash_algorithm: None, context: None };
        self.ask(key, "verify-hmac", &body).await
    }

    /// The material of a version of a key whose export is allowed; `None`: the newest. Plain bytes of symmetric and HMAC keys, PKCS#8
    /// in DER of the others.
    ///
    /// # Errors
    /// Any; as of [every operation](Self); `export_not_allowed` (400) when the key was made without.
    pub async fn export(&self, key: &str, version: Option<u32>) -> Result<Plain, Error> {
        let body = ExportKey { key_version: version.as_ref().map(u32::to_string) };
        let exported: ExportedKey = self.change(key, "export", &body).await?;
        decode(&exported.key_material)
    }

    async fn change<T: DeserializeOwned>(&self, key: &str, operation: &str, body: &impl Serialize) -> Result<T, Error> {
        self.client.send_json(self.on_key(Method::POST, key, Some(operation)).json(body)).await
    }

    /// An operation that changes nothing, and can be done again.
    async fn ask<T: DeserializeOwned>(&self, key: &str, operation: &str, body: &impl Serialize) -> Result<T, Error> {
        self.client.send_json(self.on_key(Method::POST, key, Some(operation)).repeatable().json(body)).await
    }
}
