use crate::Fixture;
use futures_util::TryStreamExt;
use strongroom_client::api::{CreateKey, Encoded, SetRotation, Sign, Verify};
use strongroom_client::{Filter, Kms, Plain};

fn kms(fixture: &Fixture) -> Kms {
    fixture.client.kms(&fixture.env().region)
}

fn key(name: &str, kind: &str) -> CreateKey {
    CreateKey { name: name.to_owned(), key_type: Some(kind.to_owned()), ..CreateKey::default() }
}

#[tokio::test]
async fn a_key_lives() {
    let fixture = Fixture::start();
    let kms = kms(&fixture);
    let made = kms.keys().create(&CreateKey { export_allowed: Some(true), ..key("orders", "aes256-gcm96") }).await;
    let made = made.expect("made");
    assert_eq!(kms.keys().get("orders").await.expect("there").identity, made.identity);
    assert_eq!(kms.keys().list(&Filter::name("orders")).await.expect("a list").len(), 1);

    let sealed = kms.encrypt("orders", b"hello", None).await.expect("encrypted");
    assert_eq!(kms.keys().rotate("orders").await.expect("rotated").latest_version, 2);
    let opened = kms.decrypt("orders", &sealed.ciphertext).await.map_err(|error| error.to_string());
    assert_eq!(opened.expect("decrypted").expose(), b"hello");
    let material = kms.export("orders", Some(1)).await.map(|plain: Plain| plain.len());
    assert_eq!(material.expect("exported"), 32);
    let error = kms.decrypt("orders", "nothing").await.err().expect("no ciphertext");
    assert_eq!(error.code(), Some("invalid_ciphertext"));

    let yearly = SetRotation { key_rotation_enabled: Some(true), rotation_period_in_days: Some(365) };
    assert_eq!(kms.keys().set_rotation("orders", &yearly).await.expect("set").rotation_period_in_days, Some(365));
    assert_eq!(kms.keys().disable("orders").await.expect("disabled").status, "disabled");
    assert_eq!(kms.keys().enable("orders").await.expect("enabled").status, "active");
    assert_eq!(kms.keys().delete("orders").await.expect("deleted").bound_secrets, 0);
    assert_eq!(kms.keys().cancel_deletion("orders").await.expect("back").status, "active");
    assert!(kms.wrapping_key().await.expect("a key").public_key.contains("PUBLIC KEY"));
    assert!(kms.summary().await.expect("a summary").feature_enabled);
}

#[tokio::test]
async fn signatures_and_hmacs() {
    let fixture = Fixture::start();
    let kms = kms(&fixture);
    kms.keys().create(&key("release", "ecdsa-p256")).await.expect("made");
    let input = || Encoded::new("aGVsbG8=".to_owned().into());
    let sign = Sign { input: input(), key_version: None, hash_algorithm: None, prehashed: None, context: None };
    let signature = kms.sign("release", &sign).await.expect("signed").signature;
    let verify = |signature| Verify { input: input(), signature, hash_algorithm: None, prehashed: None, context: None };
    assert!(kms.verify("release", &verify(signature)).await.expect("an answer").valid);
    assert!(!kms.verify("release", &verify("nothing".to_owned())).await.expect("an answer").valid);
    assert_eq!(kms.keys().public_key("release", Some(1)).await.expect("keys").keys.len(), 1);

    kms.keys().create(&key("tags", "hmac")).await.expect("made");
    let hmac = kms.hmac("tags", b"hello", None).await.expect("made").hmac;
    assert!(kms.verify_hmac("tags", b"hello", &hmac).await.expect("an answer").valid);
    assert!(!kms.verify_hmac("tags", b"other", &hmac).await.expect("an answer").valid);
}

#[tokio::test]
async fn secrets_under_a_key() {
    let fixture = Fixture::start();
    let kms = kms(&fixture);
    fixture.fill(&["/a", "/b"]).await;
    let key = fixture.env().kms_key.as_str();
    kms.keys().rotate(key).await.expect("rotated");
    assert_eq!(kms.keys().usage(key).await.expect("counts").get("1"), Some(&2));
    let done = kms.keys().rewrap(key, None).await.expect("moved");
    assert_eq!((done.rewrapped, done.remaining, done.latest_version), (2, 0, 2));
    let secrets: Vec<_> = kms.keys().inventory(key).try_collect().await.expect("an inventory");
    assert!(secrets.iter().all(|secret| secret.key_version == "2") && secrets.len() == 2);
    let retired = kms.keys().retire(key, None).await.expect("retired");
    assert_eq!(retired.min_decryption_version, Some(2));
}
