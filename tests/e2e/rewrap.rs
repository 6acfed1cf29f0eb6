//! Moving data keys to the newest version of their key, and what is done to keys when its time has come.

use crate::{Stage, records, text};
use core::time::Duration;
use serde_json::{Value, json};
use std::path::Path;
use strongroom_domain::audit::{Action, Outcome};
use strongroom_tests::{Client, Ended, Launch, base64, database_of, wait_for};

/// Longer than a server takes to begin with its first round.
const A_ROUND: Duration = Duration::from_secs(30);

/// The command, told everything by the environment as `dev.env` does.
fn rewrap(stage: &Stage, arguments: &[&str]) -> Ended {
    let env = stage.server.dev_env();
    let launch = Launch::new(&[&"rewrap"])
        .variable("STRONGROOM_ADDR", &env.address)
        .variable("STRONGROOM_TOKEN", &env.token)
        .variable("STRONGROOM_ORGANISATION", &env.organisation)
        .variable("STRONGROOM_REGION", &env.region)
        .variable("STRONGROOM_KMS_KEY", &env.kms_key);
    arguments.iter().fold(launch, Launch::argument).run()
}

fn act(client: &Client, what: &str) -> Value {
    client.post_empty(format!("{}/{what}", client.key(&client.kms_key))).ok(200)
}

fn run_sql(data: &Path, sql: &str) {
    match database_of(data) {
        Some(database) => drop(database.sql(sql)),
        None => {
            let database = rusqlite::Connection::open(data.join("strongroom.db")).expect("a database");
            assert!(database.execute(sql, []).expect("a statement") > 0, "no row: {sql}");
        }
    }
}

