//! export: a whole directory in a file.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::run::deny;
use crate::support::{Home, content, text};
use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;

fn with_secrets() -> Home {
    let home = Home::new();
    home.feed(&["put", "/app/prod/token"], "it's a \"value\"\n");
    home.feed(&["put", "/app/prod/bytes"], b"\xff\0");
    home.feed(&["put", "/app/prod/db", "--kv", "password=-"], "hunter2");
    home.feed(&["put", "/elsewhere"], "x");
    home
}

fn unfinished(home: &Home) -> bool {
    let names = std::fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| text(&name).starts_with(".strongroom-"))
}

#[test]
fn a_directory_is_written_in_every_format() {
    let home = with_secrets();
    assert_eq!(
        home.ok(&["export", "/app"]),
        "{\n  \"/app/prod/bytes\": {\"$base64\": \"/wA=\"},\n  \"/app/prod/db\": {\n    \"password\": \"hunter2\"\n  },\n  \
         \"/app/prod/token\": \"it's a \\\"value\\\"\\n\"\n}\n"
    );
    assert_eq!(
        home.ok(&["export", "/app", "--format", "yaml"]),
        "# strongroom: 3 values\n\"/app/prod/bytes\": !!binary \"/wA=\"\n\"/app/prod/db\":\n  \"password\": \"hunter2\"\n\
         \"/app/prod/token\": \"it's a \\\"value\\\"\\n\"\n"
    );
    assert_eq!(
        home.ok(&["export", "/app", "--format", "dotenv"]),
        "# strongroom: 3 values\n# strongroom: /app/prod/bytes base64\nBYTES=/wA=\n# strongroom: /app/prod/db#password\n\
         DB_PASSWORD=hunter2\n# strongroom: /app/prod/token\nTOKEN=\"it's a \\\"value\\\"\n\"\n"
    );
    let manifests = home.ok(&["export", "/app/prod", "--format", "k8s", "--namespace", "web"]);
    assert!(manifests.contains("kind: Secret\nmetadata:\n  name: \"prod\"\n  namespace: \"web\"\n"), "{manifests}");
    assert!(
        manifests.contains("name: \"prod-db\"") && manifests.contains("\"password\": \"aHVudGVyMg==\""),
        "{manifests}"
    );
    home.command(&["export", "/app", "--namespace", "web"]).fails(2);
    assert_eq!(home.ok(&["export", "/elsewhere"]), "{\n  \"/elsewhere\": \"x\"\n}\n");
    home.command(&["export", "/nothing"]).fails(3);
}

#[test]
fn a_file_is_whole_and_its_owners() {
    let home = with_secrets();
    let file = home.path("out.json");
    std::fs::write(&file, "before").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let done = home.command(&["export", "/app", "-o", text(&file)]).run();
    assert!(done.code == Some(0) && done.stdout.is_empty() && done.stderr.contains("3 secrets"), "{done:?}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(content(&file), home.ok(&["export", "/app"]).into_bytes());
    let told = home.json(&["export", "/app", "-o", text(&file)]);
    assert_eq!((&told["secrets"], &told["leftOut"]), (&3.into(), &0.into()));

    deny(&home, "/app/prod/db");
    let before = content(&file);
    let said = home.command(&["export", "/app", "-o", text(&file)]).fails(4);
    assert!(said.contains("/app/prod/db") && said.contains("nothing was written"), "{said}");
    assert_eq!(content(&file), before);
    let done = home.command(&["export", "/app", "-o", text(&file), "--allow-missing"]).run();
    assert!(done.code == Some(7) && done.stderr.contains("left out: /app/prod/db"), "{done:?}");
    assert!(!String::from_utf8(content(&file)).unwrap().contains("hunter2") && !unfinished(&home));
}

#[test]
fn a_terminal_shows_values_only_when_asked() {
    let home = with_secrets();
    let (code, shown) = home.command(&["export", "/app"]).on_terminal(80).ends();
    assert!(code == Some(2) && shown.contains("--reveal") && !shown.contains("hunter2"), "{shown}");
    let (code, shown) = home.command(&["export", "/app", "--reveal"]).on_terminal(80).ends();
    assert!(code == Some(0) && shown.contains("hunter2"), "{shown}");
    let file = home.path("out");
    let (code, shown) = home.command(&["export", "/app", "-o", text(&file)]).on_terminal(40).ends();
    assert!(code == Some(0) && !shown.contains("hunter2") && file.exists(), "{shown}");
}

#[test]
fn full_disks_and_closed_pipes_are_borne() {
    let home = with_secrets();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = home.command(&["export", "/app"]).stdout(full).run();
    assert!(done.code == Some(1) && done.stderr.contains("cannot be written"), "{done:?}");
    let done = home.command(&["export", "/app", "-o", "/dev/full/x"]).run();
    assert!(done.code == Some(1) && done.stderr.contains("/dev/full/x"), "{done:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = home.command(&["export", "/app"]).stdout(writer).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(141), ""));
}

#[test]
fn a_disk_without_room_leaves_what_was_there() {
    let home = with_secrets();
    let file = home.path("out.json");
    for before in [None, Some("before")] {
        if let Some(before) = before {
            std::fs::write(&file, before).unwrap();
        }
        let said = home.command(&["export", "/app", "-o", text(&file)]).without_room().fails(1);
        assert!(said.contains("cannot be written") && said.contains("is there room"), "{said}");
        assert!(!said.contains("hunter2") && !unfinished(&home), "{said}");
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), before);
    }
}

