//! How a key of ours is called on the server, and what its handles say.

use crate::error::CallError;
use core::fmt::Write;
use core::ops::RangeInclusive;
use sha2::{Digest, Sha256};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::envelope::key_material_aad;
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{KmsError, KmsErrorKind};

/// The first byte of a handle: format 1, then the canonical text.
const HANDLE_FORMAT: u8 = 1;
const HANDLE_PURPOSE: &str = "strongroom transit handle";
const HANDLE_VERSION: u8 = 1;
/// How many bytes of the digest of what a key is bound to stand in its name.
const DIGEST_LEN: usize = 16;

/// Where a key version is on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) version: u32,
}

/// The name of a key: the prefix, its id, and a digest of its id, scope, type and export permission. So a record that was changed in the store
/// finds no key: nothing of it can be altered without the server knowing another name for it.
pub(crate) fn key_name(prefix: &str, spec: &KeySpec) -> String {
    let mut to = Encoder::new("strongroom transit key", 1);
    // The name is for all versions; the text has a place for one.
    to.bytes(&key_material_aad(spec, KeyVersionNumber::FIRST));
    let mut name = format!("{prefix}{}-", spec.id.uuid().simple());
    for byte in &Sha256::digest(to.finish())[..DIGEST_LEN] {
        // Writing to a text doesn't fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The handle of a version.
pub(crate) fn handle(mount: &str, name: &str, version: KeyVersionNumber) -> KeyHandle {
    let mut to = Encoder::new(HANDLE_PURPOSE, HANDLE_VERSION);
    to.text(mount).text(name).number(u64::from(version.get()));
    let text = to.finish();
    let mut bytes = Vec::with_capacity(1 + text.len());
    bytes.push(HANDLE_FORMAT);
    bytes.extend_from_slice(&text);
    KeyHandle::new(bytes)
}

fn bad(context: &str) -> KmsError {
    KmsError::new(KmsErrorKind::BadHandle, context)
}

/// Where a handle leads, if it is one of this mount and prefix.
pub(crate) fn read(mount: &str, prefix: &str, handle: &KeyHandle) -> Result<Place, KmsError> {
    let text = handle.as_bytes().strip_prefix(&[HANDLE_FORMAT]);
    let text = text.ok_or_else(|| bad("the key handle has an unknown format"))?;
    let read = || -> Result<(String, Place), DecodeError> {
        let mut from = Decoder::new(text, HANDLE_PURPOSE, HANDLE_VERSION)?;
        let (found, name) = (from.text()?, from.text()?);
        let version = u32::try_from(from.number()?).map_err(|_| DecodeError)?;
        from.finish()?;
        Ok((found, Place { name, version }))
    };
    let (found, place) = read().map_err(|error| bad("the key handle is damaged").because(error))?;
    if found != mount || !place.name.starts_with(prefix) || place.version == 0 {
        return Err(bad("the key handle is of another Transit mount, or of keys with another prefix"));
    }
    Ok(place)
}

/// Where a key version is, if its handle was made for this very key and version.
pub(crate) fn place(mount: &str, prefix: &str, spec: &KeySpec, version: &KeyVersion) -> Result<Place, KmsError> {
    let place = read(mount, prefix, &version.handle)?;
    if place.name != key_name(prefix, spec) || place.version != version.number.get() {
        return Err(bad("the key handle is of another key, or of one with other properties"));
    }
    Ok(place)
}

/// What the server writes before the base64 of ciphertexts, signatures and HMACs of a version.
pub(crate) fn version_prefix(version: u32) -> String {
    format!("vault:v{version}:")
}

/// The bytes behind the prefix, which must name the version that was asked for. They must have one of the lengths that the key makes: what is too short
/// or of another key is seen while it can still be asked for again, and not when it is to be opened.
pub(crate) fn strip(text: &str, version: u32, lengths: &RangeInclusive<usize>) -> Result<Vec<u8>, CallError> {
    let rest = text.strip_prefix("vault:v").ok_or(CallError::Garbage)?;
    let (number, code) = rest.split_once(':').ok_or(CallError::Garbage)?;
    if number != version.to_string() {
        return Err(CallError::OtherKey);
    }
    let bytes = data_encoding::BASE64.decode(code.as_bytes()).map_err(|_| CallError::Garbage)?;
    if lengths.contains(&bytes.len()) { Ok(bytes) } else { Err(CallError::OtherLength) }
}

#[cfg(test)]
mod tests {
    use super::{CallError, handle, key_name, read, strip};
    use strongroom_domain::id::{KeyId, OrganisationId, ProjectId, RegionId};
    use strongroom_domain::kms::{KeySpec, KeyType, KeyVersionNumber};
    use strongroom_domain::scope::Scope;
    use uuid::Uuid;

    fn spec() -> KeySpec {
        let scope = Scope {
            organisation: OrganisationId::new(Uuid::from_u128(1)),
            region: RegionId::new(Uuid::from_u128(2)),
            project: None,
        };
        KeySpec { id: KeyId::new(Uuid::from_u128(3)), scope, key_type: KeyType::default(), export_allowed: false }
    }

    #[test]
    fn names_fit_the_server_and_stay_as_they_are() {
        let name = key_name("strongroom-", &spec());
        assert_eq!(name, "strongroom-00000000000000000000000000000003-630df421ef1d622e2947c0888c67fdd4");
    }

    #[test]
    fn each_property_has_its_part_in_the_name() {
        let base = spec();
        let other = Uuid::from_u128(9);
        let specs = [
            KeySpec { id: KeyId::new(other), ..base.clone() },
            KeySpec { key_type: KeyType::Aes128Gcm96, ..base.clone() },
            KeySpec { export_allowed: true, ..base.clone() },
            KeySpec { scope: Scope { organisation: OrganisationId::new(other), ..base.scope }, ..base.clone() },
            KeySpec { scope: Scope { region: RegionId::new(other), ..base.scope }, ..base.clone() },
            KeySpec { scope: Scope { project: Some(ProjectId::new(other)), ..base.scope }, ..base.clone() },
        ];
        let mut names: Vec<_> = specs.iter().map(|spec| key_name("p-", spec)).collect();
        names.push(key_name("p-", &base));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), specs.len() + 1);
    }

    #[test]
    fn handles_lead_back_in_their_mount_only() {
        let made = handle("a/transit", "p-key", KeyVersionNumber::FIRST.next());
        let place = read("a/transit", "p-", &made).expect("is read");
        assert_eq!((place.name.as_str(), place.version), ("p-key", 2));
        assert!(read("transit", "p-", &made).is_err());
        assert!(read("a/transit", "q-", &made).is_err());
    }

    #[test]
    fn another_version_than_was_asked_for_is_none() {
        assert_eq!(strip("vault:v2:AAEC", 2, &(3..=3)).expect("bytes"), [0, 1, 2]);
        for (text, other) in [("vault:v1:AAEC", true), ("vault:v02:AAEC", true), ("vault:v22:AAEC", true)] {
            assert_eq!(matches!(strip(text, 2, &(3..=3)), Err(CallError::OtherKey)), other, "{text}");
        }
        for garbage in ["", "AAEC", "vault:v2:A", "vault:v2", "bao:v2:AAEC", "vault:v2:AA EC"] {
            assert!(matches!(strip(garbage, 2, &(3..=3)), Err(CallError::Garbage)), "{garbage}");
        }
    }

    #[test]
    fn another_length_than_the_key_makes_is_none() {
        for (text, fits) in [
            ("vault:v1:", false),
            ("vault:v1:AAE=", false),
            ("vault:v1:AAEC", true),
            ("vault:v1:AAECAw==", true),
            ("vault:v1:AAECAwQ=", false),
        ] {
            let stripped = strip(text, 1, &(3..=4));
            assert_eq!(stripped.is_ok(), fits, "{text}");
            assert_eq!(matches!(stripped, Err(CallError::OtherLength)), !fits, "{text}");
        }
    }
}
