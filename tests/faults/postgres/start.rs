//! A server that can't get on with its start, because somebody holds what it needs, or the database is not the primary yet.

use super::place::Place;
use super::session::Session;
use rustix::process::Signal;
use std::path::PathBuf;
use std::time::Duration;
use strongroom_tests::{Begun, Launch};

/// The lock under which the schema is changed.
const LOCK: &str = "SELECT pg_advisory_lock(x'5354524f4e47524d'::bigint)";
/// Far less than a start waits for a lock.
const SOON: Duration = Duration::from_secs(20);

/// The sockets of a process that take connections, as the kernel numbers them.
fn listeners(process: &Begun) -> Vec<String> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let listening = |line: &str| {
        let mut columns = line.split_whitespace().skip(3);
        // TCP_LISTEN; the inode is six columns later.
        (columns.next() == Some("0A")).then(|| columns.nth(5).unwrap().to_owned())
    };
    let all: Vec<String> = sockets.lines().filter_map(listening).collect();
    assert!(!all.is_empty(), "not even the database listens: {sockets}");
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap();
    let own: Vec<PathBuf> = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()).collect();
    all.into_iter().filter(|inode| own.contains(&PathBuf::from(format!("socket:[{inode}]")))).collect()
}

/// A start that waits for a lock takes no connections, and ends when it is asked to.
fn stopped(place: &Place, launch: Launch) {
    let starting = launch.log("info").begin();
    place.wait_for_waiting(1);
    let listeners = listeners(&starting);
    assert!(listeners.is_empty(), "connections are taken before there is a store: {listeners:?}");
    starting.signal(Signal::TERM);
    let ended = starting.wait(SOON);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("stopped before the start was done"), "{ended:?}");
}

#[test]
fn a_stop_is_heard_while_another_server_changes_the_schema() {
    let place = Place::new();
    let mut other = Session::open(place.database.url());
    other.run(LOCK);
    stopped(&place, Place::launch(place.data.path(), place.database.url()));
    drop(other);
    place.dev().stop();
}

#[test]
fn a_stop_is_heard_while_the_store_is_looked_at() {
    let place = Place::new();
    let patient = "lock_timeout_seconds = 60\nstatement_timeout_seconds = 60";
    let (server, _) = place.serve(place.database.url(), patient);
    server.stop();
    let mut other = Session::open(place.database.url());
    other.run("BEGIN");
    other.run("LOCK TABLE key_check IN ACCESS EXCLUSIVE MODE");
    stopped(&place, Launch::serve(&place.data.path().join("strongroomd.toml")));
    drop(other);
    place.serve(place.database.url(), patient).0.stop();
}

/// Whoever starts servers goes by the exit code: what may be otherwise in a moment is tried again.
#[test]
fn a_standby_is_no_fault_of_the_configuration() {
    let place = Place::new();
    place.dev().stop();
    let name = place.database.name();
    place.database.sql(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    let ended = Place::launch(place.data.path(), place.database.url()).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("read-only"), "{ended:?}");
    place.database.sql(&format!("SET default_transaction_read_only = off; ALTER DATABASE {name} RESET ALL"));
    place.dev().stop();
}
