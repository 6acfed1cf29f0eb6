//! HMACs that are right, and those that aren't.

use super::test_key::{MESSAGE, altered, ok};
use super::{Fixture, Keys};
use std::collections::HashSet;
use strongroom_domain::kms::{KeyType, MAX_PLAINTEXT_LEN};

fn authenticating(keys: &Keys<'_>) -> impl Iterator<Item = KeyType> + use<> {
    keys.every_type().into_iter().filter(|key_type| key_type.authenticates())
}

/// `mac`: the same message has the same HMAC, whole; another message has another.
pub async fn a_message_has_one_hmac(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in authenticating(&keys) {
        let key = keys.make(key_type).await;
        let mut seen = HashSet::new();
        for len in [0, 1, 32, 63, 64, 65, 127, 128, 129, MAX_PLAINTEXT_LEN] {
            let bytes = vec![5; len];
            let mac = key.mac(&bytes).await;
            assert_eq!(mac.len(), if key_type == KeyType::HmacSha512 { 64 } else { 32 }, "{key_type}");
            assert_eq!(key.mac(&bytes).await, mac, "{key_type}, {len} bytes");
            assert!(key.verifies_mac(&bytes, &mac).await, "{key_type}, {len} bytes");
            assert!(seen.insert(mac), "{key_type}, {len} bytes");
        }
    }
}

/// `verify_mac`: one that was cut, extended or flipped is none.
pub async fn a_changed_hmac_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in authenticating(&keys) {
        let key = keys.make(key_type).await;
        let mac = key.mac(MESSAGE).await;
        for bytes in altered(&mac, usize::MAX) {
            assert!(!key.verifies_mac(MESSAGE, &bytes).await, "{key_type} {bytes:02x?}");
        }
        assert!(key.verifies_mac(MESSAGE, &mac).await, "{key_type}");
    }
}

/// `verify_mac`: one of another key, of the same type or another, is none.
pub async fn an_hmac_of_another_key_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let mut made = Vec::new();
    for key_type in authenticating(&keys) {
        for _ in 0..2 {
            let key = keys.make(key_type).await;
            let mac = key.mac(MESSAGE).await;
            made.push((key, mac));
        }
    }
    for (ours, own) in &made {
        assert!(ours.verifies_mac(MESSAGE, own).await);
        for (theirs, mac) in made.iter().filter(|(theirs, _)| theirs.spec != ours.spec) {
            let types = (ours.spec.key_type, theirs.spec.key_type);
            assert!(!ours.verifies_mac(MESSAGE, mac).await, "{types:?}");
        }
    }
}

/// `verify_mac`: one of another version, or of another message, is none.
pub async fn an_hmac_of_another_version_or_message_is_none(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in authenticating(&keys) {
        let mut key = keys.make(key_type).await;
        let first = key.mac(MESSAGE).await;
        for other in [&b""[..], &MESSAGE[1..], &MESSAGE[..MESSAGE.len() - 1], &[MESSAGE, b"\0"].concat()] {
            assert!(!key.verifies_mac(other, &first).await, "{key_type} {other:?}");
        }
        key.rotate().await;
        let second = key.mac(MESSAGE).await;
        for (version, mac) in [(&key.versions[0], second), (&key.versions[1], first)] {
            let valid = ok(keys.kms.verify_mac(&key.spec, version, MESSAGE, &mac).await);
            assert!(!valid, "{key_type} {}", version.number);
        }
    }
}
