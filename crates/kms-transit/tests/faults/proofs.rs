//! What a server has to prove before it is used, and what becomes of one that doesn't.

use crate::case::{AAD, Case, SECRET, assert_kind, secret, spec, version};
use crate::double::{Double, Fault};
use strongroom_domain::kms::{KeyType, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_associated_data_is_not_used() {
    let double = Double::start().await;
    double.plan("crypt/", usize::MAX, Fault::NoAssociatedData);
    let kms = double.kms();
    let text = assert_kind(kms.check().await, KmsErrorKind::Unsupported, "check");
    assert!(text.contains("associated_data"), "{text}");
    for key_type in [KeyType::Aes128Gcm96, KeyType::Aes256Gcm96, KeyType::ChaCha20Poly1305] {
        assert_kind(kms.create(&spec(1, key_type)).await, KmsErrorKind::Unavailable, "create");
        let material = SecretBytes::copy_of(&[1; 16]);
        if key_type == KeyType::Aes128Gcm96 {
            assert_kind(kms.import(&spec(1, key_type), &material).await, KmsErrorKind::Unavailable, "import");
        }
    }
    assert_eq!(double.key_names(), [""; 0], "no key was made");
    // A key that was made while the server was another.
    let good = Double::start().await;
    let key = spec(2, KeyType::default());
    let handle = good.kms().create(&key).await.expect("creates");
    let answer = kms.encrypt(&key, &version(KeyVersionNumber::FIRST, handle), AAD, &secret()).await;
    assert_kind(answer, KmsErrorKind::Unavailable, "encrypt");
    assert!(!double.requests().iter().any(|(line, body)| {
        line.contains("/encrypt/")
            && body.as_ref().is_some_and(|body| body["plaintext"] == data_encoding::BASE64.encode(SECRET))
    }));
}

const SYMMETRIC: [KeyType; 3] = [KeyType::Aes128Gcm96, KeyType::Aes256Gcm96, KeyType::ChaCha20Poly1305];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_derived_keys_is_not_used() {
    for (part, words) in [
        // It makes others than it is asked for.
        ("/keys/", "is not `derived`"),
        // It says that they are derived, and doesn't derive.
        ("crypt/", "does not derive keys from `context`"),
        ("/", "is not `derived`"),
    ] {
        let double = Double::start().await;
        double.plan(part, usize::MAX, Fault::NoDerivation);
        let kms = double.kms();
        let text = assert_kind(kms.check().await, KmsErrorKind::Unsupported, part);
        assert!(text.contains(words), "{part}: {text}");
        for key_type in SYMMETRIC {
            let text = assert_kind(kms.create(&spec(1, key_type)).await, KmsErrorKind::Unavailable, part);
            assert!(text.contains(words), "{part}: {text}");
            let material = SecretBytes::copy_of(&vec![1; key_type.material_len().expect("plain bytes")]);
            assert_kind(kms.import(&spec(2, key_type), &material).await, KmsErrorKind::Unavailable, part);
        }
        assert_eq!(double.key_names(), [""; 0], "{part}: no key was made");
        assert!(kms.create(&spec(3, KeyType::EcdsaP256)).await.is_ok(), "{part}: other types need no derivation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_derived_is_not_adopted() {
    let case = Case::new().await;
    let (key, version) = &case.symmetric;
    for (from, to, words) in [
        (r#""derived":true"#, r#""derived":false"#, "is not `derived`"),
        ("hkdf_sha256", "hmac-sha256-counter", "another function than `hkdf_sha256`"),
        (r#""convergent_encryption":false"#, r#""convergent_encryption":true"#, "other properties"),
    ] {
        case.double.clear_plans();
        case.double.plan("GET /v1/transit/keys/", usize::MAX, Fault::Replace(from.to_owned(), to.to_owned()));
        let rotated = case.kms.rotate(key, version, version.number.next()).await;
        for (what, answer) in [("create", case.kms.create(&spec(20, KeyType::default())).await), ("rotate", rotated)] {
            let text = assert_kind(answer, KmsErrorKind::Unavailable, what);
            assert!(text.contains(words), "{what}: {text}");
        }
    }
    assert_eq!(case.double.count("/rotate"), 0);
    // Types that are not symmetric are not derived: those that are would sign with another key for each context.
    case.double.clear_plans();
    let derived = Fault::Replace(r#""derived":false"#.to_owned(), r#""derived":true"#.to_owned());
    case.double.plan("GET /v1/transit/keys/", usize::MAX, derived);
    assert_kind(case.kms.create(&spec(21, KeyType::Ed25519)).await, KmsErrorKind::Unavailable, "ed25519");
}

/// Made before, by others: the server leaves it as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_there_already_and_not_derived_is_refused() {
    let double = Double::start().await;
    let kms = double.kms();
    kms.check().await.expect("works");
    double.plan("POST /v1/transit/keys/", 1, Fault::NoDerivation);
    for _ in 0..2 {
        let text = assert_kind(kms.create(&spec(1, KeyType::default())).await, KmsErrorKind::Unavailable, "create");
        assert!(text.contains("is not `derived`"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_encryption_has_a_context_of_its_own() {
    let case = Case::new().await;
    for key_type in SYMMETRIC {
        let key = spec(50, key_type);
        let version = version(KeyVersionNumber::FIRST, case.kms.create(&key).await.expect("creates"));
        let before = case.double.requests().len();
        let mut sealed = Vec::new();
        for _ in 0..16 {
            sealed.push(case.kms.encrypt(&key, &version, AAD, &secret()).await.expect("encrypts"));
        }
        assert!(sealed.iter().all(|ciphertext| ciphertext[0] == 1 && ciphertext.len() == 33 + 12 + SECRET.len() + 16));
        let contexts: Vec<_> = sealed.iter().map(|ciphertext| &ciphertext[1..33]).collect();
        assert!((1..contexts.len()).all(|at| !contexts[..at].contains(&contexts[at])), "a context came twice");
        let sent: Vec<_> = case.double.requests()[before..].iter().filter_map(|(_, body)| body.clone()).collect();
        let shown: Vec<_> = contexts.iter().map(|context| data_encoding::BASE64.encode(context)).collect();
        assert!(sent.iter().map(|body| &body["context"]).eq(&shown), "{key_type}: {sent:?}");
    }
}

/// Also what the server never sees.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_context_or_format_is_not_authentic() {
    let case = Case::new().await;
    let (key, version) = &case.symmetric;
    let not_authentic = KmsErrorKind::NotAuthentic;
    for at in 0..case.sealed.len() {
        let mut flipped = case.sealed.clone();
        flipped[at] ^= 1;
        assert_kind(case.kms.decrypt(key, version, AAD, &flipped).await, not_authentic, &format!("byte {at} flipped"));
        assert_kind(
            case.kms.decrypt(key, version, AAD, &case.sealed[..at]).await,
            not_authentic,
            &format!("{at} bytes"),
        );
    }
    let longer = [&case.sealed[..], &[0]].concat();
    assert_kind(case.kms.decrypt(key, version, AAD, &longer).await, not_authentic, "a byte more");
    let other = case.kms.encrypt(key, version, AAD, &secret()).await.expect("encrypts");
    let mixed = [&case.sealed[..33], &other[33..]].concat();
    assert_kind(case.kms.decrypt(key, version, AAD, &mixed).await, not_authentic, "the context of another");
    assert!(case.kms.decrypt(key, version, AAD, &other).await.is_ok());
}
