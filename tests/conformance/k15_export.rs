//! K15: the material of a key that was made to give it out.

use crate::clients::{Cli, Sample, Sdk, request};
use crate::decode::{bad_request, not_found, object};
use crate::shapes::EXPORTED;
use crate::{Replay, text};

const EXPORT: &str = "POST /v1/kms/nl-01/keys/{key}/export";

#[test]
fn exported() {
    let mut replay = Replay::new();
    replay.create_key("aes256-gcm96");
    let mut first = String::new();
    for (sender, body) in [(Sdk, "{}"), (Cli, r#"{"keyVersion":"1"}"#), (Sample, "")] {
        let answer = replay.send(&request(sender, EXPORT, body));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let exported = object(&answer, 200, &EXPORTED);
        assert_eq!(exported["keyVersion"], "1");
        let material = text(&exported, "keyMaterial");
        assert_eq!(material.len(), 44, "32 bytes");
        assert!(first.is_empty() || first == material);
        first = material;
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let message = bad_request(&replay.send(&request(Sdk, EXPORT, "{}")));
    assert!(message.contains("exportAllowed"), "{message}");
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(&request(Sdk, EXPORT, "{}")));
}
