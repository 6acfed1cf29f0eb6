//! Standard output that takes nothing: a full disk, and a pipe that nobody reads any more.

use crate::support::Home;
use std::fs::OpenOptions;

/// What shows something, all of which is there.
const SHOWN: [&str; 26] = [
    "get /x",
    "ls",
    "ls -r",
    "tree",
    "describe /x",
    "history /x",
    "diff /x",
    "status",
    "regions",
    "policy get /x",
    "explain --operation secret.value.read --path /x",
    "export /x",
    "kms ls",
    "kms get k",
    "kms summary",
    "iam roles ls",
    "iam roles get org-auditor",
    "iam memberships ls",
    "iam users ls",
    "iam service-accounts ls",
    "iam tokens ls",
    "audit ls",
    "audit export",
    "completion bash",
    "man",
    "--help",
];

fn with_what_is_shown() -> Home {
    let home = Home::new();
    home.feed(&["put", "/x"], vec![b'v'; 60_000]);
    home.feed(&["put", "/x"], "w");
    home.ok(&["kms", "create", "k"]);
    home.ok(&["iam", "service-accounts", "create", "a"]);
    home.ok(&["iam", "tokens", "create", "t"]);
    home
}

#[test]
fn whatever_is_shown_a_full_disk_and_a_closed_pipe_end_it() {
    let home = with_what_is_shown();
    for command in SHOWN {
        let arguments: Vec<&str> = command.split(' ').collect();
        assert_eq!(home.command(&arguments).run().code, Some(0), "{command}");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = home.command(&arguments).stdout(full).run();
        assert!(done.code == Some(1) && done.stderr.contains("cannot be written"), "{command}: {done:?}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let done = home.command(&arguments).stdout(writer).run();
        assert_eq!((done.code, done.stderr.as_str()), (Some(141), ""), "{command}");
    }
    // What is done is done, and it is told that nobody could be told.
    for command in ["put /y --generate --json", "cp /x /z --json", "kms rotate k --json"] {
        let arguments: Vec<&str> = command.split(' ').collect();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = home.command(&arguments).stdout(full).run();
        assert!(done.code == Some(1) && done.stderr.contains("cannot be written"), "{command}: {done:?}");
    }
    assert_eq!(home.ok(&["ls"]), "/x\n/y\n/z\n");
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