#[test]
fn a_key_is_rotated_what_is_under_it_moved_and_its_first_version_retired() {
    let stage = Stage::new();
    let client = &stage.client;
    let count = 60_u32;
    for number in 0..count {
        let _ = client.create(&format!("/app/{number}"), format!("value {number}")).ok(201);
    }
    let encrypt = format!("{}/encrypt", client.key(&client.kms_key));
    let old = text(&client.post(&encrypt, &json!({"plaintext": base64("x")})).ok(200), "ciphertext");
    assert_eq!(act(client, "rotate")["latestVersion"], 2);
    let _ = client.put_value("/app/0", "newer").ok(201);
    let described = client.describe("/app/7").ok(200);

    let inventory = client.get(format!("{}/inventory", client.key(&client.kms_key))).ok(200);
    assert_eq!(inventory["counts"], json!({"1": count, "2": 1}), "{inventory}");
    let retire = client.post_empty(format!("{}/retire", client.key(&client.kms_key)));
    let message = retire.error(400, "key_versions_in_use");
    assert!(message.contains("rewrap"), "it does not say what to do: {message}");

    let ended = rewrap(&stage, &["--at-once", "25"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let progress: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(progress, ["25 moved, 35 remain", "50 moved, 10 remain", "60 moved, 0 remain"]);
    assert_eq!(ended.stdout, "60 data keys were moved to version 2 of the key; none remains under an earlier one\n");
    assert_eq!(client.describe("/app/7").ok(200), described, "the secret is as it was");
    for number in 0..count {
        let revealed = client.reveal(&format!("/app/{number}"), Some(1)).ok(200);
        assert_eq!(revealed["secretString"], base64(format!("value {number}")));
        assert_eq!(revealed["kmsKeyVersion"], "2", "{number}");
    }

    let ended = rewrap(&stage, &["--retire"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "0 moved, 0 remain\n"), "{ended:?}");
    assert!(ended.stdout.ends_with("versions of the key before 2 are retired\n"), "{ended:?}");
    assert_eq!(client.get(client.key(&client.kms_key)).ok(200)["minDecryptionVersion"], 2);
    let decrypt = format!("{}/decrypt", client.key(&client.kms_key));
    assert_eq!(client.post(&decrypt, &json!({"ciphertext": old})).status, 400);
    // Back into use: what callers keep of it may be needed after all.
    let body = json!({"minDecryptionVersion": "1"});
    let key = client.post(format!("{}/retire", client.key(&client.kms_key)), &body).ok(200);
    assert_eq!(key["minDecryptionVersion"], 1);
    assert_eq!(client.post(&decrypt, &json!({"ciphertext": old})).ok(200)["plaintext"], base64("x"));

    let stage = stage.restart();
    for number in 0..count {
        let revealed = stage.client.reveal(&format!("/app/{number}"), Some(1)).ok(200);
        assert_eq!(revealed["secretString"], base64(format!("value {number}")));
    }
    let data = stage.data();
    stage.server.stop();
    let told = records(&data).into_iter().filter(|it| it.action == Action::KmsRewrap && it.outcome == Outcome::Success);
    assert_eq!(told.count(), 4, "one for each call");
}

#[test]
fn what_the_command_refuses() {
    let stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let _ = act(client, "rotate");
    for (arguments, code, words) in [
        (&["--key", "nope"][..], 1, "no such KMS key"),
        (&["--region", "nope"], 1, "region"),
        (&["--token-file", "/nowhere/token"], 1, "/nowhere/token"),
        (&["--addr", "http://127.0.0.1:1"], 1, "no server answers"),
        (&["--key", "../x"], 2, "slug or an identity"),
    ] {
        let ended = rewrap(&stage, arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(words), "{arguments:?} {ended:?}");
        assert!(!ended.stderr.contains("tc_pat_"), "{ended:?}");
    }
    let token = stage.folder.path().join("token");
    std::fs::write(&token, "tc_pat_none").expect("written");
    let ended = rewrap(&stage, &["--token-file", token.to_str().expect("UTF-8")]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("credentials"), "{ended:?}");
    let _ = act(client, "disable");
    let ended = rewrap(&stage, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("disabled"), "{ended:?}");
    let _ = act(client, "enable");
    assert_eq!(rewrap(&stage, &[]).code, Some(0));
}

#[test]
fn a_damaged_data_key_is_told_and_keeps_its_version_in_use() {
    let mut stage = Stage::new();
    let client = &stage.client;
    for path in ["/app/x", "/app/y", "/app/z"] {
        let _ = client.create(path, path).ok(201);
    }
    let _ = act(client, "rotate");
    let data = stage.data();
    stage.server.stop();
    // Those of all versions of all secrets, but for one.
    let spoil = match database_of(&data) {
        Some(_) => {
            "UPDATE secret_versions SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)
             WHERE secret = (SELECT id FROM secrets WHERE path = '/app/y')"
        }
        None => {
            "UPDATE secret_materials SET wrapped = randomblob(length(wrapped)) WHERE id =
             (SELECT v.material FROM secret_versions v JOIN secrets s ON s.id = v.secret WHERE s.path = '/app/y')"
        }
    };
    run_sql(&data, spoil);
    stage.server = strongroom_tests::Server::dev(&data);
    stage.client = stage.server.client();
    let ended = rewrap(&stage, &["--retire"]);
    assert_eq!(ended.code, Some(65), "{ended:?}");
    assert!(ended.stderr.contains("2 data keys were moved") && ended.stderr.contains("1 can't be opened"), "{ended:?}");
    for path in ["/app/x", "/app/z"] {
        assert_eq!(stage.client.reveal(path, None).ok(200)["kmsKeyVersion"], "2");
    }
    let key = stage.client.get(stage.client.key(&stage.client.kms_key)).ok(200);
    assert!(key["minDecryptionVersion"].is_null() || key["minDecryptionVersion"] == 1, "{key}");
    stage.server.stop();
    let failed = records(&data).into_iter().find(|it| it.action == Action::KmsRewrap && it.outcome == Outcome::Failure);
    assert_eq!(failed.and_then(|it| it.resource).map(|it| it.identity).as_deref(), Some("/app/y"));
}

/// While the server is stopped, the time of a rotation and that of a purge come.
#[test]
fn what_became_due_while_no_server_ran_is_done_at_the_next_start() {
    let mut stage = Stage::new();
    let client = &stage.client;
    let _ = client.create("/app/x", "one").ok(201);
    let rotation = json!({"keyRotationEnabled": true, "rotationPeriodInDays": 1});
    let _ = client.request("PATCH", format!("{}/rotation", client.key(&client.kms_key))).json(&rotation).send().ok(200);
    let gone = text(&client.post(client.keys(), &json!({"name": "gone"})).ok(201), "identity");
    let _ = client.delete(client.key(&gone)).ok(200);
    let data = stage.data();
    stage.server.stop();
    run_sql(&data, "UPDATE kms_keys SET purge_at = 1 WHERE purge_at IS NOT NULL");
    run_sql(&data, "UPDATE kms_keys SET rotation_due_at = 1 WHERE rotation_due_at IS NOT NULL");
    run_sql(&data, "UPDATE kms_key_versions SET created_at = 1");
    stage.server = strongroom_tests::Server::dev(&data);
    stage.client = stage.server.client();
    let client = &stage.client;
    assert_eq!(client.get(client.key(&gone)).status, 404);
    let rotated =
        wait_for(A_ROUND, || (client.get(client.key(&client.kms_key)).ok(200)["latestVersion"] == 2).then_some(()));
    assert!(rotated.is_some(), "no rotation: {}", stage.server.stderr());
    let _ = client.put_value("/app/x", "two").ok(201);
    assert_eq!(client.reveal("/app/x", None).ok(200)["kmsKeyVersion"], "2");
    assert_eq!(client.reveal("/app/x", Some(1)).ok(200)["secretString"], base64("one"));
    let purged = || records(&data).into_iter().filter(|it| it.action == Action::KmsPurge).collect::<Vec<_>>();
    let told = wait_for(A_ROUND, || Some(purged()).filter(|told| !told.is_empty())).expect("a purge");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].resource.as_ref().map(|it| it.identity.as_str()), Some(gone.as_str()));
    stage.server.stop();
    let rotations = records(&data).into_iter().filter(|it| it.action == Action::KmsRotateScheduled);
    let rotations: Vec<_> = rotations.map(|it| (it.outcome, it.principal.is_none())).collect();
    assert_eq!(rotations, [(Outcome::Success, true)]);
}
