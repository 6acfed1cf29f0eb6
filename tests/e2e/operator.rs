//! `strongroomd operator`: on a running server, and without one.

use crate::{Stage, Table, text, token_in};
use core::net::SocketAddr;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use strongroom_tests::{Client, Ended, Launch};

impl Stage {
    /// Runs a command of the operator with success; gives what it prints.
    #[track_caller]
    fn operator(&self, arguments: &[&str]) -> String {
        let ended = Launch::operator(self.server.address(), &self.data(), arguments).run();
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.stdout
    }

    #[track_caller]
    fn operator_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.operator(&[arguments, &["--json"]].concat())).expect("JSON")
    }

    fn operator_token(&self) -> String {
        std::fs::read_to_string(self.data().join("operator.token")).expect("the operator's token")
    }
}

/// The words of the lines of a table, without its heading.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect()
}

#[track_caller]
fn failed(ended: &Ended, words: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("tc_op_"), "{ended:?}");
}

#[test]
fn organisations_and_their_gates() {
    let stage = Stage::new();
    let list = stage.operator(&["organisations", "list"]);
    assert_eq!(rows(&list)[0][1..], ["dev", "on", "on", "on", "dev"], "{list}");

    let made = Launch::operator(stage.server.address(), &stage.data(), &["organisations", "create", "Acme Ltd"])
        .argument("--owner-name")
        .argument("Ann")
        .run();
    assert_eq!(made.code, Some(0), "{made:?}");
    let token = token_in(&made.stdout);
    assert_eq!(made.stdout, format!("{token}\n"), "a script takes it from there");
    assert!(made.stderr.contains("acme-ltd") && !made.stderr.contains("tc_pat_"), "{made:?}");
    let ann = Client { token: Some(token), organisation: Some("acme-ltd".to_owned()), ..stage.client.clone() };
    let listed = stage.operator_json(&["organisations", "list"]);
    let slugs: Vec<_> = listed.as_array().expect("a list").iter().map(|found| text(found, "slug")).collect();
    assert_eq!(slugs, ["acme-ltd", "dev"], "{listed}");

    let secrets = |client: &Client| client.get(client.secrets() + "?pathPrefix=/");
    let _ = secrets(&ann).ok(200);
    let _ = Client { organisation: Some("dev".to_owned()), ..ann.clone() }
        .get("/v1/regions")
        .error(403, "organisation_denied");

    let gates = stage.operator(&["gates", "acme-ltd", "--secrets", "off"]);
    assert_eq!(rows(&gates), [["off", "on", "on"]], "{gates}");
    let _ = secrets(&ann).error(403, "feature_disabled");
    let _ = secrets(&stage.client).ok(200);
    let identity = text(&listed[0], "identity");
    assert_eq!(stage.operator(&["gates", &identity]), gates, "by identity, and shown without a change");
    let opened = stage.operator_json(&["gates", "acme-ltd", "--secrets", "on", "--projects", "off"]);
    assert_eq!(opened["gates"], json!({"secrets": true, "kms": true, "projects": false}));
    let _ = secrets(&ann).ok(200);

    // One more whose owner is known.
    let me = text(&stage.client.get("/v1/me").ok(200), "identity");
    let second = stage.operator(&["organisations", "create", "Second", "--slug", "second", "--owner", &me]);
    assert_eq!(second, "", "a user who is known gets no token");
    let there = Client { organisation: Some("second".to_owned()), ..stage.client.clone() };
    let _ = secrets(&there).ok(200);

    let taken = ["organisations", "create", "Acme", "--slug", "acme-ltd", "--owner", &me];
    failed(&Launch::operator(stage.server.address(), &stage.data(), &taken).run(), &["acme-ltd"]);
    let nowhere = ["gates", "nope", "--kms", "off"];
    failed(&Launch::operator(stage.server.address(), &stage.data(), &nowhere).run(), &["organisation"]);
}

#[test]
fn regions() {
    let stage = Stage::new();
    let made = stage.operator(&["regions", "create", "Frankfurt", "--slug", "de-01", "--description", "Somewhere"]);
    assert_eq!(rows(&made)[0][1], "de-01", "{made}");
    let renamed = stage.operator_json(&["regions", "update", "de-01", "--name", "Frankfurt am Main", "--kms", "off"]);
    assert_eq!((&renamed["name"], &renamed["slug"]), (&json!("Frankfurt am Main"), &json!("de-01")));
    assert_eq!((&renamed["kmsEnabled"], &renamed["description"]), (&json!(false), &json!("Somewhere")));
    let list = stage.operator(&["regions", "list"]);
    assert_eq!(rows(&list)[0][1..], ["de-01", "off", "Frankfurt", "am", "Main"], "{list}");
    assert_eq!(rows(&list)[1][1..], ["nl-01", "on", "nl-01"], "{list}");
    let _ = stage.client.get("/v1/regions/de-01").ok(200);
    let nowhere = ["regions", "update", "nope", "--kms", "off"];
    failed(&Launch::operator(stage.server.address(), &stage.data(), &nowhere).run(), &["region"]);

    let _ = stage.operator(&["regions", "update", "de-01", "--kms", "on"]);
    let stage = stage.restart();
    let there = Client { region: "de-01".to_owned(), ..stage.client.clone() };
    let _ = there.post(there.keys(), &json!({"name": "key"})).ok(201);
    let list = stage.operator(&["regions", "list"]);
    assert_eq!(rows(&list)[0][2], "on", "{list}");
}

