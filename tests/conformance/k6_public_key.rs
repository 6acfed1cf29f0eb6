//! K6: public keys by version: PEM, of Ed25519 the bytes in base64.

use crate::Replay;
use crate::clients::{Cli, Sample, Sdk, request};
use crate::decode::{bad_request, not_found, object};
use crate::shapes::PUBLIC_KEYS;
use serde_json::json;

const ALL: &str = "GET /v1/kms/nl-01/keys/{key}/public-key";
const ONE: &str = "GET /v1/kms/nl-01/keys/{key}/public-key?version=1";

#[test]
fn told() {
    let mut replay = Replay::new();
    for (key_type, is_pem) in [("ecdsa-p256", true), ("ed25519", false)] {
        replay.create_key(key_type);
        let _ = replay.client.post_empty(format!("{}/rotate", replay.client.key(&replay.word("key")))).ok(200);
        for sender in [Sdk, Cli, Sample] {
            let all = object(&replay.send(&request(sender, ALL, "")), 200, &PUBLIC_KEYS)["keys"].clone();
            let one = object(&replay.send(&request(sender, ONE, "")), 200, &PUBLIC_KEYS)["keys"].clone();
            assert_eq!(one, json!({ "1": all["1"] }));
            for version in ["1", "2"] {
                let text = all[version].as_str().unwrap_or_default();
                assert_eq!(text.starts_with("-----BEGIN PUBLIC KEY-----\n"), is_pem, "{text}");
                assert!(is_pem || text.len() == 44, "{text}");
            }
        }
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let _ = bad_request(&replay.send(&request(Sdk, ALL, "")));
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(&request(Sdk, ALL, "")));
}
