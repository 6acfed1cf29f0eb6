//! A server that can't get on with its start, because somebody holds what it needs, or the database is not the primary yet.

use super::place::Place;
use super::session::Session;
use rustix::process::Signal;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use strongroom_tests::{Begun, Launch};

/// The lock under which the schema is changed.
const LOCK: &str = "SELECT pg_advisory_lock(x'5354524f4e47524d'::bigint)";
/// Far less than a start waits for a lock.
const SOON: Duration = Duration::from_secs(20);

/// The ports at which a process listens.
fn ports(process: &Begun) -> Vec<u16> {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let listening = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        // TCP_LISTEN.
        let is_listening = columns[3] == "0A";
        let (_, port) = columns[1].split_once(':')?;
        is_listening.then(|| (u16::from_str_radix(port, 16).unwrap(), format!("socket:[{}]", columns[9])))
    };
    let files = std::fs::read_dir(format!("/proc/{}/fd", process.pid())).unwrap();
    let own: Vec<PathBuf> = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()).collect();
    let all = sockets.lines().skip(1).filter_map(listening);
    all.filter(|(_, socket)| own.contains(&PathBuf::from(socket))).map(|(port, _)| port).collect()
}

/// A request to a server that starts.
fn ask(starting: &Begun) -> TcpStream {
    let ports = ports(starting);
    assert_eq!(ports.len(), 1, "{ports:?}");
    let mut asked = TcpStream::connect((Ipv4Addr::LOCALHOST, ports[0])).unwrap();
    asked.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    asked
}

fn expect_no_answer(mut asked: &TcpStream) {
    asked.set_nonblocking(true).unwrap();
    let read = asked.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(read, Err(ErrorKind::WouldBlock), "answered before there is a store");
    asked.set_nonblocking(false).unwrap();
    asked.set_read_timeout(Some(SOON)).unwrap();
}

/// A start that waits for a lock ends when it is asked to.
fn stopped<T>(place: &Place, launch: Launch, before: impl FnOnce(&Begun) -> T) -> T {
    let starting = launch.log("info").begin();
    place.wait_for_waiting(1);
    let seen = before(&starting);
    starting.signal(Signal::TERM);
    let ended = starting.wait(SOON);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("stopped before the start was done"), "{ended:?}");
    seen
}

#[test]
fn who_asks_a_server_that_starts_waits_for_the_answer() {
    let place = Place::new();
    let mut other = Session::open(place.database.url());
    other.run(LOCK);
    let starting = Place::launch(place.data.path(), place.database.url()).begin();
    place.wait_for_waiting(1);
    let mut asked = ask(&starting);
    expect_no_answer(&asked);
    drop(other);
    let mut answer = String::new();
    asked.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    starting.signal(Signal::TERM);
    assert_eq!(starting.wait(SOON).code, Some(0));
}

/// The other has the address from before it waits for anything.
#[test]
fn nothing_is_written_when_another_server_that_starts_has_the_address() {
    let place = Place::new();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let dev = |data: &Path| Launch::new(&[&"dev", &"--data", &data, &"--listen", &format!("127.0.0.1:{port}")]);
    let mut other = Session::open(place.database.url());
    other.run(LOCK);
    let first = dev(place.data.path()).variable("STRONGROOM_DATABASE", place.database.url()).begin();
    place.wait_for_waiting(1);
    let late = tempfile::tempdir().unwrap();
    let second = dev(late.path()).begin().wait(SOON);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains("cannot listen on 127.0.0.1"), "{second:?}");
    assert_eq!(std::fs::read_dir(late.path()).unwrap().count(), 0, "it wrote something");
    first.signal(Signal::TERM);
    assert_eq!(first.wait(SOON).code, Some(0));
    drop(other);
}

#[test]
fn a_stop_is_heard_while_another_server_changes_the_schema() {
    let place = Place::new();
    let mut other = Session::open(place.database.url());
    other.run(LOCK);
    let mut asked = stopped(&place, Place::launch(place.data.path(), place.database.url()), |starting| {
        let asked = ask(starting);
        expect_no_answer(&asked);
        asked
    });
    let read = asked.read(&mut [0]).map_err(|error| error.kind());
    assert!(matches!(read, Ok(0) | Err(ErrorKind::ConnectionReset)), "{read:?}");
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
    let listening = stopped(&place, Launch::serve(&place.data.path().join("strongroomd.toml")), ports);
    assert!(listening.is_empty(), "{listening:?}");
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
