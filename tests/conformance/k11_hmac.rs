//! K11: the HMAC of bytes.

use crate::clients::{Cli, Sample, Sdk, request};
use crate::decode::{bad_request, object};
use crate::shapes::HMAC;
use crate::{Replay, text};

const MAKE: &str = "POST /v1/kms/nl-01/keys/{key}/hmac";

#[test]
fn made() {
    let mut replay = Replay::new();
    for (key_type, hash) in [("hmac", "sha256"), ("hmac-sha256", "sha2-256"), ("hmac-sha512", "sha512")] {
        replay.create_key(key_type);
        replay.set("hash", hash);
        let mut made = Vec::new();
        for (sender, body) in [
            (Sdk, r#"{"input":"aGVsbG8="}"#),
            (Cli, r#"{"input":"aGVsbG8=","keyVersion":"1"}"#),
            (Sample, r#"{"input":"aGVsbG8=","algorithm":"{hash}"}"#),
        ] {
            let hmac = object(&replay.send(&request(sender, MAKE, body)), 200, &HMAC);
            assert_eq!(hmac["keyVersion"], "1");
            assert!(text(&hmac, "hmac").starts_with("thalassa:v1:"), "{hmac}");
            made.push(hmac);
        }
        assert!(made.iter().all(|hmac| *hmac == made[0]), "{made:?}");
    }
    let _ = bad_request(&replay.send(&request(Sdk, MAKE, r#"{"input":"aGVsbG8=","algorithm":"sha256"}"#)));
}
