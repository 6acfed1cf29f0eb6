//! What becomes of material that comes in.

use crate::case::{assert_kind, spec};
use crate::double::{Double, Fault};
use strongroom_crypto::OsEntropy;
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

#[tokio::test(flavor = "multi_thread")]
async fn another_material_than_was_imported_is_unavailable() {
    for (key_type, material) in [
        (KeyType::Aes128Gcm96, SecretBytes::copy_of(&[5; 16])),
        (KeyType::Ed25519, strongroom_crypto::key_ops::generate(KeyType::Ed25519, &OsEntropy).expect("made")),
    ] {
        let double = Double::start().await;
        let kms = double.kms();
        // A key of the same name that somebody made before.
        double.plan("/import", 1, Fault::Answer("import-key-exists"));
        let spec = spec(1, key_type);
        kms.create(&spec).await.expect("creates");
        assert_kind(kms.import(&spec, &material).await, KmsErrorKind::Unavailable, key_type.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_of_material_is_told() {
    let double = Double::start().await;
    let kms = double.kms();
    double.plan("/import", 1, Fault::Answer("import-key-wrong-size"));
    let answer = kms.import(&spec(1, KeyType::default()), &SecretBytes::copy_of(&[1; 32])).await;
    assert_kind(answer, KmsErrorKind::BadMaterial, "material that the server refuses");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_derives_imported_keys_otherwise_takes_no_symmetric_ones() {
    let double = Double::start().await;
    double.import_by_counter();
    let kms = double.kms();
    for (id, key_type, len) in
        [(1, KeyType::Aes128Gcm96, 16), (2, KeyType::Aes256Gcm96, 32), (3, KeyType::ChaCha20Poly1305, 32)]
    {
        let answer = kms.import(&spec(id, key_type), &SecretBytes::copy_of(&vec![5; len])).await;
        let text = assert_kind(answer, KmsErrorKind::Unsupported, key_type.as_str());
        assert!(text.contains("`hkdf_sha256`"), "{text}");
        assert_eq!(double.key_names(), [""; 0], "{key_type}: the material stays on the server");
    }
    let material = strongroom_crypto::key_ops::generate(KeyType::Ed25519, &OsEntropy).expect("made");
    assert!(kms.import(&spec(4, KeyType::Ed25519), &material).await.is_ok());
}
