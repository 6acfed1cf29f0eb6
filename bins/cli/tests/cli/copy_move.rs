//! cp and mv: of a secret, and of directories.

use crate::support::Home;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::time::Duration;
use strongroom_tests::wait_for;

fn rich(home: &Home, path: &str) {
    let base = ["put", path, "--label", "team=core", "--annotation", "n=x", "--description", "what it is"];
    home.feed(&[&base[..], &["--max-active-versions", "3"]].concat(), "one");
    home.feed(&["put", path], "two");
    let policy = json!({"accessPolicy": {"statements": [{"effect": "Allow", "principals": ["*"]}]}});
    home.client().put(format!("{}/policy", home.client().secret(path)), &policy).ok(200);
}

fn metadata(home: &Home, path: &str) -> Value {
    let described = home.json(&["describe", path]);
    let names = ["description", "labels", "annotations", "accessPolicy", "maxActiveVersions"];
    names.iter().map(|name| ((*name).to_owned(), described[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

fn counts(home: &Home, arguments: &[&str]) -> Value {
    home.json(arguments)["counts"].clone()
}

#[test]
fn a_copy_has_all_that_the_secret_has() {
    let home = Home::new();
    rich(&home, "/a/x");
    assert_eq!(counts(&home, &["cp", "/a/x", "/b/y"]), json!({"copied": 1}));
    assert_eq!((home.value("/b/y"), home.value("/a/x")), (b"two".to_vec(), b"two".to_vec()));
    assert_eq!(metadata(&home, "/b/y"), metadata(&home, "/a/x"));
    assert_eq!(metadata(&home, "/b/y")["maxActiveVersions"], 3);
    assert_eq!(home.json(&["describe", "/b/y"])["currentVersion"], 1);
    home.ok(&["cp", "/a/x", "/c/", "--history"]);
    assert_eq!(home.ok(&["get", "/c/x", "--version", "1"]), "one");
    assert_eq!(home.value("/c/x"), b"two");
    assert_eq!(counts(&home, &["cp", "/a/x", "/c/", "--history"]), json!({"unchanged": 1}));

    home.command(&["cp", "/a/x", "/a/x"]).fails(2);
    home.command(&["cp", "/a/", "/z"]).fails(2);
    home.command(&["cp", "/a/nope", "/z"]).fails(3);
    home.command(&["cp", "-r", "/a", "/a/below"]).fails(2);
    home.command(&["cp", "-r", "/nope", "/z"]).fails(3);
}

#[test]
fn nothing_is_written_over() {
    let home = Home::new();
    for (path, value) in [("/a/1", "1"), ("/a/2", "2"), ("/b/2", "other")] {
        home.feed(&["put", path], value);
    }
    let said = home.command(&["cp", "-r", "/a", "/b"]).fails(5);
    assert!(said.contains("/b/2") && !said.contains("/b/1,"), "{said}");
    let plan = home.command(&["cp", "-r", "/a", "/b", "--dry-run"]).run();
    assert_eq!(
        (plan.code, plan.stdout.as_slice()),
        (Some(5), &b"/a/1\t/b/1\tcopy\t1\t-\n/a/2\t/b/2\tin the way\t1\t-\n"[..])
    );
    home.command(&["get", "/b/1"]).fails(3);
    home.feed(&["put", "/b/2"], "2");
    // Equal values with other labels are not the same secret.
    home.ok(&["patch", "/b/2", "--label", "a=b"]);
    home.command(&["mv", "-r", "/a", "/b", "--yes"]).fails(5);
    home.ok(&["patch", "/b/2", "--remove-label", "a"]);
    assert_eq!(counts(&home, &["cp", "-r", "/a", "/b"]), json!({"copied": 1, "unchanged": 1}));
}

#[test]
fn what_has_no_value_stays_and_keeps_nothing_from_moving() {
    let home = Home::new();
    for path in ["/a/1", "/a/2", "/empty/x"] {
        home.feed(&["put", path], path);
    }
    for path in ["/a/1", "/empty/x"] {
        home.ok(&["destroy", path, "1", "--yes"]);
    }
    for alone in [&["cp", "/a/1", "/c/1"][..], &["mv", "/a/1", "/c/1", "--yes"], &["cp", "-r", "/empty", "/c"]] {
        let said = home.command(alone).fails(1);
        assert!(said.contains("no active version") && said.contains(alone[1].trim_start_matches("-r")), "{said}");
    }
    let planned = "/a/1\t/c/1\tno value\t0\t0\n/a/2\t/c/2\tcopy\t1\t0\n";
    for (command, planned) in
        [("mv", planned), ("cp", &planned.replace("no value\t0\t0", "no value\t1\t-").replace("1\t0", "1\t-"))]
    {
        let plan = home.command(&[command, "-r", "/a", "/c", "--dry-run"]).run();
        assert_eq!((plan.code, String::from_utf8(plan.stdout).unwrap().as_str()), (Some(7), planned));
        assert!(
            plan.stderr.contains("1 of 2 secrets") && plan.stderr.contains("/a/1 has no active"),
            "{}",
            plan.stderr
        );
        let said = home.command(&[command, "-r", "/empty", "/c", "--dry-run", "--json"]).run();
        assert_eq!(said.code, Some(1), "{said:?}");
    }
    for (arguments, counted) in [
        (&["cp", "-r", "/a", "/b"][..], "copied\t1\t1\t0\nno value\t1\t1\t0\n"),
        (&["mv", "-r", "/a", "/c", "--yes"], "moved\t1\t1\t0\nno value\t1\t0\t0\n"),
    ] {
        let done = home.command(arguments).run();
        assert_eq!((done.code, String::from_utf8(done.stdout).unwrap().as_str()), (Some(7), counted));
        assert!(done.stderr.contains("/a/1 has no active version") && done.stderr.contains("next:"), "{}", done.stderr);
    }
    assert_eq!(home.ok(&["ls", "-r", "/"]), "/a/1\n/b/2\n/c/2\n/empty/x\n");
}

#[test]
fn a_copy_under_another_key_is_another() {
    let home = Home::new();
    home.feed(&["put", "/a/x"], "1");
    home.ok(&["kms", "create", "second"]);
    assert_eq!(counts(&home, &["cp", "/a/x", "/b/x"]), json!({"copied": 1}));
    let said = home.command(&["cp", "/a/x", "/b/x", "--kms-key", "second"]).fails(5);
    assert!(said.contains("under another key, at /b/x"), "{said}");
    assert_eq!(counts(&home, &["cp", "/a/x", "/b/x"]), json!({"unchanged": 1}));
    for outcome in ["copied", "unchanged"] {
        assert_eq!(counts(&home, &["cp", "/a/x", "/c/x", "--kms-key", "second"]), json!({outcome: 1}));
    }
    assert_eq!(home.json(&["describe", "/c/x"])["kmsKey"]["slug"], "second");
    assert_eq!(counts(&home, &["mv", "/a/x", "/c/x", "--kms-key", "second", "--yes"]), json!({"moved": 1}));
}

#[test]
fn a_directory_moves_with_the_secret_of_its_name() {
    let home = Home::new();
    for path in ["/app", "/app/db", "/app/sub/deep", "/apple"] {
        home.feed(&["put", path], path);
    }
    assert_eq!(counts(&home, &["mv", "-r", "/app", "/moved", "--yes"]), json!({"moved": 3}));
    assert_eq!(home.ok(&["ls", "-r", "/"]), "/apple\n/moved\n/moved/db\n/moved/sub/deep\n");
    assert_eq!(home.value("/moved/sub/deep"), b"/app/sub/deep");
}

#[test]
fn a_move_asks_and_says_what_would_be_lost() {
    let home = Home::new();
    home.feed(&["put", "/x"], "1");
    home.feed(&["put", "/x"], "2");
    home.command(&["mv", "/x", "/y"]).fails(2);
    let typist = home.command(&["mv", "/x", "/y", "--current-only"]).on_terminal(80);
    typist.sees("1 older versions").types("n\n");
    assert_eq!(typist.ends().0, Some(130));
    assert_eq!(home.ok(&["ls", "/"]), "/x\n");
    let typist = home.command(&["mv", "/x", "/y"]).on_terminal(80);
    typist.sees("Move /x to /y?").types("y\n");
    assert_eq!(typist.ends().0, Some(0));
    assert_eq!(home.ok(&["ls", "/"]), "/y\n");
    assert_eq!(home.ok(&["get", "/y", "--version", "1"]), "1");
}

#[test]
fn a_move_takes_all_versions_and_counts_them() {
    let home = Home::new();
    for value in ["1", "2", "3"] {
        home.feed(&["put", "/x"], value);
    }
    assert_eq!(home.ok(&["mv", "/x", "/y", "--dry-run"]), "/x\t/y\tcopy\t3\t0\n");
    assert_eq!(home.ok(&["mv", "/x", "/y", "--yes"]), "moved\t1\t3\t0\n");
    for value in ["1", "2", "3"] {
        assert_eq!(home.ok(&["get", "/y", "--version", value]), value);
    }
    let told = home.json(&["mv", "/y", "/z", "--current-only", "--yes"]);
    assert_eq!(
        told["secrets"],
        json!([{"path": "/z", "from": "/y", "versions": 1, "leftBehind": 2, "status": "moved"}])
    );
    home.command(&["get", "/z", "--version", "2"]).fails(3);
    assert_eq!(home.value("/z"), b"3");
}

#[test]
fn a_move_goes_on_after_a_copy_without_history() {
    let home = Home::new();
    for value in ["1", "2", "3"] {
        home.feed(&["put", "/a/x"], value);
    }
    home.feed(&["put", "/a/y"], "only");
    assert_eq!(counts(&home, &["cp", "-r", "/a", "/b"]), json!({"copied": 2}));
    for arguments in [&["mv", "-r", "/a", "/b", "--yes"][..], &["cp", "-r", "/a", "/b", "--history"]] {
        let said = home.command(arguments).fails(5);
        assert!(said.contains("not the versions before it, at /b/x") && said.contains("mv --current-only"), "{said}");
        assert!(!said.contains("/b/y"), "{said}");
    }
    let plan = home.command(&["mv", "-r", "/a", "/b", "--dry-run"]).run();
    let planned = "/a/x\t/b/x\tother history\t3\t0\n/a/y\t/b/y\tunchanged\t1\t0\n";
    assert_eq!((plan.code, String::from_utf8(plan.stdout).unwrap().as_str()), (Some(5), planned));
    // Another current value is something else.
    home.feed(&["put", "/b/x"], "1");
    for more in [&[][..], &["--current-only"]] {
        let said = home.command(&[&["mv", "-r", "/a", "/b", "--yes"], more].concat()).fails(5);
        assert!(said.contains("something else at /b/x") && !said.contains("--current-only"), "{said}");
    }
    home.feed(&["put", "/b/x"], "3");
    let told = home.json(&["mv", "-r", "/a", "/b", "--current-only", "--yes"]);
    assert_eq!(told["counts"], json!({"moved": 2}));
    assert_eq!(told["secrets"][0]["leftBehind"], 2);
    assert_eq!((home.value("/b/x"), home.ok(&["ls", "-r", "/"])), (b"3".to_vec(), "/b/x\n/b/y\n".to_owned()));
}

#[test]
fn a_move_goes_on_where_it_ended() {
    let home = Home::new();
    for number in 0..12 {
        let path = format!("/from/{number:02}");
        home.feed(&["put", &path], format!("a{number}"));
        home.feed(&["put", &path], format!("b{number}"));
    }
    // Copied and not deleted; begun; moved.
    home.ok(&["cp", "/from/00", "/to/00", "--history"]);
    home.feed(&["put", "/to/01"], "a1");
    home.ok(&["mv", "/from/02", "/to/02", "--yes"]);
    let plan = home.ok(&["mv", "-r", "/from", "/to", "--dry-run"]);
    let begun = "/from/00\t/to/00\tunchanged\t2\t0\n/from/01\t/to/01\tgo on\t2\t0\n/from/03\t/to/03\tcopy\t2\t0\n";
    assert!(plan.contains(begun), "{plan}");
    assert_eq!(counts(&home, &["mv", "-r", "/from", "/to", "--yes"]), json!({"moved": 11}));
    for number in 0..12 {
        let path = format!("/to/{number:02}");
        assert_eq!(home.ok(&["get", &path, "--version", "1"]), format!("a{number}"));
        assert_eq!(home.value(&path), format!("b{number}").into_bytes());
    }
    home.command(&["ls", "/from"]).fails(3);
}

#[test]
fn an_interrupted_move_loses_nothing() {
    let home = Home::new();
    let all: serde_json::Map<String, Value> =
        (0..120).map(|number| (format!("/from/s{number}"), json!(format!("v{number}")))).collect();
    home.feed(&["import", "-"], json!(all).to_string());
    for attempt in 0..4 {
        let child = home.command(&["mv", "-r", "/from", "/to", "--yes"]).start();
        let moved_some = || {
            let listed = home.client().get(format!("{}?pathPrefix=/to", home.client().secrets())).ok(200);
            (listed.as_array().unwrap().len() >= 15 * (attempt + 1)).then_some(())
        };
        wait_for(Duration::from_secs(30), moved_some).expect("it moves");
        // It may have ended by now.
        let _ = kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT);
        let done = child.wait_with_output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 130)), "{done:?}");
        let sum = ["/from", "/to"].map(|directory| {
            let listed = home.command(&["ls", directory]).run();
            String::from_utf8(listed.stdout)
                .unwrap()
                .lines()
                .map(|line| line.rsplit('/').next().unwrap().to_owned())
                .collect::<Vec<_>>()
        });
        let both: std::collections::BTreeSet<&String> = sum.iter().flatten().collect();
        assert_eq!(both.len(), 120, "{done:?}");
    }
    let rest = home.command(&["mv", "-r", "/from", "/to", "--yes"]).run();
    assert!(matches!(rest.code, Some(0 | 3)), "{rest:?}");
    for number in 0..120 {
        assert_eq!(home.value(&format!("/to/s{number}")), format!("v{number}").into_bytes());
    }
}

