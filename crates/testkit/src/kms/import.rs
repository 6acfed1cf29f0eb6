//! What becomes a key, and what doesn't.

use super::elsewhere::{BAD_EXPONENTS, MIXED_PARTS, NO_KEYS, digest, key};
use super::test_key::{AAD, MESSAGE, PLAIN, assert_fails, input, ok};
use super::{Fixture, Keys};
use strongroom_domain::kms::{KeyType, SignInput};
use strongroom_domain::port::KmsErrorKind;
use strongroom_domain::value::SecretBytes;

/// `import`: the key does what one of its type does that was made here, and can be rotated.
pub async fn an_imported_key_does_what_its_type_does(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.importable() {
        let mut imported = ok(keys.import(key_type, &key(key_type).material).await);
        let first = imported.proof().await;
        assert!(imported.accepts(imported.latest(), &first).await, "{key_type}");
        if keys.each_kind().contains(&key_type) {
            imported.rotate().await;
            assert!(!imported.accepts(imported.latest(), &first).await, "{key_type}: the same material");
            assert!(imported.accepts(&imported.versions[0], &first).await, "{key_type}");
        }
    }
}

/// `import`: the same material under two ids is the same material.
pub async fn material_imported_twice_is_the_same(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.importable() {
        let material = key(key_type).material;
        let [one, other] = [ok(keys.import(key_type, &material).await), ok(keys.import(key_type, &material).await)];
        assert!(other.accepts(other.latest(), &one.proof().await).await, "{key_type}");
    }
}

/// `sign`: signatures verify here and elsewhere; so what was signed elsewhere verifies here, given as message or as digest.
pub async fn what_was_signed_elsewhere_verifies(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.importable().into_iter().filter(|key_type| key_type.signs()) {
        let elsewhere = key(key_type);
        let imported = ok(keys.import(key_type, &elsewhere.material).await);
        for (hash, signature) in elsewhere.signatures {
            assert!(imported.verifies(&input(hash, MESSAGE), signature).await, "{key_type} {hash}");
            assert!(!imported.verifies(&input(hash, &MESSAGE[1..]), signature).await, "{key_type} {hash}");
            if key_type != KeyType::Ed25519 {
                let input = SignInput { hash, prehashed: true, bytes: SecretBytes::copy_of(digest(hash)) };
                assert!(imported.verifies(&input, signature).await, "{key_type} {hash}, its digest");
            }
        }
    }
}

/// `encrypt`: what is encrypted elsewhere with the public key decrypts here.
pub async fn what_was_encrypted_elsewhere_decrypts(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.importable() {
        let elsewhere = key(key_type);
        let Some(ciphertext) = elsewhere.ciphertext else { continue };
        let imported = ok(keys.import(key_type, &elsewhere.material).await);
        let opened = keys.kms.decrypt(&imported.spec, imported.latest(), AAD, ciphertext).await;
        assert_eq!(ok(opened).expose(), PLAIN, "{key_type}");
    }
}

/// `public_key`: an imported key has the public key that it has elsewhere, to the byte.
pub async fn an_imported_key_has_its_public_key(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.importable() {
        let elsewhere = key(key_type);
        let Some(public_key) = elsewhere.public_key else { continue };
        let imported = ok(keys.import(key_type, &elsewhere.material).await);
        assert_eq!(ok(keys.kms.public_key(&imported.spec, imported.latest()).await), public_key, "{key_type}");
    }
}

/// `import`: `BadMaterial` for another length or type.
pub async fn material_of_another_length_or_type_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    for key_type in keys.importable() {
        let good = key(key_type).material;
        let good = good.expose();
        let mut bad: Vec<(String, Vec<u8>)> = vec![
            ("nothing".to_owned(), Vec::new()),
            ("one byte".to_owned(), vec![1]),
            ("a byte less".to_owned(), good[..good.len() - 1].to_vec()),
            ("a byte more".to_owned(), [good, &[0]].concat()),
            ("twice".to_owned(), [good, good].concat()),
            ("the longest that is taken".to_owned(), vec![0x30; 65_535]),
        ];
        for other in KeyType::ALL.into_iter().filter(|other| *other != key_type) {
            let material = key(other).material;
            // Plain bytes of the same length can't be told apart.
            if key_type.material_len() != Some(material.len()) {
                bad.push((format!("{other}"), material.expose().to_vec()));
            }
        }
        bad.extend(NO_KEYS.map(|(what, bytes)| (what.to_owned(), bytes.to_vec())));
        for (what, bytes) in bad {
            let answer = keys.import(key_type, &SecretBytes::copy_of(&bytes)).await;
            assert_fails(answer.map(drop), KmsErrorKind::BadMaterial, (key_type, what));
        }
    }
}

/// `import`: `BadMaterial` for an even or small public exponent.
pub async fn rsa_material_with_a_bad_exponent_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    if keys.importable().contains(&KeyType::Rsa2048) {
        for (what, bytes) in BAD_EXPONENTS {
            let answer = keys.import(KeyType::Rsa2048, &SecretBytes::copy_of(bytes)).await;
            assert_fails(answer.map(drop), KmsErrorKind::BadMaterial, what);
        }
    }
}

/// `import`: `BadMaterial` for parts that don't belong together.
pub async fn material_of_mixed_parts_is_bad(fixture: &dyn Fixture) {
    let keys = Keys::of(fixture);
    let importable = keys.importable();
    for (key_type, what, bytes) in MIXED_PARTS.into_iter().filter(|(key_type, ..)| importable.contains(key_type)) {
        let answer = keys.import(key_type, &SecretBytes::copy_of(bytes)).await;
        assert_fails(answer.map(drop), KmsErrorKind::BadMaterial, (key_type, what));
    }
}
