use crate::ed25519::ed25519_public;
use strongroom_domain::port::{RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey, instance_key_aad};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The length of an instance key, in bytes.
pub const INSTANCE_KEY_LEN: usize = 32;

/// An instance key was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum InstanceKeyError {
    /// The root key did not seal or open it.
    #[error("the root key did not seal or open the instance key")]
    RootKey(#[source] RootKeyError),
    /// It has another length than keys have, or the public key beside it is another one's.
    #[error("the instance key is damaged")]
    Damaged,
}

/// Seals a key of [`INSTANCE_KEY_LEN`] bytes to be stored, with the public key beside it when it signs.
///
/// # Errors
/// [`InstanceKeyError`].
pub fn seal_instance_key(
    root: &dyn RootKey,
    purpose: InstanceKeyPurpose,
    version: u32,
    key: &SecretBytes,
) -> Result<SealedInstanceKey, InstanceKeyError> {
    let public = public_of(purpose, &*bytes_of(key)?)?;
    let sealed = root.seal(&instance_key_aad(purpose, version), key).map_err(InstanceKeyError::RootKey)?;
    Ok(SealedInstanceKey { purpose, version, sealed, public })
}

/// Opens a stored key. What a signing key signed is verified with the public key beside it, so that must be its own.
///
/// # Errors
/// [`InstanceKeyError`].
pub fn open_instance_key(
    root: &dyn RootKey,
    stored: &SealedInstanceKey,
) -> Result<Zeroizing<[u8; INSTANCE_KEY_LEN]>, InstanceKeyError> {
    let aad = instance_key_aad(stored.purpose, stored.version);
    let key = bytes_of(&root.open(&aad, &stored.sealed).map_err(InstanceKeyError::RootKey)?)?;
    if stored.public == public_of(stored.purpose, &key)? { Ok(key) } else { Err(InstanceKeyError::Damaged) }
}

fn bytes_of(key: &SecretBytes) -> Result<Zeroizing<[u8; INSTANCE_KEY_LEN]>, InstanceKeyError> {
    let mut bytes = Zeroizing::new([0; INSTANCE_KEY_LEN]);
    if key.len() != bytes.len() {
        return Err(InstanceKeyError::Damaged);
    }
    bytes.copy_from_slice(key.expose());
    Ok(bytes)
}

fn public_of(purpose: InstanceKeyPurpose, key: &[u8; INSTANCE_KEY_LEN]) -> Result<Option<[u8; 32]>, InstanceKeyError> {
    match purpose {
        InstanceKeyPurpose::TokenDigest | InstanceKeyPurpose::AnswerDigest => Ok(None),
        InstanceKeyPurpose::AuditSigning | InstanceKeyPurpose::TokenSigning => {
            ed25519_public(key).map(Some).map_err(|_| InstanceKeyError::Damaged)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{InstanceKeyError, open_instance_key, seal_instance_key};
    use strongroom_domain::port::{RootKey, RootKeyError};
    use strongroom_domain::root_key::{InstanceKeyPurpose, RootKeyId};
    use strongroom_domain::value::SecretBytes;

    /// Seals by writing the AAD before the bytes.
    struct Plain;

    impl RootKey for Plain {
        fn id(&self) -> RootKeyId {
            RootKeyId([0; 16])
        }

        fn seal(&self, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, RootKeyError> {
            Ok([aad, plain.expose()].concat())
        }

        fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, RootKeyError> {
            sealed.strip_prefix(aad).map(SecretBytes::copy_of).ok_or(RootKeyError::NotAuthentic)
        }
    }

    #[test]
    fn what_is_sealed_opens_with_its_own_public_key_only() {
        let key = SecretBytes::copy_of(&[7; 32]);
        for purpose in InstanceKeyPurpose::ALL {
            let signs = matches!(purpose, InstanceKeyPurpose::AuditSigning | InstanceKeyPurpose::TokenSigning);
            let mut stored = seal_instance_key(&Plain, purpose, 4, &key).expect("seals");
            assert_eq!(stored.public.is_some(), signs);
            assert_eq!(*open_instance_key(&Plain, &stored).expect("opens"), [7; 32]);
            stored.public = if signs { None } else { Some([1; 32]) };
            assert!(matches!(open_instance_key(&Plain, &stored), Err(InstanceKeyError::Damaged)));
            stored.version = 5;
            assert!(matches!(open_instance_key(&Plain, &stored), Err(InstanceKeyError::RootKey(_))));
        }
    }

    #[test]
    fn a_key_of_another_length_is_none() {
        for len in [0, 31, 33] {
            let key = SecretBytes::copy_of(&vec![1; len]);
            let sealed = seal_instance_key(&Plain, InstanceKeyPurpose::TokenSigning, 1, &key);
            assert!(matches!(sealed, Err(InstanceKeyError::Damaged)), "{len} bytes");
        }
    }
}
