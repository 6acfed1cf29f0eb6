use strongroom_domain::port::{Entropy, EntropyError};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The operating system's source of randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the `Entropy` port")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError(Box::new(error)))
    }
}

/// `len` random bytes for a key.
///
/// # Errors
/// [`EntropyError`] when the source fails.
pub fn random_secret(entropy: &dyn Entropy, len: usize) -> Result<SecretBytes, EntropyError> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    entropy.fill(&mut bytes)?;
    Ok(SecretBytes::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::{OsEntropy, random_secret};
    use std::collections::HashSet;

    #[test]
    fn never_gives_the_same_twice() {
        let mut seen = HashSet::new();
        for _ in 0..1_000 {
            let secret = random_secret(&OsEntropy, 32).expect("there is randomness");
            assert_eq!(secret.len(), 32);
            assert!(seen.insert(secret.expose().to_vec()));
        }
    }
}
