//! `strongroomd rootkey`, and where a root key may come from.

use crate::{Stage, Table, init, write_config};
use core::time::Duration;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use strongroom_tests::{Client, Ended, Launch, Server, base64, on_postgres, wait_for};

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).expect("written");
    set_mode(path, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("one's own file");
}

fn rootkey(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Ended {
    Launch::new(&[&[&"rootkey" as &dyn AsRef<std::ffi::OsStr>], arguments].concat()).run()
}

#[track_caller]
fn done(ended: Ended) -> Ended {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("strongroom-root-key-v1:"), "a key is never shown: {ended:?}");
    ended
}

/// The files of old root keys in a directory.
fn old_keys(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.to_string_lossy().contains("root.key.old-")).collect()
}

#[test]
fn a_rotation_goes_on_beside_requests_and_leaves_nothing_under_the_old_key() {
    let stage = Stage::new();
    let (data, address) = (stage.data(), stage.server.address());
    let _ = stage.client.create("/app/x", "kept").ok(201);
    let before = std::fs::read_to_string(data.join("root.key")).expect("readable");
    let rotate = || Launch::root_key(address, &data, &["rotate"]).run();
    if on_postgres() {
        // Other servers may share the database: the operator gives the key to all of them.
        let added = done(rootkey(&[&"add", &"--data", &data])).stdout;
        let rotated = wait_for(Duration::from_secs(20), || Some(done(rotate()).stdout).filter(|key| *key == added));
        assert!(rotated.is_some(), "the server takes on the line");
    } else {
        let ended = done(rotate());
        let new = ended.stdout.trim();
        assert!(ended.stderr.contains(new), "{ended:?}");
        let after = std::fs::read_to_string(data.join("root.key")).expect("readable");
        assert_eq!((after.lines().count(), after == before), (1, false));
        let old = old_keys(&data);
        assert_eq!(old.len(), 1, "{old:?}");
        assert_eq!(std::fs::read_to_string(&old[0]).expect("readable"), before);
        let mode = std::fs::metadata(&old[0]).expect("there").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
    let _ = stage.client.create("/app/y", "new").ok(201);
    let check = done(rootkey(&[&"check", &"--data", &data]));
    assert!(check.stdout.contains("the store's"), "{check:?}");

    // A server that is started with the new key alone opens everything.
    let Stage { server, folder, .. } = stage;
    server.stop();
    let text = std::fs::read_to_string(data.join("root.key")).expect("readable");
    private(&data.join("root.key"), text.lines().last().expect("a key"));
    let server = Server::dev(&data);
    for (path, value) in [("/app/x", "kept"), ("/app/y", "new")] {
        assert_eq!(server.client().reveal(path, None).ok(200)["secretString"], base64(value));
    }
    server.stop();
    // The old one alone is another root key.
    private(&data.join("root.key"), &before);
    let check = rootkey(&[&"check", &"--data", &data]);
    assert_eq!(check.code, Some(77), "{check:?}");
    assert!(check.stderr.contains("another root key"), "{check:?}");
    assert_eq!(Launch::dev(&data).run().code, Some(77));
    drop(folder);
}

#[test]
fn a_rotation_that_was_not_ended_is_ended_and_not_begun_anew() {
    if on_postgres() {
        return;
    }
    let stage = Stage::new();
    let data = stage.data();
    let added = done(rootkey(&[&"add", &"--data", &data])).stdout;
    for _ in 0..2 {
        let ended = done(Launch::root_key(stage.server.address(), &data, &["rotate"]).run());
        if ended.stdout == added {
            assert!(ended.stderr.contains("is continued"), "{ended:?}");
            assert_eq!(old_keys(&data).len(), 1);
        } else {
            assert_eq!(old_keys(&data).len(), 2, "one more, once the first was ended: {ended:?}");
        }
    }
    let wrong = tempfile::tempdir().expect("a directory");
    let other = wrong.path().join("root.key");
    done(rootkey(&[&"add", &"--file", &other]));
    let token = data.join("operator.token");
    let rotate = || {
        let command = Launch::root_key(stage.server.address(), wrong.path(), &["rotate"]);
        command.argument("--token-file").argument(&token).run()
    };
    // Without a store there the command would not know that several servers share one.
    let ended = rotate();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("--database"), "{ended:?}");
    std::fs::write(wrong.path().join("strongroom.db"), "").expect("written");
    let ended = rotate();
    assert_eq!(ended.code, Some(77), "{ended:?}");
    assert_eq!(std::fs::read_to_string(&other).expect("there").lines().count(), 1, "nothing is added to it");
}

