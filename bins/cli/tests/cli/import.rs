//! import: files of secrets, checked before the first is written.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::run::{Reader, deny};
use crate::support::{Home, text};
use serde_json::{Value, json};

fn import(home: &Home, arguments: &[&str], input: &str) -> Value {
    let told = home.feed(&[&["import", "-", "--json"], arguments].concat(), input);
    serde_json::from_str(&told).unwrap()
}

fn listed(home: &Home) -> String {
    home.ok(&["ls", "-r", "/"])
}

#[test]
fn an_export_comes_back_in_every_format() {
    let home = Home::new();
    home.feed(&["put", "/app/prod/token"], "it's a \"value\"\n$HOME");
    home.feed(&["put", "/app/prod/bytes"], b"\xff\0");
    home.feed(&["put", "/app/prod/db", "--kv", "user.name=-"], "漢字");
    for format in ["dotenv", "json", "yaml", "k8s"] {
        let file = home.path(format);
        home.ok(&["export", "/app/prod", "--format", format, "-o", text(&file)]);
        let told = home.json(&["import", text(&file)]);
        assert_eq!(told["counts"], json!({"unchanged": 3}), "{format}");
        let to = format!("/copies/{format}");
        let told = home.json(&["import", text(&file), "--from", "/app/prod", "--to", &to]);
        assert_eq!(told["counts"], json!({"created": 3}), "{format}");
        assert_eq!(home.value(&format!("{to}/token")), b"it's a \"value\"\n$HOME");
        assert_eq!(home.value(&format!("{to}/bytes")), b"\xff\0");
        assert_eq!(home.ok(&["get", &format!("{to}/db"), "--key", "user.name"]), "漢字");
    }
}

#[test]
fn other_sources_are_taken() {
    let home = Home::new();
    import(&home, &["--to", "/env"], "A=1\nexport B='$HOME'\n");
    assert_eq!(home.command(&["get", "/env/B"]).env("HOME", "/evil").ok(), "$HOME");
    import(&home, &["--to", "/y"], "db: {user: u, port: 5432}\ntoken: t\n");
    assert_eq!(home.ok(&["get", "/y/db", "--key", "port"]), "5432");
    import(&home, &["--to", "/k"], "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: b}\n");
    assert_eq!(home.ok(&["get", "/k/s", "--key", "a"]), "b");
    let vault = r#"{"request_id":"r","data":{"data":{"user":"u"},"metadata":{"version":1}}}"#;
    import(&home, &["--to", "/v/app"], vault);
    assert_eq!(home.ok(&["get", "/v/app", "--key", "user"]), "u");
    let aws =
        r#"{"SecretValues":[{"Name":"prod/db","SecretString":"{\"user\":\"u\"}"},{"Name":"b","SecretBinary":"/w=="}]}"#;
    import(&home, &["--to", "/aws"], aws);
    assert_eq!(home.ok(&["get", "/aws/prod/db", "--key", "user"]), "u");
    assert_eq!(home.value("/aws/b"), b"\xff");
    let said = home.command(&["import", "-"]).input("A=1").fails(2);
    assert!(said.contains("--to"), "{said}");
}

