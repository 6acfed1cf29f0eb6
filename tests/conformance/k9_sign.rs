//! K9: bytes signed. The version of a key is a string, in both directions.

use crate::clients::{Cli, Sample, Sdk, request};
use crate::decode::{bad_request, not_found, object};
use crate::shapes::SIGNED;
use crate::{Replay, text};

const SIGN: &str = "POST /v1/kms/nl-01/keys/{key}/sign";

#[test]
fn signed() {
    let mut replay = Replay::new();
    replay.create_key("ecdsa-p256");
    let _ = replay.client.post_empty(format!("{}/rotate", replay.client.key(&replay.word("key")))).ok(200);
    for (sender, body, version) in [
        (Sdk, r#"{"input":"aGVsbG8="}"#, "2"),
        (Sdk, r#"{"input":"aGVsbG8=","keyVersion":"1","hashAlgorithm":"sha256"}"#, "1"),
        (
            Sdk,
            r#"{"input":"j0NDRmSPa5bfid2pAcUXaxCm2Dlh3TwayItZstwyeqQ=","hashAlgorithm":"sha2-256","prehashed":true}"#,
            "2",
        ),
        (Cli, r#"{"input":"aGVsbG8=","hashAlgorithm":"sha512"}"#, "2"),
        (Sample, r#"{"input":"aGVsbG8=","hashAlgorithm":"SHA-384","prehashed":false,"context":""}"#, "2"),
    ] {
        let signed = object(&replay.send(&request(sender, SIGN, body)), 200, &SIGNED);
        assert_eq!(signed["keyVersion"], version);
        assert!(text(&signed, "signature").starts_with(&format!("thalassa:v{version}:")), "{signed}");
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    let hello = r#"{"input":"aGVsbG8="}"#;
    let _ = bad_request(&replay.send(&request(Sdk, SIGN, hello)));
    replay.create_key("ed25519");
    for body in [r#"{"input":"not-valid-base64!!!"}"#, r#"{"input":"aGVsbG8=","context":"YQ=="}"#, "{}"] {
        let _ = bad_request(&replay.send(&request(Sdk, SIGN, body)));
    }
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(&request(Sdk, SIGN, hello)));
}
