//! Creating, rotating, sealing anew, erasing, checking.

use super::test_key::{AAD, TestKey, ok, version};
use super::{Fixture, Keys};
use std::collections::HashSet;
use std::sync::Arc;
use strongroom_domain::kms::{KeyHandle, KeyType, KeyVersionNumber};
use strongroom_domain::value::SecretBytes;

/// `create`: the handle finds the material again for as long as it isn't erased.
pub async fn the_handle_finds_the_material_again(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.every_type() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        // Other keys come and go; the handle goes through a store as bytes.
        if keys.each_kind().contains(&key_type) {
            let other = keys.make(key_type).await;
            ok(keys.kms.erase(&other.latest().handle).await);
        }
        let handle = KeyHandle::new(key.latest().handle.as_bytes().to_vec());
        assert!(key.accepts(&version(KeyVersionNumber::FIRST, handle), &proof).await, "{key_type}");
    }
}

/// `create`: two keys never share material.
pub async fn two_keys_never_share_material(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let mut made = Vec::new();
        for _ in 0..4 {
            let key = keys.make(key_type).await;
            let proof = key.proof().await;
            made.push((key, proof));
        }
        let handles: HashSet<_> = made.iter().map(|(key, _)| key.latest().handle.as_bytes()).collect();
        assert_eq!(handles.len(), made.len(), "{key_type}");
        for (key, _) in &made {
            for (other, proof) in &made {
                assert_eq!(key.accepts(key.latest(), proof).await, key.spec == other.spec, "{key_type}");
            }
        }
    }
}

/// `rotate`: the handles of earlier versions stay good, and make what they made.
pub async fn handles_of_earlier_versions_stay_good(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let mut key = keys.make(key_type).await;
        let mut proofs = vec![key.proof().await];
        for _ in 0..3 {
            key.rotate().await;
            proofs.push(key.proof().await);
        }
        for (version, proof) in key.versions.clone().iter().zip(&proofs) {
            assert!(key.accepts(version, proof).await, "{key_type} {}", version.number);
            let old = TestKey { kms: Arc::clone(&key.kms), spec: key.spec.clone(), versions: vec![version.clone()] };
            assert!(key.accepts(version, &old.proof().await).await, "{key_type} {}", version.number);
        }
    }
}

/// `rotate`: the new version shares no material with the others.
pub async fn a_new_version_shares_no_material(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let mut key = keys.make(key_type).await;
        let mut proofs = vec![key.proof().await];
        for _ in 0..2 {
            key.rotate().await;
            for proof in &proofs {
                assert!(!key.accepts(key.latest(), proof).await, "{key_type} {}", key.latest().number);
            }
            proofs.push(key.proof().await);
        }
    }
}

/// `rotate`: asked again after an answer that was lost, it gives a handle that is as good.
pub async fn rotating_again_gives_a_handle_as_good(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let mut key = keys.make(key_type).await;
        let first = key.proof().await;
        let lost = keys.kms.rotate(&key.spec, key.latest(), key.latest().number.next()).await;
        drop(ok(lost));
        key.rotate().await;
        let second = key.proof().await;
        assert!(key.accepts(&key.versions[1], &second).await, "{key_type}");
        assert!(!key.accepts(&key.versions[1], &first).await, "{key_type}");
        assert!(key.accepts(&key.versions[0], &first).await, "{key_type}");
        // The one after it is another still.
        key.rotate().await;
        assert!(!key.accepts(key.latest(), &second).await, "{key_type}");
    }
}

/// `reseal`: the new handle, if there is one, finds the same material.
pub async fn a_resealed_handle_finds_the_same_material(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        if let Some(handle) = ok(keys.kms.reseal(&key.spec, key.latest()).await) {
            assert!(key.accepts(&version(KeyVersionNumber::FIRST, handle), &proof).await, "{key_type}");
        }
        assert!(key.accepts(key.latest(), &proof).await, "{key_type}");
    }
}