#[test]
fn nothing_is_written_of_a_file_with_a_fault() {
    let home = Home::new();
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        ('a'..='y')
            .zip('b'..='z')
            .map(|(one, next)| format!("{next}: &{next} [{}]\n", vec![format!("*{one}"); 9].join(",")))
            .collect::<String>()
    );
    let deep = format!("{{\"a\":{}", "[".repeat(200_000));
    let long = format!("{{\"/a\": \"1\", \"/{}\": \"2\"}}", "x".repeat(600));
    let large = format!("{{\"/a\": \"1\", \"/b\": \"{}\"}}", "x".repeat(1_100_000));
    let many: Value =
        (0..300).map(|number| (format!("k{number}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    let many = json!({"/a": "1", "/b": many}).to_string();
    for (source, says) in [
        ("{\"/a\": \"1\", \"/b\": \"2", "truncated"),
        ("/a: \"1\"\n/b: \"2", "truncated"),
        ("# strongroom: 3 values\n/a: \"1\"\n", "truncated"),
        ("A=1\nB='2", "line 2"),
        ("{\"/a\": \"1\", \"/../b\": \"2\"}", ".."),
        ("{\"/a\": \"1\", \"/b c\": \"2\"}", "can't be a secret's path"),
        ("{\"/a\": \"1\", \"/b\\u001b[2J\": \"2\"}", "\\u{1b}[2J"),
        ("/a: 1\n/b: 2\n/c/: 3\n", "line 3"),
        ("{\"/a\": \"1\", \"/b\": {\"k y\": \"2\"}}", "k y"),
        ("{\"/a\": \"1\", \"/a\": \"2\"}", "twice"),
        (&bomb, "repeat too much"),
        (&deep, "line 1"),
        (&long, "can't be a secret's path"),
        (&large, "no value has more"),
        (&many, "300 keys"),
        ("", "empty"),
        ("{}", "holds no secret"),
    ] {
        let said = home.command(&["import", "-", "--to", "/x"]).input(source).fails(2);
        assert!(said.contains(says), "{says}: {said}");
    }
    let said = home.command(&["import", "-"]).input(b"A=\xff\xfe\n").fails(2);
    assert!(said.contains("UTF-8"), "{said}");
    home.command(&["import", "/no/such/file"]).run().code.filter(|code| *code == 2).unwrap();
    assert_eq!(home.command(&["ls", "-r", "/"]).run().stdout, b"");
}

#[test]
fn what_is_there_is_compared_and_decided() {
    let home = Home::new();
    home.feed(&["put", "/c/same"], "1");
    home.feed(&["put", "/c/other"], "2");
    let source = r#"{"/c/same": "1", "/c/other": "changed", "/c/new": "3"}"#;
    let said = home.command(&["import", "-"]).input(source).fails(5);
    assert!(said.contains("/c/other") && said.contains("nothing was written") && !said.contains("changed"), "{said}");
    assert!(!listed(&home).contains("/c/new"));
    let plan = home.command(&["import", "-", "--dry-run"]).input(source).run();
    assert_eq!(plan.code, Some(5));
    assert_eq!(plan.stdout, b"/c/new\tcreate\n/c/other\tin the way\n/c/same\tunchanged\n");
    assert!(!listed(&home).contains("/c/new"));

    let told = import(&home, &["--on-conflict", "skip"], source);
    assert_eq!(told["counts"], json!({"created": 1, "skipped": 1, "unchanged": 1}));
    assert_eq!(home.value("/c/other"), b"2");
    let told = import(&home, &["--on-conflict", "update"], source);
    assert_eq!(told["counts"], json!({"unchanged": 2, "updated": 1}));
    assert_eq!(home.value("/c/other"), b"changed");
    assert_eq!(import(&home, &[], source)["counts"], json!({"unchanged": 3}));
    assert_eq!(home.json(&["describe", "/c/other"])["currentVersion"], 2);
    home.ok(&["destroy", "/c/same", "1", "--yes"]);
    assert_eq!(import(&home, &[], source)["counts"], json!({"unchanged": 2, "updated": 1}));
    assert_eq!(home.value("/c/same"), b"1");
    assert_eq!(home.feed(&["import", "-"], source), "unchanged\t3\n");
}

#[test]
fn an_import_that_ended_in_the_middle_goes_on() {
    let home = Home::new();
    let all: serde_json::Map<String, Value> =
        (0..250).map(|number| (format!("/many/s{number:03}"), json!({"k": format!("v{number}")}))).collect();
    let first: serde_json::Map<String, Value> = all.clone().into_iter().take(130).collect();
    assert_eq!(import(&home, &[], &json!(first).to_string())["counts"], json!({"created": 130}));
    let told = import(&home, &[], &json!(all).to_string());
    assert_eq!(told["counts"], json!({"created": 120, "unchanged": 130}));
    assert_eq!(home.ok(&["get", "/many/s249", "--key", "k"]), "v249");
}

#[test]
fn some_that_fail_are_told_and_the_others_written() {
    let home = Home::new();
    home.feed(&["put", "/d/denied"], "1");
    deny(&home, "/d/denied");
    let source = r#"{"/d/denied": "1", "/d/new": "2"}"#;
    let done = home.command(&["import", "-"]).input(source).run();
    assert_eq!(done.code, Some(7), "{done:?}");
    assert_eq!(done.stdout, b"created\t1\nnot compared\t1\n");
    assert!(done.stderr.contains("/d/denied is there, and can't be compared"), "{done:?}");
    assert!(done.stderr.contains("next: --on-conflict skip") && !done.stderr.contains("goes on"), "{done:?}");
    assert_eq!(home.value("/d/new"), b"2");
    let told = import(&home, &["--on-conflict", "skip"], source);
    assert_eq!(told["counts"], json!({"skipped": 1, "unchanged": 1}));
}

#[test]
fn who_may_not_reveal_is_told_what_is_there_already() {
    let home = Home::new();
    let writer = Reader::of(&home, "writer", "create,putSecretValue", "/w/*");
    home.ok(&["iam", "rules", "create", "writer", "--resource", "kms_key", "--permission", "read"]);
    let source = r#"{"/w/1": "1", "/w/2": "2"}"#;
    let told = |arguments: &[&str]| {
        let done = writer.command(&[&["import", "-"], arguments].concat()).input(source).run();
        (done.code, String::from_utf8(done.stdout).unwrap(), done.stderr)
    };
    assert_eq!(told(&[]), (Some(0), "created\t2\n".to_owned(), String::new()));
    // Nobody else has written it, but the writer can't know.
    let (code, printed, said) = told(&[]);
    assert_eq!((code, printed.as_str()), (Some(5), "not compared\t2\n"), "{said}");
    assert!(said.contains("next: --on-conflict skip") && said.contains("/w/2 is there"), "{said}");
    assert_eq!(told(&["--on-conflict", "skip"]).1, "skipped\t2\n");
    assert_eq!(told(&["--on-conflict", "update"]).1, "updated\t2\n");
    assert_eq!(home.json(&["describe", "/w/1"])["currentVersion"], 2);
}

#[test]
fn a_source_that_cannot_be_read_is_told_and_one_that_is_typed_too() {
    let home = Home::new();
    for source in ["/nowhere/source.json", "/"] {
        let said = home.command(&["import", source]).fails(2);
        assert!(said.contains(&format!("{source} cannot be read")) && said.contains("is it there"), "{said}");
    }
    let said = home.command(&["import", "/dev/zero"]).fails(2);
    assert!(said.contains("larger than 32 MiB") && said.contains("in parts"), "{said}");
    // More than one secret may have.
    let large = format!("# {}\nA=1\n", "x".repeat(3 * 1024 * 1024));
    assert_eq!(import(&home, &["--to", "/large", "--format", "dotenv"], &large)["counts"], json!({"created": 1}));
    let said = home.command(&["import", "-"]).input(b"A=1\nB=\xff\n").fails(2);
    assert!(said.contains("standard input, line 2: it is no text in UTF-8"), "{said}");
    let typist = home.command(&["import", "-", "--to", "/typed"]).on_terminal(120);
    typist.sees("Reading what you type, which is shown, until Ctrl-D").types("A=typed\n\u{4}");
    assert_eq!(typist.ends().0, Some(0));
    assert_eq!(home.value("/typed/A"), b"typed");
}

#[test]
fn without_a_server_or_with_a_wrong_token_nothing_is_done() {
    let home = Home::new();
    home.feed(&["put", "/a/x"], "1");
    let file = home.path("source.json");
    std::fs::write(&file, r#"{"/b/y": "canary"}"#).unwrap();
    let out = home.path("out.json");
    let before = listed(&home);
    for arguments in [
        &["import", text(&file)][..],
        &["export", "/a", "-o", text(&out)],
        &["cp", "/a/x", "/c/x"],
        &["cp", "-r", "/a", "/c"],
        &["mv", "/a/x", "/c/x", "--yes"],
        &["mv", "-r", "/a", "/c", "--yes"],
        &["run", "--path", "/a", "--", "touch", text(&out)],
        &["run", "--map", "A=/a/x", "--", "touch", text(&out)],
    ] {
        let said = home.command(arguments).env("STRONGROOM_TOKEN", "canary-wrong").fails(4);
        assert!(said.contains("strongroom login") && !said.contains("canary"), "{said}");
        let said = home.command(arguments).env("STRONGROOM_ADDR", "http://127.0.0.1:1").fails(6);
        assert!(!said.contains("canary"), "{said}");
    }
    assert!(!out.exists() && listed(&home) == before);
}
