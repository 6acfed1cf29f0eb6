//! The audit log: looking, following, taking it out, verifying that.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::between::{Between, Deal, Event};
use crate::run::Reader;
use crate::support::{Done, Home, Run, content, text};
use core::sync::atomic::{AtomicUsize, Ordering};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;
use strongroom_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

fn seen(home: &Home, arguments: &[&str], count: usize) -> Vec<Value> {
    let found = wait_for(PATIENCE, || {
        let entries = home.json(&[&["audit", "ls"], arguments].concat());
        Some(entries.as_array().unwrap().clone()).filter(|entries| entries.len() >= count)
    });
    found.unwrap_or_else(|| panic!("never {count} entries of {arguments:?}"))
}

#[test]
fn entries_are_found_by_what_they_are() {
    let home = Home::new();
    home.feed(&["put", "/a"], "canary");
    home.ok(&["get", "/a"]);
    home.command(&["get", "/b"]).fails(3);
    let reveals = seen(&home, &["--action", "secret.value.read"], 2);
    assert_eq!((&reveals[0]["resourceIdentity"], &reveals[1]["resourceIdentity"]), (&"/b".into(), &"/a".into()));
    assert_eq!(seen(&home, &["--action", "secret.value.read,secret.create", "--resource", "/a"], 2).len(), 2);
    assert_eq!(seen(&home, &["--status", "404", "--action", "secret.value.read"], 1).len(), 1);
    assert_eq!(seen(&home, &["-n", "1", "--type", "secret"], 1).len(), 1);
    assert_eq!(home.ok(&["audit", "ls", "--to", "2020-01-01T00:00:00Z"]), "");
    let line = home.ok(&["audit", "ls", "--action", "secret.value.read", "-n", "1"]);
    assert!(line.contains("\tsecret.value.read\t/b\towner\t127.0.0.1\tfailure\treq-"), "{line}");
    let everything = home.ok(&["audit", "ls", "-n", "2000", "--json"]);
    assert!(!everything.contains("canary"));
    let said = home.command(&["audit", "ls", "--action", "secret.value.raed"]).fails(1);
    assert!(said.contains("secret.value.re"), "{said}");
}

