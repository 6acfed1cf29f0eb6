//! get and put.

use crate::support::{Home, content, text};
use serde_json::json;

#[test]
fn every_value_comes_back_as_it_was_put() {
    let home = Home::new();
    let all: Vec<u8> = (0..=255).collect();
    let values: [&[u8]; 6] = [b"", b"hunter2", b"two\nlines\n\n", b"a\0b", b"\xff\xfe\x80", &all];
    for (at, value) in values.iter().enumerate() {
        let path = format!("/app/value-{at}");
        home.feed(&["put", &path, "--allow-empty"], value);
        assert_eq!(home.value(&path), *value, "{path}");
        let done = home.command(&["get", &path]).run();
        assert_eq!((done.code, done.stdout.as_slice()), (Some(0), *value), "{path}");
        assert_eq!(done.stderr, "");
    }
}

#[test]
fn a_put_makes_a_secret_or_adds_a_version_as_it_is_told() {
    let home = Home::new();
    home.command(&["put", "app/db", "--update"]).input("x").fails(3);
    let made =
        home.command(&["put", "app/db", "--json", "--label", "team=core", "--description", "d"]).input("one").ok();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made, json!({"path": "/app/db", "version": 1, "created": true}));
    let described = home.json(&["describe", "/app/db"]);
    assert_eq!((&described["labels"]["team"], &described["description"]), (&json!("core"), &json!("d")));

    let said = home.command(&["put", "/app/db", "--create"]).input("x").fails(5);
    assert!(said.contains("leave --create out"), "{said}");
    assert_eq!(home.feed(&["put", "/app/db", "--update"], "two"), "");
    home.feed(&["put", "/app/db", "--expected-version", "2"], "three");
    home.command(&["put", "/app/db", "--expected-version", "2"]).input("four").fails(5);
    assert_eq!(home.value("/app/db"), b"three");
    assert_eq!(home.ok(&["get", "/app/db", "--version", "1"]), "one");
}

#[test]
fn values_come_from_files_and_generators() {
    let home = Home::new();
    let file = home.path("value");
    std::fs::write(&file, b"from a file\n").unwrap();
    home.ok(&["put", "/f", "--file", text(&file)]);
    assert_eq!(home.value("/f"), b"from a file\n");
    home.ok(&["put", "/f", "--file", text(&file), "--trim"]);
    assert_eq!(home.value("/f"), b"from a file");
    home.ok(&["put", "/g", "--generate"]);
    assert_eq!(home.value("/g").len(), 43);
    home.ok(&["put", "/g", "--generate", "16", "--encoding", "hex"]);
    assert!(home.value("/g").len() == 32 && home.value("/g").iter().all(u8::is_ascii_hexdigit));
    home.ok(&["put", "/g", "--generate", "100", "--encoding", "raw"]);
    assert_eq!(home.value("/g").len(), 100);
    home.command(&["put", "/g", "--file", "/nowhere"]).run().code.filter(|code| *code == 2).unwrap();
}

