//! Makes credentials for use cases.

use crate::{issue_access_credential, issue_token, verify_secret};
use std::sync::Arc;
use strongroom_domain::directory::AccessCredential;
use strongroom_domain::port::{CredentialMaker, Entropy, EntropyError, KeyedDigest, NewAccessKey, NewToken};
use strongroom_domain::value::SecretBytes;

/// Makes opaque tokens and access keys, known to the store by the digests of one key.
pub struct StoreCredentialMaker {
    entropy: Arc<dyn Entropy>,
    digest: Arc<dyn KeyedDigest>,
}

impl StoreCredentialMaker {
    /// Makes credentials from this randomness; `digest` is the one that the authenticator looks them up by.
    #[must_use]
    pub fn new(entropy: Arc<dyn Entropy>, digest: Arc<dyn KeyedDigest>) -> Self {
        Self { entropy, digest }
    }
}

impl CredentialMaker for StoreCredentialMaker {
    fn token(&self) -> Result<NewToken, EntropyError> {
        let issued = issue_token(self.entropy.as_ref(), self.digest.as_ref())?;
        Ok(NewToken { token: issued.token, digest: issued.digest, digest_key_version: issued.digest_key_version })
    }

    fn access_key(&self) -> Result<NewAccessKey, EntropyError> {
        let issued = issue_access_credential(self.entropy.as_ref(), self.digest.as_ref())?;
        Ok(NewAccessKey {
            access_key: issued.access_key,
            secret: issued.access_secret,
            digest: issued.digest,
            digest_key_version: issued.digest_key_version,
        })
    }

    fn is_secret_of(&self, credential: &AccessCredential, secret: &SecretBytes) -> bool {
        verify_secret(self.digest.as_ref(), credential, secret)
    }
}

#[cfg(test)]
mod tests {
    use super::StoreCredentialMaker;
    use std::sync::Arc;
    use strongroom_crypto::{HmacSha256Digest, OsEntropy};
    use strongroom_domain::id::ServiceAccountId;
    use strongroom_domain::port::{CredentialMaker, KeyedDigest};
    use strongroom_domain::value::SecretBytes;
    use strongroom_testkit::build;

    #[test]
    fn what_it_makes_is_found_by_its_digest() {
        let digest = Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[1; 32]), 3));
        let maker = StoreCredentialMaker::new(Arc::new(OsEntropy), digest.clone());
        let token = maker.token().expect("there is randomness");
        assert_eq!((token.digest, token.digest_key_version), (digest.digest(token.token.expose()), 3));

        let key = maker.access_key().expect("there is randomness");
        let mut credential =
            build::access_credential(build::organisation("o").id, ServiceAccountId::new(uuid::Uuid::nil()));
        (credential.digest, credential.digest_key_version) = (key.digest, key.digest_key_version);
        assert!(maker.is_secret_of(&credential, &key.secret));
        let other = maker.access_key().expect("there is randomness");
        assert!(!maker.is_secret_of(&credential, &other.secret));
    }
}
