use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use strongroom_domain::audit::Signature;
use strongroom_domain::port::{AuditSigner, SignatureVerifier};

/// The library refused a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Ed25519 seed was refused")]
pub struct SeedError;

/// Signs with Ed25519 (RFC 8032). The seed is parsed once; the library keeps it on its own heap and wipes it when this is dropped.
pub struct Ed25519Signer {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl Ed25519Signer {
    /// Signs under this seed. The caller's seed stays the caller's to wipe.
    ///
    /// # Errors
    /// [`SeedError`] when the library refuses it.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SeedError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SeedError)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| SeedError)?;
        Ok(Self { pair, public })
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// The signature over these bytes.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        signature
    }
}

/// Signs commits of the audit log with Ed25519.
pub struct Ed25519AuditSigner {
    signer: Ed25519Signer,
    key_version: u32,
}

impl Ed25519AuditSigner {
    /// Signs under this seed, of this key version. The caller's seed stays the caller's to wipe.
    ///
    /// # Errors
    /// [`SeedError`] when the library refuses it.
    pub fn from_seed(seed: &[u8; 32], key_version: u32) -> Result<Self, SeedError> {
        Ok(Self { signer: Ed25519Signer::from_seed(seed)?, key_version })
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> [u8; 32] {
        self.signer.public_key()
    }
}

impl AuditSigner for Ed25519AuditSigner {
    fn sign(&self, bytes: &[u8]) -> Signature {
        Signature { key_version: self.key_version, bytes: self.signer.sign(bytes) }
    }
}

/// The public key of a seed.
///
/// # Errors
/// [`SeedError`] when the library refuses the seed.
pub fn ed25519_public(seed: &[u8; 32]) -> Result<[u8; 32], SeedError> {
    Ed25519Signer::from_seed(seed).map(|signer| signer.public)
}

/// Whether the signature over these bytes is one of the owner of `public`. The key version isn't part of what is signed: the caller
/// picks the public key by it.
#[must_use]
pub fn verify_audit_signature(public: &[u8; 32], bytes: &[u8], signature: &Signature) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(bytes, &signature.bytes).is_ok()
}

/// Verifies Ed25519 signatures (RFC 8032, without the cofactor); a signature whose second half is not reduced is refused, so that one
/// can't be turned into another. So are the public keys of small order, under which one signature holds for many messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ed25519Verifier;

impl SignatureVerifier for Ed25519Verifier {
    fn verify(&self, public: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
        !is_of_small_order(public) && UnparsedPublicKey::new(&ED25519, public).verify(bytes, signature).is_ok()
    }
}

/// The points whose order divides eight, by the y that encodes them, with the sign bit left out and encodings that are not reduced.
fn is_of_small_order(public: &[u8; 32]) -> bool {
    const EIGHT: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ];
    const OTHER_EIGHT: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ];
    let mut y = *public;
    y[31] &= 0x7f;
    // 0, 1, and p - 1, p, p + 1 for the prime p = 2^255 - 19.
    let is_near_p = y[1..31].iter().all(|byte| *byte == 0xff) && y[31] == 0x7f && (0xec..=0xee).contains(&y[0]);
    let is_small = y[1..].iter().all(|byte| *byte == 0) && y[0] <= 1;
    is_small || is_near_p || y == EIGHT || y == OTHER_EIGHT
}

#[cfg(test)]
mod tests {
    use super::{Ed25519AuditSigner, Ed25519Signer, Ed25519Verifier, ed25519_public, verify_audit_signature};
    use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
    use strongroom_domain::port::{AuditSigner, SignatureVerifier};

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        HEXLOWER.decode(text.as_bytes()).expect("hex").try_into().expect("the length")
    }

    /// RFC 8032 section 7.1: tests 1, 2 and 3.
    #[test]
    fn rfc_8032() {
        let cases = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246\
                55141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb\
                00d291612bb0c00",
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
                "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc\
                027beceea1ec40a",
            ),
        ];
        for (seed, public, message, signature) in cases {
            let seed = hex(seed);
            let message = HEXLOWER.decode(message.as_bytes()).expect("hex");
            let signer = Ed25519AuditSigner::from_seed(&seed, 7).expect("parses");
            assert_eq!(signer.public_key(), hex(public));
            assert_eq!(ed25519_public(&seed), Ok(signer.public_key()));
            let signed = signer.sign(&message);
            assert_eq!((signed.key_version, signed.bytes), (7, hex(signature)));
            assert!(verify_audit_signature(&signer.public_key(), &message, &signed));
            assert!(Ed25519Verifier.verify(&signer.public_key(), &message, &signed.bytes));
        }
    }

    /// RFC 8032, section 5.1.7: the second half of a signature is below the order of the group.
    #[test]
    fn a_signature_has_one_form() {
        let order: [u8; 32] = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let signer = Ed25519AuditSigner::from_seed(&[1; 32], 1).expect("parses");
        let mut signature = signer.sign(b"bytes").bytes;
        assert!(Ed25519Verifier.verify(&signer.public_key(), b"bytes", &signature));
        let mut carry = 0;
        for (byte, more) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            (*byte, carry) = ((sum & 0xff) as u8, sum >> 8);
        }
        assert_eq!(carry, 0);
        assert!(!Ed25519Verifier.verify(&signer.public_key(), b"bytes", &signature));
    }

    /// Under a key of small order the signature of zeros, or of the identity, would hold for many messages.
    #[test]
    fn keys_of_small_order_are_refused() {
        let points = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        ];
        for public in points.map(hex::<32>) {
            for point in points.map(hex::<32>) {
                let mut signature = [0; 64];
                signature[..32].copy_from_slice(&point);
                for message in 0..16_u8 {
                    assert!(!Ed25519Verifier.verify(&public, &[message], &signature));
                }
            }
        }
    }

    /// RFC 8037, appendix A.4: the example of a signed web token.
    #[test]
    fn rfc_8037() {
        let seed = BASE64URL_NOPAD.decode(b"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64");
        let signer = Ed25519Signer::from_seed(&seed.try_into().expect("32 bytes")).expect("parses");
        assert_eq!(BASE64URL_NOPAD.encode(&signer.public_key()), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            BASE64URL_NOPAD.encode(&signer.sign(message)),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }

    #[test]
    fn whatever_differs_is_refused() {
        let signer = Ed25519AuditSigner::from_seed(&[1; 32], 1).expect("parses");
        let public = signer.public_key();
        let signature = signer.sign(b"bytes");
        assert!(verify_audit_signature(&public, b"bytes", &signature));
        assert!(!verify_audit_signature(&public, b"byteS", &signature));
        assert!(!verify_audit_signature(&public, b"bytes\0", &signature));
        let other = ed25519_public(&[2; 32]).expect("parses");
        assert!(!verify_audit_signature(&other, b"bytes", &signature));
        for bit in 0..512 {
            let mut flipped = signature;
            flipped.bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify_audit_signature(&public, b"bytes", &flipped), "bit {bit}");
        }
    }
}
