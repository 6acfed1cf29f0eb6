//! What goes wrong around a command: no server, bad credentials, a full disk, a closed pipe, a signal.

use crate::support::{Home, Run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;
use strongroom_tests::wait_for;

/// Every command that speaks to a server, with what it needs.
const COMMANDS: [&[&str]; 16] = [
    &["get", "/x"],
    &["put", "/x"],
    &["put", "/x", "--create"],
    &["ls"],
    &["ls", "-r"],
    &["tree"],
    &["describe", "/x"],
    &["history", "/x"],
    &["diff", "/x"],
    &["rotate", "/x"],
    &["rotate", "/x", "--key", "a"],
    &["destroy", "/x", "1", "--yes"],
    &["delete", "/x", "--yes"],
    &["delete", "/x", "--yes", "--recursive"],
    &["patch", "/x", "--label", "a=b"],
    &["regions"],
];

fn error_of(run: Run) -> (Option<i32>, Value) {
    let done = run.run();
    assert!(done.stdout.is_empty(), "{done:?}");
    let error: Value = serde_json::from_str(&done.stderr).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    (done.code, error["error"].clone())
}

#[test]
fn without_a_server_every_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for arguments in COMMANDS {
        let arguments = [arguments, &["--timeout", "2s"]].concat();
        let run = |more: &[&str]| {
            Run::new(&[&arguments[..], more].concat(), folder.path())
                .env("STRONGROOM_ADDR", format!("http://127.0.0.1:{port}"))
                .env("STRONGROOM_TOKEN", "canary")
                .env("STRONGROOM_REGION", "nl-01")
                .input("v")
        };
        let said = run(&[]).fails(6);
        assert!(!said.contains("canary"), "{said}");
        let (code, error) = error_of(run(&["--json"]));
        assert_eq!((code, &error["exit"]), (Some(6), &json!(6)), "{arguments:?}");
        assert!(error["hint"].is_string(), "{error}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = Run::new(&["ls", "--timeout", "300ms"], folder.path())
        .env("STRONGROOM_ADDR", format!("http://{}", listener.local_addr().unwrap()))
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01");
    let said = run.fails(6);
    assert!(said.contains("--timeout"), "{said}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a real server looks at the real clock")]
fn wrong_and_expired_tokens_are_told() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    for arguments in COMMANDS {
        let said = home.command(arguments).env("STRONGROOM_TOKEN", "canary-wrong").input("v").fails(4);
        assert!(said.contains("strongroom login") && !said.contains("canary"), "{said}");
    }
    let client = home.client();
    let soon = time::OffsetDateTime::from(std::time::SystemTime::now()) + Duration::from_secs(2);
    let soon = soon.format(&time::format_description::well_known::Rfc3339).unwrap();
    let body = json!({"name": "short", "scopes": ["api:read", "api:write"], "expiresAt": soon});
    let made = client.post("/v1/me/personal-access-tokens", &body).ok(201);
    let token = made["token"].as_str().unwrap();
    let expired = wait_for(Duration::from_secs(30), || {
        let done = home.command(&["get", "/x"]).env("STRONGROOM_TOKEN", token).run();
        (done.code == Some(4)).then_some(done)
    });
    let done = expired.expect("the token expires");
    assert!(done.stderr.contains("have expired") && !done.stderr.contains(token), "{done:?}");
}

#[test]
fn a_full_disk_is_told() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    home.feed(&["put", "/x"], "w");
    for arguments in [&["get", "/x"][..], &["ls"], &["tree"], &["describe", "/x"], &["history", "/x"], &["diff", "/x"]]
    {
        for more in [&[][..], &["--json"]] {
            let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
            let done = home.command(&[arguments, more].concat()).stdout(full).run();
            assert_eq!(done.code, Some(1), "{arguments:?} {done:?}");
            assert!(done.stderr.contains("cannot be written"), "{done:?}");
        }
    }
    let done = home.command(&["get", "/x", "--file", "/dev/full/x"]).run();
    assert!(done.code == Some(1) && done.stderr.contains("/dev/full/x cannot be written"), "{done:?}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let home = Home::new();
    home.feed(&["put", "/x"], vec![b'v'; 60_000]);
    for arguments in [&["get", "/x"][..], &["ls"], &["regions", "--json"], &["status"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = home.command(arguments).stdout(writer).run();
        assert_eq!((done.code, done.stderr.as_str()), (Some(141), ""), "{arguments:?}");
    }
}

#[test]
fn an_interrupt_ends_at_once_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    for (signal, code) in [(Signal::INT, 130), (Signal::QUIT, 131), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let out = folder.path().join("out");
        let run = Run::new(&["get", "/x", "--file", out.to_str().unwrap()], folder.path())
            .env("STRONGROOM_ADDR", format!("http://{}", listener.local_addr().unwrap()))
            .env("STRONGROOM_TOKEN", "t")
            .env("STRONGROOM_REGION", "nl-01");
        let child = run.start();
        // It waits for an answer now.
        let accepted = wait_for(Duration::from_secs(30), || listener.accept().ok());
        let (mut connection, _) = accepted.expect("the command connects");
        connection.set_nonblocking(false).unwrap();
        assert!(connection.read(&mut [0; 16]).unwrap() > 0);
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_no_strongroom_server_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = |address: &str| {
        Run::new(&["ls"], folder.path())
            .env("STRONGROOM_ADDR", address)
            .env("STRONGROOM_TOKEN", "t")
            .env("STRONGROOM_REGION", "nl-01")
    };
    for address in ["nonsense", "ftp://x", "http://user:pw@127.0.0.1"] {
        run(address).fails(2);
    }
    let said = run("http://strongroom.example").fails(2);
    assert!(said.contains("--allow-plain-http"), "{said}");
    run("https://127.0.0.1:1").fails(6);
}

#[test]
fn a_wrong_command_line_is_told_in_the_form_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["get"][..], &["nope"], &["get", "/a", "--nope"], &["put", "/a", "--stdin", "--generate"]] {
        let done = Run::new(arguments, folder.path()).run();
        assert!(done.code == Some(2) && done.stdout.is_empty() && done.stderr.contains("--help"), "{done:?}");
        let (code, error) = error_of(Run::new(&[arguments, &["--json"]].concat(), folder.path()));
        assert!(code == Some(2) && error["hint"].as_str().unwrap().contains("--help"), "{error}");
    }
    assert!(Run::new(&["--help"], folder.path()).ok().contains("Exit codes:"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(Run::new(&["--help"], folder.path()).stdout(writer).run().code, Some(141));
}

#[test]
fn paths_are_checked_before_a_server_is_asked() {
    let home = Home::new();
    for path in ["/a//b", "/a/../b", "/a b", "/ä", "/a\u{1b}[2J", "/"] {
        let done = home.bare(&["get", path]).run();
        assert!(done.code == Some(2) && !done.stderr.contains('\u{1b}'), "{done:?}");
    }
}

#[test]
fn input_that_is_too_large_is_not_sent() {
    let home = Home::new();
    let said = home.command(&["put", "/x"]).input(vec![0; 3 * 1024 * 1024]).fails(2);
    assert!(said.contains("2 MiB"), "{said}");
    let said = home.command(&["put", "/x"]).input(vec![0; 70_000]).fails(1);
    assert!(said.contains("65536") || said.contains("64 KiB") || said.contains("65,536"), "{said}");
    let endless = File::open("/dev/zero").unwrap();
    drop(endless);
    home.command(&["put", "/x", "--file", "/dev/zero"]).fails(2);
    home.command(&["put", "/x", "--file", "/"]).fails(2);
}

#[test]
fn a_server_that_hangs_up_is_asked_a_few_times_only() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            drop(connection);
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    Run::new(&["ls"], folder.path())
        .env("STRONGROOM_ADDR", address)
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01")
        .fails(6);
    let all =
        wait_for(Duration::from_secs(10), || (asked.load(std::sync::atomic::Ordering::SeqCst) >= 4).then_some(()));
    assert!(all.is_some() && asked.load(std::sync::atomic::Ordering::SeqCst) == 4, "{asked:?}");
}
