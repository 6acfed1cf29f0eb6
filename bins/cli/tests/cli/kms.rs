//! KMS keys: their lives, and what is done with them.

use crate::support::{Home, Run, content, text};
use std::net::TcpListener;
use std::process::Command;

const TYPES: [&str; 13] = [
    "aes256-gcm96",
    "aes128-gcm96",
    "chacha20-poly1305",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "ed25519",
    "hmac",
    "hmac-sha256",
    "hmac-sha512",
];

#[test]
fn keys_of_every_type_do_what_they_can() {
    let home = Home::new();
    for key_type in TYPES {
        let made = home.json(&["kms", "create", key_type, "--type", key_type, "--label", "a=b"]);
        assert_eq!((&made["keyType"], &made["labels"]["a"]), (&key_type.into(), &"b".into()));
        let works = match key_type {
            kind if kind.starts_with("hmac") => {
                let hmac = home.feed(&["kms", "hmac", kind], "message");
                home.feed(&["kms", "verify-hmac", kind, hmac.trim()], "message");
                home.command(&["kms", "verify-hmac", kind, hmac.trim()]).input("other").fails(1)
            }
            kind if kind.starts_with("ecdsa") || kind == "ed25519" => {
                let signature = home.feed(&["kms", "sign", kind], "message");
                home.feed(&["kms", "verify", kind, signature.trim()], "message");
                home.command(&["kms", "verify", kind, signature.trim()]).input("other").fails(1)
            }
            kind => {
                let ciphertext = home.feed(&["kms", "encrypt", kind], b"a\n\0\xff");
                assert!(ciphertext.starts_with("thalassa:v1:") && ciphertext.ends_with('\n'));
                let done = home.command(&["kms", "decrypt", kind]).input(&ciphertext).run();
                assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &b"a\n\0\xff"[..]));
                home.command(&["kms", "decrypt", kind]).input("thalassa:v1:AAAA").fails(1)
            }
        };
        assert!(works.contains("next:"), "{key_type}: {works}");
        let done = home.command(&["kms", "public-key", key_type]).run();
        let is_asymmetric = key_type.starts_with("rsa") || key_type.starts_with("ec") || key_type == "ed25519";
        assert_eq!(done.code == Some(0), is_asymmetric, "{key_type}");
    }
    assert_eq!(home.json(&["kms", "ls"]).as_array().unwrap().len(), TYPES.len() + 1);
    assert_eq!(home.json(&["kms", "ls", "--name", "ed25519"]).as_array().unwrap().len(), 1);
    assert_eq!(home.json(&["kms", "summary"])["regions"][0]["totalKeys"], TYPES.len() + 1);
}

#[test]
fn a_key_lives_and_is_had_back() {
    let home = Home::new();
    home.ok(&["kms", "create", "orders", "--rotate-after", "90"]);
    assert_eq!(home.json(&["kms", "get", "orders"])["rotationPeriodInDays"], 90);
    assert_eq!(home.json(&["kms", "rotation", "orders", "--off"])["keyRotationEnabled"], false);
    assert_eq!(home.json(&["kms", "rotation", "orders", "--after", "7"])["rotationPeriodInDays"], 7);
    home.command(&["kms", "rotation", "orders"]).run().code.filter(|code| *code == 2).unwrap();
    assert_eq!(home.json(&["kms", "rotate", "orders"])["latestVersion"], 2);
    let old = home.feed(&["kms", "encrypt", "orders", "--version", "1"], "x");
    assert!(old.starts_with("thalassa:v1:"));

    assert_eq!(home.json(&["kms", "disable", "orders"])["status"], "disabled");
    home.command(&["kms", "encrypt", "orders"]).input("x").fails(1);
    assert_eq!(home.json(&["kms", "enable", "orders"])["status"], "active");
    let said = home.command(&["kms", "create", "orders"]).fails(5);
    assert!(said.contains("another name"), "{said}");
    home.command(&["kms", "delete", "orders"]).fails(2);
    let typist = home.command(&["kms", "delete", "orders"]).on_terminal(80);
    let (code, _) = typist.sees("[y/N]").types("n\n").ends();
    assert_eq!((code, home.json(&["kms", "get", "orders"])["status"].as_str()), (Some(130), Some("active")));
    let deleted = home.json(&["kms", "delete", "orders", "--yes"]);
    assert_eq!((&deleted["status"], &deleted["boundSecrets"]), (&"pending_deletion".into(), &0.into()));
    let identity = deleted["identity"].as_str().unwrap();
    assert_eq!(home.json(&["kms", "cancel-deletion", identity])["status"], "active");
    let said = home.command(&["kms", "get", "nothing"]).fails(3);
    assert!(said.contains("strongroom kms ls"), "{said}");
}