#[test]
fn a_server_starts_with_a_root_key_from_anywhere() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), "");
    let plain = std::fs::read_to_string(&config).expect("readable");
    let token = init(&config);
    let (key, elsewhere) = (folder.path().join("data/root.key"), folder.path().join("elsewhere"));
    std::fs::create_dir(&elsewhere).expect("made");
    std::fs::rename(&key, elsewhere.join("the-key")).expect("moved");
    let key = elsewhere.join("the-key");
    private(&elsewhere.join("passphrase"), "correct horse\n");
    let passphrase = "passphrase_file = \"elsewhere/passphrase\"\n";
    let serves = |settings: &str, change: &dyn Fn(Launch) -> Launch| {
        std::fs::write(&config, format!("{plain}\n[root_key]\n{settings}")).expect("written");
        let started = change(Launch::serve(&config)).try_start();
        match started {
            Ok(server) => {
                let client = Client {
                    address: server.address(),
                    token: Some(token.clone()),
                    organisation: None,
                    region: "nl-01".to_owned(),
                    kms_key: String::new(),
                };
                let _ = client.get("/readyz").expect(200);
                assert_eq!(client.get("/v1/kms/summary").status, 200, "the owner's token is known");
                server.stop();
                0
            }
            Err(ended) => ended.code.expect("an exit code"),
        }
    };
    let with = |name: &'static str, value: PathBuf| move |launch: Launch| launch.variable(name, &value);
    let nothing = |launch: Launch| launch;
    let mut table = Table::default();
    let mut row = |name: &str, expected: i32, settings: &str, change: &dyn Fn(Launch) -> Launch| {
        table.row(name.to_owned(), || assert_eq!(serves(settings, change), expected));
    };
    let credential = "provider = \"credential\"\nname = \"the-key\"\n";
    let environment = "provider = \"environment\"\nvariable = \"THE_KEY\"\n";
    row("file", 0, "path = \"elsewhere/the-key\"\n", &nothing);
    row("missing", 77, "", &nothing);
    row("credential", 0, credential, &with("CREDENTIALS_DIRECTORY", elsewhere.clone()));
    row("no credentials", 78, credential, &nothing);
    row("another credential", 77, credential, &with("CREDENTIALS_DIRECTORY", folder.path().to_owned()));
    row("environment", 0, environment, &with("THE_KEY", key.clone()));
    row("no variable", 78, environment, &nothing);
    set_mode(&key, 0o440);
    row("credential of the group", 0, credential, &with("CREDENTIALS_DIRECTORY", elsewhere.clone()));
    row("file of the group", 77, "path = \"elsewhere/the-key\"\n", &nothing);
    row("environment of the group", 77, environment, &with("THE_KEY", key.clone()));
    set_mode(&key, 0o600);

    std::fs::write(&config, format!("{plain}\n[root_key]\n{passphrase}")).expect("written");
    done(rootkey(&[&"seal", &"--config", &config, &"--file", &key, &"--as", &"passphrase"]));
    let sealed = std::fs::read_to_string(&key).expect("readable");
    assert!(sealed.starts_with("strongroom-root-key-passphrase-v1:m=65536,t=3,p=1:"), "{sealed}");
    let file = format!("path = \"elsewhere/the-key\"\n{passphrase}");
    row("passphrase", 0, &file, &nothing);
    row("no passphrase", 77, "path = \"elsewhere/the-key\"\n", &nothing);
    let by_credential = "path = \"elsewhere/the-key\"\npassphrase_credential = \"passphrase\"\n";
    row("passphrase from a credential", 0, by_credential, &with("CREDENTIALS_DIRECTORY", elsewhere.clone()));
    private(&elsewhere.join("passphrase"), "battery staple\n");
    row("another passphrase", 77, &file, &nothing);
    set_mode(&elsewhere.join("passphrase"), 0o644);
    row("passphrase for all to read", 77, &file, &nothing);
    table.finish();
}

#[test]
fn init_seals_the_root_key_where_the_configuration_says_so() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    private(&folder.path().join("passphrase"), "correct horse\n");
    let config = write_config(folder.path(), "[root_key]\npassphrase_file = \"passphrase\"");
    let _ = init(&config);
    let text = std::fs::read_to_string(folder.path().join("data/root.key")).expect("readable");
    assert!(text.starts_with("strongroom-root-key-passphrase-v1:"), "{text}");
    done(rootkey(&[&"check", &"--config", &config]));
    Launch::serve(&config).start().stop();
}

#[test]
fn init_uses_the_credential_that_it_is_given_and_makes_none() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), "[root_key]\nprovider = \"credential\"\nname = \"the-key\"");
    let init = || Launch::init(&config).variable("CREDENTIALS_DIRECTORY", folder.path()).run();
    let key = folder.path().join("the-key");
    assert_eq!(init().code, Some(77), "there is none");
    assert!(!key.exists());
    let id = done(rootkey(&[&"add", &"--file", &key])).stdout;
    done(init());
    let check = Launch::new(&[&"rootkey", &"check", &"--config", &config])
        .variable("CREDENTIALS_DIRECTORY", folder.path())
        .run();
    assert!(done(check).stdout.contains(id.trim()));
}