#[test]
fn secrets_go_into_other_projects() {
    let home = Home::new();
    home.client().post("/v1/projects", &json!({"name": "Web"})).ok(201);
    home.feed(&["put", "/a/x"], "1");
    assert_eq!(counts(&home, &["cp", "/a/x", "/a/x", "--to-project", "web"]), json!({"copied": 1}));
    assert_eq!(home.ok(&["get", "/a/x", "--project", "web"]), "1");
    assert_eq!(counts(&home, &["mv", "/a/x", "/a/x", "--to-project", "web", "--yes"]), json!({"moved": 1}));
    home.command(&["get", "/a/x"]).fails(3);
    assert_eq!(home.ok(&["get", "/a/x", "--project", "web"]), "1");
    // The same project by another name is the same place.
    let identity = home.client().get("/v1/projects/web").ok(200)["identity"].as_str().unwrap().to_owned();
    for name in ["web", &identity] {
        let said = home.command(&["mv", "/a/x", "/a/x", "--project", "web", "--to-project", name, "--yes"]).fails(2);
        assert!(said.contains("the same"), "{said}");
    }
    assert_eq!(home.ok(&["get", "/a/x", "--project", "web"]), "1");
    home.command(&["cp", "/a/x", "/a/x", "--project", "web", "--to-region", "xx-99"]).fails(3);
}
