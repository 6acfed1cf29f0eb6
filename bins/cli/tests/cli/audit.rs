//! The audit log: looking, following, taking it out, verifying that.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::support::{Done, Home, content, text};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::OpenOptions;
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
