//! `init` and `serve`: from nothing to a running server, and what refuses.

use crate::{Table, init, text, token_in, write_config};
use serde_json::json;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use strongroom_tests::{Client, Ended, Launch, Server, base64, database_of};

pub(crate) type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// What a data directory and its database hold.
pub(crate) fn snapshot(data: &Path) -> Snapshot {
    let rows = database_of(data).map(|database| database.content()).unwrap_or_default();
    let rows = rows.into_iter().map(|row| (Path::new("database").join(row.join(" ")), (0, Vec::new())));
    files(data).into_iter().chain(rows).collect()
}

/// Every file below a directory, with its mode and its bytes; but for `-shm`, which holds nothing: it is SQLite's index into its
/// log, made anew by whoever opens a database to read it.
fn files(folder: &Path) -> Snapshot {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.to_string_lossy().ends_with("-shm") {
            let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
            found.insert(path.clone(), (mode, std::fs::read(&path).expect("readable")));
        }
    }
    found
}

/// Makes sure that nothing was written between two snapshots.
#[track_caller]
pub(crate) fn unchanged(before: &Snapshot, after: &Snapshot) {
    let paths = before.keys().chain(after.keys());
    let changed: Vec<_> = paths.filter(|path| before.get(*path) != after.get(*path)).collect();
    assert!(changed.is_empty(), "written: {changed:?}");
}

fn client(server: &Server, token: &str, region: &str) -> Client {
    let mut client = Client {
        address: server.address(),
        token: Some(token.to_owned()),
        organisation: None,
        region: region.to_owned(),
        kms_key: String::new(),
    };
    client.kms_key = text(&client.post(client.keys(), &json!({"name": "key"})).ok(201), "identity");
    client
}

#[track_caller]
fn refused(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn from_nothing_to_a_running_server() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), "[init]\norganisation = \"Acme Ltd\"\n[regions.de-01]\n");
    let ended = Launch::init(&config).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let token = token_in(&ended.stdout);
    assert_eq!(ended.stdout.matches("tc_pat_").count(), 1, "{}", ended.stdout);
    assert!(!ended.stderr.contains("tc_pat_"), "the token is in the log");
    assert_eq!(ended.stdout, format!("{token}\n"), "a script takes it from there");
    let data = folder.path().join("data");
    let operator = std::fs::read_to_string(data.join("operator.token")).expect("the operator's token");
    assert!(operator.starts_with("tc_op_"), "another form of token");
    assert!(ended.stderr.contains("operator.token") && !ended.stderr.contains(&operator), "{ended:?}");
    for (path, (mode, bytes)) in snapshot(&data) {
        assert_eq!(mode & 0o077, 0, "{} can be read by others", path.display());
        assert!(
            !bytes.windows(token.len()).any(|window| window == token.as_bytes()),
            "the token is in {}",
            path.display()
        );
    }

    // A second time it refuses, and changes nothing.
    let before = snapshot(&data);
    refused(&Launch::init(&config).run(), 78, &["is set up already"]);
    refused(&Launch::new(&[&"init", &"--data", &data]).run(), 78, &[]);
    unchanged(&before, &snapshot(&data));

    let server = Launch::serve(&config).log("debug").start();
    let client = client(&server, &token, "de-01");
    for organisation in ["acme-ltd", ""] {
        let _ = client.request("GET", "/v1/regions").header("X-Organisation-Identity", organisation).send().ok(200);
    }
    let _ = client.create("/app/x", "kept").ok(201);
    let second = Launch::serve(&config).run();
    refused(&second, 75, &[&format!("pid {}", server.pid())]);
    let gates = Launch::operator(server.address(), &data, &["gates", "acme-ltd"]).run();
    assert_eq!(gates.code, Some(0), "the operator's token works: {gates:?}");
    let ended = server.stop();
    assert!(!ended.stderr.contains(&token) && !ended.stderr.contains(&operator), "a token is in the log");
    let server = Launch::serve(&config).start();
    let again = Client { address: server.address(), ..client };
    assert_eq!(again.reveal("/app/x", None).ok(200)["secretString"], base64("kept"));
    server.stop();
}

#[test]
fn without_a_configuration() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join("a/b");
    let ended = Launch::new(&[
        &"init",
        &"--data",
        &data,
        &"--region",
        &"nl-01",
        &"--region",
        &"de-01",
        &"--organisation",
        &"X Y",
    ])
    .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let token = token_in(&ended.stdout);
    let config = folder.path().join("c.toml");
    std::fs::write(&config, "data_dir = \"a/b\"\nlisten.address = \"127.0.0.1:0\"\n").expect("written");
    let server = Launch::serve(&config).start();
    let client = client(&server, &token, "de-01");
    assert_eq!(client.get("/v1/regions").ok(200).as_array().map(Vec::len), Some(2));
    let _ = client.request("GET", "/v1/regions").header("X-Organisation-Identity", "x-y").send().ok(200);
}

#[test]
fn what_is_not_set_up_is_not_served() {
    let mut table = Table::default();
    table.row("no directory", || {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = write_config(folder.path(), "");
        refused(&Launch::serve(&config).run(), 78, &["init"]);
        assert!(!folder.path().join("data").exists(), "serve made a directory");
    });
    table.row("an empty directory", || {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = write_config(folder.path(), "");
        std::fs::create_dir(folder.path().join("data")).expect("made");
        refused(&Launch::serve(&config).run(), 78, &["init"]);
        assert!(snapshot(&folder.path().join("data")).is_empty(), "serve wrote something");
    });
    table.row("init where something else lives", || {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = write_config(folder.path(), "");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("made");
        match database_of(&data) {
            Some(database) => drop(database.sql("CREATE TABLE customers (name text)")),
            None => std::fs::write(data.join("strongroom.db"), "not a database").expect("written"),
        }
        let before = snapshot(&data);
        let ended = Launch::init(&config).run();
        assert_ne!(ended.code, Some(0), "{ended:?}");
        unchanged(&before, &snapshot(&data));
    });
    table.row("no configuration", || {
        refused(&Launch::serve(Path::new("/nonexistent.toml")).run(), 78, &["/nonexistent.toml"]);
    });
    table.finish();
}

/// The file in the documentation, but for its paths and its port.
#[test]
fn the_documented_example() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let example = std::fs::read_to_string(root.join("docs/strongroomd.example.toml")).expect("the example");
    let mut replaced = example;
    for (from, to) in [
        ("/var/lib/strongroom", folder.path().join("data")),
        ("/etc/strongroom/root.key", folder.path().join("keys/root.key")),
    ] {
        assert!(replaced.contains(from), "the example does not name {from}");
        replaced = replaced.replace(from, &to.display().to_string());
    }
    replaced = replaced.replace("127.0.0.1:8200", "127.0.0.1:0");
    std::fs::create_dir(folder.path().join("keys")).expect("made");
    let config = folder.path().join("strongroomd.toml");
    std::fs::write(&config, replaced).expect("written");
    let token = init(&config);
    let key = std::fs::metadata(folder.path().join("keys/root.key")).expect("a root key");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("data/root.key").exists());
    let server = Launch::serve(&config).start();
    let client = client(&server, &token, "nl-01");
    let _ = client.create("/app/x", "one").ok(201);
    let _ = client.request("GET", "/v1/regions").header("X-Organisation-Identity", "default").send().ok(200);
    server.stop();
}
