//! A full disk: what was acknowledged is there, the error says what happened, and the server goes on when there is room again.
//!
//! The data directory lies on a small tmpfs that only this test sees: it runs itself again inside a mount namespace of its own.

use crate::audit_log::AuditLog;
use crate::database;
use rustix::process::Signal;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use strongroom_tests::{Answer, Client, Server, base64, wait_for};

/// Names the tmpfs to the run inside.
const INSIDE: &str = "STRONGROOM_SMALL_DISK";
/// The size of the tmpfs, of a file on it that is deleted to make room, and the size that it gets when there is to be more.
const DISK: &str = "size=12m,mode=0700";
const BALLAST: usize = 3 << 20;
const LARGER_DISK: &str = "remount,size=24m";

#[test]
fn a_full_disk_loses_nothing_and_the_server_recovers() {
    on_a_small_disk("disk_full::a_full_disk_loses_nothing_and_the_server_recovers", inside);
}

/// Records that nobody waits for pile up for as long as the disk is full. A put must not wait for that, nor a stop.
#[test]
fn a_full_disk_keeps_neither_puts_nor_a_stop_waiting() {
    on_a_small_disk("disk_full::a_full_disk_keeps_neither_puts_nor_a_stop_waiting", stop_inside);
}

/// Runs the test of this path again where it has a small disk; there, runs `inside` on it.
pub(crate) fn on_a_small_disk(name: &str, inside: impl FnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(INSIDE) {
        return inside(Path::new(&disk));
    }
    let disk = tempfile::tempdir().unwrap();
    // Without root, a user namespace allows mounting.
    let namespaces: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-U", "-r", "-m"] };
    let script = r#"mount -t tmpfs -o "$1" tmpfs "$2" || exit 99; shift 2; exec "$@""#;
    let run = Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", script, "sh", DISK])
        .arg(disk.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, disk.path())
        .output()
        .expect("unshare is missing: install util-linux");
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    print!("{stdout}");
    let allowed = run.status.code() != Some(99) && !stderr.contains("unshare:");
    assert!(
        allowed,
        "no mount namespace of its own for this test: {stderr}\nRun it as root, or allow user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=1000; with AppArmor \
         kernel.apparmor_restrict_unprivileged_userns=0; in a container --cap-add SYS_ADMIN)"
    );
    assert!(run.status.success(), "{stderr}");
    assert!(stdout.contains("1 passed"), "the run inside did not run the test: {stdout}");
}

/// Acknowledged versions of one secret.
struct Stored<'a> {
    client: &'a Client,
    path: &'static str,
    values: Vec<Vec<u8>>,
}

impl Stored<'_> {
    /// Puts until the server says that the disk is full.
    fn fill(&mut self, bytes: usize) {
        let refusal = wait_for(Duration::from_secs(120), || {
            let value = vec![u8::try_from(self.values.len() % 251).unwrap(); bytes];
            let answer = match self.values.len() {
                0 => self.client.create(self.path, &value),
                _ => self.client.put_value(self.path, &value),
            };
            if answer.status == 201 {
                self.values.push(value);
                return None;
            }
            Some(answer)
        });
        expect_full(refusal.expect("the disk is never full"));
    }

    fn put_one(&mut self, value: &[u8]) {
        self.client.put_value(self.path, value).ok(201);
        self.values.push(value.to_vec());
    }

    /// Waits until reveals are answered, which need room for their records.
    fn wait_for_room(&self) {
        let revealed = wait_for(Duration::from_secs(30), || {
            let answer = self.client.reveal(self.path, None);
            (answer.status == 200).then_some(()).or_else(|| {
                expect_full(answer);
                None
            })
        });
        assert!(revealed.is_some(), "there is room again, and the server does not notice");
    }

    /// Every acknowledged version reveals its value, and there is no other. While the disk is full a reveal may be refused, since its
    /// audit records need room.
    fn check(&self, full: bool) {
        let mut revealed = 0;
        for (version, value) in (1..).zip(&self.values) {
            let answer = self.client.reveal(self.path, Some(version));
            if full && answer.status == 503 {
                expect_full(answer);
                continue;
            }
            assert!(answer.ok(200)["secretString"] == base64(value), "version {version} has another value");
            revealed += 1;
        }
        println!(
            "{revealed} of {} versions revealed{}",
            self.values.len(),
            if full { " on the full disk" } else { "" }
        );
        let current = self.client.describe(self.path).ok(200)["currentVersion"].clone();
        assert_eq!(current, self.values.len(), "a version that was refused is there");
    }
}