#[test]
fn the_log_is_followed() {
    let home = Home::new();
    home.feed(&["put", "/a"], "v");
    seen(&home, &["--action", "secret.create"], 1);
    let tail = ["audit", "tail", "-n", "1", "--every", "100ms", "--json", "--type", "secret"];
    let typist = home.command(&tail).on_terminal(80);
    let count = |count: usize| {
        let came = wait_for(PATIENCE, || (typist.shown().lines().count() >= count).then_some(()));
        assert!(came.is_some(), "{}", typist.shown());
    };
    count(1);
    for _ in 0..5 {
        home.ok(&["get", "/a"]);
    }
    count(6);
    home.ok(&["get", "/a"]);
    count(7);
    kill_process(Pid::from_raw(i32::try_from(typist.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let (code, shown) = typist.ends();
    assert_eq!(code, Some(130));
    let lines: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let actions: Vec<&str> = lines.iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert_eq!(actions, [&["secret.create"][..], &["secret.value.read"; 6]].concat());
    let mut identities: Vec<&str> = lines.iter().map(|line| line["eventID"].as_str().unwrap()).collect();
    identities.sort_unstable();
    identities.dedup();
    assert_eq!(identities.len(), lines.len(), "an entry came twice");
}

#[test]
fn following_goes_on_when_the_server_was_away() {
    let home = Home::new();
    home.feed(&["put", "/a"], "v");
    seen(&home, &["--action", "secret.create"], 1);
    let (away, back) = (Event::default(), Event::default());
    let (is_away, is_back) = (away.clone(), back.clone());
    let between =
        Between::stand(home.server.address(), move |_| match is_away.has_happened() && !is_back.has_happened() {
            true => Deal::refuse(503, "not_ready"),
            false => Deal::Forward,
        });
    let tail = home.command(&["audit", "tail", "--every", "100ms", "--type", "secret", "--no-color"]);
    let typist = tail.env("STRONGROOM_ADDR", &between.address).on_terminal(200);
    typist.sees("secret.create");
    away.happen();
    let note = "going on as soon as it answers again";
    typist.sees(note);
    let asked = between.count("GET", "");
    // Each look asks four times.
    assert!(wait_for(PATIENCE, || (between.count("GET", "") >= asked + 12).then_some(())).is_some());
    home.ok(&["get", "/a"]);
    back.happen();
    typist.sees("secret.value.read");
    kill_process(Pid::from_raw(i32::try_from(typist.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let (code, shown) = typist.ends();
    assert_eq!((code, shown.matches(note).count()), (Some(130), 1), "{shown}");
    // A table for each look that found something.
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    let headings = ["TIME", "ACTION", "RESOURCE", "CALLER", "FROM", "OUTCOME", "REQUEST"];
    assert_eq!(lines.iter().filter(|line| **line == headings).count(), 2, "{shown}");
    for action in ["secret.create", "secret.value.read"] {
        let rows = lines
            .iter()
            .filter(|line| line.len() == 8 && line[2..7] == [action, "/a", "owner", "127.0.0.1", "success"]);
        assert_eq!(rows.count(), 1, "{action} in {shown}");
    }
}

/// Follows the log into a file.
struct Following {
    child: Child,
    file: PathBuf,
}

impl Following {
    fn start(home: &Home, name: &str, run: Run) -> Self {
        let file = home.path(name);
        Self { child: run.stdout(File::create(&file).unwrap()).start(), file }
    }

    /// The lines, when there are so many.
    #[track_caller]
    fn lines(&self, count: usize) -> Vec<String> {
        let read = || String::from_utf8(content(&self.file)).unwrap();
        let came = wait_for(PATIENCE, || Some(read()).filter(|text| text.matches('\n').count() >= count));
        let came = came.unwrap_or_else(|| panic!("not {count} lines: {}", read()));
        came.lines().map(str::to_owned).collect()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_followed_by_a_program_is_lines_of_tabs() {
    let home = Home::new();
    home.feed(&["put", "/a"], "v");
    seen(&home, &["--action", "secret.create"], 1);
    let tail = home.command(&["audit", "tail", "-n", "1", "--every", "100ms", "--type", "secret"]);
    let mut tail = Following::start(&home, "followed", tail);
    tail.lines(1);
    home.ok(&["get", "/a"]);
    for (line, action) in tail.lines(2).iter().zip(["secret.create", "secret.value.read"]) {
        let cells: Vec<&str> = line.split('\t').collect();
        assert_eq!((cells.len(), &cells[1..6]), (7, &[action, "/a", "owner", "127.0.0.1", "success"][..]), "{line}");
    }
    kill_process(Pid::from_raw(i32::try_from(tail.child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    assert_eq!(tail.child.wait().unwrap().code(), Some(130));
}

#[test]
fn an_entry_that_is_found_late_is_shown_once_all_the_same() {
    let home = Home::new();
    for path in ["/before", "/late", "/found"] {
        home.feed(&["put", path], "v");
    }
    seen(&home, &["--action", "secret.create"], 3);
    // Of another server of the same database, which is a little behind: the first look finds what is newer, and what is older yet.
    let mut first = home.client().get("/v1/audit?action=secret.create").ok(200);
    let late = first["items"].as_array_mut().unwrap().remove(1);
    assert_eq!(
        (&late["resourceIdentity"], &first["items"][0]["resourceIdentity"]),
        (&"/late".into(), &"/found".into())
    );
    let looks = AtomicUsize::new(0);
    let between = Between::stand(home.server.address(), move |_| match looks.fetch_add(1, Ordering::Relaxed) {
        0 => Deal::Answer(200, first.clone()),
        _ => Deal::Forward,
    });
    let tail = ["audit", "tail", "-n", "1", "--every", "100ms", "--json", "--action", "secret.create"];
    let tail = Following::start(&home, "some", home.command(&tail).env("STRONGROOM_ADDR", &between.address));
    tail.lines(2);
    let forwarded = Between::stand(home.server.address(), |_| Deal::Forward);
    let none = ["audit", "tail", "-n", "0", "--every", "100ms", "--json", "--action", "secret.create"];
    let none = Following::start(&home, "none", home.command(&none).env("STRONGROOM_ADDR", &forwarded.address));
    assert!(wait_for(PATIENCE, || (forwarded.count("GET", "") >= 2).then_some(())).is_some());
    home.feed(&["put", "/after"], "v");
    // What was there before and was not asked for stays unseen.
    for (tail, wanted) in [(tail, &["/found", "/late", "/after"][..]), (none, &["/after"])] {
        let shown: Vec<Value> =
            tail.lines(wanted.len()).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let paths: Vec<_> = shown.iter().map(|entry| entry["resourceIdentity"].as_str().unwrap()).collect();
        assert_eq!(paths, wanted);
    }
}

#[test]
fn entries_are_found_by_who_called_when_and_by_any_text() {
    let home = Home::new();
    home.feed(&["put", "/app/x"], "v");
    let reader = Reader::of(&home, "reader", "read,getSecretValue", "/app/*");
    reader.command(&["get", "/app/x"]).ok();
    home.command(&["get", "/nothing-of-this-name"]).fails(3);
    let everything = seen(&home, &["--text", "/nothing-of-this-name"], 1);
    assert!(everything.iter().all(|entry| entry["resourceIdentity"] == "/nothing-of-this-name"), "{everything:?}");
    let account = home.json(&["iam", "service-accounts", "get", "reader"])["identity"].clone();
    let by_account = seen(&home, &["--service-account", "reader"], 1);
    assert!(by_account.iter().all(|entry| entry["serviceAccountIdentity"] == account), "{by_account:?}");
    let user = everything[0]["userIdentity"].as_str().unwrap();
    let by_user = seen(&home, &["--user", user, "--type", "secret"], 2);
    assert!(by_user.iter().all(|entry| entry["userIdentity"] == user), "{by_user:?}");
    assert!(seen(&home, &["--type", "secret"], 3).len() > by_user.len());

    let is_system = |entry: &Value| entry["action"] == "system.init";
    assert!(!seen(&home, &["-n", "1000"], 1).iter().any(is_system));
    assert!(seen(&home, &["-n", "1000", "--system"], 1).iter().any(is_system));

    let all = seen(&home, &["--resource", "/app/x"], 2);
    let (newest, oldest) = (all.first().unwrap(), all.last().unwrap());
    let time = |entry: &Value| entry["createdAt"].as_str().unwrap().to_owned();
    let since = home.json(&["audit", "ls", "--resource", "/app/x", "--from", &time(newest)]);
    let until = home.json(&["audit", "ls", "--resource", "/app/x", "--to", &time(newest)]);
    let holds = |entries: &Value, entry: &Value| {
        entries.as_array().unwrap().iter().any(|one| one["eventID"] == entry["eventID"])
    };
    assert!(holds(&since, newest) && !holds(&since, oldest), "{since}");
    assert!(holds(&until, oldest) && !holds(&until, newest), "{until}");
}

fn verify(home: &Home, file: &str, more: &[&str]) -> (Done, Value) {
    let done = home.bare(&[&["audit", "verify", file, "--json"], more].concat()).run();
    let report = serde_json::from_slice(&done.stdout).unwrap_or(Value::Null);
    (done, report)
}

#[test]
fn an_export_is_whole_and_verified_without_a_server() {
    let home = Home::new();
    for number in 0..20 {
        home.client().create(&format!("/s{number}"), "canary").ok(201);
    }
    seen(&home, &["--action", "secret.create"], 20);
    let file = home.path("log.jsonl");
    let told = home.json(&["audit", "export", "--output", text(&file)]);
    let written = String::from_utf8(content(&file)).unwrap();
    assert_eq!(told["records"].as_u64().unwrap() as usize, written.lines().count() - 2);
    let piped = home.ok(&["audit", "export", "--action", "secret.create"]);
    assert_eq!(piped.lines().count(), 22);
    assert!(!written.contains("canary"));

    let header: Value = serde_json::from_str(written.lines().next().unwrap()).unwrap();
    let key = header["keys"][0]["publicKey"].as_str().unwrap();
    let (done, report) = verify(&home, text(&file), &["--key", key]);
    assert_eq!((done.code, &report["wrong"], &report["records"]), (Some(0), &0.into(), &told["records"]), "{done:?}");
    assert!(report["signed"].as_u64().unwrap() > 0, "{report}");
    let (_, untrusted) = verify(&home, text(&file), &[]);
    assert!(untrusted["notProven"].to_string().contains("--key"), "{untrusted}");
    let other = strongroom_tests::base64([7; 32]);
    let (_, other) = verify(&home, text(&file), &["--key", &other]);
    assert_eq!(other["signed"], 0);

    let lines: Vec<&str> = written.lines().collect();
    let record: Value = serde_json::from_str(lines[5]).unwrap();
    let canonical = record["canonical"].as_str().unwrap();
    let flipped = |text: &str| format!("{}{}", if text.starts_with('A') { 'B' } else { 'A' }, &text[1..]);
    let with = |name: &str, old: &str| {
        written.replacen(&format!("\"{name}\":\"{old}"), &format!("\"{name}\":\"{}", flipped(old)), 1)
    };
    let signed = lines.iter().find(|line| line.contains("\"signature\"")).unwrap();
    let signature = serde_json::from_str::<Value>(signed).unwrap()["signature"].as_str().unwrap().to_owned();
    let changed = home.path("changed.jsonl");
    for (what, tampered) in [
        ("changed", with("canonical", canonical)),
        ("changed", with("hash", record["hash"].as_str().unwrap())),
        ("signature", with("signature", &signature)),
        ("torn", written.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n"),
        ("torn", written[..written.len() - 10].to_owned()),
        ("torn", written.replacen(&format!("{}\n", lines[7]), "", 1)),
        ("belongs", written.clone() + "{}\n"),
    ] {
        assert_ne!(tampered, written);
        std::fs::write(&changed, &tampered).unwrap();
        let (done, report) = verify(&home, text(&changed), &["--key", key]);
        assert_eq!(done.code, Some(1), "{what} {done:?}");
        assert!(report["findings"].to_string().contains(what), "{what} {report}");
    }
    for (wrong, code) in [("", 2), ("{}\n", 2), ("\0\u{1b}[2J", 2)] {
        std::fs::write(&changed, wrong).unwrap();
        let said = home.bare(&["audit", "verify", text(&changed)]).fails(code);
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    home.bare(&["audit", "verify", "/nowhere"]).fails(2);
    let said = home.bare(&["audit", "verify", text(&file), "--key", "nokey"]).fails(2);
    assert!(said.contains("neither a public key in base64 nor a file"), "{said}");

    // Keys in files and on standard input, which is read once, and by a command line that is understood only.
    let keys = home.path("log.pub");
    std::fs::write(&keys, format!("{key}\n")).unwrap();
    assert_eq!(verify(&home, text(&file), &["--key", text(&keys)]).1["signed"], report["signed"]);
    let piped = home.bare(&["audit", "verify", text(&file), "--key", "-", "--json"]).input(key).ok();
    assert_eq!(serde_json::from_str::<Value>(&piped).unwrap()["signed"], report["signed"]);
    home.bare(&["audit", "verify", "-", "--key", key]).input(&written).ok();
    for twice in [&["-", "--key", "-"][..], &[text(&file), "--key", "-", "--key", "-"]] {
        let said = home.bare(&[&["audit", "verify"], twice].concat()).input(key).fails(2);
        assert!(said.contains("standard input"), "{said}");
    }
    std::fs::write(&keys, "no key\n").unwrap();
    let said = home.bare(&["audit", "verify", text(&file), "--key", text(&keys)]).fails(2);
    assert!(said.contains("holds no public key"), "{said}");
    let (code, shown) = home.bare(&["audit", "verify", "--key", "-", "--nope"]).on_terminal(80).ends();
    assert_eq!(code, Some(2), "{shown}");
}

#[test]
fn an_export_that_cannot_be_written_leaves_nothing() {
    let home = Home::new();
    let said = home.command(&["audit", "export", "--output", "/dev/full/x"]).fails(1);
    assert!(said.contains("/dev/full/x"), "{said}");
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done = home.command(&["audit", "export"]).stdout(full).run();
    assert!(done.code == Some(1) && done.stderr.contains("cannot be written"), "{done:?}");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = home.command(&["audit", "export"]).stdout(writer).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(141), ""));
    // A server that breaks off in the middle.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let torn = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        let _ = std::io::Read::read(&mut stream, &mut head).unwrap();
        let body = "{\"type\":\"header\",\"format\":1,\"exportedAt\":\"x\",\"organisation\":\"o\",\"keys\":[]}\n";
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n{body}");
        std::io::Write::write_all(&mut stream, answer.as_bytes()).unwrap();
    });
    let file = home.path("torn.jsonl");
    let run =
        home.command(&["audit", "export", "--output", text(&file)]).env("STRONGROOM_ADDR", format!("http://{address}"));
    let done = run.run();
    torn.join().unwrap();
    assert!(done.code != Some(0) && done.stderr.contains("no end"), "{done:?}");
    assert!(
        !file.exists()
            && std::fs::read_dir(home.folder.path())
                .unwrap()
                .all(|entry| { !entry.unwrap().file_name().to_str().unwrap().starts_with(".strongroom-") })
    );
}
