use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use strongroom_domain::port::KeyedDigest;
use strongroom_domain::value::SecretBytes;

/// HMAC-SHA-256 (RFC 2104) under one key, set up once. The library wipes the key when this is dropped.
pub struct HmacSha256Digest {
    key: Key,
    key_version: u32,
}

impl HmacSha256Digest {
    /// Digests under this key, of this version.
    #[must_use]
    pub fn new(key: &SecretBytes, key_version: u32) -> Self {
        Self { key: Key::new(HMAC_SHA256, key.expose()), key_version }
    }
}

impl KeyedDigest for HmacSha256Digest {
    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        digest(&self.key, bytes)
    }

    fn key_version(&self) -> u32 {
        self.key_version
    }
}

/// The HMAC-SHA-256 of these bytes. For many under one key, [`HmacSha256Digest`].
#[must_use]
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    digest(&Key::new(HMAC_SHA256, key), bytes)
}

fn digest(key: &Key, bytes: &[u8]) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(sign(key, bytes).as_ref());
    digest
}

#[cfg(test)]
mod tests {
    use super::{HmacSha256Digest, hmac_sha256};
    use data_encoding::HEXLOWER;
    use strongroom_domain::port::KeyedDigest;
    use strongroom_domain::value::SecretBytes;

    /// RFC 4231, test cases 1, 2, 3, 4, 6 and 7.
    #[test]
    fn rfc_4231() {
        let counting: Vec<u8> = (1..=25).collect();
        let larger = b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be \
            hashed before being used by the HMAC algorithm.";
        let cases: [(&[u8], &[u8], &str); 6] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (&[0xaa; 131], larger, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ];
        for (key, bytes, expected) in cases {
            assert_eq!(HEXLOWER.encode(&hmac_sha256(key, bytes)), expected);
            let keyed = HmacSha256Digest::new(&SecretBytes::copy_of(key), 3);
            // Twice: a digest leaves nothing behind in the key.
            for _ in 0..2 {
                assert_eq!(HEXLOWER.encode(&keyed.digest(bytes)), expected);
            }
            assert_eq!(keyed.key_version(), 3);
        }
    }
}
