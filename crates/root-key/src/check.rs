use strongroom_crypto::constant_time_eq;
use strongroom_domain::port::{RootKey, RootKeyError};
use strongroom_domain::root_key::{KeyCheck, RootKeyId, key_check_aad};
use strongroom_domain::value::SecretBytes;

/// What a key check seals.
const CONSTANT: &[u8] = b"strongroom key check";

/// A store and a root key don't belong together, or it can't be said.
#[derive(Debug, thiserror::Error)]
pub enum KeyCheckError {
    /// The store was set up with another root key.
    #[error("another root key: the store was set up with root key {expected}, this is root key {found}")]
    OtherRootKey {
        /// The root key of the store.
        expected: RootKeyId,
        /// The root key at hand.
        found: RootKeyId,
    },
    /// It says to be of this root key, but doesn't open: the stored check was changed.
    #[error("the store's key check is damaged")]
    Damaged,
    /// The root key can't be used now.
    #[error("the store's key check could not be opened")]
    Unavailable(#[source] RootKeyError),
}

/// The key check to store when a store is set up under this root key.
///
/// # Errors
/// [`RootKeyError`] when the root key can't be used.
pub fn key_check(root: &dyn RootKey) -> Result<KeyCheck, RootKeyError> {
    let root_key = root.id();
    let sealed = root.seal(&key_check_aad(&root_key), &SecretBytes::copy_of(CONSTANT))?;
    Ok(KeyCheck { root_key, sealed })
}

/// Whether the store that keeps this check was set up under this root key.
///
/// # Errors
/// [`KeyCheckError`] when it wasn't, or it can't be said; then nothing may be written.
pub fn verify_key_check(root: &dyn RootKey, check: &KeyCheck) -> Result<(), KeyCheckError> {
    if root.id() != check.root_key {
        return Err(KeyCheckError::OtherRootKey { expected: check.root_key, found: root.id() });
    }
    match root.open(&key_check_aad(&check.root_key), &check.sealed) {
        Ok(constant) if constant_time_eq(constant.expose(), CONSTANT) => Ok(()),
        Ok(_) | Err(RootKeyError::NotAuthentic) => Err(KeyCheckError::Damaged),
        Err(error @ RootKeyError::Unavailable(_)) => Err(KeyCheckError::Unavailable(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyCheckError, key_check, verify_key_check};
    use crate::SoftwareRootKey;
    use std::sync::Arc;
    use strongroom_crypto::OsEntropy;
    use strongroom_domain::port::{RootKey, RootKeyError};
    use strongroom_domain::root_key::{KeyCheck, RootKeyId, key_check_aad};
    use strongroom_domain::value::SecretBytes;

    fn root() -> SoftwareRootKey {
        SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("generates")
    }

    #[test]
    fn tells_another_root_key_from_damage() {
        let (ours, other) = (root(), root());
        let check = key_check(&ours).expect("seals");
        assert!(verify_key_check(&ours, &check).is_ok());

        let error = verify_key_check(&other, &check).expect_err("refused");
        assert_eq!(
            error.to_string(),
            format!(
                "another root key: the store was set up with root key {}, this is root key {}",
                ours.id(),
                other.id()
            )
        );

        let damaged = |check: &KeyCheck| matches!(verify_key_check(&ours, check), Err(KeyCheckError::Damaged));
        for place in 0..check.sealed.len() {
            let mut flipped = check.clone();
            flipped.sealed[place] ^= 1;
            assert!(damaged(&flipped), "byte {place}");
        }
        assert!(damaged(&KeyCheck { sealed: Vec::new(), ..check.clone() }));
        // The id of one key with the check of another.
        let theirs = key_check(&other).expect("seals");
        assert!(damaged(&KeyCheck { root_key: ours.id(), ..theirs }));
        // Sealed under the right key, but not the constant.
        let sealed = ours.seal(&key_check_aad(&ours.id()), &SecretBytes::copy_of(b"else")).expect("seals");
        assert!(damaged(&KeyCheck { root_key: ours.id(), sealed }));
    }

    #[test]
    fn a_root_key_out_of_reach_is_neither() {
        struct Away;
        impl RootKey for Away {
            fn id(&self) -> RootKeyId {
                RootKeyId([1; 16])
            }
            fn seal(&self, _: &[u8], _: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
                Err(RootKeyError::Unavailable("away".into()))
            }
            fn open(&self, _: &[u8], _: &[u8]) -> Result<SecretBytes, RootKeyError> {
                Err(RootKeyError::Unavailable("away".into()))
            }
            fn reseal(&self, _: &[u8], _: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
                Err(RootKeyError::Unavailable("away".into()))
            }
        }

        assert!(matches!(key_check(&Away), Err(RootKeyError::Unavailable(_))));
        let check = KeyCheck { root_key: RootKeyId([1; 16]), sealed: vec![1] };
        assert!(matches!(verify_key_check(&Away, &check), Err(KeyCheckError::Unavailable(_))));
    }
}
