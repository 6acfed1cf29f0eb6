//! Durability, not only survival: an answer leaves only when what it tells is synced. Needs `strace`.

use crate::database;
use crate::strace::{Durable, TRACED, Violation, durable_before_answer, parse};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use strongroom_tests::{Launch, strongroomd, wait_for};

/// What the lane tells SQLite, as it stands in the binary, and the same without durability, of the same length.
const SYNCHRONOUS: &[u8] = b"PRAGMA synchronous = FULL;";
const NOT_SYNCHRONOUS: &[u8] = b"PRAGMA synchronous = OFF ;";

/// Runs a put, a destroy and a reveal of the binary under strace, and says of each whether it was durable when it was answered.
fn trace(binary: &Path) -> [(&'static str, Result<Durable, Violation>); 3] {
    let strace = Command::new("strace").arg("-V").stdout(Stdio::null()).status();
    assert!(
        strace.is_ok_and(|status| status.success()),
        "strace is missing: install it (Debian, Ubuntu: apt-get install strace)"
    );
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let transcript = folder.path().join("transcript");
    // The command line ends with the path of the server's binary and its arguments: another binary takes its place.
    let script = "transcript=$1 calls=$2 binary=$3; shift 4
        exec strace -D -f -y -xx -s 5000 -o \"$transcript\" -e \"$calls\" \"$binary\" \"$@\"";
    let server = Launch::dev(&data).under(&[&"sh", &"-c", &script, &"sh", &transcript, &TRACED, &binary]).start();
    let client = server.client();
    client.create("/durable", "first").ok(201);
    client.put_value("/durable", "second").ok(201);
    client.destroy("/durable", 1).empty();
    client.reveal("/durable", None).ok(200);
    let (put, destroy, reveal) = (
        format!("POST {}/versions", client.secret("/durable")),
        format!("DELETE {}/versions?version=1", client.secret("/durable")),
        format!("POST {}/value", client.secret("/durable")),
    );
    let pid = server.pid();
    server.stop();
    let text = wait_for(Duration::from_secs(30), || {
        let text = std::fs::read_to_string(&transcript).ok()?;
        text.lines().any(|line| line.starts_with(&format!("{pid} ")) && line.contains("+++ exited")).then_some(text)
    });
    let calls = parse(&text.expect("the end of the transcript"));
    let database = database::file(&data.canonicalize().unwrap());
    let check = |request: &str| durable_before_answer(&calls, request, database.to_str().unwrap());
    [("put", check(&put)), ("destroy", check(&destroy)), ("reveal", check(&reveal))]
}

#[test]
fn answers_leave_after_the_sync() {
    for (operation, verdict) in trace(&strongroomd()) {
        match verdict {
            Ok(durable) => println!("{operation}: {durable:?}"),
            Err(violation) => panic!("{operation}: {violation}"),
        }
    }
}

/// The check sees what it is there for: in a copy of the binary, SQLite is told not to sync. No configuration can do that, so
/// the text of the statement is overwritten in the file.
#[test]
fn without_synchronous_writes_the_check_fails() {
    let folder = tempfile::tempdir().unwrap();
    let patched = folder.path().join("strongroomd");
    let mut bytes = std::fs::read(strongroomd()).unwrap();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, SYNCHRONOUS).collect();
    assert!(!places.is_empty(), "the binary holds no `{}`: change it here too", String::from_utf8_lossy(SYNCHRONOUS));
    for place in places {
        bytes[place..place + SYNCHRONOUS.len()].copy_from_slice(NOT_SYNCHRONOUS);
    }
    std::fs::copy(strongroomd(), &patched).unwrap();
    std::fs::write(&patched, bytes).unwrap();
    for (operation, verdict) in trace(&patched) {
        let caught = matches!(verdict, Err(Violation::NotSynced { .. }));
        assert!(caught, "{operation} without syncs: {verdict:?}");
    }
}
