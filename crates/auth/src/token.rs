//! Opaque tokens: 32 random bytes, shown once.

use data_encoding::BASE64URL_NOPAD;
use strongroom_domain::port::{Entropy, EntropyError, KeyedDigest};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// What every opaque token begins with, so that people and scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "tc_pat_";
/// What every token of the operator begins with.
pub const OPERATOR_TOKEN_PREFIX: &str = "tc_op_";
/// How many random bytes a token has.
const TOKEN_ENTROPY: usize = 32;

/// A new token, and what to store of it.
pub struct IssuedToken {
    /// The token: its prefix and 43 characters of `A–Z a–z 0–9 _ -`. It can't be had again.
    pub token: SecretBytes,
    /// Its keyed digest.
    pub digest: [u8; 32],
    /// The version of the digest's key.
    pub digest_key_version: u32,
}

/// Makes a user's token from 256 random bits. It begins with [`TOKEN_PREFIX`].
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn issue_token(entropy: &dyn Entropy, digest: &dyn KeyedDigest) -> Result<IssuedToken, EntropyError> {
    issue(TOKEN_PREFIX, entropy, digest)
}

/// Makes a token of the operator from 256 random bits. It begins with [`OPERATOR_TOKEN_PREFIX`].
///
/// # Errors
/// [`EntropyError`] when there is no randomness.
pub fn issue_operator_token(entropy: &dyn Entropy, digest: &dyn KeyedDigest) -> Result<IssuedToken, EntropyError> {
    issue(OPERATOR_TOKEN_PREFIX, entropy, digest)
}

fn issue(prefix: &str, entropy: &dyn Entropy, digest: &dyn KeyedDigest) -> Result<IssuedToken, EntropyError> {
    let token = random_text::<TOKEN_ENTROPY>(prefix, entropy)?;
    Ok(IssuedToken { digest: digest.digest(token.expose()), digest_key_version: digest.key_version(), token })
}

/// A prefix, and `N` random bytes as characters of `A–Z a–z 0–9 _ -`.
pub(crate) fn random_text<const N: usize>(prefix: &str, entropy: &dyn Entropy) -> Result<SecretBytes, EntropyError> {
    let mut random = Zeroizing::new([0; N]);
    entropy.fill(&mut *random)?;
    let mut text = Zeroizing::new(vec![0; prefix.len() + BASE64URL_NOPAD.encode_len(N)]);
    let (start, code) = text.split_at_mut(prefix.len());
    start.copy_from_slice(prefix.as_bytes());
    BASE64URL_NOPAD.encode_mut(&*random, code);
    Ok(SecretBytes::new(text))
}

#[cfg(test)]
mod tests {
    use super::{OPERATOR_TOKEN_PREFIX, TOKEN_PREFIX, issue_operator_token, issue_token};
    use std::collections::HashSet;
    use strongroom_crypto::{HmacSha256Digest, OsEntropy};
    use strongroom_domain::port::KeyedDigest;
    use strongroom_domain::value::SecretBytes;

    #[test]
    fn tokens_have_their_form_and_never_repeat() {
        let digest = HmacSha256Digest::new(&SecretBytes::copy_of(&[1; 32]), 3);
        let mut seen = HashSet::new();
        for round in 0..100 {
            let (prefix, issued) = match round % 2 {
                0 => (TOKEN_PREFIX, issue_token(&OsEntropy, &digest)),
                _ => (OPERATOR_TOKEN_PREFIX, issue_operator_token(&OsEntropy, &digest)),
            };
            let issued = issued.expect("there is randomness");
            let text = str::from_utf8(issued.token.expose()).expect("text");
            let code = text.strip_prefix(prefix).expect("the prefix");
            assert_eq!(code.len(), 43);
            assert!(code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')), "{code}");
            assert_eq!(issued.digest, digest.digest(text.as_bytes()));
            assert_eq!(issued.digest_key_version, 3);
            assert!(seen.insert(text.to_owned()));
        }
    }
}
