//! Key material that was made elsewhere, and becomes the first version of a new key.

use super::create::CreateKeyInput;
use crate::engine::Engine;
use crate::error::{Code, Error};
use std::sync::Arc;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType};
use strongroom_domain::port::{ImportKeys, Kms, KmsErrorKind, OaepHash};

/// Key material to bring in, wrapped under the [wrapping key](Engine::wrapping_key).
#[derive(Clone, Debug)]
pub struct ImportInput {
    /// RSA-OAEP over a fresh AES-256 key, followed by AES-KWP (RFC 5649) of the material under that key.
    pub wrapped: Vec<u8>,
    /// The hash of that RSA-OAEP.
    pub hash: OaepHash,
    /// Whether the KMS may add versions with material of its own.
    pub allow_rotation: bool,
}

impl CreateKeyInput {
    /// Whether material of this type can be brought in at all, and the settings fit together.
    pub(super) fn check_import(&self) -> Result<(), Error> {
        let Some(import) = &self.import else { return Ok(()) };
        super::check_type(self.key_type, KeyType::is_importable, "take imported material")?;
        if self.rotation.enabled && !import.allow_rotation {
            return Err(Error::new(
                Code::InvalidRequest,
                "`keyRotationEnabled` needs `allowRotation` for a key with imported material; set both, or neither.",
            ));
        }
        Ok(())
    }
}

impl Engine {
    pub(super) fn import_keys(&self) -> Result<&Arc<dyn ImportKeys>, Error> {
        self.ports.import_keys.as_ref().ok_or_else(|| {
            Error::new(
                Code::UnsupportedOperation,
                "Key material can't be imported here; leave `importKeyMaterial` out, and the KMS makes it.",
            )
        })
    }

    /// Unwraps the material and gives it to the KMS.
    pub(super) async fn import_material(
        &self,
        kms: &dyn Kms,
        spec: &KeySpec,
        import: &ImportInput,
    ) -> Result<KeyHandle, Error> {
        let keys = self.import_keys()?;
        let Some(wrapping) = self.newest_wrapping_key().await? else {
            return Err(Error::new(
                Code::BadKeyMaterial,
                "`importKeyMaterial` cannot be unwrapped: there is no wrapping key yet. Get it (GET …/wrapping-key), and wrap the material under it.",
            ));
        };
        let material = keys.unwrap(&wrapping, import.hash, &import.wrapped).await?;
        kms.import(spec, &material).await.map_err(|error| match error.kind() {
            KmsErrorKind::BadMaterial => bad_material(spec.key_type).because(error),
            _ => error.into(),
        })
    }
}

/// What was unwrapped isn't what a key of this type is made of.
fn bad_material(key_type: KeyType) -> Error {
    let expected = match key_type.material_len() {
        Some(len) => format!("exactly {len} bytes"),
        None if key_type.is_rsa() => {
            "a private key in PKCS#8 DER (RFC 5958), with a modulus of exactly that many bits and the public exponent 65537"
                .to_owned()
        }
        None => "a private key of that algorithm and curve in PKCS#8 DER (RFC 5958)".to_owned(),
    };
    Error::new(
        Code::BadKeyMaterial,
        format!(
            "`importKeyMaterial`: a key of type {key_type} is made of {expected}; what was unwrapped is something else."
        ),
    )
}
