//! What is tried again, and what isn't.

use crate::case::{AAD, Case, SECRET, assert_kind, secret, spec, told, version};
use crate::double::{Double, Fault};
use strongroom_domain::kms::{KeyType, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_safe_is_tried_again() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    for fault in [
        Fault::Answer("internal-error"),
        Fault::Answer("sealed"),
        Fault::Answer("too-many-requests"),
        Fault::Close,
        Fault::LoseAnswer,
        Fault::Raw(200, b"<html>".to_vec()),
    ] {
        case.double.plan("/v1/", 2, fault.clone());
        let sealed = case.kms.encrypt(spec, version, AAD, &secret()).await;
        let sealed = sealed.unwrap_or_else(|error| panic!("{fault:?}: {}", told(&error)));
        case.double.plan("/v1/", 1, fault.clone());
        let opened = case.kms.decrypt(spec, version, AAD, &sealed).await.expect("decrypts");
        assert_eq!(opened.expose(), SECRET, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_not_tried_again() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    let before = case.double.count("/decrypt/");
    for _ in 0..20 {
        let answer = case.kms.decrypt(spec, version, b"another", &case.sealed).await;
        assert_kind(answer, KmsErrorKind::NotAuthentic, "another AAD");
    }
    assert_eq!(case.double.count("/decrypt/"), before + 20);
    // RSA: the server calls it an internal error. It must not count as one: anybody could have the server left alone so.
    let rsa = self::spec(5, KeyType::Rsa2048);
    let rsa_version = self::version(KeyVersionNumber::FIRST, case.kms.create(&rsa).await.expect("creates"));
    let before = case.double.count("/decrypt/");
    for _ in 0..20 {
        let answer = case.kms.decrypt(&rsa, &rsa_version, AAD, &[7; 256]).await;
        assert_kind(answer, KmsErrorKind::NotAuthentic, "RSA");
    }
    assert_eq!(case.double.count("/decrypt/"), before + 20);
    case.kms.encrypt(spec, version, AAD, &secret()).await.expect("is not left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_make_no_second_key_or_version() {
    let case = Case::new().await;
    for part in ["POST /v1/transit/keys/", "/import", "/rotate"] {
        case.double.plan(part, 1, Fault::LoseAnswer);
    }
    let (spec, version) = &case.symmetric;
    let made = case.kms.create(&self::spec(30, KeyType::default())).await;
    assert!(made.is_ok());
    let imported = case.kms.import(&self::spec(31, KeyType::default()), &SecretBytes::copy_of(&[3; 32])).await;
    assert!(imported.is_ok());
    let rotated = case.kms.rotate(spec, version, version.number.next()).await.expect("rotates");
    let versions: Vec<_> = case.double.key_names().iter().filter_map(|name| case.double.versions(name)).collect();
    assert_eq!(versions.iter().filter(|versions| **versions == (1, 2)).count(), 1, "{versions:?}");
    assert_eq!(versions.iter().filter(|versions| **versions == (1, 1)).count(), versions.len() - 1, "{versions:?}");
    let second = self::version(version.number.next(), rotated);
    case.kms.encrypt(spec, &second, AAD, &secret()).await.expect("encrypts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_asked_for_until_the_version_is_there() {
    for (fault, times, done, versions) in [
        (Fault::Answer("internal-error"), 2, true, (1, 2)),
        (Fault::Answer("internal-error"), 3, false, (1, 1)),
        (Fault::Close, 2, true, (1, 2)),
        // What was lost is the answer, so that it is asked for once.
        (Fault::LoseAnswer, 3, true, (1, 2)),
    ] {
        let double = Double::start().await;
        let kms = double.kms();
        let spec = spec(1, KeyType::default());
        let first = version(KeyVersionNumber::FIRST, kms.create(&spec).await.expect("creates"));
        double.plan("/rotate", times, fault.clone());
        let answer = kms.rotate(&spec, &first, first.number.next()).await;
        assert_eq!(answer.is_ok(), done, "{fault:?}, {times} times");
        assert_eq!(double.versions(&double.key_names()[0]), Some(versions), "{fault:?}, {times} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_known_words_say_that_a_ciphertext_is_bad() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    for (status, words, kind) in [
        (400, "cipher: message authentication failed", KmsErrorKind::NotAuthentic),
        (400, "chacha20poly1305: message authentication failed", KmsErrorKind::NotAuthentic),
        (400, "invalid ciphertext: could not decode base64", KmsErrorKind::NotAuthentic),
        (400, "invalid ciphertext length", KmsErrorKind::NotAuthentic),
        (400, "the moon is in the wrong phase", KmsErrorKind::Unavailable),
        (400, "missing 'context' for key derivation", KmsErrorKind::Unavailable),
        (400, "", KmsErrorKind::Unavailable),
        (500, "could not derive enc key, length not correct", KmsErrorKind::Unavailable),
    ] {
        case.double.clear_plans();
        let body = format!(r#"{{"errors":["{words}"]}}"#);
        case.double.plan("/decrypt/", usize::MAX, Fault::Raw(status, body.into_bytes()));
        let text = assert_kind(case.kms.decrypt(spec, version, AAD, &case.sealed).await, kind, words);
        assert!(words.is_empty() || !text.contains(words), "{text}");
    }
    case.double.clear_plans();
    let answered = Fault::Raw(400, br#"{"errors":[]}"#.to_vec());
    case.double.plan("/decrypt/", usize::MAX, answered);
    let answer = case.kms.decrypt(spec, version, AAD, &case.sealed).await;
    assert_kind(answer, KmsErrorKind::Unavailable, "no words at all");
}