#[test]
fn secrets_move_to_the_newest_version() {
    let home = Home::new();
    let key = home.server.dev_env().kms_key.clone();
    for path in ["/a", "/b", "/c"] {
        home.feed(&["put", path], path);
    }
    home.ok(&["kms", "rotate", &key]);
    assert_eq!(home.ok(&["kms", "inventory", &key]), "1\t3\n");
    let said = home.command(&["kms", "retire", &key]).fails(1);
    assert!(said.contains("kms rewrap"), "{said}");
    assert_eq!(
        home.json(&["kms", "rewrap", &key]),
        serde_json::json!({"rewrapped": 3, "remaining": 0, "latestVersion": 2})
    );
    assert_eq!(home.ok(&["kms", "inventory", &key, "--long"]), "/a\t1\t2\n/b\t1\t2\n/c\t1\t2\n");
    // Every node must have heard of the newest version first.
    let retired = strongroom_tests::wait_for(std::time::Duration::from_secs(60), || {
        Some(home.command(&["kms", "retire", &key]).run()).filter(|done| done.code == Some(0))
    });
    assert!(retired.is_some());
    assert_eq!(home.json(&["kms", "get", &key])["minDecryptionVersion"], 2);
    assert_eq!(home.value("/b"), b"/b");
}

#[test]
fn material_goes_in_wrapped_and_comes_out_the_same() {
    let home = Home::new();
    let file = home.path("material");
    std::fs::write(&file, [7; 32]).unwrap();
    for hash in ["sha1", "sha256", "sha384", "sha512"] {
        let arguments = ["kms", "import", hash, "--type", "aes256-gcm96", "--hash", hash, "--exportable", "--file"];
        assert_eq!(home.json(&[&arguments[..], &[text(&file)]].concat())["imported"], true);
        let out = home.path("out");
        home.ok(&["kms", "export", hash, "--output", text(&out)]);
        assert_eq!(content(&out), [7; 32]);
    }
    let pem = Command::new("openssl").args(["genpkey", "-algorithm", "ed25519"]).output().unwrap().stdout;
    home.feed(&["kms", "import", "release", "--type", "ed25519", "--exportable"], &pem);
    let exported = home.command(&["kms", "export", "release"]).run().stdout;
    let text_of_pem: String = String::from_utf8(pem).unwrap().lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(exported, strongroom_tests::unbase64(&text_of_pem));

    let said = home.command(&["kms", "import", "short", "--type", "aes256-gcm96"]).input("canary").fails(1);
    assert!(said.contains("--type") && !said.contains("canary"), "{said}");
    home.command(&["kms", "import", "none", "--type", "hmac"]).fails(2);
    let other = "-----BEGIN EC PRIVATE KEY-----\ncanary\n-----END EC PRIVATE KEY-----\n";
    let said = home.command(&["kms", "import", "other", "--type", "ecdsa-p256"]).input(other).fails(2);
    assert!(said.contains("openssl pkcs8") && !said.contains("canary"), "{said}");
    home.command(&["kms", "export", &home.server.dev_env().kms_key]).fails(1);
    assert!(home.ok(&["kms", "wrapping-key"]).starts_with("-----BEGIN PUBLIC KEY-----\n"));
}

