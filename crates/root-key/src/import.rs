use async_trait::async_trait;
use core::error::Error;
use std::sync::Arc;
use strongroom_crypto::key_ops::{KeyOpError, generate_wrapping_key, unwrap_import, wrapping_public_key};
use strongroom_crypto::{InstanceKeyError, open_wrapping_key, seal_instance_key};
use strongroom_domain::kms::PublicKey;
use strongroom_domain::port::{ImportKeyError, ImportKeyErrorKind, ImportKeys, OaepHash, RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};
use strongroom_domain::value::SecretBytes;
use tokio::sync::Semaphore;

/// The version of a wrapping key: there is one.
const VERSION: u32 = 1;

/// The keys under which material comes in that was made elsewhere, as instance keys: RSA-4096, sealed under the root key. They are opened
/// for each call, and wiped after it.
pub struct WrappingKeys {
    root: Arc<dyn RootKey>,
    turns: Arc<Semaphore>,
}

/// How many operations with wrapping keys run at once; others wait, each for its caller.
const TURNS: usize = 2;

impl WrappingKeys {
    /// Seals under this root key.
    #[must_use]
    pub fn new(root: Arc<dyn RootKey>) -> Self {
        Self { root, turns: Arc::new(Semaphore::new(TURNS)) }
    }
}

impl WrappingKeys {
    /// RSA takes milliseconds, and making a key a second: beside the tasks of the runtime, where there is one.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ImportKeyError> + Send + 'static,
    ) -> Result<T, ImportKeyError> {
        let cut_short = |error| failed(ImportKeyErrorKind::Unavailable, "was cut short", error);
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| failed(ImportKeyErrorKind::Unavailable, "is not used any more", error))?;
        // The turn goes along: work whose caller has gone still takes a processor.
        let work = move || {
            let _held = turn;
            work()
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(work).await.unwrap_or_else(|error| Err(cut_short(error))),
            Err(_) => work(),
        }
    }
}

#[async_trait]
impl ImportKeys for WrappingKeys {
    async fn generate(&self) -> Result<SealedInstanceKey, ImportKeyError> {
        let root = Arc::clone(&self.root);
        self.blocking(move || {
            let key = generate_wrapping_key()
                .map_err(|error| failed(ImportKeyErrorKind::Unavailable, "could not make a wrapping key", error))?;
            seal_instance_key(&*root, InstanceKeyPurpose::ByokWrapping, VERSION, &key)
                .map_err(|error| failed(kind_of(&error), "could not seal a wrapping key", error))
        })
        .await
    }

    async fn public_key(&self, key: &SealedInstanceKey) -> Result<PublicKey, ImportKeyError> {
        let (root, key) = (Arc::clone(&self.root), key.clone());
        self.blocking(move || {
            let pkcs8 = open(&*root, &key)?;
            wrapping_public_key(pkcs8.expose())
                .map_err(|error| failed(ImportKeyErrorKind::Damaged, "could not read a wrapping key", error))
        })
        .await
    }

    async fn unwrap(
        &self,
        key: &SealedInstanceKey,
        hash: OaepHash,
        wrapped: &[u8],
    ) -> Result<SecretBytes, ImportKeyError> {
        let (root, key, wrapped) = (Arc::clone(&self.root), key.clone(), wrapped.to_vec());
        self.blocking(move || {
            let pkcs8 = open(&*root, &key)?;
            unwrap_import(pkcs8.expose(), hash, &wrapped).map_err(|error| {
                let kind = match error {
                    KeyOpError::UnusableMaterial => ImportKeyErrorKind::Damaged,
                    KeyOpError::Failed | KeyOpError::Entropy(_) => ImportKeyErrorKind::Unavailable,
                    // One answer for every cause.
                    _ => {
                        return ImportKeyError::new(ImportKeyErrorKind::NotAuthentic, "could not unwrap key material");
                    }
                };
                failed(kind, "could not unwrap key material", error)
            })
        })
        .await
    }
}

fn open(root: &dyn RootKey, key: &SealedInstanceKey) -> Result<SecretBytes, ImportKeyError> {
    open_wrapping_key(root, key).map_err(|error| failed(kind_of(&error), "could not open a wrapping key", error))
}

