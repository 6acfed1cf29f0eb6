//! K18: a key put down for deletion. Clients look at nothing of the answer but its status.

use crate::Replay;
use crate::clients::{Cli, Sdk, Terraform, request};
use crate::decode::{bad_request, list, not_found, object};
use crate::shapes::KEY;
use serde_json::json;

const DELETE: &str = "DELETE /v1/kms/nl-01/keys/{key}";

#[test]
fn once_and_again() {
    let mut replay = Replay::new();
    replay.create("/app/db");
    let mut date = None;
    for sender in [Sdk, Cli, Terraform] {
        let deleted = object(&replay.send(&request(sender, DELETE, "")), 200, &KEY);
        assert_eq!((&deleted["status"], &deleted["boundSecrets"]), (&json!("pending_deletion"), &json!(1)));
        let scheduled = deleted["deletionScheduledAt"].clone();
        assert!(scheduled.is_string() && date.replace(scheduled.clone()).is_none_or(|earlier| earlier == scheduled));
    }
    let key = object(&replay.send(&request(Sdk, "GET /v1/kms/nl-01/keys/{key}", "")), 200, &KEY);
    assert_eq!(Some(&key["deletionScheduledAt"]), date.as_ref());
    let all = list(&replay.send(&request(Cli, "GET /v1/kms/nl-01/keys", "")), &KEY);
    assert_eq!(all, [key]);
    let encrypt = request(Sdk, "POST /v1/kms/nl-01/keys/{key}/encrypt", r#"{"plaintext":"aGVsbG8="}"#);
    let message = bad_request(&replay.send(&encrypt));
    assert!(message.contains("cancel-deletion"), "{message}");
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(&request(Terraform, DELETE, "")));
}
