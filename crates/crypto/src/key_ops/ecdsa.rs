use super::KeyOpError;
use super::digest::{algorithm, digest_of};
use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1,
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P384_SHA512_ASN1,
    ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair, UnparsedPublicKey,
};
use strongroom_domain::kms::{HashAlgorithm, PublicKey, SignInput};
use strongroom_domain::value::SecretBytes;

/// A curve of NIST SP 800-186.
#[derive(Clone, Copy)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The hash that the library signs with on this curve.
    const fn native_hash(self) -> HashAlgorithm {
        match self {
            Self::P256 => HashAlgorithm::Sha256,
            Self::P384 => HashAlgorithm::Sha384,
            Self::P521 => HashAlgorithm::Sha512,
        }
    }

    const fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &ECDSA_P521_SHA512_ASN1_SIGNING,
        }
    }

    const fn verification(self, hash: HashAlgorithm) -> &'static EcdsaVerificationAlgorithm {
        match (self, hash) {
            (Self::P256, HashAlgorithm::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Self::P256, HashAlgorithm::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Self::P256, HashAlgorithm::Sha512) => &ECDSA_P256_SHA512_ASN1,
            (Self::P384, HashAlgorithm::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Self::P384, HashAlgorithm::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Self::P384, HashAlgorithm::Sha512) => &ECDSA_P384_SHA512_ASN1,
            (Self::P521, HashAlgorithm::Sha256) => &ECDSA_P521_SHA256_ASN1,
            (Self::P521, HashAlgorithm::Sha384) => &ECDSA_P521_SHA384_ASN1,
            (Self::P521, HashAlgorithm::Sha512) => &ECDSA_P521_SHA512_ASN1,
        }
    }
}

pub(super) fn generate(curve: Curve) -> Result<SecretBytes, KeyOpError> {
    to_pkcs8(&EcdsaKeyPair::generate(curve.signing())?)
}

pub(super) fn check_import(curve: Curve, material: &[u8]) -> Result<SecretBytes, KeyOpError> {
    let pair = EcdsaKeyPair::from_pkcs8(curve.signing(), material).map_err(|_| KeyOpError::BadMaterial)?;
    // Made of its two parts it is written with both, whatever the document had.
    let private: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes()?;
    let public = pair.public_key().as_ref();
    let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), private.as_ref(), public)
        .map_err(|_| KeyOpError::BadMaterial)?;
    to_pkcs8(&pair)
}

pub(super) fn sign(curve: Curve, material: &[u8], input: &SignInput) -> Result<Vec<u8>, KeyOpError> {
    let digest = as_native(curve, &digest_of(input)?)?;
    Ok(pair(curve, material)?.sign_digest(&digest)?.as_ref().to_vec())
}

/// The digest as one of the curve's own hash, with the same signatures. ECDSA signs the number that the leftmost bits of a digest
/// make, as many as the order of the curve has (FIPS 186-5 section 6.4.1). Both bits that are cut off behind them and zeros put in front
/// of a shorter digest leave that number as it is, as the order of P-256 and P-384 has as many bits as their own hash, and the one of P-521 more.
fn as_native(curve: Curve, digest: &Digest) -> Result<Digest, KeyOpError> {
    let hash = curve.native_hash();
    let len = hash.digest_len();
    let digest = digest.as_ref();
    let mut native = [0; HashAlgorithm::Sha512.digest_len()];
    let native = native.get_mut(..len).ok_or(KeyOpError::Failed)?;
    let kept = digest.len().min(len);
    native[len - kept..].copy_from_slice(&digest[..kept]);
    Ok(Digest::import_less_safe(native, algorithm(hash))?)
}

pub(super) fn verify(curve: Curve, material: &[u8], input: &SignInput, signature: &[u8]) -> Result<bool, KeyOpError> {
    let digest = digest_of(input)?;
    Ok(verify_under(pair(curve, material)?.public_key().as_ref(), curve, input.hash, &digest, signature))
}

/// `public` is an uncompressed point or a `SubjectPublicKeyInfo` in DER.
pub(super) fn verify_under(
    public: &[u8],
    curve: Curve,
    hash: HashAlgorithm,
    digest: &Digest,
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(curve.verification(hash), public).verify_digest(digest, signature).is_ok()
}

pub(super) fn public_key(curve: Curve, material: &[u8]) -> Result<PublicKey, KeyOpError> {
    let der: PublicKeyX509Der<'_> = pair(curve, material)?.public_key().as_der()?;
    Ok(PublicKey::Spki(der.as_ref().to_vec()))
}

fn pair(curve: Curve, material: &[u8]) -> Result<EcdsaKeyPair, KeyOpError> {
    EcdsaKeyPair::from_pkcs8(curve.signing(), material).map_err(|_| KeyOpError::UnusableMaterial)
}

fn to_pkcs8(pair: &EcdsaKeyPair) -> Result<SecretBytes, KeyOpError> {
    Ok(SecretBytes::copy_of(pair.to_pkcs8v1()?.as_ref()))
}
