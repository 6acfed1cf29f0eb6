//! Signatures and HMACs.

use super::operation::{key_of, message};
use super::retire;
use crate::support::{World, code};
use strongroom::Code;
use strongroom::domain::kms::{HashAlgorithm, KeyType, KeyVersionNumber, PublicKey, SignInput};
use strongroom::domain::value::SecretBytes;
use strongroom::kms::VerifiedHmac;

const MESSAGE: &[u8] = b"the message of the contract";

/// The digest of [`MESSAGE`], which another implementation made.
fn digest(hash: HashAlgorithm) -> SignInput {
    let bytes: &[u8] = match hash {
        HashAlgorithm::Sha256 => include_bytes!("../../../../testkit/src/kms/elsewhere/sha256.digest"),
        HashAlgorithm::Sha384 => include_bytes!("../../../../testkit/src/kms/elsewhere/sha384.digest"),
        HashAlgorithm::Sha512 => include_bytes!("../../../../testkit/src/kms/elsewhere/sha512.digest"),
    };
    SignInput { hash, prehashed: true, bytes: SecretBytes::copy_of(bytes) }
}

fn version(number: u32) -> Option<KeyVersionNumber> {
    KeyVersionNumber::new(number)
}

#[tokio::test]
async fn a_message_and_its_digest_are_the_same() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    for key_type in [KeyType::Rsa2048, KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521] {
        let name = key_type.as_str();
        key_of(engine, &session, name, key_type).await;
        let sign = async |input| engine.sign(&session, name).await.expect("allowed").run(input, None).await;
        let verify = async |input, signature: &str| {
            engine.verify(&session, name).await.expect("allowed").run(input, signature).await.ok()
        };
        for hash in HashAlgorithm::ALL {
            let whole = || SignInput { hash, ..message(MESSAGE) };
            let of_message = sign(whole()).await.expect("signs").to_string();
            let of_digest = sign(digest(hash)).await.expect("signs").to_string();
            assert!(of_message.starts_with("thalassa:v1:"), "{of_message}");
            for signature in [&of_message, &of_digest] {
                assert_eq!(verify(whole(), signature).await, Some(true), "{key_type} {hash}");
                assert_eq!(verify(digest(hash), signature).await, Some(true), "{key_type} {hash}");
                let other = SignInput { hash, ..message(b"another") };
                assert_eq!(verify(other, signature).await, Some(false), "{key_type} {hash}");
            }
            for len in [0, hash.digest_len() - 1, hash.digest_len() + 1] {
                let wrong = || SignInput { bytes: SecretBytes::copy_of(&vec![0; len]), ..digest(hash) };
                assert_eq!(code(sign(wrong()).await), Some(Code::InvalidRequest), "{len}");
                let verified = engine.verify(&session, name).await.expect("allowed").run(wrong(), &of_message).await;
                assert_eq!(code(verified), Some(Code::InvalidRequest), "{len}");
            }
        }
    }
}

#[tokio::test]
async fn ed25519_takes_no_digest() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    key_of(engine, &session, "app", KeyType::Ed25519).await;
    let sign = async |input| engine.sign(&session, "app").await.expect("allowed").run(input, None).await;
    let error = sign(digest(HashAlgorithm::Sha512)).await.expect_err("pure");
    assert_eq!(error.code(), Code::InvalidRequest);
    assert!(error.to_string().contains("Ed25519"), "{error}");
    let verify = engine.verify(&session, "app").await.expect("allowed");
    assert_eq!(code(verify.run(digest(HashAlgorithm::Sha512), "").await), Some(Code::InvalidRequest));
    // A hash that is named is of no matter.
    let one = sign(message(MESSAGE)).await.expect("signs");
    let other = sign(SignInput { hash: HashAlgorithm::Sha512, ..message(MESSAGE) }).await.expect("signs");
    assert_eq!(one, other);
}

