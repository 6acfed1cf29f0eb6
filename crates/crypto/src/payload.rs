use crate::aead::{open, seal};
use strongroom_domain::envelope::{DataKey, Nonce};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::{CipherError, PayloadCipher};
use strongroom_domain::value::SecretBytes;

/// Encrypts values under their data keys with AES-256-GCM.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aes256GcmCipher;

impl PayloadCipher for Aes256GcmCipher {
    fn seal(&self, key: &DataKey, nonce: &Nonce, aad: &[u8], plain: &SecretBytes) -> Result<Vec<u8>, CipherError> {
        seal(KeyType::Aes256Gcm96, key.expose(), nonce, aad, plain).map_err(|_| CipherError)
    }

    fn open(&self, key: &DataKey, nonce: &Nonce, aad: &[u8], ciphertext: &[u8]) -> Result<SecretBytes, CipherError> {
        open(KeyType::Aes256Gcm96, key.expose(), nonce, aad, ciphertext).map_err(|_| CipherError)
    }
}

#[cfg(test)]
mod tests {
    use super::Aes256GcmCipher;
    use crate::aead::seal;
    use proptest::prelude::*;
    use strongroom_domain::envelope::DataKey;
    use strongroom_domain::kms::KeyType;
    use strongroom_domain::port::{CipherError, PayloadCipher};
    use strongroom_domain::value::SecretBytes;
    use zeroize::Zeroizing;

    proptest! {
        #[test]
        fn is_aes_256_gcm_under_the_data_key(key: [u8; 32], nonce: [u8; 12], aad: Vec<u8>, plain: Vec<u8>) {
            let plain = SecretBytes::copy_of(&plain);
            let data_key = DataKey::new(Zeroizing::new(key));
            let sealed = Aes256GcmCipher.seal(&data_key, &nonce, &aad, &plain).expect("seals");
            prop_assert_eq!(&sealed, &seal(KeyType::Aes256Gcm96, &key, &nonce, &aad, &plain).expect("seals"));
            let opened = Aes256GcmCipher.open(&data_key, &nonce, &aad, &sealed).expect("opens");
            prop_assert_eq!(opened.expose(), plain.expose());
            let mut other = key;
            other[31] ^= 1;
            let other = DataKey::new(Zeroizing::new(other));
            prop_assert_eq!(Aes256GcmCipher.open(&other, &nonce, &aad, &sealed).err(), Some(CipherError));
        }
    }
}
