//! What is signed, and the public keys that verify it.

use crate::value::SecretBytes;
use core::fmt;
use data_encoding::BASE64;

/// A hash function of the SHA-2 family (FIPS 180-4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// SHA-256: the default.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of its digests, in bytes.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The one of this name: `sha256`, `sha2-256` or `SHA-256`, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sha256" | "sha-256" | "sha2-256" => Some(Self::Sha256),
            "sha384" | "sha-384" | "sha2-384" => Some(Self::Sha384),
            "sha512" | "sha-512" | "sha2-512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be signed, or was. It may be as secret as a plaintext: it can't be shown, and is wiped.
pub struct SignInput {
    /// The hash that is signed, but with Ed25519, which hashes by itself.
    pub hash: HashAlgorithm,
    /// Whether `bytes` is the digest already; then it has the hash's length.
    pub prehashed: bool,
    /// The message, or its digest.
    pub bytes: SecretBytes,
}

/// The public part of a key version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1): RSA and ECDSA.
    Spki(Vec<u8>),
    /// The 32 bytes of an Ed25519 key (RFC 8032).
    Ed25519([u8; 32]),
}

/// How many characters of base64 stand in a line of PEM.
const PEM_LINE_LEN: usize = 64;

impl PublicKey {
    /// As callers get it: PEM (RFC 7468), or base64 of the 32 bytes for Ed25519.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Ed25519(bytes) => BASE64.encode(bytes),
            Self::Spki(der) => {
                let code = BASE64.encode(der);
                let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
                let mut rest = code.as_str();
                while !rest.is_empty() {
                    let (line, after) = rest.split_at(rest.len().min(PEM_LINE_LEN));
                    text.push_str(line);
                    text.push('\n');
                    rest = after;
                }
                text.push_str("-----END PUBLIC KEY-----\n");
                text
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HashAlgorithm, PublicKey};

    #[test]
    fn names_of_hashes() {
        for (names, hash) in [
            (["sha256", "sha2-256", "SHA-256"], HashAlgorithm::Sha256),
            (["sha384", "sha2-384", "SHA-384"], HashAlgorithm::Sha384),
            (["sha512", "sha2-512", "SHA-512"], HashAlgorithm::Sha512),
        ] {
            for name in names {
                assert_eq!(HashAlgorithm::parse(name), Some(hash), "{name}");
            }
            assert_eq!(HashAlgorithm::parse(hash.as_str()), Some(hash));
            assert_eq!(hash.digest_len() * 8, hash.as_str()[3..].parse::<usize>().expect("a number"));
        }
        for name in ["", "sha1", "sha3-256", "sha 256", "md5"] {
            assert_eq!(HashAlgorithm::parse(name), None, "{name}");
        }
    }

    #[test]
    fn public_keys_as_text() {
        assert_eq!(PublicKey::Ed25519([0; 32]).to_text(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let text = PublicKey::Spki(vec![0; 50]).to_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.iter().map(|line| line.len()).collect::<Vec<_>>(), [26, 64, 4, 24]);
        assert_eq!((lines[0], lines[3]), ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"));
    }
}
