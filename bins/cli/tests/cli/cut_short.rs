//! Many secrets at once, when it ends in the middle: by a person, a token that ends, an answer that is lost, a KMS that is away.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::between::{Between, Deal, Event, Passing};
use crate::support::{Home, Run, content, text};
use core::sync::atomic::{AtomicUsize, Ordering};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::process::{Child, Output};
use std::time::Duration;
use strongroom_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

fn filled(directory: &str, many: usize) -> (Home, String) {
    let home = Home::new();
    let secrets: Map<String, Value> =
        (0..many).map(|number| (format!("{directory}/{number:03}"), json!(format!("canary-{number}")))).collect();
    let source = json!(secrets).to_string();
    (home, source)
}

fn stand(home: &Home, deal: impl Fn(&Passing) -> Deal + Send + Sync + 'static) -> Between {
    Between::stand(home.server.address(), deal)
}

fn by(home: &Home, between: &Between, arguments: &[&str]) -> Run {
    home.command(arguments).env("STRONGROOM_ADDR", &between.address)
}

/// Lets so many of such requests through, and none after them.
fn hang_after(most: usize, method: &'static str, end: &'static str) -> impl Fn(&Passing) -> Deal {
    let seen = AtomicUsize::new(0);
    move |passing| {
        let is_late = passing.is(method, end) && seen.fetch_add(1, Ordering::Relaxed) >= most;
        if is_late { Deal::Hang } else { Deal::Forward }
    }
}

#[track_caller]
fn interrupt(child: Child, between: &Between) -> Output {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{done:?}");
    assert!(!String::from_utf8_lossy(&done.stderr).contains("canary"), "{done:?}");
    between.settle();
    done
}

#[track_caller]
fn reaches(between: &Between, many: usize, method: &str, end: &str) {
    let reached = wait_for(PATIENCE, || (between.count(method, end) >= many).then_some(()));
    assert!(reached.is_some(), "only {} of {many}", between.count(method, end));
}

fn unfinished(home: &Home) -> bool {
    let names = std::fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().any(|name| text(&name).starts_with(".strongroom-"))
}

