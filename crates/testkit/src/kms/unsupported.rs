//! What a KMS or a type of key doesn't do.

use super::elsewhere::key;
use super::test_key::{AAD, MESSAGE, assert_fails, message, plain};
use super::{Fixture, Keys};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::KmsErrorKind;

/// Each operation: `Unsupported` under a key whose type hasn't it.
pub async fn what_a_type_does_not_do_is_unsupported(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let unsupported = KmsErrorKind::Unsupported;
    for key_type in keys.each_kind() {
        let key = keys.make(key_type).await;
        let (kms, spec, version) = (&keys.kms, &key.spec, key.latest());
        let anything = [7; 64];
        if !key_type.encrypts() {
            assert_fails(kms.encrypt(spec, version, AAD, &plain()).await, unsupported, key_type);
            assert_fails(kms.decrypt(spec, version, AAD, &anything).await, unsupported, key_type);
        }
        if !key_type.signs() {
            assert_fails(kms.sign(spec, version, &message()).await, unsupported, key_type);
            assert_fails(kms.verify(spec, version, &message(), &anything).await, unsupported, key_type);
        }
        if !key_type.authenticates() {
            assert_fails(kms.mac(spec, version, MESSAGE).await, unsupported, key_type);
            assert_fails(kms.verify_mac(spec, version, MESSAGE, &anything).await, unsupported, key_type);
        }
        if !key_type.has_public_key() {
            assert_fails(kms.public_key(spec, version).await, unsupported, key_type);
        }
    }
}

/// `create`, `import`, `export`: `Unsupported` for a type that this KMS doesn't make, take or give out.
pub async fn what_the_kms_does_not_do_is_unsupported(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let unsupported = KmsErrorKind::Unsupported;
    for key_type in KeyType::ALL {
        let has = keys.every_type().contains(&key_type);
        if !has {
            let answer = keys.kms.create(&keys.spec(key_type, false)).await;
            assert_fails(answer, unsupported, (key_type, "create"));
        }
        if !has || !fixture.imports(key_type) {
            let answer = keys.kms.import(&keys.spec(key_type, false), &key(key_type).material).await;
            assert_fails(answer, unsupported, (key_type, "import"));
        }
        if has && !fixture.exports(key_type) {
            let answer = keys.kms.create(&keys.spec(key_type, true)).await;
            assert_fails(answer, unsupported, (key_type, "create one to be exported"));
        }
    }
}