#[test]
fn named_values_are_put_merged_and_chosen() {
    let home = Home::new();
    let file = home.path("user");
    std::fs::write(&file, "it's\napp").unwrap();
    let user = format!("user=@{}", text(&file));
    home.feed(&["put", "/kv", "--kv", &user, "--kv", "db-password=-"], "hunter2");
    assert_eq!(home.ok(&["get", "/kv", "--key", "db-password"]), "hunter2");
    assert_eq!(home.ok(&["get", "/kv", "--output", "env"]), "KV_DB_PASSWORD='hunter2'\nKV_USER='it'\\''s\napp'\n");
    assert_eq!(home.ok(&["get", "/kv", "--key", "db-password", "-o", "env"]), "KV_DB_PASSWORD='hunter2'\n");
    home.feed(&["put", "/evil/ld", "--kv", "preload=-"], "/tmp/evil.so");
    let said = home.command(&["get", "/evil/ld", "-o", "env"]).fails(2);
    assert!(said.contains("/evil/ld#preload would be LD_PRELOAD") && !said.contains("evil.so"), "{said}");
    assert_eq!(home.json(&["get", "/kv"])["values"], json!({"user": "it's\napp", "db-password": "hunter2"}));
    let said = home.command(&["get", "/kv"]).fails(2);
    assert!(said.contains("db-password, user"), "{said}");
    let said = home.command(&["get", "/kv", "--key", "nope"]).fails(3);
    assert!(said.contains("db-password, user") && !said.contains("hunter2"), "{said}");

    home.feed(&["put", "/kv", "--merge", "--kv", "db-password=-"], "hunter3");
    assert_eq!(home.json(&["get", "/kv"])["values"], json!({"user": "it's\napp", "db-password": "hunter3"}));
    home.feed(&["put", "/new", "--merge", "--kv", "a=-"], "1");
    assert_eq!(home.ok(&["get", "/new", "--key", "a"]), "1");
    for value in ["password=hunter2", "password="] {
        let said = home.command(&["put", "/kv", "--kv", value]).fails(2);
        assert!(said.contains("can be read by other users") && !said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_value_on_the_command_line_is_not_repeated() {
    let home = Home::new();
    for arguments in [
        &["put", "/app/db", "hunter2"][..],
        &["put", "/app/db", "--hunter2"],
        &["put", "--", "/app/db", "hunter2"],
        &["put", "/app/db", "---hunter2---\nx"],
        &["put", "/app/db", "--file", "x", "hunter2"],
        &["put", "/app/db", "--kv", "a=hunter2"],
        &["put", "/app/db", "--generate", "hunter2"],
        &["put", "/app/db", "--generate", "--encoding", "hunter2"],
        &["put", "hunter2 with spaces"],
        &["--no-color", "--timeout", "2s", "put", "/app/db", "hunter2"],
    ] {
        for more in [&[][..], &["--json"]] {
            let done = home.command(&[more, arguments].concat()).run();
            let said = done.stderr;
            assert!(done.code == Some(2) && done.stdout.is_empty() && !said.contains("hunter2"), "{said}");
            assert!(said.contains("leave it out to be asked"), "{said}");
        }
    }
    for arguments in [
        &["login", "hunter2"][..],
        &["login", "--address", "http://127.0.0.1:1", "--hunter2"],
        &["login", "--timeout", "hunter2"],
        &["logout", "hunter2"],
        &["rotate", "/x", "hunter2"],
        &["rotate", "/x", "--bytes", "hunter2"],
        &["kms", "encrypt", "key", "hunter2"],
        &["kms", "hunter2"],
        &["kms", "import", "name", "--type", "hunter2"],
        &["kms", "import", "name", "--type", "hmac", "hunter2"],
        &["kms", "decrypt", "key", "--hunter2"],
        &["policy", "set", "/x", "hunter2"],
        &["patch", "/x", "hunter2"],
        &["patch", "/x", "--label", "hunter2"],
        &["iam", "tokens", "create", "name", "hunter2"],
        &["iam", "credentials", "create", "account", "--hunter2"],
        &["delete", "/x", "hunter2"],
        &["export", "/x", "hunter2"],
        &["import", "file", "hunter2"],
        &["cp", "/a", "/b", "hunter2"],
    ] {
        for more in [&[][..], &["--json"]] {
            let done = home.command(&[more, arguments].concat()).run();
            let said = done.stderr;
            assert!(done.code == Some(2) && done.stdout.is_empty() && !said.contains("hunter2"), "{said}");
            assert!(
                said.contains(&format!("`strongroom {}", arguments[0])) && said.contains("--help` shows"),
                "{said}"
            );
        }
    }
    let said = home.command(&["kms", "encryp", "key"]).fails(2);
    assert!(said.contains("did you mean decrypt, encrypt?"), "{said}");
    let said = home.command(&["login", "x"]).fails(2);
    assert!(said.contains("--token-stdin"), "{said}");
    let said = home.command(&["put", "/app/db", "--fil", "x"]).fails(2);
    assert!(said.contains("did you mean --file?"), "{said}");
    // What other commands are given is no value.
    assert!(home.command(&["ls", "/a", "/b"]).run().stderr.contains("'/b'"));
    home.command(&["get", "/app/db"]).fails(3);
}

#[test]
fn what_is_said_of_a_new_secret_changes_none_that_is_there() {
    let home = Home::new();
    home.feed(&["put", "/x", "--max-active-versions", "3"], "v");
    home.ok(&["kms", "create", "other"]);
    let key = home.json(&["describe", "/x"])["kmsKey"].clone();
    for (flags, words) in [
        (&["--max-active-versions", "1"][..], &["how many versions"][..]),
        (&["--kms-key", "other"], &["KMS key"]),
        (&["--label", "a=b", "--kms-key", "other"], &["labels", "KMS key"]),
    ] {
        let done = home.command(&[&["put", "/x"], flags].concat()).input("w").run();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(done.stderr.matches("was there already").count(), words.len(), "{done:?}");
        assert!(words.iter().all(|word| done.stderr.contains(word)), "{done:?}");
    }
    let described = home.json(&["describe", "/x"]);
    assert_eq!((&described["kmsKey"], &described["maxActiveVersions"]), (&key, &3.into()));
    assert!(!home.command(&["put", "/x"]).input("w").run().stderr.contains("already"));
}

#[test]
fn a_dash_is_standard_input_wherever_a_file_is_read() {
    let home = Home::new();
    home.feed(&["put", "/x", "--file", "-"], b"a\n\0\xff");
    assert_eq!(home.value("/x"), b"a\n\0\xff");
    home.feed(&["put", "/kv", "--kv", "a=@-"], "b");
    assert_eq!(home.ok(&["get", "/kv", "--key", "a"]), "b");
    let said = home.command(&["put", "/kv", "--kv", "a=@-", "--kv", "b=-"]).input("b").fails(2);
    assert!(said.contains("one value only"), "{said}");
    home.feed(&["policy", "set", "/x", "--file", "-"], r#"{"conditions":[]}"#);
    let key = home.server.dev_env().kms_key.clone();
    let ciphertext = home.feed(&["kms", "encrypt", &key, "--file", "-"], "plain");
    assert_eq!(home.feed(&["kms", "decrypt", &key, "-f", "-"], &ciphertext), "plain");
    home.feed(&["kms", "import", "imported", "--type", "aes256-gcm96", "--file", "-"], [7; 32]);
    let keys =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    home.feed(&["iam", "providers", "create", "ci", "--issuer", "https://ci.example", "--jwks", "-"], keys);
    let export = home.ok(&["audit", "export"]);
    home.bare(&["audit", "verify", "-"]).input(&export).ok();
    let header: serde_json::Value = serde_json::from_str(export.lines().next().unwrap()).unwrap();
    let public = header["keys"][0]["publicKey"].as_str().unwrap();
    let file = home.path("log.jsonl");
    std::fs::write(&file, &export).unwrap();
    home.bare(&["audit", "verify", text(&file), "--key", "-"]).input(public).ok();
    home.command(&["put", "/x", "--file", "./-"]).input("v").fails(2);
}

#[test]
fn an_empty_value_is_put_only_when_it_is_meant() {
    let home = Home::new();
    home.feed(&["put", "/x"], "works");
    let file = home.path("empty");
    std::fs::write(&file, "").unwrap();
    let kv = format!("a=@{}", text(&file));
    for arguments in [
        &["put", "/x"][..],
        &["put", "/x", "--stdin"],
        &["put", "/x", "--file", text(&file)],
        &["put", "/x", "--kv", &kv],
    ] {
        let said = home.command(arguments).fails(2);
        assert!(said.contains("--allow-empty"), "{said}");
    }
    home.command(&["put", "/x", "--trim"]).input("\n").fails(2);
    assert_eq!(home.value("/x"), b"works");
    home.ok(&["put", "/x", "--allow-empty"]);
    assert_eq!(home.value("/x"), b"");
}

#[test]
fn an_end_of_line_that_is_kept_is_told() {
    let home = Home::new();
    let said = |arguments: &[&str], input: &str| {
        let done = home.command(arguments).input(input).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        done.stderr
    };
    assert!(said(&["put", "/x"], "hunter2\n").contains("--trim"));
    assert_eq!(home.value("/x"), b"hunter2\n");
    assert!(said(&["put", "/kv", "--kv", "a=-"], "hunter2\n").contains("value of a ends"));
    assert!(!said(&["put", "/x"], "two\nlines\n").contains("--trim"));
    assert!(!said(&["put", "/x"], "hunter2").contains("--trim"));
    assert!(!said(&["put", "/x", "--trim"], "hunter2\n").contains("--trim"));
    assert_eq!(home.value("/x"), b"hunter2");
}

#[test]
fn puts_at_one_moment_on_a_new_path_are_all_put() {
    let home = Home::new();
    let puts: Vec<_> = (0..8).map(|at| home.command(&["put", "/new/path"]).input(format!("v{at}")).start()).collect();
    for put in puts {
        let output = put.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
    assert_eq!(home.json(&["describe", "/new/path"])["currentVersion"], 8);
}

#[test]
fn one_form_is_asked_for() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    for form in ["raw", "env"] {
        let done = home.command(&["get", "/x", "--json", "-o", form]).run();
        assert!(done.code == Some(2) && done.stdout.is_empty() && done.stderr.contains("--output"), "{done:?}");
    }
}

#[test]
fn json_tells_text_and_bytes_apart() {
    let home = Home::new();
    home.feed(&["put", "/text"], "a\nä\0");
    home.feed(&["put", "/bytes"], b"\xff\xfe");
    assert_eq!(home.json(&["get", "/text"]), json!({"path": "/text", "version": 1, "value": "a\nä\0"}));
    assert_eq!(home.json(&["get", "/bytes"])["value"], json!({"base64": "//4="}));
    assert_eq!(home.ok(&["get", "/text", "-o", "json"]), home.ok(&["get", "/text", "--json"]));
    home.command(&["get", "/bytes", "--output", "env"]).fails(2);
    home.command(&["get", "/text", "--output", "env"]).fails(2);
}

#[test]
fn a_file_is_written_whole_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.feed(&["put", "/x"], "value");
    let file = home.path("out");
    home.ok(&["get", "/x", "--file", text(&file)]);
    assert_eq!(content(&file), b"value");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    home.command(&["get", "/x", "--version", "7", "--file", text(&file)]).fails(3);
    assert_eq!(content(&file), b"value");
    let leftovers = std::fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!leftovers.into_iter().any(|name| text(&name).starts_with(".strongroom-")));
}

#[test]
fn a_new_secret_gets_the_key_that_is_named_or_the_only_one() {
    let home = Home::new();
    let keyless = |arguments: &[&str]| home.command(arguments).without("STRONGROOM_KMS_KEY").input("v");
    keyless(&["put", "/a"]).ok();
    let answer = home.client().post(home.client().keys(), &json!({"name": "Other", "keyType": "aes256-gcm96"})).ok(201);
    let said = keyless(&["put", "/b"]).fails(2);
    assert!(said.contains("other") && said.contains("--kms-key"), "{said}");
    keyless(&["put", "/b", "--kms-key", "other"]).ok();
    assert_eq!(home.json(&["describe", "/b"])["kmsKey"]["identity"], answer["identity"]);
    keyless(&["put", "/c", "--kms-key", "nope"]).fails(3);
}

#[test]
fn only_so_many_versions_are_kept_when_it_is_told() {
    let home = Home::new();
    home.feed(&["put", "/kept", "--max-active-versions", "2"], "1");
    for value in ["2", "3"] {
        home.feed(&["put", "/kept"], value);
    }
    assert_eq!(home.json(&["describe", "/kept"])["maxActiveVersions"], 2);
    home.command(&["get", "/kept", "--version", "1"]).fails(3);
    home.ok(&["patch", "/kept", "--max-active-versions", "0"]);
    assert!(home.json(&["describe", "/kept"]).get("maxActiveVersions").is_none());
}
