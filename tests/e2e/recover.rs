//! `strongroomd recover`: ways back with the root key, and the server stopped.

use crate::init::{snapshot, unchanged};
use crate::{Stage, Table, records, text, token_in};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use strongroom_domain::audit::{Action, AuditRecord, Outcome};
use strongroom_tests::{Client, Ended, Launch, Server, database_of};

fn recover(data: &Path, what: &str) -> Ended {
    Launch::new(&[&"recover", &"--data", &data, &what]).run()
}

/// The records of recoveries.
fn recoveries(data: &Path) -> Vec<AuditRecord> {
    records(data).into_iter().filter(|record| record.action == Action::SystemRecover).collect()
}

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
}

/// A token that a recovery printed, alone.
#[track_caller]
fn printed(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let token = token_in(&ended.stdout);
    assert_eq!(ended.stdout, format!("{token}\n"), "a script takes it from there");
    assert!(!ended.stderr.contains("tc_pat_"), "{ended:?}");
    token
}

fn run_sql(data: &Path, sql: &str) {
    match database_of(data) {
        Some(database) => drop(database.sql(sql)),
        None => {
            let database = rusqlite::Connection::open(data.join("strongroom.db")).expect("a database");
            let _ = database.execute(sql, []).expect("a statement");
        }
    }
}

#[test]
fn what_refuses() {
    let mut table = Table::default();
    let stage = Stage::new();
    let data = stage.data();
    table.row("while the server runs", || {
        for what in ["dev", "--operator"] {
            refused(&recover(&data, what), 75, &["is in use", &format!("pid {}", stage.server.pid())]);
        }
    });
    stage.server.stop();
    let key = data.join("root.key");
    let right = std::fs::read(&key).expect("readable");
    table.row("another root key", || {
        let other = tempfile::tempdir().expect("a temporary directory");
        Server::dev(&other.path().join("data")).stop();
        std::fs::copy(other.path().join("data/root.key"), &key).expect("copied");
        let before = snapshot(&data);
        for what in ["dev", "--operator"] {
            refused(&recover(&data, what), 77, &["root key"]);
        }
        unchanged(&before, &snapshot(&data));
    });
    table.row("no root key", || {
        std::fs::remove_file(&key).expect("there");
        let before = snapshot(&data);
        for what in ["dev", "--operator"] {
            refused(&recover(&data, what), 77, &["root.key"]);
        }
        unchanged(&before, &snapshot(&data));
    });
    std::fs::write(&key, &right).expect("written");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("one's own file");
    table.row("no such organisation", || {
        for name in ["nope", "DEV", "o-00000000000000000000000000"] {
            refused(&recover(&data, name), 78, &["there is no organisation", name, "slug or identity"]);
        }
    });
    table.row("nothing is set up", || {
        let empty = tempfile::tempdir().expect("a temporary directory");
        for what in ["dev", "--operator"] {
            refused(&recover(empty.path(), what), 78, &["is not set up"]);
            refused(&recover(&empty.path().join("none"), what), 78, &["there is no data directory"]);
        }
        assert!(snapshot(empty.path()).is_empty(), "something was written");
    });
    table.finish();
    assert_eq!(recoveries(&data).len(), 0, "nothing was recovered");
}

#[test]
fn an_owners_token_for_an_hour_in_one_organisation() {
    let stage = Stage::new();
    let (data, dev) = (stage.data(), stage.client.clone());
    let _ = dev.create("/app/x", "one").ok(201);
    // The same owner in another organisation, which the token must not reach.
    let me = text(&dev.get("/v1/me").ok(200), "identity");
    let create = ["organisations", "create", "Acme", "--owner", &me];
    assert_eq!(Launch::operator(stage.server.address(), &data, &create).run().code, Some(0));
    stage.server.stop();
    let ended = recover(&data, "acme");
    let token = printed(&ended);
    assert!(ended.stderr.contains(&me) && ended.stderr.contains("acme only"), "{ended:?}");

    let server = Server::dev(&data);
    let acme = Client { token: Some(token), organisation: Some("acme".to_owned()), ..server.client() };
    let found = acme.get("/v1/me").ok(200);
    assert_eq!(text(&found, "identity"), me);
    let organisations: Vec<_> =
        found["organisations"].as_array().expect("a list").iter().map(|found| text(found, "slug")).collect();
    assert_eq!(organisations, ["acme"], "{found}");
    let tokens = acme.get("/v1/me/personal-access-tokens").ok(200);
    let of_recovery = |tokens: &Value| -> Value {
        let tokens = tokens.as_array().expect("a list");
        tokens.iter().find(|token| token["name"] == "recovery").expect("the token of the recovery").clone()
    };
    let described = of_recovery(&tokens);
    let (start, end) = (text(&described, "createdAt"), text(&described, "expiresAt"));
    assert!(ended.stderr.contains(&end), "the end is told: {end} {ended:?}");
    assert_eq!(seconds_of_day(&end), (seconds_of_day(&start) + 3_600) % 86_400, "{described}");

    // An owner may everything.
    let role = acme.post("/v1/iam/roles", &json!({"name": "found again"})).ok(201);
    acme.delete(format!("/v1/iam/roles/{}", text(&role, "identity"))).empty();
    let key = acme.post(acme.keys(), &json!({"name": "key"})).ok(201);
    let acme = Client { kms_key: text(&key, "identity"), ..acme };
    let _ = acme.create("/app/y", "two").ok(201);
    let _ = acme.reveal("/app/y", None).ok(200);
    let without = Client { organisation: None, ..acme.clone() };
    let _ = without.describe("/app/y").ok(200);

    // Nowhere else, also not by a token that it makes.
    let made = acme.post("/v1/me/personal-access-tokens", &json!({"name": "as long", "expiresAt": end})).ok(201);
    for token in [acme.token.clone(), Some(text(&made, "token"))] {
        let client = Client { token, ..acme.clone() };
        let _ = client.describe("/app/y").ok(200);
        let client = Client { organisation: Some("dev".to_owned()), ..client };
        for answer in [client.describe("/app/x"), client.reveal("/app/x", None), client.get("/v1/iam/roles")] {
            let _ = answer.error(403, "organisation_denied");
        }
    }
    // The owner's own token is as it was.
    let _ = server.client().describe("/app/x").ok(200);
    server.stop();
    let records = recoveries(&data);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].outcome, Outcome::Success);
    assert!(records[0].organisation.is_some_and(|id| id.to_string() == organisation(&found)), "{records:?}");
    let resource = records[0].resource.as_ref().expect("the owner");
    let access = records[0].details.as_ref().and_then(|details| details.access.clone());
    assert_eq!(access, Some(format!("user={} role=OWNER", resource.identity)));
    assert_eq!(resource.identity, me);
    let credential = records[0].credential.map(|id| id.to_string());
    assert_eq!(credential, Some(text(&described, "identity")));
}

