//! Keys that are lost, and answers of another key, version or length.

use crate::case::{AAD, Case, SECRET, assert_kind, input, secret, spec, told, version};
use crate::double::{Double, Fault};
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

/// Format byte and context, which the server has no part in.
const BEFORE_SEALED: usize = 33;

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_a_bad_handle() {
    let case = Case::new().await;
    case.kms.check().await.expect("works");
    case.double.lose_keys();
    for (name, answer) in case.every_operation().await {
        match name {
            "create" | "import" | "erase" | "check" => {
                answer.unwrap_or_else(|error| panic!("{name}: {}", told(&error)));
            }

            name => drop(assert_kind(answer, KmsErrorKind::BadHandle, name)),
        }
    }
    let made = case.double.key_names();
    assert_eq!(made.len(), 2, "only those of create and import are there: {made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_not_made_anew_by_encrypting() {
    let case = Case::new().await;
    case.double.lose_keys();
    case.double.let_create();
    let (spec, version) = &case.symmetric;
    assert_kind(case.kms.encrypt(spec, version, AAD, &secret()).await, KmsErrorKind::BadHandle, "encrypt");
    assert_eq!(case.double.key_names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_taken_out_of_use_is_a_bad_handle() {
    let case = Case::new().await;
    let (spec, first) = &case.symmetric;
    let handle = case.kms.rotate(spec, first, first.number.next()).await.expect("rotates");
    let second = version(first.number.next(), handle);
    let name = case.double.key_names().into_iter().find(|name| case.double.versions(name) == Some((1, 2))).expect("it");
    case.double.set_min_decryption(&name, 2);
    assert_kind(case.kms.decrypt(spec, first, AAD, &case.sealed).await, KmsErrorKind::BadHandle, "decrypt");
    assert!(case.kms.encrypt(spec, &second, AAD, &secret()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_key_or_version_is_unavailable() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    let (signing, hmac) = (&case.signing, &case.hmac);
    let other = |part: &str, from: &str, to: &str| {
        case.double.clear_plans();
        case.double.plan(part, usize::MAX, Fault::Replace(from.to_owned(), to.to_owned()));
    };
    let unavailable = KmsErrorKind::Unavailable;
    other("/encrypt/", "vault:v1:", "vault:v2:");
    assert_kind(case.kms.encrypt(spec, version, AAD, &secret()).await, unavailable, "encrypt");
    other("/encrypt/", "vault:v1:", "vault:v1");
    assert_kind(case.kms.encrypt(spec, version, AAD, &secret()).await, unavailable, "encrypt, cut");
    other("/sign/", "vault:v1:", "vault:v12:");
    assert_kind(case.kms.sign(&signing.0, &signing.1, &input()).await, unavailable, "sign");
    other("/hmac/", "vault:v1:", "vault:v3:");
    assert_kind(case.kms.mac(&hmac.0, &hmac.1, SECRET).await, unavailable, "mac");
    other("GET /v1/transit/keys/", r#""name":"strongroom-"#, r#""name":"otherroom-"#);
    assert_kind(case.kms.rotate(spec, version, version.number.next()).await, unavailable, "rotate");
    assert_kind(case.kms.public_key(&signing.0, &signing.1).await, unavailable, "public key");
    assert_kind(case.kms.create(&self::spec(20, KeyType::default())).await, unavailable, "create");
    other("GET /v1/transit/keys/", r#""type":"aes256-gcm96""#, r#""type":"aes128-gcm96""#);
    assert_kind(case.kms.create(&self::spec(21, KeyType::default())).await, unavailable, "create, another type");
    other("GET /v1/transit/keys/", r#""exportable":false"#, r#""exportable":true"#);
    assert_kind(case.kms.create(&self::spec(22, KeyType::default())).await, unavailable, "create, exportable");
    assert_eq!(case.double.count("/rotate"), 0, "nothing is done on the word of such a server");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_length_is_unavailable() {
    let case = Case::new().await;
    let kms = &case.kms;
    let mut keys = Vec::new();
    for (id, key_type) in [(40, KeyType::Rsa2048), (41, KeyType::Ed25519), (42, KeyType::default())] {
        let spec = spec(id, key_type);
        let handle = kms.create(&spec).await.expect("creates");
        keys.push((spec, version(KeyVersionNumber::FIRST, handle)));
    }
    let [rsa, ed25519, other] = keys.try_into().expect("three");
    let longer = SecretBytes::copy_of(&[SECRET, b"!"].concat());
    let longer = kms.encrypt(&other.0, &other.1, AAD, &longer).await.expect("encrypts");
    let by_rsa = kms.encrypt(&rsa.0, &rsa.1, AAD, &secret()).await.expect("encrypts");
    let by_ed25519 = kms.sign(&ed25519.0, &ed25519.1, &input()).await.expect("signs");
    let mac = kms.mac(&case.hmac.0, &case.hmac.1, SECRET).await.expect("an HMAC");
    let sealed = |ciphertext: &[u8]| ciphertext[BEFORE_SEALED..].to_vec();
    let (sealed, longer) = (sealed(&case.sealed), sealed(&longer));
    let wrong: [&[u8]; 7] = [&[0; 3], &sealed, &longer, &by_rsa, &by_ed25519, &mac, &[7; 104]];
    for (operation, member, key, len) in [
        ("encrypt", "ciphertext", &case.symmetric, case.sealed.len() - BEFORE_SEALED),
        ("encrypt", "ciphertext", &rsa, 256),
        ("sign", "signature", &rsa, 256),
        ("sign", "signature", &ed25519, 64),
        ("sign", "signature", &case.signing, 72),
        ("hmac", "hmac", &case.hmac, 32),
    ] {
        for bytes in wrong {
            let body = format!(r#"{{"data":{{"{member}":"vault:v1:{}"}}}}"#, data_encoding::BASE64.encode(bytes));
            case.double.clear_plans();
            case.double.plan(&format!("/{operation}/"), usize::MAX, Fault::Raw(200, body.into_bytes()));
            let answer = match operation {
                "encrypt" => kms.encrypt(&key.0, &key.1, AAD, &secret()).await,
                "sign" => kms.sign(&key.0, &key.1, &input()).await,
                _ => kms.mac(&key.0, &key.1, SECRET).await,
            };
            let what = format!("{operation}, {} instead of {len} bytes", bytes.len());
            // Those of the right length show that nothing else is refused here.
            let ecdsa_too = key.0.key_type == KeyType::EcdsaP256 && (54..=72).contains(&bytes.len());
            if bytes.len() == len || ecdsa_too {
                assert!(answer.is_ok(), "{what}");
            } else {
                let text = assert_kind(answer, KmsErrorKind::Unavailable, &what);
                assert!(text.contains("another length"), "{what}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_data_of_another_key_is_unavailable() {
    let double = Double::start().await;
    let kms = double.kms();
    let exportable = |id, key_type| KeySpec { export_allowed: true, ..spec(id, key_type) };
    for (id, key_type, from, to) in [
        (1, KeyType::default(), r#""name":"strongroom-"#, r#""name":"otherroom-"#),
        (2, KeyType::default(), r#""type":"aes256-gcm96""#, r#""type":"aes128-gcm96""#),
        (3, KeyType::default(), r#""keys":{"1""#, r#""keys":{"2""#),
        (4, KeyType::EcdsaP256, "BEGIN EC PRIVATE", "BEGIN RSA PRIVATE"),
    ] {
        let spec = exportable(id, key_type);
        let version = version(KeyVersionNumber::FIRST, kms.create(&spec).await.expect("creates"));
        assert!(kms.export(&spec, &version).await.is_ok(), "{key_type}");
        double.plan("/export/", 1, Fault::Replace(from.to_owned(), to.to_owned()));
        assert_kind(kms.export(&spec, &version).await, KmsErrorKind::Unavailable, from);
    }
}
