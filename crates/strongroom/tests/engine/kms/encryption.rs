//! Encryption beyond the simplest: RSA, and versions that were retired.

use super::operation::key_of;
use super::retire;
use crate::support::{World, bytes, code};
use strongroom::Code;
use strongroom::domain::kms::{KeyType, KeyVersionNumber};

#[tokio::test]
async fn rsa_says_how_much_it_holds() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    for (key_type, limit) in [(KeyType::Rsa2048, 190), (KeyType::Rsa3072, 318), (KeyType::Rsa4096, 446)] {
        let name = key_type.as_str();
        key_of(engine, &session, name, key_type).await;
        let encrypt =
            async |len| engine.encrypt(&session, name).await.expect("allowed").run(bytes(&vec![7; len]), None).await;
        let error = encrypt(limit + 1).await.expect_err("too long");
        assert_eq!(error.code(), Code::InvalidRequest);
        assert!(error.to_string().contains(&format!("at most {limit} bytes")), "{error}");
        assert_eq!(code(encrypt(0).await), Some(Code::InvalidRequest));
        let ciphertext = encrypt(limit).await.expect("encrypts").ciphertext.to_string();
        let decrypt = async |text: &str| engine.decrypt(&session, name).await.expect("allowed").run(text).await;
        let plain = decrypt(&ciphertext).await.expect("decrypts").plain;
        assert_eq!(plain.expose(), vec![7; limit]);
        for bad in [&ciphertext[..ciphertext.len() - 4], &ciphertext.replace("v1", "v2"), "thalassa:v1:AAAA"] {
            assert_eq!(code(decrypt(bad).await), Some(Code::InvalidCiphertext), "{bad}");
        }
    }
}

#[tokio::test]
async fn a_retired_version_encrypts_and_decrypts_no_more() {
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    key_of(engine, &session, "app", KeyType::default()).await;
    let encrypt = async |number: Option<u32>| {
        let number = number.and_then(KeyVersionNumber::new);
        let encrypted = engine.encrypt(&session, "app").await.expect("allowed").run(bytes(b"x"), number).await;
        encrypted.map(|encrypted| encrypted.ciphertext.to_string())
    };
    let decrypt = async |text: &str| engine.decrypt(&session, "app").await.expect("allowed").run(text).await;
    let export = async |number| {
        let exported = engine.export(&session, "app").await.expect("allowed").run(KeyVersionNumber::new(number)).await;
        exported.map(|exported| (exported.version.get(), exported.material.expose().to_vec()))
    };
    let first = encrypt(None).await.expect("encrypts");
    let (number, material) = export(1).await.expect("exports");
    assert_eq!((number, material.len()), (1, 32));
    let rotated = engine.rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");
    assert!(export(2).await.is_ok_and(|(number, other)| number == 2 && other != material));
    assert_eq!(code(export(3).await), Some(Code::KeyVersionNotFound));
    retire(&world, &rotated).await;
    let second = encrypt(None).await.expect("encrypts");
    assert!(decrypt(&second).await.is_ok());
    let error = decrypt(&first).await.map(drop).expect_err("retired");
    assert_eq!(error.code(), Code::KeyVersionRetired);
    assert!(error.to_string().contains("`minDecryptionVersion` is 2"), "{error}");
    assert_eq!(code(decrypt(&first.replace("v1", "v3")).await), Some(Code::InvalidCiphertext));
    assert_eq!(code(encrypt(Some(1)).await), Some(Code::KeyVersionRetired));
    assert_eq!(code(export(1).await), Some(Code::KeyVersionRetired));
}

#[tokio::test]
async fn material_leaves_only_where_it_was_allowed_from_the_start() {
    use crate::support::{key, rule, user};
    let world = World::new();
    let room = world.node().await;
    let (session, engine) = (room.session(), room.engine());
    key(&room, &session, "kept").await;
    key_of(engine, &session, "open", KeyType::Hmac).await;
    let kept = engine.export(&session, "kept").await.expect("allowed").run(None).await;
    assert_eq!(code(kept), Some(Code::ExportNotAllowed));
    for (permission, expected) in
        [("decrypt", Some(Code::KeyNotFound)), ("export", None), ("update", None), ("*", None)]
    {
        let guest = room.session_with(user(), [rule("kms_key", &["open"], &[permission])]);
        let exported = async {
            let export = engine.export(&guest, "open").await?;
            export.run(None).await
        };
        assert_eq!(code(exported.await), expected, "{permission}");
        assert_eq!(code(engine.export(&guest, "kept").await.map(drop)), Some(Code::KeyNotFound));
    }
}
