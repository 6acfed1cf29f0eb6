//! A root key that is missing, wrong or open to others: a refusal, and nothing written.

use crate::init::{snapshot, unchanged};
use crate::{Table, init, write_config};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use strongroom_tests::{Launch, Server, base64};
use tempfile::TempDir;

/// A directory that `dev` set up, with one secret, its server stopped.
fn stopped() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join("data");
    let server = Server::dev(&data);
    let _ = server.client().create("/app/x", "kept").ok(201);
    server.stop();
    (folder, data)
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("one's own file");
}

#[test]
fn refused_with_nothing_written() {
    let (folder, data) = stopped();
    let key = data.join("root.key");
    let right = std::fs::read(&key).expect("readable");
    let (_other_folder, other) = stopped();
    let others = std::fs::read(other.join("root.key")).expect("readable");
    let mut flipped = right.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let config = folder.path().join("strongroomd.toml");
    std::fs::write(&config, "data_dir = \"data\"\nlisten.address = \"127.0.0.1:0\"\n").expect("written");

    let mut table = Table::default();
    let mut row = |name: &str, spoil: &dyn Fn(), words: &[&str]| {
        for command in ["dev", "serve"] {
            table.row(format!("{command}: {name}"), || {
                std::fs::write(&key, &right).expect("written");
                set_mode(&key, 0o600);
                spoil();
                let before = snapshot(&data);
                let launch = if command == "dev" { Launch::dev(&data) } else { Launch::serve(&config) };
                let ended = launch.run();
                assert_eq!(ended.code, Some(77), "{ended:?}");
                assert!(ended.stderr.contains("root.key") || ended.stderr.contains("root key"), "{ended:?}");
                for word in words {
                    assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
                }
                unchanged(&before, &snapshot(&data));
            });
        }
    };
    row("missing", &|| std::fs::remove_file(&key).expect("there"), &["root.key"]);
    row("another's", &|| std::fs::write(&key, &others).expect("written"), &[]);
    row("one bit off", &|| std::fs::write(&key, &flipped).expect("written"), &[]);
    row("empty", &|| std::fs::write(&key, b"").expect("written"), &[]);
    row("too short", &|| std::fs::write(&key, &right[..right.len() / 2]).expect("written"), &[]);
    row("too long", &|| std::fs::write(&key, [right.as_slice(), &right].concat()).expect("written"), &[]);
    row("readable by all", &|| set_mode(&key, 0o644), &["600"]);
    row("readable by the group", &|| set_mode(&key, 0o640), &["600"]);
    row("writable by all", &|| set_mode(&key, 0o602), &["600"]);
    table.finish();

    std::fs::write(&key, &right).expect("written");
    set_mode(&key, 0o400);
    let server = Server::dev(&data);
    assert_eq!(
        server.client().reveal("/app/x", None).ok(200)["secretString"],
        base64("kept"),
        "the right one opens it again"
    );
}

#[test]
fn init_takes_no_key_that_is_there() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), "");
    let keys = folder.path().join("keys");
    std::fs::create_dir(&keys).expect("made");
    let text = std::fs::read_to_string(&config).expect("readable");
    std::fs::write(&config, format!("root_key_file = \"keys/root.key\"\n{text}")).expect("written");
    let _ = init(&config);
    let key = std::fs::read(keys.join("root.key")).expect("a root key");
    // The store is gone, the key is not: another init must not overwrite what may open a backup.
    std::fs::remove_dir_all(folder.path().join("data")).expect("removed");
    let ended = Launch::init(&config).run();
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert_eq!(std::fs::read(keys.join("root.key")).expect("a root key"), key);
}
