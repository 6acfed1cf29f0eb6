use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

/// The library could not derive a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be derived")]
pub struct DeriveError;

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
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

/// Derives `len` bytes: HKDF with SHA-256 (RFC 5869), extract and expand, the parts of `info` one after the other.
pub(crate) fn derive_with_salt(
    salt: &[u8],
    key: &[u8],
    info: &[&[u8]],
    len: usize,
) -> Result<Zeroizing<Vec<u8>>, DeriveError> {
    let mut derived = Zeroizing::new(vec![0; len]);
    fill(&Salt::new(HKDF_SHA256, salt).extract(key), info, &mut derived)?;
    Ok(derived)
}

fn expand(key: &[u8; 32], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    let mut derived = Zeroizing::new([0; 32]);
    fill(&Prk::new_less_safe(HKDF_SHA256, key), &[info], &mut *derived)?;
    Ok(derived)
}

fn fill(prk: &Prk, info: &[&[u8]], derived: &mut [u8]) -> Result<(), DeriveError> {
    let okm = prk.expand(info, Len(derived.len())).map_err(|_| DeriveError)?;
    okm.fill(derived).map_err(|_| DeriveError)
}

#[cfg(test)]
mod tests {
    use super::{derive_key, derive_with_salt, expand};
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

    /// RFC 5869, test cases 1, 2 and 3, whole.
    #[test]
    fn rfc_5869_with_salt() {
        let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                range(0, 0x0c),
                range(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                range(0, 0x4f),
                range(0x60, 0xaf),
                range(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b83\
                67793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                Vec::new(),
                Vec::new(),
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (key, salt, info, expected) in cases {
            let (first, second) = info.split_at(info.len() / 2);
            let okm = derive_with_salt(&salt, &key, &[first, second], expected.len() / 2).expect("derives");
            assert_eq!(HEXLOWER.encode(&okm), expected);
        }
    }

    #[test]
    fn labels_and_keys_separate() {
        let derive = |key, label| derive_key(key, label).expect("derives");
        assert_ne!(derive(&[1; 32], "a"), derive(&[1; 32], "b"));
        assert_ne!(derive(&[1; 32], "a"), derive(&[2; 32], "a"));
        assert_eq!(derive(&[1; 32], "a"), derive(&[1; 32], "a"));
    }
}
