use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use zeroize::Zeroizing;

/// The library could not derive a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be derived")]
pub struct DeriveError;

struct Len32;

impl KeyType for Len32 {
    fn len(&self) -> usize {
        32
    }
}

/// Derives a key for one use from a key of 32 uniformly random bytes: HKDF-Expand with SHA-256 (RFC 5869 section 2.3), `label` as
/// its `info`. Keys of different labels tell nothing of each other.
///
/// # Errors
/// [`DeriveError`] when the library fails.
pub fn derive_key(key: &[u8; 32], label: &str) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    expand(key, label.as_bytes())
}

fn expand(key: &[u8; 32], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    let mut derived = Zeroizing::new([0; 32]);
    let prk = Prk::new_less_safe(HKDF_SHA256, key);
    let parts = [info];
    let okm = prk.expand(&parts, Len32).map_err(|_| DeriveError)?;
    okm.fill(&mut *derived).map_err(|_| DeriveError)?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::{derive_key, expand};
    use data_encoding::HEXLOWER;

    /// RFC 5869, test case 1: the first 32 bytes of its 42.
    #[test]
    fn rfc_5869() {
        let prk = HEXLOWER.decode(b"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5").expect("hex");
        let prk = prk.try_into().expect("32 bytes");
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let okm = expand(&prk, &info).expect("derives");
        assert_eq!(HEXLOWER.encode(&*okm), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    }

    #[test]
    fn labels_and_keys_separate() {
        let derive = |key, label| derive_key(key, label).expect("derives");
        assert_ne!(derive(&[1; 32], "a"), derive(&[1; 32], "b"));
        assert_ne!(derive(&[1; 32], "a"), derive(&[2; 32], "a"));
        assert_eq!(derive(&[1; 32], "a"), derive(&[1; 32], "a"));
    }
}
