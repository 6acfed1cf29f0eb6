//! Public keys.

use super::test_key::ok;
use super::{Fixture, Keys};
use strongroom_domain::kms::{KeyType, PublicKey};

/// `public_key`: each version has its own, in the form of its type, and it stays.
pub async fn each_version_has_its_public_key(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let mut seen = Vec::new();
    for key_type in keys.each_kind().into_iter().filter(|key_type| key_type.has_public_key()) {
        let mut key = keys.make(key_type).await;
        key.rotate().await;
        for version in &key.versions {
            let public_key = ok(keys.kms.public_key(&key.spec, version).await);
            assert_eq!(ok(keys.kms.public_key(&key.spec, version).await), public_key, "{key_type}");
            let is_raw = matches!(public_key, PublicKey::Ed25519(_));
            assert_eq!(is_raw, key_type == KeyType::Ed25519, "{key_type}");
            assert!(!seen.contains(&public_key), "{key_type} {}", version.number);
            seen.push(public_key);
        }
    }
}
