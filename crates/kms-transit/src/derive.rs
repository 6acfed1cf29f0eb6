//! How the server derives the key of a message, to see whether it has the material that was imported.

use strongroom_crypto::hmac_sha256;
use zeroize::Zeroizing;

/// What the server calls the only derivation that is accepted.
///
/// Servers that once gave imported keys another, HMAC-SHA-256 in counter mode, failed to decrypt with those of AES-128; and newer releases go over
/// to HKDF for keys that are there, which leaves all that was encrypted before unreadable.
pub(crate) const HKDF: &str = "hkdf_sha256";

/// The key of the messages of one context: HKDF with SHA-256 (RFC 5869), without salt, the context as its info. As long as the material, which has at most 32
/// bytes: the first block is all that is needed.
pub(crate) fn message_key(material: &[u8], context: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut key = first_block(&[], material, context);
    key.truncate(material.len());
    key
}

fn first_block(salt: &[u8], material: &[u8], info: &[u8]) -> Zeroizing<Vec<u8>> {
    let extracted = Zeroizing::new(hmac_sha256(salt, material));
    Zeroizing::new(hmac_sha256(&*extracted, &[info, &[1]].concat()).to_vec())
}

#[cfg(test)]
mod tests {
    use super::{first_block, message_key};
    use data_encoding::{BASE64, HEXLOWER};
    use strongroom_crypto::open;
    use strongroom_domain::kms::KeyType;

    /// RFC 5869, test cases 1 and 3: the first 32 bytes of their 42.
    #[test]
    fn rfc_5869() {
        let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        for (salt, info, expected) in [
            (range(0, 0x0c), range(0xf0, 0xf9), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"),
            (Vec::new(), Vec::new(), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
        ] {
            assert_eq!(HEXLOWER.encode(&first_block(&salt, &[0x0b; 22], &info)), expected);
        }
    }

    /// Key and ciphertext of a Vault server 1.8.3, from "Decrypting Vault Ciphertext with a Context" by Danny Hermes (5 October 2021).
    #[test]
    fn what_a_real_server_encrypted_opens() {
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).expect("base64");
        let material = bytes("rph2pwTQCx+TD/lk+7o9igzQw5A7FU3+S+Z24Cf9Duk=");
        let ciphertext = bytes("1pEqzFnkQEa5RA35ynhOd0Ye907S9PvWIq5dRPDP3Q==");
        let (nonce, sealed) = ciphertext.split_first_chunk().expect("a nonce");
        let open_in = |context| open(KeyType::Aes256Gcm96, &message_key(&material, context), nonce, b"", sealed);
        assert_eq!(open_in(br#"{"bar":"baz"}"#).expect("opens").expose(), b"FOO");
        assert!(open_in(br#"{"bar":"bar"}"#).is_err());
    }

    #[test]
    fn a_key_is_as_long_as_the_material() {
        assert_eq!([16, 32].map(|len| message_key(&vec![1; len], b"a").len()), [16, 32]);
    }
}