fn names(home: &Home, directory: &str) -> BTreeSet<String> {
    let listed = String::from_utf8(home.command(&["ls", directory]).run().stdout).unwrap();
    listed.lines().map(|line| line.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn an_interrupted_import_goes_on() {
    let (home, source) = filled("/many", 60);
    let between = stand(&home, hang_after(20, "POST", "/secrets"));
    let child = by(&home, &between, &["import", "-"]).input(&source).start();
    reaches(&between, 21, "POST", "/secrets");
    interrupt(child, &between);
    let told: Value = serde_json::from_str(&home.feed(&["import", "-", "--json"], &source)).unwrap();
    let count = |status: &str| told["counts"][status].as_u64().unwrap_or(0);
    assert!(count("unchanged") >= 1 && count("created") >= 32 && count("unchanged") + count("created") == 60, "{told}");
    assert_eq!(home.json(&["history", "/many/000"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn an_interrupted_export_leaves_nothing() {
    let (home, source) = filled("/many", 120);
    home.feed(&["import", "-"], &source);
    let file = home.path("out.json");
    for before in [None, Some("before")] {
        if let Some(before) = before {
            std::fs::write(&file, before).unwrap();
        }
        let between = stand(&home, hang_after(1, "POST", "/values"));
        let child = by(&home, &between, &["export", "/many", "-o", text(&file)]).start();
        reaches(&between, 2, "POST", "/values");
        let done = interrupt(child, &between);
        assert!(done.stdout.is_empty() && !unfinished(&home), "{done:?}");
        assert_eq!(std::fs::read_to_string(&file).ok().as_deref(), before);
    }
}

#[test]
fn an_export_that_is_interrupted_while_it_writes_is_whole_or_not_there() {
    let home = Home::new();
    let large = "canary ".repeat(9000);
    let secrets: Map<String, Value> = (0..60).map(|number| (format!("/large/{number}"), json!(large))).collect();
    home.feed(&["import", "-"], json!(secrets).to_string());
    let file = home.path("out.json");
    let mut whole = None;
    for _ in 0..6 {
        let child = home.command(&["export", "/large", "-o", text(&file)]).start();
        let begun = wait_for(PATIENCE, || (unfinished(&home) || file.exists()).then_some(()));
        assert!(begun.is_some(), "nothing is written");
        let _ = kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT);
        let done = child.wait_with_output().unwrap();
        assert!(matches!(done.status.code(), Some(0 | 130)), "{done:?}");
        assert!(!unfinished(&home), "values are left behind");
        if file.exists() {
            let whole = whole.get_or_insert_with(|| home.ok(&["export", "/large"]));
            assert_eq!(content(&file).len(), whole.len());
            std::fs::remove_file(&file).unwrap();
        }
    }
}

#[test]
fn an_interrupted_copy_goes_on() {
    let (home, source) = filled("/from", 40);
    home.feed(&["import", "-"], &source);
    let between = stand(&home, hang_after(12, "POST", "/secrets"));
    let child = by(&home, &between, &["cp", "-r", "/from", "/to"]).start();
    reaches(&between, 13, "POST", "/secrets");
    interrupt(child, &between);
    let counts = &home.json(&["cp", "-r", "/from", "/to"])["counts"];
    let count = |status: &str| counts[status].as_u64().unwrap_or(0);
    assert!(count("unchanged") >= 1 && count("unchanged") + count("copied") == 40, "{counts}");
    assert_eq!((names(&home, "/from"), names(&home, "/to").len()), (names(&home, "/to"), 40));
}

#[test]
fn how_far_it_is_is_told_to_people_only() {
    let (home, source) = filled("/many", 30);
    let file = home.path("source.json");
    std::fs::write(&file, &source).unwrap();
    let between = stand(&home, hang_after(10, "POST", "/secrets"));
    let typist = by(&home, &between, &["import", text(&file)]).on_terminal(80);
    typist.sees("writing [").sees("/30").types("\u{3}");
    let (code, shown) = typist.ends();
    assert!(code == Some(130) && !shown.contains("canary"), "{shown}");
    between.settle();
    let between = stand(&home, hang_after(0, "POST", "/values"));
    let typist = by(&home, &between, &["export", "/many", "-o", text(&home.path("out"))]).on_terminal(80);
    reaches(&between, 1, "POST", "/values");
    typist.types("\u{3}");
    assert_eq!(typist.ends().0, Some(130));

    for arguments in [&["import", text(&file)][..], &["export", "/many", "-o", text(&home.path("out"))]] {
        let done = home.command(arguments).run();
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(!done.stderr.contains("ing") && !done.stderr.contains('\u{1b}'), "{done:?}");
        // A person reads standard error, and a program standard output.
        let done = home.command(&[arguments, &["--json"]].concat()).run();
        assert_eq!(done.stderr, "");
    }
}

/// A token of the owner's, and where it is deleted.
fn token(home: &Home) -> (String, String) {
    let made = home.json(&["iam", "tokens", "create", "short-lived"]);
    let text = |member: &str| made[member].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (text("token"), format!("/v1/me/personal-access-tokens/{}", text("identity")))
}

#[test]
fn a_token_that_ends_keeps_an_export_from_being_written() {
    let (home, source) = filled("/many", 120);
    home.feed(&["import", "-"], &source);
    let (token, place) = token(&home);
    let (owner, seen) = (home.client(), AtomicUsize::new(0));
    let between = stand(&home, move |passing| {
        if passing.is("POST", "/values") && seen.fetch_add(1, Ordering::Relaxed) == 1 {
            owner.delete(&place).empty();
        }
        Deal::Forward
    });
    let file = home.path("out.json");
    let said = by(&home, &between, &["export", "/many", "-o", text(&file)]).env("STRONGROOM_TOKEN", &token).fails(4);
    assert!(said.contains("strongroom login") && !said.contains("canary"), "{said}");
    assert!(!file.exists() && !unfinished(&home));
}

#[test]
fn a_token_that_ends_stops_a_move() {
    let (home, source) = filled("/from", 60);
    home.feed(&["import", "-"], &source);
    let (token, place) = token(&home);
    let (owner, seen) = (home.client(), AtomicUsize::new(0));
    let between = stand(&home, move |passing| {
        if passing.line.starts_with("DELETE") && seen.fetch_add(1, Ordering::Relaxed) == 10 {
            owner.delete(&place).empty();
        }
        Deal::Forward
    });
    let run = by(&home, &between, &["mv", "-r", "/from", "/to", "--yes", "--json"]);
    let done = run.env("STRONGROOM_TOKEN", &token).run();
    assert_eq!(done.code, Some(7), "{done:?}");
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    let with = |status: &str| -> BTreeSet<String> {
        let rows = told["secrets"].as_array().unwrap().iter().filter(|row| row["status"] == status);
        rows.map(|row| row["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
    };
    let (moved, failed, not_done) = (with("moved"), with("failed"), with("not done"));
    assert_eq!(moved.len() + failed.len() + not_done.len(), 60, "{told}");
    // What was under way fails; nothing is begun after it.
    assert!(moved.len() >= 10 && (1..=8).contains(&failed.len()) && not_done.len() >= 30, "{told}");
    let all: BTreeSet<String> = (0..60).map(|number| format!("{number:03}")).collect();
    assert_eq!(names(&home, "/from"), &all - &moved);
    assert!(names(&home, "/to").is_superset(&moved) && names(&home, "/to").is_disjoint(&not_done));
    let told = home.json(&["mv", "-r", "/from", "/to", "--yes"]);
    assert_eq!(told["counts"], json!({"moved": 60 - moved.len()}));
    assert_eq!(names(&home, "/to"), all);
}

#[test]
fn what_was_under_way_is_told() {
    let (home, source) = filled("/many", 40);
    let (refused, tries) = (Event::default(), AtomicUsize::new(0));
    let between = stand(&home, move |passing| {
        if !passing.is("POST", "/secrets") {
            return Deal::Forward;
        }
        if passing.says("/many/004") {
            // The last of all tries.
            if tries.fetch_add(1, Ordering::Relaxed) == 3 {
                refused.happen();
            }
            return Deal::refuse(503, "busy");
        }
        refused.wait();
        Deal::Forward
    });
    let done = by(&home, &between, &["import", "-", "--json"]).input(&source).run();
    assert_eq!(done.code, Some(7), "{done:?}");
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["counts"]["failed"], 1, "{told}");
    between.settle();
    let created = told["secrets"].as_array().unwrap().iter().filter(|row| row["status"] == "created");
    let created: BTreeSet<_> =
        created.map(|row| row["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect();
    assert_eq!(created, names(&home, "/many"));
    assert!((7..39).contains(&created.len()), "{told}");
}

#[test]
fn a_deletion_whose_answer_was_lost_is_found_out() {
    let home = Home::new();
    home.feed(&["put", "/a/x"], "1");
    let lose = |passing: &Passing| if passing.line.starts_with("DELETE") { Deal::LoseAnswer } else { Deal::Forward };
    let between = stand(&home, lose);
    assert_eq!(by(&home, &between, &["mv", "/a/x", "/b/x", "--yes"]).ok(), "moved\t1\t1\t0\n");
    assert_eq!((home.ok(&["ls", "-r", "/"]).as_str(), home.value("/b/x")), ("/b/x\n", b"1".to_vec()));
    // A later run can't know what stood there.
    let said = home.command(&["mv", "/a/x", "/b/", "--yes"]).fails(3);
    assert!(said.contains("there is one at /b/x, so perhaps it was moved before"), "{said}");
    let said = home.command(&["mv", "/a/x", "/c/x", "--yes"]).fails(3);
    assert!(!said.contains("perhaps"), "{said}");

    // One that was never done is not taken for done.
    home.feed(&["put", "/a/y"], "1");
    let lose =
        |passing: &Passing| if passing.line.starts_with("DELETE") { Deal::refuse(502, "") } else { Deal::Forward };
    let said = by(&home, &stand(&home, lose), &["mv", "/a/y", "/b/y", "--yes"]).run();
    assert!(said.code == Some(6) && said.stderr.contains("may have been done"), "{said:?}");
    assert_eq!(home.ok(&["mv", "/a/y", "/b/y", "--yes"]), "moved\t1\t1\t0\n");
}

#[test]
fn a_put_in_the_moment_of_the_deletion_keeps_the_source() {
    let home = Home::new();
    for (more, advice) in [(&[][..], "takes along what is new"), (&["--current-only"], "delete /b/x")] {
        home.feed(&["put", "/a/x"], "1");
        let owner = home.client();
        let between = stand(&home, move |passing| {
            if passing.line.starts_with("DELETE") {
                let put = json!({"secretString": strongroom_tests::base64("2")});
                owner.post(format!("{}/versions", owner.secret("/a/x")), &put).ok(201);
            }
            Deal::Forward
        });
        let line = [&["mv", "/a/x", "/b/x", "--yes"], more].concat();
        let said = by(&home, &between, &line).run();
        assert_eq!(said.code, Some(5), "{said:?}");
        assert!(said.stderr.contains("changed meanwhile") && said.stderr.contains(advice), "{said:?}");
        assert_eq!((home.value("/a/x"), home.value("/b/x")), (b"2".to_vec(), b"1".to_vec()));
        if !more.is_empty() {
            home.command(&line).fails(5);
            home.ok(&["delete", "/b/x", "--yes"]);
        }
        home.ok(&line);
        assert_eq!(home.value("/b/x"), b"2");
        home.command(&["get", "/a/x"]).fails(3);
        home.ok(&["delete", "/b/x", "--yes"]);
    }
}

/// Answers in place of a server whose KMS is away for a secret, so many times.
fn away(most: usize) -> impl Fn(&Passing) -> Deal {
    let seen = AtomicUsize::new(0);
    move |passing| {
        if !passing.is("POST", "/values") || seen.fetch_add(1, Ordering::Relaxed) >= most {
            return Deal::Forward;
        }
        let asked: Value = serde_json::from_slice(&passing.body).unwrap();
        let paths = asked["paths"].as_array().cloned().unwrap_or_else(|| vec![json!("/a/1"), json!("/a/2")]);
        let item = |path| json!({"path": path, "status": "failed", "code": "kms_unavailable", "message": "No KMS."});
        Deal::Answer(200, json!({"items": paths.into_iter().map(item).collect::<Vec<_>>()}))
    }
}

#[test]
fn what_the_server_can_not_give_now_is_not_missing() {
    let home = Home::new();
    let file = home.path("source.json");
    std::fs::write(&file, r#"{"/a/1": "1", "/a/2": "2"}"#).unwrap();
    home.ok(&["import", text(&file)]);
    let out = home.path("out.json");
    let commands = [
        &["export", "/a", "-o", text(&out)][..],
        &["export", "/a", "-o", text(&out), "--allow-missing"],
        &["run", "--path", "/a", "--", "touch", text(&out)],
        &["run", "--map", "X=/a/1", "--allow-missing", "--", "touch", text(&out)],
        &["import", text(&file)],
    ];
    for arguments in commands {
        let said = by(&home, &stand(&home, away(usize::MAX)), arguments).fails(6);
        assert!(said.contains("try again") && said.contains("No KMS.") && !said.contains("--allow-missing"), "{said}");
        assert!(!out.exists(), "{arguments:?}");
    }
    for arguments in commands {
        by(&home, &stand(&home, away(2)), arguments).ok();
        let _ = std::fs::remove_file(&out);
    }
}

#[test]
fn a_plan_that_fails_names_what_it_was_about() {
    let (home, source) = filled("/from", 5);
    home.feed(&["import", "-"], &source);
    let between =
        stand(
            &home,
            |passing| {
                if passing.is("GET", "/to/003") { Deal::refuse(500, "internal") } else { Deal::Forward }
            },
        );
    let said = by(&home, &between, &["cp", "-r", "/from", "/to"]).fails(1);
    assert!(said.contains("/from/003 to /to/003: No."), "{said}");
    assert!(names(&home, "/to").is_empty());
}
