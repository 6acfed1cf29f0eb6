//! Creating, rotating, erasing, checking.

use super::{AAD, PLAIN, TestKey, assert_bad_handle, assert_fails, ok, plain, version};
use std::collections::HashSet;
use std::sync::Arc;
use strongroom_domain::kms::{KeyHandle, KeyType, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

/// `create`: the handle finds the material again for as long as it isn't erased.
pub async fn the_handle_finds_the_material_again(kms: Arc<dyn Kms>) {
    for (id, key_type) in (1..).zip(KeyType::ALL) {
        let key = TestKey::create(&*kms, id, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        // Other keys come and go; the handle goes through a store as bytes.
        let other = TestKey::create(&*kms, 100 + id, key_type).await;
        ok(kms.erase(&other.latest().handle).await);
        let handle = KeyHandle::new(key.latest().handle.as_bytes().to_vec());
        let stored = version(KeyVersionNumber::FIRST, handle);
        assert_eq!(ok(kms.decrypt(&key.spec, &stored, AAD, &ciphertext).await).expose(), PLAIN, "{key_type}");
    }
}

/// `create`: two keys never share material.
pub async fn two_keys_never_share_material(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let mut keys = Vec::new();
        for id in 1..=6 {
            let key = TestKey::create(&*kms, id, key_type).await;
            let ciphertext = key.encrypt(&*kms).await;
            keys.push((key, ciphertext));
        }
        let handles: HashSet<_> = keys.iter().map(|(key, _)| key.latest().handle.as_bytes()).collect();
        assert_eq!(handles.len(), keys.len(), "{key_type}");
        for (place, (key, _)) in keys.iter().enumerate() {
            for (_, ciphertext) in keys.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, key)| key) {
                let answer = kms.decrypt(&key.spec, key.latest(), AAD, ciphertext).await;
                assert_fails(answer, KmsErrorKind::NotAuthentic, key_type);
            }
        }
    }
}

/// `rotate`: the handles of earlier versions stay good.
pub async fn handles_of_earlier_versions_stay_good(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let mut key = TestKey::create(&*kms, 1, key_type).await;
        let mut ciphertexts = vec![key.encrypt(&*kms).await];
        for _ in 0..4 {
            key.rotate(&*kms).await;
            ciphertexts.push(key.encrypt(&*kms).await);
        }
        for (version, ciphertext) in key.versions.iter().zip(&ciphertexts) {
            assert_eq!(ok(kms.decrypt(&key.spec, version, AAD, ciphertext).await).expose(), PLAIN);
            let again = ok(kms.encrypt(&key.spec, version, AAD, &plain()).await);
            assert_eq!(ok(kms.decrypt(&key.spec, version, AAD, &again).await).expose(), PLAIN);
        }
    }
}

/// `rotate`: the new version shares no material with the others.
pub async fn a_new_version_shares_no_material(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let mut key = TestKey::create(&*kms, 1, key_type).await;
        let mut ciphertexts = vec![key.encrypt(&*kms).await];
        for _ in 0..3 {
            key.rotate(&*kms).await;
            for ciphertext in &ciphertexts {
                let answer = kms.decrypt(&key.spec, key.latest(), AAD, ciphertext).await;
                assert_fails(answer, KmsErrorKind::NotAuthentic, key.latest().number);
            }
            ciphertexts.push(key.encrypt(&*kms).await);
        }
    }
}

/// `erase`: a KMS that keeps material answers `BadHandle` from then on; one whose material is in the handle has nothing to erase.
pub async fn erased_material_is_gone_from_the_kms(kms: Arc<dyn Kms>, keeps_material: bool) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        ok(kms.erase(&key.latest().handle).await);
        if keeps_material {
            assert_bad_handle(&*kms, &key.spec, key.latest(), &ciphertext, "erased").await;
        } else {
            assert_eq!(ok(kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await).expose(), PLAIN);
        }
    }
}

/// `erase`: erasing again succeeds.
pub async fn erasing_again_succeeds(kms: Arc<dyn Kms>) {
    let key = TestKey::create(&*kms, 1, KeyType::default()).await;
    for _ in 0..3 {
        ok(kms.erase(&key.latest().handle).await);
    }
}

/// `erase`: only what belongs to this handle.
pub async fn erasing_one_version_leaves_the_others(kms: Arc<dyn Kms>) {
    let mut key = TestKey::create(&*kms, 1, KeyType::default()).await;
    let first = key.encrypt(&*kms).await;
    key.rotate(&*kms).await;
    let second = key.encrypt(&*kms).await;
    key.rotate(&*kms).await;
    let other = TestKey::create(&*kms, 2, KeyType::default()).await;
    let theirs = other.encrypt(&*kms).await;
    ok(kms.erase(&key.latest().handle).await);
    for (key, version, ciphertext) in
        [(&key, &key.versions[0], first), (&key, &key.versions[1], second), (&other, other.latest(), theirs)]
    {
        assert_eq!(ok(kms.decrypt(&key.spec, version, AAD, &ciphertext).await).expose(), PLAIN);
    }
}

/// `check`: a KMS that works says so, as often as it is asked.
pub async fn a_kms_at_work_can_be_used(kms: Arc<dyn Kms>) {
    for _ in 0..3 {
        ok(kms.check().await);
    }
    let key = TestKey::create(&*kms, 1, KeyType::default()).await;
    let ciphertext = key.encrypt(&*kms).await;
    ok(kms.check().await);
    assert_eq!(ok(kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await).expose(), PLAIN);
}

/// Callers on several threads each get what is theirs.
pub async fn callers_do_not_disturb_each_other(kms: Arc<dyn Kms>) {
    let callers: Vec<_> = (1..=8)
        .map(|id| {
            let kms = kms.clone();
            tokio::spawn(async move {
                let mut key = TestKey::create(&*kms, id, KeyType::default()).await;
                for turn in 0..20_u8 {
                    let plain = SecretBytes::copy_of(&[turn; 33]);
                    let ciphertext = ok(kms.encrypt(&key.spec, key.latest(), AAD, &plain).await);
                    let opened = ok(kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await);
                    assert_eq!(opened.expose(), plain.expose());
                    if turn % 5 == 4 {
                        key.rotate(&*kms).await;
                    }
                    tokio::task::yield_now().await;
                }
                key.versions.iter().map(|version| version.handle.as_bytes().to_vec()).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut handles = HashSet::new();
    for caller in callers {
        for handle in caller.await.unwrap_or_else(|error| panic!("{error}")) {
            assert!(handles.insert(handle));
        }
    }
    assert_eq!(handles.len(), 8 * 5);
}
