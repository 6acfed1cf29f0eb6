//! Access keys and secrets of service accounts.

use crate::token::random_text;
use strongroom_domain::directory::AccessCredential;
use strongroom_domain::port::{Entropy, EntropyError, KeyedDigest};
use strongroom_domain::value::SecretBytes;
use subtle::ConstantTimeEq;

/// What every access key begins with.
const ACCESS_KEY_PREFIX: &str = "AK";
/// How many random bytes an access key has; it is no secret, and must only never repeat.
const KEY_ENTROPY: usize = 18;
/// How many random bytes an access secret has.
const SECRET_ENTROPY: usize = 32;

/// A new access key and secret, and what to store of them.
pub struct IssuedAccessCredential {
    /// The public part: 26 characters of `A–Z a–z 0–9 _ -`.
    pub access_key: String,
    /// The secret part: 43 characters of `A–Z a–z 0–9 _ -`. It can't be had again.
    pub access_secret: SecretBytes,
    /// The keyed digest of the secret part.
    pub digest: [u8; 32],
    /// The version of the digest's key.
    pub digest_key_version: u32,
}

/// Makes an access key and its secret of 256 random bits.
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn issue_access_credential(
    entropy: &dyn Entropy,
    digest: &dyn KeyedDigest,
) -> Result<IssuedAccessCredential, EntropyError> {
    let access_key = random_text::<KEY_ENTROPY>(ACCESS_KEY_PREFIX, entropy)?;
    let access_secret = random_text::<SECRET_ENTROPY>("", entropy)?;
    Ok(IssuedAccessCredential {
        access_key: String::from_utf8_lossy(access_key.expose()).into_owned(),
        digest: digest.digest(access_secret.expose()),
        digest_key_version: digest.key_version(),
        access_secret,
    })
}

/// Whether this is the secret of the credential, in a time that tells nothing of either. When the credential ends is for the caller to
/// check.
#[must_use]
pub fn verify_secret(digest: &dyn KeyedDigest, credential: &AccessCredential, secret: &SecretBytes) -> bool {
    digest.digest(secret.expose()).ct_eq(&credential.digest).into()
}

#[cfg(test)]
mod tests {
    use super::issue_access_credential;
    use std::collections::HashSet;
    use strongroom_crypto::{HmacSha256Digest, OsEntropy};
    use strongroom_domain::port::KeyedDigest;
    use strongroom_domain::value::SecretBytes;

    #[test]
    fn access_credentials_have_their_form_and_never_repeat() {
        let digest = HmacSha256Digest::new(&SecretBytes::copy_of(&[1; 32]), 3);
        let mut seen = HashSet::new();
        let legal = |text: &[u8]| text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        for _ in 0..100 {
            let issued = issue_access_credential(&OsEntropy, &digest).expect("there is randomness");
            let secret = issued.access_secret.expose();
            assert_eq!((issued.access_key.len(), secret.len()), (26, 43));
            assert!(legal(issued.access_key.as_bytes()) && legal(secret));
            assert_eq!((issued.digest, issued.digest_key_version), (digest.digest(secret), 3));
            assert!(seen.insert(issued.access_key.into_bytes()) && seen.insert(secret.to_vec()));
        }
    }
}
