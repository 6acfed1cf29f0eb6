//! Handles that must not be accepted.

use super::{AAD, PLAIN, TestKey, assert_bad_handle, ok, version};
use std::sync::Arc;
use strongroom_domain::id::{OrganisationId, ProjectId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersionNumber};
use strongroom_domain::port::Kms;
use strongroom_domain::scope::Scope;
use uuid::Uuid;

/// `decrypt`: a handle of another key is `BadHandle`.
pub async fn a_handle_of_another_key_is_bad(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let other = TestKey::create(&*kms, 2, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        assert_bad_handle(&*kms, &other.spec, key.latest(), &ciphertext, "another key").await;
    }
}

/// `decrypt`: a handle of another key type is `BadHandle`.
pub async fn a_handle_of_another_type_is_bad(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        for key_type in KeyType::ALL.into_iter().filter(|other| *other != key_type) {
            let spec = KeySpec { key_type, ..key.spec.clone() };
            assert_bad_handle(&*kms, &spec, key.latest(), &ciphertext, "another type").await;
        }
    }
}

/// `decrypt`: a handle of another organisation, region or project is `BadHandle`.
pub async fn a_handle_of_another_scope_is_bad(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        let other = Uuid::from_u128(77);
        for scope in [
            Scope { organisation: OrganisationId::new(other), ..key.spec.scope },
            Scope { region: RegionId::new(other), ..key.spec.scope },
            Scope { project: Some(ProjectId::new(other)), ..key.spec.scope },
        ] {
            let spec = KeySpec { scope, ..key.spec.clone() };
            assert_bad_handle(&*kms, &spec, key.latest(), &ciphertext, "another scope").await;
        }
    }
}

/// `decrypt`: a handle whose key may be exported, or no longer, is `BadHandle`: the permission can't be changed in the store.
pub async fn a_handle_of_another_export_permission_is_bad(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        let spec = KeySpec { export_allowed: true, ..key.spec.clone() };
        assert_bad_handle(&*kms, &spec, key.latest(), &ciphertext, "another export permission").await;
    }
}

/// `decrypt`: a handle of another version is `BadHandle`.
pub async fn a_handle_of_another_version_is_bad(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let mut key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        key.rotate(&*kms).await;
        let [first, second] = [&key.versions[0], &key.versions[1]];
        for mixed in [version(second.number, first.handle.clone()), version(first.number, second.handle.clone())] {
            assert_bad_handle(&*kms, &key.spec, &mixed, &ciphertext, "another version").await;
        }
    }
}

/// `decrypt`: a damaged handle is `BadHandle`.
pub async fn a_damaged_handle_is_bad(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        let good = key.latest().handle.as_bytes();
        let mut damaged: Vec<Vec<u8>> = (0..good.len()).map(|len| good[..len].to_vec()).collect();
        damaged.push([good, b"\0"].concat());
        damaged.extend((0..good.len() * 8).map(|bit| {
            let mut flipped = good.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        }));
        for bytes in damaged {
            let what = format!("{key_type}: {bytes:02x?}");
            let version = version(KeyVersionNumber::FIRST, KeyHandle::new(bytes));
            assert_bad_handle(&*kms, &key.spec, &version, &ciphertext, &what).await;
        }
        assert_eq!(ok(kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await).expose(), PLAIN);
    }
}
