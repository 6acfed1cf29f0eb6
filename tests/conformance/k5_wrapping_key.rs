//! K5: the key under which material is wrapped, and K3 with such material.

use crate::clients::{Cli, Sdk, request};
use crate::decode::{bad_request, object};
use crate::shapes::{KEY, WRAPPING_KEY};
use crate::{Replay, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use strongroom_crypto::OsEntropy;
use strongroom_crypto::key_ops::wrap_import;
use strongroom_domain::port::OaepHash;
use strongroom_domain::value::SecretBytes;

const GET: &str = "GET /v1/kms/nl-01/wrapping-key";
const CREATE: &str = "POST /v1/kms/nl-01/keys";

#[test]
fn fetched_wrapped_and_imported() {
    let mut replay = Replay::new();
    let key = object(&replay.send(&request(Sdk, GET, "")), 200, &WRAPPING_KEY);
    assert_eq!(object(&replay.send(&request(Cli, GET, "")), 200, &WRAPPING_KEY), key);
    let pem = text(&key, "publicKey");
    let code: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(code).expect("PEM");
    let wrapped = wrap_import(&der, OaepHash::Sha256, &OsEntropy, &SecretBytes::copy_of(&[7; 32])).expect("RSA");
    replay.set("material", STANDARD.encode(wrapped));
    let body = r#"{"name":"imported-key","keyType":"aes256-gcm96","importKeyMaterial":"{material}","hashFunction":"sha256","allowRotation":true}"#;
    let made = object(&replay.send(&request(Sdk, CREATE, body)), 201, &KEY);
    assert_eq!((&made["imported"], &made["keyType"]), (&json!(true), &json!("aes256-gcm96")));
    let body = r#"{"name":"other","keyType":"aes256-gcm96","importKeyMaterial":"wrapped-key-material","hashFunction":"sha256"}"#;
    let message = bad_request(&replay.send(&request(Sdk, CREATE, body)));
    assert!(message.contains("importKeyMaterial"), "{message}");
}