const fn kind_of(error: &InstanceKeyError) -> ImportKeyErrorKind {
    match error {
        InstanceKeyError::RootKey(RootKeyError::Unavailable(_)) => ImportKeyErrorKind::Unavailable,
        InstanceKeyError::RootKey(RootKeyError::NotAuthentic) | InstanceKeyError::Damaged => {
            ImportKeyErrorKind::Damaged
        }
    }
}

fn failed(
    kind: ImportKeyErrorKind,
    context: &'static str,
    error: impl Error + Send + Sync + 'static,
) -> ImportKeyError {
    ImportKeyError::new(kind, context).because(error)
}

#[cfg(test)]
mod tests {
    use super::WrappingKeys;
    use crate::{RootKeyRing, SoftwareRootKey};
    use std::sync::Arc;
    use strongroom_crypto::OsEntropy;
    use strongroom_crypto::key_ops::wrap_import;
    use strongroom_domain::kms::PublicKey;
    use strongroom_domain::port::{ImportKeyErrorKind, ImportKeys, OaepHash, RootKeys};
    use strongroom_domain::root_key::InstanceKeyPurpose;
    use strongroom_domain::value::SecretBytes;

    fn root(byte: u8) -> SoftwareRootKey {
        SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives")
    }

    /// One test, because making a key takes so long without optimisation.
    #[tokio::test]
    async fn what_is_wrapped_with_the_public_key_comes_out_and_nothing_else_does() {
        let ring = Arc::new(RootKeyRing::new([root(1), root(2)]).expect("keys"));
        assert!(ring.switch_to(strongroom_domain::port::RootKey::id(&root(1))));
        let keys = WrappingKeys::new(ring.clone());
        let stored = keys.generate().await.expect("makes");
        assert_eq!((stored.purpose, stored.version, stored.public), (InstanceKeyPurpose::ByokWrapping, 1, None));
        let PublicKey::Spki(public) = keys.public_key(&stored).await.expect("opens") else { panic!("an RSA key") };
        let material = SecretBytes::copy_of(&[9; 32]);
        for hash in [OaepHash::Sha1, OaepHash::Sha256, OaepHash::Sha384, OaepHash::Sha512] {
            let wrapped = wrap_import(&public, hash, &OsEntropy, &material).expect("wraps");
            let unwrapped = keys.unwrap(&stored, hash, &wrapped).await.expect("unwraps");
            assert_eq!(unwrapped.expose(), material.expose());
        }

        let wrapped = wrap_import(&public, OaepHash::Sha256, &OsEntropy, &material).expect("wraps");
        let mut flipped = wrapped.clone();
        flipped[600 - 64] ^= 1;
        let longer = [&wrapped[..], &[0]].concat();
        for (hash, bad) in [
            (OaepHash::Sha1, &wrapped[..]),
            (OaepHash::Sha256, &flipped),
            (OaepHash::Sha256, &longer),
            (OaepHash::Sha256, &wrapped[..512]),
            (OaepHash::Sha256, &wrapped[..511]),
            (OaepHash::Sha256, &[]),
        ] {
            let error = keys.unwrap(&stored, hash, bad).await.err().expect("refused");
            assert_eq!(*error.kind(), ImportKeyErrorKind::NotAuthentic);
            assert!(std::error::Error::source(&error).is_none(), "{error:?}");
        }

        // It moves to another root key like every instance key.
        assert!(ring.switch_to(ring.newest()));
        let moved = ring.reseal(&stored).expect("opens").expect("is under another");
        assert_eq!(ring.reseal(&moved).expect("opens"), None);
        let after = WrappingKeys::new(Arc::new(root(2)));
        assert!(after.unwrap(&moved, OaepHash::Sha256, &wrapped).await.is_ok());
        let error = after.unwrap(&stored, OaepHash::Sha256, &wrapped).await.err().expect("another root key");
        assert_eq!(*error.kind(), ImportKeyErrorKind::Damaged);
        let mut damaged = moved;
        damaged.sealed.truncate(100);
        let error = after.public_key(&damaged).await.expect_err("damaged");
        assert_eq!(*error.kind(), ImportKeyErrorKind::Damaged);
    }
}