#[test]
fn the_signing_key() {
    let stage = Stage::new();
    let names = || -> Vec<String> {
        let keys = stage.client.get("/.well-known/jwks.json").ok(200);
        keys["keys"].as_array().expect("keys").iter().map(|key| text(key, "kid")).collect()
    };
    let before = names();
    let told = stage.operator(&["signing-key", "rotate"]);
    let after = names();
    assert!(after.iter().any(|name| *name == told.trim_end()), "{told} {after:?}");
    assert!(!before.iter().any(|name| *name == told.trim_end()), "{told} {before:?}");
    assert!(before.iter().all(|name| after.contains(name)), "tokens that are out stay valid: {before:?} {after:?}");
}

#[test]
fn the_token_is_the_operators_and_serves_for_nothing_else() {
    let stage = Stage::new();
    let address = stage.server.address();
    let folder = &stage.folder;
    let operator = stage.operator_token();
    let list = |arguments: &[&str]| {
        let address = format!("http://{address}");
        let launch = Launch::new(&[&"operator", &"--addr", &address, &"organisations", &"list"]).folder(folder.path());
        arguments.iter().fold(launch, Launch::argument)
    };
    let mut table = Table::default();
    table.row("in a file, with a line's end", || {
        std::fs::write(folder.path().join("token"), format!("{operator}\n")).expect("written");
        assert_eq!(list(&["--token-file", "token"]).run().code, Some(0));
    });
    table.row("in the environment", || {
        let ended = list(&[]).variable("STRONGROOM_OPERATOR_TOKEN", &operator).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    });
    table.row("the command line goes before the environment", || {
        let ended = list(&["--data", "data"]).variable("STRONGROOM_OPERATOR_TOKEN", "wrong").run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    });
    table.row("the address in the environment", || {
        let launch = Launch::new(&[&"operator", &"regions", &"list", &"--data", &stage.data()]);
        let ended = launch.variable("STRONGROOM_ADDR", format!("http://{address}")).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    });
    table.row("nowhere", || {
        failed(
            &list(&[]).run(),
            &["strongroom-data/operator.token", "--token-file", "--data", "STRONGROOM_OPERATOR_TOKEN"],
        );
        std::fs::write(folder.path().join("empty"), "\n").expect("written");
        failed(&list(&["--token-file", "empty"]).run(), &["empty holds no token"]);
    });
    table.row("a wrong one", || {
        let ended = list(&[]).variable("STRONGROOM_OPERATOR_TOKEN", "tc_nobody").run();
        failed(&ended, &["the token is that of STRONGROOM_OPERATOR_TOKEN"]);
        let ended = list(&[]).variable("STRONGROOM_OPERATOR_TOKEN", "two\nlines").run();
        failed(&ended, &["STRONGROOM_OPERATOR_TOKEN is no token"]);
    });
    table.row("an owner's", || {
        let token = stage.client.token.clone().unwrap_or_default();
        failed(&list(&[]).variable("STRONGROOM_OPERATOR_TOKEN", token).run(), &["Only the operator", "operator token"]);
    });
    table.row("the operator reads no secret", || {
        let _ = stage.client.create("/app/x", "one").ok(201);
        let client = Client { token: Some(operator.clone()), ..stage.client.clone() };
        let none = Client { organisation: None, ..client.clone() };
        for client in [client, none] {
            for answer in [client.describe("/app/x"), client.reveal("/app/x", None), client.get(client.keys())] {
                assert!(matches!(answer.status, 400 | 403), "{answer:?}");
                let status = answer.status;
                let _ = answer.refused(status);
            }
        }
    });
    table.finish();
}

/// Answers one call with these bytes, and hangs up.
fn answering(bytes: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut head = [0; 4096];
        // One read is enough of a request that is never looked at.
        let _ = stream.read(&mut head);
        let _ = stream.write_all(bytes.as_bytes());
    });
    address
}

#[test]
fn without_a_server() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("operator.token"), "tc_op_x").expect("written");
    let list = |address: SocketAddr| Launch::operator(address, folder.path(), &["regions", "list"]).run();
    let mut table = Table::default();
    table.row("nobody listens", || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        failed(&list(address), &["no server answers at", &address.to_string(), "strongroomd serve", "--addr"]);
    });
    table.row("hangs up", || failed(&list(answering("")), &["hung up before its answer"]));
    table.row("something else", || {
        let page = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\n<html";
        failed(&list(answering(page)), &["502", "not as a Strongroom server"]);
    });
    table.row("success that is no answer", || {
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html";
        failed(&list(answering(page)), &["cannot be understood"]);
    });
    table.row("cut short", || {
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[";
        failed(&list(answering(page)), &["hung up before its answer"]);
    });
    table.finish();
}
