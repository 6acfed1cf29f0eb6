use super::KeyOpError;
use aws_lc_rs::digest::{Algorithm, Digest, SHA256, SHA384, SHA512, digest};
use strongroom_domain::kms::{HashAlgorithm, SignInput};

pub(super) const fn algorithm(hash: HashAlgorithm) -> &'static Algorithm {
    match hash {
        HashAlgorithm::Sha256 => &SHA256,
        HashAlgorithm::Sha384 => &SHA384,
        HashAlgorithm::Sha512 => &SHA512,
    }
}

/// What is signed of an input.
pub(super) fn digest_of(input: &SignInput) -> Result<Digest, KeyOpError> {
    let algorithm = algorithm(input.hash);
    if input.prehashed {
        Digest::import_less_safe(input.bytes.expose(), algorithm).map_err(|_| KeyOpError::DigestLength)
    } else {
        Ok(digest(algorithm, input.bytes.expose()))
    }
}
