//! Envelope encryption: which bytes are bound to what.
//!
//! A fresh data key per version encrypts the value; the bound KMS key wraps the data key. Both carry additional authenticated data
//! (AAD, NIST SP 800-38D section 5.2.1.1) made of immutable ids, so a row that is moved to another secret, version, path or scope
//! no longer opens. Everything that a KMS encrypts names a purpose first, so the public encrypt and decrypt never open a data key.

use crate::canonical::Encoder;
use crate::id::{KeyId, SecretId};
use crate::kms::KeyVersionNumber;
use crate::path::SecretPath;
use crate::scope::Scope;
use crate::value::ValueFormat;
use crate::version::VersionNumber;
use zeroize::Zeroizing;

/// The length of a data key, in bytes: AES-256.
pub const DATA_KEY_LEN: usize = 32;
/// The length of a payload's nonce, in bytes.
pub const NONCE_LEN: usize = 12;
/// The length of a payload's authentication tag, in bytes.
pub const TAG_LEN: usize = 16;

/// The first byte of a stored payload: format 1, AES-256-GCM, then nonce, ciphertext and tag.
const PAYLOAD_FORMAT: u8 = 1;
const PAYLOAD_ALGORITHM: &str = "AES-256-GCM";

/// A data key: made for one version, wiped when dropped, never stored or cached unwrapped.
pub struct DataKey(Zeroizing<[u8; DATA_KEY_LEN]>);

impl DataKey {
    /// Takes fresh or unwrapped key bytes over.
    #[must_use]
    pub const fn new(bytes: Zeroizing<[u8; DATA_KEY_LEN]>) -> Self {
        Self(bytes)
    }

    /// Reads an unwrapped key. `None` when the length is another: then it wasn't a data key.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; DATA_KEY_LEN]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The key bytes, for a cipher.
    #[must_use]
    pub fn expose(&self) -> &[u8; DATA_KEY_LEN] {
        &self.0
    }
}

/// A random nonce; a data key encrypts once, so it is never met twice under one key.
pub type Nonce = [u8; NONCE_LEN];

/// The AAD of a payload: algorithm, secret, version number, value format.
#[must_use]
pub fn payload_aad(secret: SecretId, version: VersionNumber, format: ValueFormat) -> Vec<u8> {
    let mut to = Encoder::new("strongroom secret payload", 1);
    to.text(PAYLOAD_ALGORITHM).id(secret.uuid()).number(version.get()).text(format.as_str());
    to.finish()
}

/// The AAD of a wrapped data key: scope, path, secret, version number, KMS key.
#[must_use]
pub fn data_key_aad(scope: &Scope, path: &SecretPath, secret: SecretId, version: VersionNumber, key: KeyId) -> Vec<u8> {
    let mut to = Encoder::new("strongroom data key", 1);
    scope.encode(&mut to);
    to.text(path.as_str()).id(secret.uuid()).number(version.get()).id(key.uuid());
    to.finish()
}

/// The AAD of what callers encrypt through the KMS API: scope, KMS key, key version.
#[must_use]
pub fn public_aad(scope: &Scope, key: KeyId, version: KeyVersionNumber) -> Vec<u8> {
    let mut to = Encoder::new("strongroom kms encrypt", 1);
    scope.encode(&mut to);
    to.id(key.uuid()).number(u64::from(version.get()));
    to.finish()
}

/// The AAD under which a software KMS seals the material of a key version: id, scope, type, export permission, version.
#[must_use]
pub fn key_material_aad(spec: &crate::kms::KeySpec, version: KeyVersionNumber) -> Vec<u8> {
    let mut to = Encoder::new("strongroom kms key material", 1);
    to.id(spec.id.uuid());
    spec.scope.encode(&mut to);
    to.text(spec.key_type.as_str()).number(u64::from(spec.export_allowed)).number(u64::from(version.get()));
    to.finish()
}

/// A payload as it is stored.
#[must_use]
pub fn encode_payload(nonce: &Nonce, ciphertext: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(1 + NONCE_LEN + ciphertext.len());
    payload.push(PAYLOAD_FORMAT);
    payload.extend_from_slice(nonce);
    payload.extend_from_slice(ciphertext);
    payload
}

/// The nonce, and the ciphertext with its tag, of a stored payload. `None` when the format is unknown or the bytes too few.
#[must_use]
pub fn decode_payload(payload: &[u8]) -> Option<(&Nonce, &[u8])> {
    let (format, rest) = payload.split_first()?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>()?;
    (*format == PAYLOAD_FORMAT && ciphertext.len() >= TAG_LEN).then_some((nonce, ciphertext))
}

#[cfg(test)]
mod tests {
    use super::{data_key_aad, decode_payload, encode_payload, payload_aad, public_aad};
    use crate::id::{KeyId, OrganisationId, ProjectId, RegionId, SecretId};
    use crate::kms::KeyVersionNumber;
    use crate::scope::Scope;
    use crate::value::ValueFormat;
    use crate::version::VersionNumber;
    use std::collections::HashSet;
    use uuid::Uuid;

    #[test]
    fn whatever_differs_changes_the_aad() {
        let id = Uuid::from_u128;
        let number = |n| VersionNumber::new(n).expect("not 0");
        let mut seen = HashSet::new();
        let mut count = 0;
        for organisation in [1, 2] {
            for region in [1, 2] {
                for project in [None, Some(1), Some(2)] {
                    let scope = Scope {
                        organisation: OrganisationId::new(id(organisation)),
                        region: RegionId::new(id(region)),
                        project: project.map(id).map(ProjectId::new),
                    };
                    for key in [1, 2] {
                        seen.insert(public_aad(&scope, KeyId::new(id(key)), KeyVersionNumber::FIRST));
                        count += 1;
                        for path in ["/a/b", "/a/c", "/a"] {
                            for (secret, version) in [(1, 1), (1, 2), (2, 1)] {
                                let path = path.parse().expect("legal");
                                let secret = SecretId::new(id(secret));
                                seen.insert(data_key_aad(&scope, &path, secret, number(version), KeyId::new(id(key))));
                                count += 1;
                            }
                        }
                    }
                }
            }
        }
        for format in [ValueFormat::String, ValueFormat::KeyValue] {
            for (secret, version) in [(1, 1), (1, 2), (2, 1)] {
                seen.insert(payload_aad(SecretId::new(id(secret)), number(version), format));
                count += 1;
            }
        }
        assert_eq!(seen.len(), count);
    }

    /// The stored formats are promises: these bytes must never change under version 1.
    #[test]
    fn format_1_is_fixed() {
        let aad = payload_aad(SecretId::new(Uuid::from_u128(1)), VersionNumber::FIRST, ValueFormat::String);
        let mut expected = b"\0\0\0\x19strongroom secret payload\x01\0\0\0\x0bAES-256-GCM\0\0\0\x10".to_vec();
        expected.extend_from_slice(Uuid::from_u128(1).as_bytes());
        expected.extend_from_slice(b"\0\0\0\x08\0\0\0\0\0\0\0\x01\0\0\0\x06string");
        assert_eq!(aad, expected);
    }

    #[test]
    fn payloads_round_trip_and_bad_ones_are_refused() {
        let payload = encode_payload(&[7; 12], &[9; 16]);
        assert_eq!(decode_payload(&payload), Some((&[7; 12], &[9; 16][..])));
        assert_eq!(decode_payload(&payload[..payload.len() - 1]), None);
        assert_eq!(decode_payload(&[]), None);
        let mut other = payload;
        other[0] = 2;
        assert_eq!(decode_payload(&other), None);
    }
}
