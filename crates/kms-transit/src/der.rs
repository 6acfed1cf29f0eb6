//! Keys as the server writes them: PEM (RFC 7468), PKCS#1 (RFC 8017 appendix A), SEC 1 (RFC 5915), plain bytes.

use crate::buffer::{SecretText, decode_secret};
use strongroom_domain::kms::KeyType;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

const SEQUENCE: u8 = 0x30;
const OCTET_STRING: u8 = 0x04;
/// `INTEGER 0`, the version of a PKCS#8 document.
const VERSION: [u8; 3] = [0x02, 0x01, 0x00];
/// `rsaEncryption` with its parameters, `NULL`.
const RSA: &[u8] = &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// `ecPublicKey` with the curve as parameter.
const P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
    0x01, 0x07,
];
const P384: &[u8] =
    &[0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] =
    &[0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
/// The seed of an Ed25519 key; the server adds the 32 bytes of the public key.
const SEED_LEN: usize = 32;

/// The DER of a public key in PEM.
pub(crate) fn public_from_pem(text: &str) -> Option<Vec<u8>> {
    from_pem(text, "PUBLIC KEY").map(|der| der.expose().to_vec())
}

/// The material of a key as it goes out of here, from what the server exports.
pub(crate) fn private_from_text(key_type: KeyType, text: &SecretText) -> Option<SecretBytes> {
    let algorithm = match key_type {
        KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096 => RSA,
        KeyType::EcdsaP256 => P256,
        KeyType::EcdsaP384 => P384,
        KeyType::EcdsaP521 => P521,
        KeyType::Ed25519 => ED25519,
        _ => return text.decoded(),
    };
    // Servers differ in whether they write a PKCS#8 document or the older form of the algorithm.
    if let Some(document) = from_pem(text.expose(), "PRIVATE KEY") {
        return Some(document);
    }
    match key_type {
        KeyType::Ed25519 => {
            let bytes = text.decoded()?;
            let seed = bytes.expose().get(..SEED_LEN)?;
            Some(pkcs8(algorithm, element(OCTET_STRING, &[seed]).expose()))
        }
        key_type => {
            let label = if key_type.is_rsa() { "RSA PRIVATE KEY" } else { "EC PRIVATE KEY" };
            from_pem(text.expose(), label).map(|key| pkcs8(algorithm, key.expose()))
        }
    }
}

fn pkcs8(algorithm: &[u8], key: &[u8]) -> SecretBytes {
    element(SEQUENCE, &[&VERSION, algorithm, element(OCTET_STRING, &[key]).expose()])
}

/// An element with this content, shorter than 65,536 bytes.
fn element(tag: u8, parts: &[&[u8]]) -> SecretBytes {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 + len));
    bytes.push(tag);
    match u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes() {
        [0, short @ 0..=0x7f] => bytes.push(short),
        [0, long] => bytes.extend_from_slice(&[0x81, long]),
        [high, low] => bytes.extend_from_slice(&[0x82, high, low]),
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    SecretBytes::new(bytes)
}

fn from_pem(text: &str, label: &str) -> Option<SecretBytes> {
    let text = text.trim().strip_prefix("-----BEGIN ")?.strip_prefix(label)?.strip_prefix("-----")?;
    let text = text.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
    let mut code = Zeroizing::new(Vec::with_capacity(text.len()));
    code.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    decode_secret(&code)
}

#[cfg(test)]
mod tests {
    use super::{element, from_pem, public_from_pem};

    #[test]
    fn pem_is_read_with_any_line_ends() {
        for text in [
            "-----BEGIN PUBLIC KEY-----\nAAEC\nAwQF\n-----END PUBLIC KEY-----\n",
            "-----BEGIN PUBLIC KEY-----\r\nAAEC\r\nAwQF\r\n-----END PUBLIC KEY-----",
        ] {
            assert_eq!(public_from_pem(text), Some(vec![0, 1, 2, 3, 4, 5]));
            assert!(from_pem(text, "PRIVATE KEY").is_none());
        }
        for wrong in
            ["", "AAEC", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----"]
        {
            assert!(public_from_pem(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        for (len, head) in [(0, &[4, 0][..]), (127, &[4, 127]), (128, &[4, 0x81, 128]), (256, &[4, 0x82, 1, 0])] {
            let made = element(4, &[&vec![7; len]]);
            assert_eq!(made.expose(), [head, &vec![7; len]].concat());
        }
    }
}
