//! K13: when a key is rotated by itself. Terraform sends `{}` to switch it off, and reads the key again.

use crate::Replay;
use crate::clients::{Cli, Sample, Sdk, Terraform, request};
use crate::decode::{bad_request, not_found, object};
use crate::shapes::KEY;
use serde_json::json;

const SET: &str = "PATCH /v1/kms/nl-01/keys/{key}/rotation";

#[test]
fn set_and_switched_off() {
    let mut replay = Replay::new();
    for (sender, body, enabled, period) in [
        (Sdk, r#"{"keyRotationEnabled":true,"rotationPeriodInDays":90}"#, true, Some(90)),
        (Cli, r#"{"rotationPeriodInDays":30}"#, true, Some(30)),
        (Sample, r#"{"keyRotationEnabled":false}"#, false, Some(30)),
        (Terraform, r#"{"keyRotationEnabled":true,"rotationPeriodInDays":3650}"#, true, Some(3650)),
        (Terraform, "{}", false, None),
    ] {
        let key = object(&replay.send(&request(sender, SET, body)), 200, &KEY);
        assert_eq!(key["keyRotationEnabled"], enabled, "{body}");
        assert_eq!(key.get("rotationPeriodInDays"), period.map(|days| json!(days)).as_ref(), "{body}");
        let again = replay.client.get(replay.client.key(&replay.word("key"))).ok(200);
        assert_eq!(again, key, "a plan afterwards finds no difference");
    }
}

#[test]
fn refused() {
    let mut replay = Replay::new();
    for body in [r#"{"keyRotationEnabled":true}"#, r#"{"rotationPeriodInDays":3651}"#] {
        let message = bad_request(&replay.send(&request(Terraform, SET, body)));
        assert!(message.contains("rotationPeriodInDays"), "{message}");
    }
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(&request(Terraform, SET, "{}")));
}
