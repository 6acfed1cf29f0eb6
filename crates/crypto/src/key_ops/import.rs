use super::pkcs8::is_one_document;
use super::{Family, KeyOpError, ecdsa, ed25519_key, rsa, sign, verify};
use strongroom_domain::kms::{HashAlgorithm, KeyType, SignInput};
use strongroom_domain::value::SecretBytes;

/// What is signed and verified to see that the parts of a key belong together.
const PROBE: &[u8] = b"strongroom import probe";

/// Checks material that was made elsewhere, and gives it as a key of this type keeps it: plain bytes as they are, a PKCS#8 document
/// (RFC 5958; version 1, for Ed25519 also version 2) written anew, without attributes.
///
/// RSA takes two factors of half the length of the modulus that aren't close to each other, and a public exponent from 65537.
///
/// # Errors
/// [`KeyOpError::BadMaterial`] for material that isn't one of this type, has parts that don't belong together, or is too weak;
/// [`KeyOpError::Unsupported`] for a type whose material doesn't come from elsewhere.
pub fn check_import(key_type: KeyType, material: &SecretBytes) -> Result<SecretBytes, KeyOpError> {
    let material = material.expose();
    let family = Family::of(key_type);
    match family {
        Family::Hmac(_) => return Err(KeyOpError::Unsupported),
        Family::Symmetric if key_type.material_len() == Some(material.len()) => {
            return Ok(SecretBytes::copy_of(material));
        }
        Family::Rsa(_) | Family::Ecdsa(_) | Family::Ed25519 if is_one_document(material) => {}
        _ => return Err(KeyOpError::BadMaterial),
    }
    let material = match family {
        Family::Rsa(size) => rsa::check_import(size, material),
        Family::Ecdsa(curve) => ecdsa::check_import(curve, material),
        Family::Ed25519 => ed25519_key::check_import(material),
        Family::Symmetric | Family::Hmac(_) => Err(KeyOpError::Unsupported),
    }?;
    let probe = SignInput { hash: HashAlgorithm::Sha256, prehashed: false, bytes: SecretBytes::copy_of(PROBE) };
    let signature = sign(key_type, material.expose(), &probe).map_err(|_| KeyOpError::BadMaterial)?;
    match verify(key_type, material.expose(), &probe, &signature) {
        Ok(true) => Ok(material),
        Ok(false) | Err(_) => Err(KeyOpError::BadMaterial),
    }
}
