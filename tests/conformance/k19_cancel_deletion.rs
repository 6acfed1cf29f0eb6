//! K19: a deletion called off, which is a DELETE too.

use crate::Replay;
use crate::clients::{Cli, Sdk, request};
use crate::decode::{not_found, object};
use crate::shapes::KEY;

const CANCEL: &str = "DELETE /v1/kms/nl-01/keys/{key}/cancel-deletion";

#[test]
fn once_and_again() {
    let mut replay = Replay::new();
    let _ = replay.client.delete(replay.client.key("dev-key")).ok(200);
    for sender in [Sdk, Cli] {
        let key = object(&replay.send(&request(sender, CANCEL, "")), 200, &KEY);
        assert_eq!(key["status"], "active");
        assert!(key.get("deletionScheduledAt").is_none(), "{key}");
    }
    replay.create("/app/db");
    replay.set("key", "kms-abc123");
    let _ = not_found(&replay.send(&request(Sdk, CANCEL, "")));
}
