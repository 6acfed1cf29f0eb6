//! Two nodes over one database: a new key signs on both.

use crate::audit_verify::{audit, done, first_key, kinds, offline, settled};
use crate::{Stage, text};
use core::time::Duration;
use serde_json::Value;
use strongroom_domain::id::RequestId;
use strongroom_tests::{Client, Launch, Server, database_of, on_postgres, wait_for};

#[test]
fn a_key_that_is_made_on_one_node_signs_on_the_other_too() {
    if !on_postgres() {
        // One process has the data directory; with it, the key is rotated beside the other tests of `audit`.
        return;
    }
    let stage = Stage::new();
    let database = database_of(&stage.data()).expect("a database");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("made");
    std::fs::copy(stage.data().join("root.key"), data.join("root.key")).expect("copied");
    let other: Server = Launch::dev(&data).variable("STRONGROOM_DATABASE", database.url()).start();
    let _ = stage.client.create("/app/x", "value").ok(201);
    let there = Client { address: other.address(), ..stage.client.clone() };
    settled(&stage);
    // The version of the key that signed what a reveal left.
    let signed = |client: &Client| -> Option<u32> {
        let answer = client.reveal("/app/x", None);
        let id: RequestId = answer.header("x-request-id").and_then(|id| id.parse().ok()).expect("a request id");
        assert_eq!(answer.status, 200, "{answer:?}");
        let versions = format!("SELECT max(signing_key_version) FROM audit_records WHERE request_id = '{}'", id.uuid());
        database.sql(&versions)[0][0].parse().ok()
    };
    for client in [&stage.client, &there] {
        let first = wait_for(Duration::from_secs(5), || signed(client));
        assert_eq!(first, Some(1));
    }
    let rotated = done(audit(&stage, &["key", "rotate"]));
    assert!(rotated.starts_with("2 "), "{rotated}");
    for client in [&stage.client, &there] {
        let second = wait_for(Duration::from_secs(20), || signed(client).filter(|version| *version == 2));
        assert!(second.is_some(), "{} does not sign with the new key", client.address);
    }
    let keys: Value = serde_json::from_str(&done(audit(&stage, &["key", "list", "--json"]))).expect("JSON");
    let states: Vec<String> = keys.as_array().expect("keys").iter().map(|key| text(key, "state")).collect();
    assert_eq!(states, ["retired", "signing"], "{keys}");
    settled(&stage);
    assert_eq!(kinds(&audit(&stage, &["verify", "--json"])), [""; 0]);
    let file = folder.path().join("export");
    done(audit(&stage, &["export", "--to", &file.display().to_string()]));
    assert_eq!(kinds(&offline(&file, &first_key(&stage), &[])), [""; 0], "the first key leads to the second");
    other.stop();
}