fn expect_full(answer: Answer) {
    let message = answer.error(503, "storage_full");
    assert!(message.contains("room") && message.contains("operator"), "it does not say what happened: {message}");
}

fn inside(disk: &Path) {
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; BALLAST]).unwrap();
    let data = disk.join("data");
    let server = Server::dev(&data);
    let client = server.client();
    let mut stored = Stored { client: &client, path: "/full/a", values: Vec::new() };
    // Large values first, then what still fits.
    for bytes in [60_000, 4_000, 100, 100] {
        stored.fill(bytes);
    }
    let full = stored.values.len();
    assert!(full > 20, "the disk was full at once: {full} versions");
    stored.check(true);

    std::fs::remove_file(&ballast).unwrap();
    stored.wait_for_room();
    stored.put_one(b"after");
    stored.check(false);
    AuditLog::verify(&data);

    // Full for a second time, and killed: it starts on the full disk, and a larger one is seen at once.
    stored.fill(60_000);
    stored.fill(100);
    server.kill();
    let server = Server::dev(&data);
    let client = server.client();
    let stored = Stored { client: &client, path: stored.path, values: stored.values.clone() };
    stored.check(true);
    // With the source named, mount does not repeat the present options, which a user namespace may not set.
    let larger = Command::new("mount").args(["-t", "tmpfs", "-o", LARGER_DISK, "tmpfs"]).arg(disk).status().unwrap();
    assert!(larger.success(), "the disk can't be made larger");
    stored.wait_for_room();
    stored.check(false);
    server.stop();
    AuditLog::verify(&data);
    database::check_integrity(&data);
}

fn stop_inside(disk: &Path) {
    let data = disk.join("data");
    let server = Server::dev(&data);
    let client = server.client();
    let mut stored = Stored { client: &client, path: "/full/a", values: Vec::new() };
    for bytes in [60_000, 4_000, 100, 100] {
        stored.fill(bytes);
    }
    // Large records first, then what still fits.
    let long = format!("/full/{}", "x".repeat(250));
    let large = client.request("GET", client.secret(&long)).header("User-Agent", &"x".repeat(500)).bytes();
    let small = client.request("GET", client.secret("/full/none")).bytes();
    let [large, small] = [large, small].map(|bytes| fill_the_queue(client.address, &bytes));
    println!("{} records wait", large + small);
    for _ in 0..20 {
        expect_full(client.put_value(stored.path, b"x"));
    }
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "it stopped badly: {ended:?}");
    let told = ended.stderr.lines().find(|line| line.contains("failures that were counted could not be recorded"));
    let told = told.unwrap_or_else(|| panic!("there was room for the last records: {}", ended.stderr));
    assert!(told.contains("failures="), "how many are lost is not told: {told}");
    database::check_integrity(&data);
}

/// Sends a request that is refused, and leaves a record, until one gets no answer; gives how many were answered.
fn fill_the_queue(address: SocketAddr, bytes: &[u8]) -> usize {
    let is_answered = || {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(3))).expect("a timeout");
        stream.write_all(bytes).expect("sent");
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {
                assert!(answer.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&answer));
                true
            }
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                false
            }
        }
    };
    (0..100_000).position(|_| !is_answered()).expect("records never have to wait")
}