#[test]
fn names_that_meet_are_refused() {
    let home = Home::new();
    home.feed(&["put", "/a/x-y"], "1");
    home.feed(&["put", "/a/x_y"], "2");
    let file = home.path("out.env");
    let said = home.command(&["export", "/a", "--format", "dotenv", "-o", text(&file)]).fails(2);
    assert!(said.contains("/a/x-y and /a/x_y would both be X_Y") && !file.exists(), "{said}");
    home.feed(&["put", "/b/x-y", "--kv", "k=-"], "1");
    home.feed(&["put", "/b/x_y", "--kv", "k=-"], "2");
    let said = home.command(&["export", "/b", "--format", "k8s"]).fails(2);
    assert!(said.contains("would both be the Secret b-x-y"), "{said}");
}

#[test]
fn shells_read_dotenv_as_it_is_meant() {
    let home = Home::new();
    let values = [
        ("key", "-----BEGIN KEY-----\nabc+/=\n-----END KEY-----\n"),
        ("quote", "it's\n\"$HOME\" `id` $(id) \\ \\n !x"),
        ("backslash", "C:\\new\\"),
        ("dos", "a\r\nb\t"),
        ("equals", "=ls"),
        ("mark", "\n# strongroom: /other\nOTHER=1\n"),
    ];
    for (name, value) in values {
        home.feed(&["put", &format!("/app/my-{name}"), "--kv", "value=-"], value);
    }
    let file = home.path("out.env");
    home.ok(&["export", "/app", "--format", "dotenv", "-o", text(&file)]);
    for shell in ["sh", "bash"] {
        for (name, value) in values {
            let variable = format!("MY_{}_VALUE", name.to_ascii_uppercase());
            let line = format!(". {}; printf %s \"${variable}\"", text(&file));
            let output = std::process::Command::new(shell).args(["-c", &line]).output().unwrap();
            assert_eq!((output.stdout, output.stderr), (value.as_bytes().to_vec(), Vec::new()), "{shell} {name}");
        }
    }
    assert_eq!(home.json(&["import", text(&file)])["counts"], serde_json::json!({"unchanged": values.len()}));
}

#[test]
fn names_that_steer_programs_need_a_prefix() {
    let home = Home::new();
    home.feed(&["put", "/app/path"], "/tmp/evil");
    let said = home.command(&["export", "/app", "--format", "dotenv"]).fails(2);
    assert!(said.contains("/app/path would be PATH") && said.contains("--prefix") && !said.contains("evil"), "{said}");
    let written = home.ok(&["export", "/app", "--format", "dotenv", "--prefix", "APP_"]);
    assert!(written.ends_with("# strongroom: /app/path\nAPP_PATH=/tmp/evil\n"), "{written}");
    home.command(&["export", "/app", "--prefix", "APP_"]).fails(2);
    assert_eq!(home.command(&["export", "/app", "--format", "dotenv", "--prefix", "A-"]).run().code, Some(2));
}

#[test]
fn the_secret_of_the_directorys_name_is_of_the_export() {
    let home = Home::new();
    for path in ["/a/w", "/a/w/c", "/a/wide"] {
        home.feed(&["put", path], path);
    }
    assert_eq!(home.ok(&["export", "/a/w"]), "{\n  \"/a/w\": \"/a/w\",\n  \"/a/w/c\": \"/a/w/c\"\n}\n");
    for format in ["json", "yaml", "dotenv", "k8s"] {
        let file = home.path(format);
        home.ok(&["export", "/a/w", "--format", format, "-o", text(&file)]);
        let to = format!("/copy/{format}");
        home.ok(&["import", text(&file), "--from", "/a/w", "--to", &to]);
        assert_eq!((home.value(&to), home.value(&format!("{to}/c"))), (b"/a/w".to_vec(), b"/a/w/c".to_vec()));
    }
    deny(&home, "/a/w");
    let said = home.command(&["export", "/a/w"]).fails(4);
    assert!(said.contains("1 secret (1 denied)") && said.contains("nothing was written: /a/w\n"), "{said}");
}

#[test]
fn one_form_is_asked_for() {
    let home = Home::new();
    home.feed(&["put", "/app/x"], "canary");
    for format in ["yaml", "dotenv", "k8s"] {
        for more in [&[][..], &["-o", "-"]] {
            let export = ["export", "/app", "--json", "--format", format];
            let done = home.command(&[&export[..], more].concat()).run();
            assert!(done.code == Some(2) && done.stdout.is_empty() && done.stderr.contains("--format"), "{done:?}");
        }
        // In a file it says nothing of standard output.
        let file = home.path(format);
        let told = home.json(&["export", "/app", "--format", format, "-o", text(&file)]);
        assert!(told["secrets"] == 1 && !content(&file).starts_with(b"{"), "{told}");
    }
    assert_eq!(home.json(&["export", "/app", "--format", "json"]), serde_json::json!({"/app/x": "canary"}));
}