#[test]
fn plaintexts_and_keys_are_masked_on_a_terminal() {
    let home = Home::new();
    home.ok(&["kms", "create", "k", "--exportable", "--annotation", "note=\u{1b}[31mred\u{202e}"]);
    let ciphertext = home.path("ciphertext");
    home.feed(&["kms", "encrypt", "k", "--output", text(&ciphertext)], "canary\u{1b}[2J");
    let typed = |arguments: &[&str]| home.command(arguments).on_terminal(200).ends();
    let decrypt = ["kms", "decrypt", "k", "--file", text(&ciphertext)];
    for more in [&[][..], &["--json"]] {
        let (code, shown) = typed(&[&decrypt[..], more].concat());
        let value = strongroom_tests::base64("canary\u{1b}[2J");
        assert!(code == Some(0) && shown.contains("********") && !shown.contains("canary") && !shown.contains(&value));
    }
    let (_, shown) = typed(&[&decrypt[..], &["--reveal"]].concat());
    assert_eq!(shown, "canary\\u{1b}[2J\n");
    let (code, shown) = typed(&["kms", "export", "k"]);
    assert!(code == Some(2) && shown.contains("--reveal"), "{shown}");
    let (code, shown) = typed(&["kms", "export", "k", "--reveal"]);
    assert!(code == Some(0) && shown.contains('='), "{shown}");
    let (_, shown) = typed(&["kms", "get", "k", "--no-color"]);
    assert!(shown.contains("\\u{1b}[31mred\\u{202e}") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn what_is_typed_is_not_shown() {
    let home = Home::new();
    home.ok(&["kms", "create", "k"]);
    let out = home.path("ciphertext");
    for (again, code) in [("other\n", 2), ("hunter2 ä\n", 0)] {
        let typist = home.command(&["kms", "encrypt", "k", "--output", text(&out)]).on_terminal(80);
        typist.sees("What to encrypt: ");
        assert!(!typist.echoes());
        typist.types("hunter2 ä\n").sees("Once more: ");
        assert!(!typist.echoes());
        let (ended, shown) = typist.types(again).ends();
        assert!(ended == Some(code) && !shown.contains("hunter2") && !shown.contains("other"), "{shown}");
        assert_eq!(out.exists(), code == 0);
    }
    assert_eq!(home.ok(&["kms", "decrypt", "k", "--file", text(&out)]), "hunter2 ä");

    let (code, shown) = home.command(&["kms", "import", "x", "--type", "hmac"]).on_terminal(80).ends();
    assert!(code == Some(2) && shown.contains("--file"), "{shown}");
    home.command(&["kms", "get", "x"]).fails(3);
}

#[test]
fn a_hyphen_is_standard_output() {
    let home = Home::new();
    home.ok(&["kms", "create", "k", "--exportable"]);
    home.feed(&["put", "/app/x"], "value");
    let ciphertext = home.feed(&["kms", "encrypt", "k", "--output", "-"], "plain");
    assert!(ciphertext.starts_with("thalassa:v1:"), "{ciphertext}");
    assert_eq!(home.feed(&["kms", "decrypt", "k", "-o", "-"], &ciphertext), "plain");
    let exported = home.command(&["kms", "export", "k", "--output", "-"]).run().stdout;
    assert_eq!(exported.len(), 32);
    assert_eq!(home.ok(&["get", "/app/x", "--file", "-"]), "value");
    assert_eq!(home.ok(&["export", "/app", "-o", "-"]), "{\n  \"/app/x\": \"value\"\n}\n");
    assert!(home.ok(&["audit", "export", "-o", "-"]).starts_with("{\"type\":\"header\""));
    // And a terminal there is a terminal.
    for arguments in [&["kms", "export", "k", "--output", "-"][..], &["export", "/app", "-o", "-"]] {
        let (code, shown) = home.command(arguments).on_terminal(80).ends();
        assert!(code == Some(2) && shown.contains("--reveal"), "{shown}");
    }
    let (_, shown) = home.command(&["get", "/app/x", "--file", "-"]).on_terminal(80).ends();
    assert!(shown.contains("********") && !shown.contains("value\n"), "{shown}");
}

#[test]
fn what_is_too_long_or_no_ciphertext_is_told_before_it_is_sent() {
    let home = Home::new();
    home.ok(&["kms", "create", "k"]);
    for command in ["encrypt", "sign", "hmac"] {
        let said = home.command(&["kms", command, "k"]).input(vec![b'x'; 65_536]).fails(2);
        assert!(said.contains("65535"), "{said}");
    }
    home.feed(&["kms", "encrypt", "k"], vec![b'x'; 65_535]);
    for wrong in [&b""[..], b" \n", b"a b", b"\xff"] {
        home.command(&["kms", "decrypt", "k"]).input(wrong).fails(2);
    }
    let said = home.command(&["kms", "encrypt", "k", "--file", "/nowhere"]).fails(2);
    assert!(said.contains("/nowhere"), "{said}");
    home.command(&["kms", "create", "x", "--type", "des"]).run().code.filter(|code| *code == 2).unwrap();
}

/// What manages rather than reads, with what it needs.
const COMMANDS: [&[&str]; 24] = [
    &["kms", "ls"],
    &["kms", "get", "k"],
    &["kms", "create", "k"],
    &["kms", "rotate", "k"],
    &["kms", "rotation", "k", "--off"],
    &["kms", "rewrap", "k"],
    &["kms", "inventory", "k"],
    &["kms", "retire", "k"],
    &["kms", "disable", "k"],
    &["kms", "enable", "k"],
    &["kms", "delete", "k", "--yes"],
    &["kms", "cancel-deletion", "k"],
    &["kms", "public-key", "k"],
    &["kms", "export", "k"],
    &["kms", "wrapping-key"],
    &["kms", "encrypt", "k"],
    &["kms", "summary"],
    &["policy", "get", "/x"],
    &["policy", "clear", "/x", "--yes"],
    &["policy", "test", "/x"],
    &["explain", "req-x"],
    &["audit", "ls"],
    &["audit", "tail"],
    &["audit", "export"],
];

#[test]
fn without_a_server_and_with_a_wrong_token_they_say_so() {
    let home = Home::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for arguments in COMMANDS {
        let said = home.command(arguments).env("STRONGROOM_TOKEN", "canary-wrong").input("x").fails(4);
        assert!(said.contains("strongroom login") && !said.contains("canary"), "{said}");
        let arguments = [arguments, &["--timeout", "2s"]].concat();
        let run: Run = home.command(&arguments).env("STRONGROOM_ADDR", format!("http://127.0.0.1:{port}")).input("x");
        run.fails(6);
    }
}
