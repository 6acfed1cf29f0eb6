//! What is given out.

use super::elsewhere::key;
use super::test_key::{assert_fails, ok};
use super::{Fixture, Keys};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::KmsErrorKind;

fn exportable(keys: &Keys<'_>, types: Vec<KeyType>) -> Vec<KeyType> {
    types.into_iter().filter(|key_type| keys.fixture.exports(*key_type)).collect()
}

/// `export`: the material as `import` takes it: what is imported again is the same key.
pub async fn exported_material_is_the_key(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in exportable(&keys, keys.every_type()) {
        let made = keys.make_exportable(key_type).await;
        let material = ok(keys.kms.export(&made.spec, made.latest()).await);
        if let Some(len) = key_type.material_len() {
            assert_eq!(material.len(), len, "{key_type}");
        }
        if keys.fixture.imports(key_type) {
            let imported = ok(keys.import(key_type, &material).await);
            assert!(imported.accepts(imported.latest(), &made.proof().await).await, "{key_type}: made, imported");
            assert!(made.accepts(made.latest(), &imported.proof().await).await, "{key_type}: imported, made");
        }
    }
}

/// `export`: what was imported comes out again: plain bytes as they were, documents as good as they were.
pub async fn imported_material_comes_out_again(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in exportable(&keys, keys.importable()) {
        let material = key(key_type).material;
        let imported = ok(keys.import(key_type, &material).await);
        let exported = ok(keys.kms.export(&imported.spec, imported.latest()).await);
        if key_type.material_len().is_some() {
            assert_eq!(exported.expose(), material.expose(), "{key_type}");
        }
        let again = ok(keys.import(key_type, &exported).await);
        assert!(again.accepts(again.latest(), &imported.proof().await).await, "{key_type}");
    }
}

/// `export`: each version has its own material.
pub async fn each_version_is_exported_for_itself(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in exportable(&keys, keys.each_kind()) {
        let mut key = keys.make_exportable(key_type).await;
        key.rotate().await;
        let first = ok(keys.kms.export(&key.spec, &key.versions[0]).await);
        let second = ok(keys.kms.export(&key.spec, &key.versions[1]).await);
        assert_ne!(first.expose(), second.expose(), "{key_type}");
        let again = ok(keys.kms.export(&key.spec, &key.versions[0]).await);
        assert_eq!(again.expose(), first.expose(), "{key_type}");
    }
}

/// `export`: `BadHandle` for a spec that doesn't allow it, also when someone says afterwards that it does.
pub async fn a_key_that_may_not_be_exported_is_not(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in exportable(&keys, keys.each_kind()) {
        let key = keys.make(key_type).await;
        let mut spec = key.spec.clone();
        for export_allowed in [false, true] {
            spec.export_allowed = export_allowed;
            let answer = keys.kms.export(&spec, key.latest()).await;
            assert_fails(answer, KmsErrorKind::BadHandle, (key_type, export_allowed));
        }
        let exportable = keys.make_exportable(key_type).await;
        spec = exportable.spec.clone();
        spec.export_allowed = false;
        assert_fails(keys.kms.export(&spec, exportable.latest()).await, KmsErrorKind::BadHandle, key_type);
    }
}