/// `erase`: a KMS that keeps material answers `BadHandle` from then on; one whose material is in the handle has nothing to erase.
pub async fn erased_material_is_gone_from_the_kms(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        ok(keys.kms.erase(&key.latest().handle).await);
        if fixture.keeps_material() {
            key.assert_bad_handle(&key.spec, key.latest(), &proof, "erased").await;
        } else {
            assert!(key.accepts(key.latest(), &proof).await, "{key_type}");
        }
    }
}

/// `erase`: erasing again succeeds.
pub async fn erasing_again_succeeds(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        for _ in 0..3 {
            ok(keys.kms.erase(&key.latest().handle).await);
        }
    }
}

/// `erase`: nothing of another key.
pub async fn erasing_one_key_leaves_the_others(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let [key, other] = [keys.make(key_type).await, keys.make(key_type).await];
        let theirs = other.proof().await;
        ok(keys.kms.erase(&key.latest().handle).await);
        assert!(other.accepts(other.latest(), &theirs).await, "{key_type}");
    }
}

/// `erase`: nothing of an earlier version, also when the newest is erased, as it is when it could not be stored.
pub async fn erasing_one_version_leaves_the_others(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let mut key = keys.make(key_type).await;
        let first = key.proof().await;
        key.rotate().await;
        let second = key.proof().await;
        key.rotate().await;
        ok(keys.kms.erase(&key.latest().handle).await);
        assert!(key.accepts(&key.versions[0], &first).await, "{key_type}");
        assert!(key.accepts(&key.versions[1], &second).await, "{key_type}");
    }
}

/// `erase`: of a KMS that keeps material, nothing is left when every version was erased.
pub async fn nothing_is_left_of_a_key_whose_versions_are_erased(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind().into_iter().filter(|_| fixture.keeps_material()) {
        let mut key = keys.make(key_type).await;
        key.rotate().await;
        let proof = key.proof().await;
        for version in &key.versions {
            ok(keys.kms.erase(&version.handle).await);
        }
        for version in &key.versions {
            key.assert_bad_handle(&key.spec, version, &proof, "erased").await;
        }
    }
}

/// `check`: a KMS that works says so, as often as it is asked.
pub async fn a_kms_at_work_can_be_used(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for _ in 0..3 {
        ok(keys.kms.check().await);
    }
    let key = keys.make(KeyType::default()).await;
    let proof = key.proof().await;
    ok(keys.kms.check().await);
    assert!(key.accepts(key.latest(), &proof).await);
}

/// Callers on several threads each get what is theirs, slow operations among the fast.
pub async fn callers_do_not_disturb_each_other(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let rsa = match keys.each_kind().into_iter().find(|key_type| key_type.is_rsa()) {
        Some(key_type) => Some(Arc::new(keys.make(key_type).await)),
        None => None,
    };
    let mut callers = Vec::new();
    for caller in 0..8_u8 {
        let (mut key, rsa) = (keys.make(KeyType::default()).await, rsa.clone());
        callers.push(tokio::spawn(async move {
            for turn in 0..20_u8 {
                let plain = SecretBytes::copy_of(&[caller, turn, 33]);
                let ciphertext = ok(key.kms.encrypt(&key.spec, key.latest(), AAD, &plain).await);
                let opened = ok(key.kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await);
                assert_eq!(opened.expose(), plain.expose());
                if turn % 5 == 4 {
                    key.rotate().await;
                    if let Some(rsa) = &rsa {
                        let ciphertext = ok(rsa.kms.encrypt(&rsa.spec, rsa.latest(), AAD, &plain).await);
                        let opened = ok(rsa.kms.decrypt(&rsa.spec, rsa.latest(), AAD, &ciphertext).await);
                        assert_eq!(opened.expose(), plain.expose());
                    }
                }
                tokio::task::yield_now().await;
            }
            key.versions.iter().map(|version| version.handle.as_bytes().to_vec()).collect::<Vec<_>>()
        }));
    }
    let mut handles = HashSet::new();
    for caller in callers {
        for handle in caller.await.unwrap_or_else(|error| panic!("{error}")) {
            assert!(handles.insert(handle));
        }
    }
    assert_eq!(handles.len(), 8 * 5);
}
