//! Signals that a command was started to ignore stay ignored, by it and by what it becomes.

use crate::support::{Home, Run};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;
use strongroom_tests::wait_for;

/// Signal 1 and 2, 3, 15.
const HUP_INT_QUIT_TERM: u64 = 1 | 1 << 1 | 1 << 2 | 1 << 14;

#[test]
fn what_is_run_ignores_what_its_parent_did() {
    let home = Home::new();
    home.feed(&["put", "/other/key"], "k");
    let ignored = |signals: Option<&str>| {
        let run = home.command(&["run", "--path", "/other", "--", "grep", "^SigIgn", "/proc/self/status"]);
        let line = match signals {
            Some(signals) => run.ignoring(signals).ok(),
            None => run.ok(),
        };
        u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap() & HUP_INT_QUIT_TERM
    };
    assert_eq!(ignored(Some("HUP INT QUIT TERM")), HUP_INT_QUIT_TERM);
    assert_eq!(ignored(Some("HUP")), 1);
    assert_eq!(ignored(None), 0);
}

#[test]
fn a_command_goes_on_through_a_signal_that_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let child = Run::new(&["get", "/x"], folder.path())
        .env("STRONGROOM_ADDR", format!("http://{}", listener.local_addr().unwrap()))
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01")
        .ignoring("HUP")
        .start();
    let accepted = wait_for(Duration::from_secs(30), || listener.accept().ok());
    let (mut connection, _) = accepted.expect("the command connects");
    connection.set_nonblocking(false).unwrap();
    assert!(connection.read(&mut [0; 16]).unwrap() > 0);
    let id = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // Were the first one heard, it would end by that.
    kill_process(id, Signal::HUP).unwrap();
    kill_process(id, Signal::QUIT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(131));
}
