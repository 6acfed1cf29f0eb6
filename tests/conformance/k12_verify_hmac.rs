//! K12: an HMAC verified. One that is none is an answer, and no error.

use crate::clients::{Cli, Sample, Sdk, request};
use crate::decode::{bad_request, object};
use crate::shapes::VERIFIED;
use crate::{Replay, text};
use serde_json::json;

const VERIFY: &str = "POST /v1/kms/nl-01/keys/{key}/verify-hmac";

#[test]
fn verified() {
    let mut replay = Replay::new();
    replay.create_key("hmac");
    let url = format!("{}/hmac", replay.client.key(&replay.word("key")));
    let made = replay.client.post(url, &json!({ "input": "aGVsbG8=" })).ok(200);
    replay.set("hmac", text(&made, "hmac"));
    for (sender, body, valid) in [
        (Sdk, r#"{"input":"aGVsbG8=","hmac":"{hmac}"}"#, true),
        (Cli, r#"{"input":"aGVsbG8=","hmac":"{hmac}","hashAlgorithm":"sha256"}"#, true),
        (Sample, r#"{"input":"aGk=","hmac":"{hmac}"}"#, false),
        (Sdk, r#"{"input":"aGVsbG8=","hmac":"thalassa:v1:hmac"}"#, false),
        (Sdk, r#"{"input":"aGVsbG8=","hmac":""}"#, false),
    ] {
        let verified = object(&replay.send(&request(sender, VERIFY, body)), 200, &VERIFIED);
        assert_eq!(verified["valid"], valid, "{body}");
        assert!(!valid || verified["keyVersion"] == "1", "{verified}");
    }
    let _ = bad_request(&replay.send(&request(Sdk, VERIFY, r#"{"input":"aGVsbG8="}"#)));
}