fn organisation(me: &Value) -> String {
    text(&me["organisations"][0], "identity")
}

/// Of a time in RFC 3339.
#[track_caller]
fn seconds_of_day(time: &str) -> u32 {
    let part = |range: core::ops::Range<usize>| time[range].parse::<u32>().expect("digits");
    part(11..13) * 3_600 + part(14..16) * 60 + part(17..19)
}

#[test]
fn an_organisation_without_owners_gets_a_new_one() {
    let stage = Stage::new();
    let data = stage.data();
    let _ = stage.client.create("/app/x", "one").ok(201);
    let before = text(&stage.client.get("/v1/me").ok(200), "identity");
    stage.server.stop();
    run_sql(&data, "DELETE FROM directory_objects WHERE kind = 'organisation_member'");
    let ended = recover(&data, "dev");
    let token = printed(&ended);
    assert!(ended.stderr.contains("a new owner"), "{ended:?}");
    // By `serve`: `dev` would make a token of its own.
    let config = crate::write_config(stage.folder.path(), "");
    let server = Launch::serve(&config).start();
    let client = Client { address: server.address(), token: Some(token), ..stage.client.clone() };
    let me = text(&client.get("/v1/me").ok(200), "identity");
    assert_ne!(me, before);
    let _ = client.reveal("/app/x", None).ok(200);
    // What the way back is for: the old owner is one again.
    let _ = client.post("/v1/memberships", &json!({"userIdentity": before, "role": "OWNER"})).ok(201);
    let _ = Client { token: stage.client.token, ..client }.reveal("/app/x", None).ok(200);
    server.stop();
    assert_eq!(recoveries(&data).len(), 1);
}

#[test]
fn the_operators_token() {
    let stage = Stage::new();
    let data = stage.data();
    let file = data.join("operator.token");
    let read = || std::fs::read_to_string(&file).expect("the operator's token");
    let owners = stage.client.token.clone().expect("a token");
    stage.server.stop();

    let first = read();
    let ended = recover(&data, "--operator");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.contains("operator.token") && ended.stderr.contains("is revoked"), "{ended:?}");
    assert!(!ended.stderr.contains("tc_op_"), "{ended:?}");
    let second = read();
    assert!(second.starts_with("tc_op_") && second != first, "no new token");
    assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);

    std::fs::remove_file(&file).expect("there");
    let ended = recover(&data, "--operator");
    assert!(ended.code == Some(0) && !ended.stderr.contains("is revoked"), "{ended:?}");
    let third = read();

    // What is no operator's token is left alone.
    std::fs::write(&file, &owners).expect("written");
    let ended = recover(&data, "--operator");
    assert!(ended.code == Some(0) && !ended.stderr.contains("is revoked"), "{ended:?}");
    let fourth = read();

    let server = Server::dev(&data);
    let status = |token: &str| {
        let client = Client { token: Some(token.to_owned()), organisation: None, ..server.client() };
        client.get("/v1/system/regions").status
    };
    assert_eq!(status(&first), 401, "it stood in the file and is revoked");
    // Nobody could say which tokens these are.
    assert_eq!((status(&second), status(&third), status(&fourth)), (200, 200, 200));
    assert_eq!(server.client().token, Some(owners), "the owner's token is as it was");
    let list = Launch::operator(server.address(), &data, &["organisations", "list"]).run();
    assert_eq!(list.code, Some(0), "{list:?}");
    server.stop();
    let records = recoveries(&data);
    assert_eq!(records.len(), 3, "{records:?}");
    assert!(records.iter().all(|record| record.organisation.is_none() && record.credential.is_some()), "{records:?}");
}
