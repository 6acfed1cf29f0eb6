use std::sync::Arc;
use strongroom_crypto::{derive_key, hmac_sha256, open_sealed, seal_fresh};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::{Entropy, RootKey, RootKeyError};
use strongroom_domain::root_key::RootKeyId;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The length of a root key, in bytes.
pub(crate) const ROOT_KEY_LEN: usize = 32;

const SEALING: &str = "strongroom root key sealing v1";
const ID: &[u8] = b"strongroom root key id";

/// A root key in the memory of this process. [`RootKeyFile`](crate::RootKeyFile) reads it from a file; without one, for tests and
/// embedding, it is made from bytes or generated.
///
/// The 32 bytes themselves encrypt nothing: they give an id (HMAC-SHA-256) and a sealing key (HKDF-Expand), and only these are kept.
/// Sealing is AES-256-GCM under a random nonce: a format byte 1, 12 bytes of nonce, ciphertext, 16 bytes of tag. Random nonces allow
/// 2^32 sealings under one root key; it seals instance keys and the versions of KMS keys only, which stays far below.
pub struct SoftwareRootKey {
    id: RootKeyId,
    sealing: Zeroizing<[u8; 32]>,
    entropy: Arc<dyn Entropy>,
}

impl SoftwareRootKey {
    /// The root key of these bytes, which must be uniformly random; they stay the caller's to wipe.
    ///
    /// # Errors
    /// [`RootKeyError::Unavailable`] when the sealing key can't be derived.
    pub fn from_bytes(bytes: &[u8; ROOT_KEY_LEN], entropy: Arc<dyn Entropy>) -> Result<Self, RootKeyError> {
        let sealing = derive_key(bytes, SEALING).map_err(|error| RootKeyError::Unavailable(error.into()))?;
        let mut id = [0; 16];
        id.copy_from_slice(&hmac_sha256(bytes, ID)[..16]);
        Ok(Self { id: RootKeyId(id), sealing, entropy })
    }

    /// A new root key that ends with this value: what is sealed under it opens nowhere else.
    ///
    /// # Errors
    /// [`RootKeyError::Unavailable`] when there is no randomness.
    pub fn generate(entropy: Arc<dyn Entropy>) -> Result<Self, RootKeyError> {
        let mut bytes = Zeroizing::new([0; ROOT_KEY_LEN]);
        entropy.fill(&mut *bytes).map_err(|error| RootKeyError::Unavailable(error.into()))?;
        Self::from_bytes(&bytes, entropy)
    }
}

impl RootKey for SoftwareRootKey {
    fn id(&self) -> RootKeyId {
        self.id
    }

    fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
        seal_fresh(KeyType::Aes256Gcm96, &*self.sealing, &*self.entropy, aad, plain)
            .map_err(|error| RootKeyError::Unavailable(error.into()))
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError> {
        open_sealed(KeyType::Aes256Gcm96, &*self.sealing, aad, sealed).map_err(|_| RootKeyError::NotAuthentic)
    }

    /// There is no other key: what opens is sealed under this one.
    fn reseal(&self, aad: &[u8], sealed: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
        self.open(aad, sealed).map(|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::SoftwareRootKey;
    use proptest::prelude::*;
    use std::sync::Arc;
    use strongroom_crypto::{OsEntropy, derive_key, hmac_sha256, open_sealed};
    use strongroom_domain::kms::KeyType;
    use strongroom_domain::port::{Entropy, EntropyError, RootKey, RootKeyError};
    use strongroom_domain::value::SecretBytes;

    fn root(byte: u8) -> SoftwareRootKey {
        SoftwareRootKey::from_bytes(&[byte; 32], Arc::new(OsEntropy)).expect("derives")
    }

    struct Broken;

    impl Entropy for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError("broken".into()))
        }
    }

    proptest! {
        #[test]
        fn seals_and_opens(plain: Vec<u8>, aad in prop::collection::vec(any::<u8>(), 1..40), at: prop::sample::Index, bit in 0..8u32) {
            let root = root(1);
            let mut sealed = root.seal(&aad, &SecretBytes::copy_of(&plain)).expect("seals");
            let opened = root.open(&aad, &sealed).expect("opens");
            prop_assert_eq!(opened.expose(), &plain[..]);
            prop_assert_eq!(root.reseal(&aad, &sealed).expect("opens"), None);
            prop_assert!(matches!(self::root(2).reseal(&aad, &sealed), Err(RootKeyError::NotAuthentic)));
            let refused = |root: &SoftwareRootKey, aad: &[u8], sealed: &[u8]| {
                matches!(root.open(aad, sealed), Err(RootKeyError::NotAuthentic))
            };
            prop_assert!(refused(&self::root(2), &aad, &sealed));
            prop_assert!(refused(&root, &aad[1..], &sealed));
            prop_assert!(refused(&root, &aad, &sealed[..at.index(sealed.len())]));
            let place = at.index(sealed.len());
            sealed[place] ^= 1_u8 << bit;
            prop_assert!(refused(&root, &aad, &sealed));
        }
    }

    #[test]
    fn the_same_plaintext_never_seals_to_the_same_bytes() {
        let plain = SecretBytes::copy_of(b"plaintext");
        assert_ne!(root(1).seal(b"", &plain).expect("seals"), root(1).seal(b"", &plain).expect("seals"));
    }

    /// What was sealed must stay readable: the derivations and the format are promises.
    #[test]
    fn derivations_are_fixed() {
        let root = root(1);
        assert_eq!(root.id().0, hmac_sha256(&[1; 32], b"strongroom root key id")[..16]);
        let sealed = root.seal(b"aad", &SecretBytes::copy_of(b"plaintext")).expect("seals");
        assert_eq!((sealed[0], sealed.len()), (1, 1 + 12 + 9 + 16));
        let key = derive_key(&[1; 32], "strongroom root key sealing v1").expect("derives");
        let plain = open_sealed(KeyType::Aes256Gcm96, &*key, b"aad", &sealed).expect("opens");
        assert_eq!(plain.expose(), b"plaintext");
    }

    #[test]
    fn generated_keys_differ_and_need_randomness() {
        let generate = || SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("generates");
        assert_ne!(generate().id(), generate().id());
        let broken = SoftwareRootKey::generate(Arc::new(Broken)).err();
        assert!(matches!(broken, Some(RootKeyError::Unavailable(_))));
        let unsealed = SoftwareRootKey::from_bytes(&[1; 32], Arc::new(Broken)).expect("derives");
        let error = unsealed.seal(b"", &SecretBytes::copy_of(b"")).err();
        assert!(matches!(error, Some(RootKeyError::Unavailable(_))));
    }
}
