use crate::ed25519::ed25519_public;
use crate::key_ops::wrapping_public_key;
use strongroom_domain::port::{RootKey, RootKeyError};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey, instance_key_aad};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// The length of an instance key, in bytes; a wrapping key, which is a PKCS#8 document, has another.
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

/// Seals a key to be stored, [`INSTANCE_KEY_LEN`] bytes with the public key beside it when it signs; a wrapping key as its PKCS#8
/// document.
///
/// # Errors
/// [`InstanceKeyError`].
pub fn seal_instance_key(
    root: &dyn RootKey,
    purpose: InstanceKeyPurpose,
    version: u32,
    key: &SecretBytes,
) -> Result<SealedInstanceKey, InstanceKeyError> {
    let public = match purpose {
        InstanceKeyPurpose::ByokWrapping => check_wrapping_key(key).map(|()| None)?,
        _ => public_of(purpose, &*bytes_of(key)?)?,
    };
    let sealed = root.seal(&instance_key_aad(purpose, version), key).map_err(InstanceKeyError::RootKey)?;
    Ok(SealedInstanceKey { purpose, version, sealed, public })
}

/// Opens a stored key of [`INSTANCE_KEY_LEN`] bytes. What a signing key signed is verified with the public key beside it, so that must be
/// its own.
///
/// # Errors
/// [`InstanceKeyError`]; a wrapping key is [`InstanceKeyError::Damaged`] here.
pub fn open_instance_key(
    root: &dyn RootKey,
    stored: &SealedInstanceKey,
) -> Result<Zeroizing<[u8; INSTANCE_KEY_LEN]>, InstanceKeyError> {
    let aad = instance_key_aad(stored.purpose, stored.version);
    let key = bytes_of(&root.open(&aad, &stored.sealed).map_err(InstanceKeyError::RootKey)?)?;
    if stored.public == public_of(stored.purpose, &key)? { Ok(key) } else { Err(InstanceKeyError::Damaged) }
}

/// Opens a stored wrapping key: its PKCS#8 document.
///
/// # Errors
/// [`InstanceKeyError`]; a key of another purpose is [`InstanceKeyError::Damaged`] here.
pub fn open_wrapping_key(root: &dyn RootKey, stored: &SealedInstanceKey) -> Result<SecretBytes, InstanceKeyError> {
    if stored.purpose != InstanceKeyPurpose::ByokWrapping || stored.public.is_some() {
        return Err(InstanceKeyError::Damaged);
    }
    let aad = instance_key_aad(stored.purpose, stored.version);
    let key = root.open(&aad, &stored.sealed).map_err(InstanceKeyError::RootKey)?;
    check_wrapping_key(&key)?;
    Ok(key)
}

fn check_wrapping_key(key: &SecretBytes) -> Result<(), InstanceKeyError> {
    wrapping_public_key(key.expose()).map(drop).map_err(|_| InstanceKeyError::Damaged)
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
        InstanceKeyPurpose::ByokWrapping => Err(InstanceKeyError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::{InstanceKeyError, open_instance_key, open_wrapping_key, seal_instance_key};
    use crate::key_ops::tests::keys::material;
    use strongroom_domain::kms::KeyType;
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

        fn reseal(&self, _: &[u8], _: &[u8]) -> Result<Option<Vec<u8>>, RootKeyError> {
            Ok(None)
        }
    }

    #[test]
    fn what_is_sealed_opens_with_its_own_public_key_only() {
        let key = SecretBytes::copy_of(&[7; 32]);
        for purpose in InstanceKeyPurpose::ALL {
            if purpose == InstanceKeyPurpose::ByokWrapping {
                continue;
            }
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
    fn a_wrapping_key_is_a_document_of_its_own() {
        let purpose = InstanceKeyPurpose::ByokWrapping;
        let key = SecretBytes::copy_of(material(KeyType::Rsa4096));
        let mut stored = seal_instance_key(&Plain, purpose, 1, &key).expect("seals");
        assert_eq!(open_wrapping_key(&Plain, &stored).expect("opens").expose(), key.expose());
        assert!(matches!(open_instance_key(&Plain, &stored), Err(InstanceKeyError::Damaged)));
        stored.public = Some([1; 32]);
        assert!(matches!(open_wrapping_key(&Plain, &stored), Err(InstanceKeyError::Damaged)));
        stored.public = None;
        stored.version = 2;
        assert!(matches!(open_wrapping_key(&Plain, &stored), Err(InstanceKeyError::RootKey(_))));
        for other in [&[7; 32][..], material(KeyType::Rsa2048), material(KeyType::Ed25519)] {
            let sealed = seal_instance_key(&Plain, purpose, 1, &SecretBytes::copy_of(other));
            assert!(matches!(sealed, Err(InstanceKeyError::Damaged)), "{} bytes", other.len());
        }
        let digest = seal_instance_key(&Plain, InstanceKeyPurpose::TokenDigest, 1, &SecretBytes::copy_of(&[7; 32]));
        let opened = open_wrapping_key(&Plain, &digest.expect("seals"));
        assert!(matches!(opened, Err(InstanceKeyError::Damaged)));
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