#[tokio::test]
async fn what_is_no_signature_of_the_key_is_not_valid() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let app = key_of(engine, &session, "app", KeyType::EcdsaP256).await;
    key_of(engine, &session, "other", KeyType::EcdsaP256).await;
    let sign = async |name: &str, number| {
        let sign = engine.sign(&session, name).await.expect("allowed");
        sign.run(message(MESSAGE), number).await.map(|signature| signature.to_string())
    };
    let verify = async |signature: &str| {
        engine.verify(&session, "app").await.expect("allowed").run(message(MESSAGE), signature).await.ok()
    };
    let first = sign("app", None).await.expect("signs");
    let rotated = engine.rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    let second = sign("app", None).await.expect("signs");
    assert!(second.starts_with("thalassa:v2:"), "{second}");
    let old = sign("app", version(1)).await.expect("signs");
    assert!(old.starts_with("thalassa:v1:"), "{old}");
    for good in [&first, &second, &old] {
        assert_eq!(verify(good).await, Some(true), "{good}");
    }
    for bad in [
        "",
        "x",
        "thalassa:v1:",
        "thalassa:v1:A",
        "thalassa:v0:AAAA",
        &first[12..],
        &first.replace("v1", "v2"),
        &first.replace("v1", "v3"),
        &second.replace("v2", "v1"),
        &sign("other", None).await.expect("signs"),
    ] {
        assert_eq!(verify(bad).await, Some(false), "{bad}");
    }
    assert_eq!(code(sign("app", version(3)).await), Some(Code::KeyVersionNotFound));
    retire(&world, &rotated).await;
    assert_eq!((verify(&first).await, verify(&second).await), (Some(false), Some(true)), "the first is retired");
    assert_eq!(code(sign("app", version(1)).await), Some(Code::KeyVersionRetired));
    // Who verifies elsewhere still gets the public part.
    let public = async |number| engine.public_key(&session, "app").await.expect("allowed").run(number).await;
    let all = public(None).await.expect("reads");
    assert_eq!(all.iter().map(|(number, _)| number.get()).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(all[0].1, all[1].1);
    assert_eq!(public(version(1)).await.ok().as_deref(), Some(&all[..1]));
    assert_eq!(code(public(version(3)).await), Some(Code::KeyVersionNotFound));
    assert!(matches!(all[0].1, PublicKey::Spki(_)));
    assert_eq!(app.versions.len(), 1);
}

#[tokio::test]
async fn hmacs() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    let (sha256, sha384, sha512) = (HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512);
    for (key_type, of_key, others) in [
        (KeyType::Hmac, sha256, [sha384, sha512]),
        (KeyType::HmacSha256, sha256, [sha384, sha512]),
        (KeyType::HmacSha512, sha512, [sha256, sha384]),
    ] {
        let name = key_type.as_str();
        key_of(engine, &session, name, key_type).await;
        let hmac = async |text: &[u8], number, algorithm| {
            engine.hmac(&session, name).await.expect("allowed").run(text, number, algorithm).await
        };
        let verify = async |text: &[u8], mac: &str, algorithm| {
            engine.verify_hmac(&session, name).await.expect("allowed").run(text, mac, algorithm).await
        };
        let made = hmac(b"x", None, Some(of_key)).await.expect("makes");
        assert_eq!(made.bytes.len(), of_key.digest_len());
        assert_eq!(hmac(b"x", None, None).await.ok().as_ref(), Some(&made));
        let mac = made.to_string();
        let seen = |valid, number: u32| Some(VerifiedHmac { valid, version: version(number) });
        assert_eq!(verify(b"x", &mac, None).await.ok(), seen(true, 1));
        assert_eq!(verify(b"x", &mac, Some(of_key)).await.ok(), seen(true, 1));
        assert_eq!(verify(b"y", &mac, None).await.ok(), seen(false, 1));
        for other in others {
            assert_eq!(code(hmac(b"x", None, Some(other)).await), Some(Code::InvalidRequest), "{name} {other}");
            assert_eq!(code(verify(b"x", &mac, Some(other)).await), Some(Code::InvalidRequest), "{name} {other}");
        }
        for bad in ["", "x", &mac[12..], "thalassa:v1:=", &mac.replace("v1", "v2")] {
            assert_eq!(verify(b"x", bad, None).await.ok(), seen(false, 0), "{bad}");
        }
        assert_eq!(code(hmac(&[0; 65_536], None, None).await), Some(Code::InvalidRequest));
        assert_eq!(code(verify(&[0; 65_536], &mac, None).await), Some(Code::InvalidRequest));
        assert!(hmac(&[0; 65_535], None, None).await.is_ok());
        assert!(hmac(b"", None, None).await.is_ok());

        let rotated = engine.rotate(&session, name).await.expect("allowed").run().await.expect("rotates");
        let newer = hmac(b"x", None, None).await.expect("makes");
        assert!(newer.version.get() == 2 && newer.bytes != made.bytes);
        assert_eq!(hmac(b"x", version(1), None).await.ok().as_ref(), Some(&made));
        assert_eq!(code(hmac(b"x", version(3), None).await), Some(Code::KeyVersionNotFound));
        assert_eq!(verify(b"x", &mac, None).await.ok(), seen(true, 1));
        retire(&world, &rotated).await;
        assert_eq!(verify(b"x", &mac, None).await.ok(), seen(false, 0), "it is retired");
        assert_eq!(verify(b"x", &newer.to_string(), None).await.ok(), seen(true, 2));
        assert_eq!(code(hmac(b"x", version(1), None).await), Some(Code::KeyVersionRetired));
    }
}
