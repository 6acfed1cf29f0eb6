//! K10: a signature verified. One that is none is an answer, and no error.

use crate::clients::{Cli, Sample, Sdk, request};
use crate::decode::{bad_request, object};
use crate::shapes::VERIFIED;
use crate::{Replay, text};
use serde_json::json;

const VERIFY: &str = "POST /v1/kms/nl-01/keys/{key}/verify";

#[test]
fn verified() {
    let mut replay = Replay::new();
    for key_type in ["ed25519", "ecdsa-p384"] {
        replay.create_key(key_type);
        let url = format!("{}/sign", replay.client.key(&replay.word("key")));
        let signed = replay.client.post(url, &json!({ "input": "aGVsbG8=" })).ok(200);
        replay.set("signature", text(&signed, "signature"));
        for (sender, body, valid) in [
            (Sdk, r#"{"input":"aGVsbG8=","signature":"{signature}"}"#, true),
            (Cli, r#"{"input":"aGVsbG8=","signature":"{signature}","hashAlgorithm":"sha256"}"#, true),
            (Sample, r#"{"input":"aGk=","signature":"{signature}"}"#, false),
            (Sdk, r#"{"input":"aGVsbG8=","signature":"thalassa:v1:signed"}"#, false),
            (Sdk, r#"{"input":"aGVsbG8=","signature":""}"#, false),
        ] {
            let verified = object(&replay.send(&request(sender, VERIFY, body)), 200, &VERIFIED);
            assert_eq!(verified["valid"], valid, "{body}");
        }
    }
    let _ = bad_request(&replay.send(&request(Sdk, VERIFY, r#"{"input":"aGVsbG8="}"#)));
}
