//! Handles that must not be accepted.

use super::test_key::{altered, version};
use super::{Fixture, Keys};
use strongroom_domain::id::{KeyId, OrganisationId, ProjectId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyVersionNumber};
use strongroom_domain::scope::Scope;
use uuid::Uuid;

/// `decrypt` and all other uses: a handle of another key is `BadHandle`.
pub async fn a_handle_of_another_key_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        let other = keys.make(key_type).await;
        key.assert_bad_handle(&other.spec, key.latest(), &proof, "another key").await;
        let unknown = KeySpec { id: KeyId::new(Uuid::from_u128(77)), ..key.spec.clone() };
        key.assert_bad_handle(&unknown, key.latest(), &proof, "a key that isn't").await;
    }
}

/// `decrypt` and all other uses: a handle of another key type is `BadHandle`.
pub async fn a_handle_of_another_type_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        for key_type in keys.every_type().into_iter().filter(|other| *other != key_type) {
            let spec = KeySpec { key_type, ..key.spec.clone() };
            key.assert_bad_handle(&spec, key.latest(), &proof, "another type").await;
        }
    }
}

/// `decrypt` and all other uses: a handle of another organisation, region or project is `BadHandle`.
pub async fn a_handle_of_another_scope_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        let other = Uuid::from_u128(77);
        for scope in [
            Scope { organisation: OrganisationId::new(other), ..key.spec.scope },
            Scope { region: RegionId::new(other), ..key.spec.scope },
            Scope { project: Some(ProjectId::new(other)), ..key.spec.scope },
        ] {
            let spec = KeySpec { scope, ..key.spec.clone() };
            key.assert_bad_handle(&spec, key.latest(), &proof, "another scope").await;
        }
    }
}

/// `decrypt` and all other uses: a handle whose key may be exported, or no longer, is `BadHandle`: the permission can't be changed
/// in the store.
pub async fn a_handle_of_another_export_permission_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        let spec = KeySpec { export_allowed: true, ..key.spec.clone() };
        key.assert_bad_handle(&spec, key.latest(), &proof, "another export permission").await;
    }
}

/// `decrypt` and all other uses: a handle of another version is `BadHandle`.
pub async fn a_handle_of_another_version_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let mut key = keys.make(key_type).await;
        let proof = key.proof().await;
        key.rotate().await;
        let [first, second] = [&key.versions[0], &key.versions[1]];
        for mixed in [version(second.number, first.handle.clone()), version(first.number, second.handle.clone())] {
            key.assert_bad_handle(&key.spec, &mixed, &proof, "another version").await;
        }
    }
}

/// `decrypt` and all other uses: a damaged handle is `BadHandle`.
pub async fn a_damaged_handle_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let proof = key.proof().await;
        for bytes in altered(key.latest().handle.as_bytes(), 1_024) {
            let version = version(KeyVersionNumber::FIRST, KeyHandle::new(bytes.clone()));
            key.assert_bad_handle(&key.spec, &version, &proof, (key_type, &bytes)).await;
        }
        assert!(key.accepts(key.latest(), &proof).await, "{key_type}");
    }
}
