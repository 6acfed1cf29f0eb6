//! Sealed bytes that carry their nonce: a format byte, the nonce, ciphertext and tag.

use crate::aead::{AeadError, open, seal_after};
use strongroom_domain::envelope::{NONCE_LEN, Nonce};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::{Entropy, EntropyError};
use strongroom_domain::value::SecretBytes;

/// The first byte: format 1.
const FORMAT: u8 = 1;

/// Why bytes could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is no nonce to be had.
    #[error("no nonce could be made")]
    Entropy(#[from] EntropyError),
    /// The AEAD refused.
    #[error("the bytes could not be encrypted")]
    Aead(#[from] AeadError),
}

/// Encrypts under a random nonce and puts it in front: format byte 1, 12 bytes of nonce, ciphertext, 16 bytes of tag.
///
/// Random nonces of 96 bits limit one key to 2^32 calls (NIST SP 800-38D section 8.3); a key that may come near is rotated.
///
/// # Errors
/// [`SealError`] when there is no nonce, or for material or input of a wrong length.
pub fn seal_fresh(
    key_type: KeyType,
    material: &[u8],
    entropy: &dyn Entropy,
    aad: &[u8],
    plain: &SecretBytes,
) -> Result<Vec<u8>, SealError> {
    let mut nonce: Nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce)?;
    let mut prefix = [FORMAT; 1 + NONCE_LEN];
    prefix[1..].copy_from_slice(&nonce);
    Ok(seal_after(&prefix, key_type, material, &nonce, aad, plain)?)
}

/// Decrypts what [`seal_fresh`] gave.
///
/// # Errors
/// [`AeadError::MaterialLength`], and [`AeadError::NotAuthentic`] for anything else that isn't as it was.
pub fn open_sealed(key_type: KeyType, material: &[u8], aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, AeadError> {
    let (format, rest) = sealed.split_first().ok_or(AeadError::NotAuthentic)?;
    let (nonce, ciphertext) = rest.split_first_chunk().ok_or(AeadError::NotAuthentic)?;
    if *format != FORMAT {
        return Err(AeadError::NotAuthentic);
    }
    open(key_type, material, nonce, aad, ciphertext)
}

#[cfg(test)]
mod tests {
    use super::{SealError, open_sealed, seal_fresh};
    use crate::aead::{AeadError, seal};
    use crate::entropy::OsEntropy;
    use strongroom_domain::kms::KeyType;
    use strongroom_domain::port::{Entropy, EntropyError};
    use strongroom_domain::value::SecretBytes;

    const KEY: [u8; 32] = [5; 32];

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(9);
            Ok(())
        }
    }

    struct Broken;

    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError("broken".into()))
        }
    }

    fn plain() -> SecretBytes {
        SecretBytes::copy_of(b"plaintext")
    }

    /// A stored format is a promise: these bytes must stay readable.
    #[test]
    fn format_1_is_fixed() {
        let sealed = seal_fresh(KeyType::Aes256Gcm96, &KEY, &Fixed, b"aad", &plain()).expect("seals");
        let mut expected = vec![1];
        expected.extend_from_slice(&[9; 12]);
        expected.extend(seal(KeyType::Aes256Gcm96, &KEY, &[9; 12], b"aad", &plain()).expect("seals"));
        assert_eq!(sealed, expected);
        let opened = open_sealed(KeyType::Aes256Gcm96, &KEY, b"aad", &sealed).expect("opens");
        assert_eq!(opened.expose(), plain().expose());
    }

    #[test]
    fn no_bit_may_differ_and_no_byte_be_missing_or_more() {
        let sealed = seal_fresh(KeyType::Aes256Gcm96, &KEY, &OsEntropy, b"aad", &plain()).expect("seals");
        let open = |bytes: &[u8]| open_sealed(KeyType::Aes256Gcm96, &KEY, b"aad", bytes).err();
        assert_eq!(open(&sealed), None);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&flipped), Some(AeadError::NotAuthentic), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert_eq!(open(&sealed[..len]), Some(AeadError::NotAuthentic), "cut to {len}");
        }
        let mut longer = sealed;
        longer.push(0);
        assert_eq!(open(&longer), Some(AeadError::NotAuthentic));
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        let error = seal_fresh(KeyType::Aes256Gcm96, &KEY, &Broken, b"", &plain()).err();
        assert!(matches!(error, Some(SealError::Entropy(_))));
    }
}
