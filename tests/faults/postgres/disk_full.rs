//! The database's disk is full: what was acknowledged is there, and the server goes on when there is room again.
//!
//! The cluster lies on a small tmpfs that only this test sees: it runs itself again inside a mount namespace of its own.

use super::place::{Place, expect_alive, expect_no_store, wait_until_done, wait_until_ready};
use crate::audit_log::AuditLog;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use strongroom_test_postgres::Cluster;
use strongroom_tests::{Answer, Client, base64, wait_for};

/// Names the tmpfs to the run inside.
const INSIDE: &str = "STRONGROOM_SMALL_DATABASE_DISK";
const DISK: &str = "size=160m,mode=0711";
/// What the write-ahead log may grow to before a checkpoint, and keeps.
const LOG: &str = "24MB";
const PATIENCE: Duration = Duration::from_secs(60);
const PATH: &str = "/full/a";

#[test]
fn a_full_disk_loses_nothing_and_the_server_recovers() {
    if let Some(disk) = std::env::var_os(INSIDE) {
        return inside(Path::new(&disk));
    }
    let disk = tempfile::tempdir().unwrap();
    // Without root, a user namespace allows mounting.
    let namespaces: &[&str] = if rustix::process::geteuid().is_root() { &["-m"] } else { &["-U", "-r", "-m"] };
    let script = r#"chmod 0711 "$2" && mount -t tmpfs -o "$1" tmpfs "$2" || exit 99; shift 2; exec "$@""#;
    let run = Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", script, "sh", DISK])
        .arg(disk.path())
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "postgres::disk_full::a_full_disk_loses_nothing_and_the_server_recovers", "--nocapture"])
        .env(INSIDE, disk.path())
        .output()
        .expect("unshare is missing: install util-linux");
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    print!("{stdout}");
    assert!(
        run.status.code() != Some(99) && !stderr.contains("unshare:"),
        "no mount namespace of its own for this test, see the test of the same name on SQLite: {stderr}"
    );
    assert!(run.status.success(), "{stderr}");
    assert!(stdout.contains("1 passed"), "the run inside did not run the test: {stdout}");
}

/// Takes all the room that there is.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
}

/// Acknowledged versions of one secret.
struct Stored<'a> {
    client: &'a Client,
    values: Vec<Vec<u8>>,
}

impl Stored<'_> {
    /// Puts a value; the answer if it was refused.
    fn put(&mut self, bytes: usize) -> Option<Answer> {
        let value = format!("value {} ", self.values.len()).repeat(bytes / 8).into_bytes();
        let answer = match self.values.len() {
            0 => self.client.create(PATH, &value),
            _ => self.client.put_value(PATH, &value),
        };
        if answer.status == 201 {
            self.values.push(value);
            return None;
        }
        Some(answer)
    }

    /// Puts until it is refused.
    fn put_until_refused(&mut self, bytes: usize) -> Answer {
        wait_for(PATIENCE, || self.put(bytes)).expect("the disk is never full")
    }

    /// Every acknowledged version reveals its value, and there is no other but those of which nobody knew.
    fn check(&self, unknown: usize) {
        for (version, value) in (1..).zip(&self.values) {
            let revealed = self.client.reveal(PATH, Some(version)).ok(200);
            assert!(revealed["secretString"] == base64(value), "version {version} has another value");
        }
        let current = self.client.describe(PATH).ok(200)["currentVersion"].as_u64().unwrap() as usize;
        let most = self.values.len() + unknown;
        assert!((self.values.len()..=most).contains(&current), "{current} versions, {most} at the most were put");
    }
}

fn expect_full(answer: Answer) {
    let message = answer.error(503, "storage_full");
    assert!(message.contains("room") && message.contains("operator"), "it does not say what happened: {message}");
}

fn inside(disk: &Path) {
    let settings = [
        ("min_wal_size", LOG),
        ("max_wal_size", LOG),
        ("shared_buffers", "16MB"),
        ("autovacuum", "off"),
        ("bgwriter_lru_maxpages", "0"),
        ("checkpoint_timeout", "1h"),
    ];
    let builder = Cluster::builder().data(&disk.join("data")).initdb_argument("--wal-segsize=1");
    let place = Place::over(settings.into_iter().fold(builder, |builder, (name, value)| builder.set(name, value)));
    let server = place.dev();
    let client = server.client();
    let mut stored = Stored { client: &client, values: Vec::new() };
    for bytes in [100, 4_000, 60_000] {
        assert!(stored.put(bytes).is_none());
    }
    // The log gets its files now, so that it is not what the disk has no room for.
    place
        .database
        .sql("SELECT pg_logical_emit_message(true, 'fill', repeat('x', 1000000)) FROM generate_series(1, 30)");
    place.database.sql("CHECKPOINT");

    let ballast = disk.join("ballast");
    fill(&ballast);
    expect_full(stored.put_until_refused(60_000));
    expect_full(stored.put_until_refused(4_000));
    let full = stored.values.len();
    // What only reads goes on, and the server says what is wrong.
    assert_eq!(client.describe(PATH).ok(200)["currentVersion"], stored.values.len());
    client.get(format!("{}?path=/full/", client.secrets())).ok(200);
    let revealed = client.reveal(PATH, Some(1));
    if revealed.status != 200 {
        // Its records need room.
        expect_full(revealed);
    }
    expect_alive(&client);
    assert!(server.stderr().contains("the database server's disk is full"), "{}", server.stderr());
    std::fs::remove_file(&ballast).unwrap();
    assert!(wait_for(PATIENCE, || stored.put(4_000).is_none().then_some(())).is_some(), "it does not notice the room");
    stored.check(0);
    AuditLog::verify_in(&place.database);

    println!("{} versions stored when the disk was full, {} put in all", full, stored.values.len());
    // Now the log has no room, and the database gives up.
    fill(&ballast);
    let emit = "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 1000000))";
    let down = wait_for(PATIENCE, || place.database.try_sql(emit).is_err().then_some(()));
    assert!(down.is_some(), "the log has room");
    let refused = stored.put_until_refused(4_000);
    let unknown = usize::from(refused.json()["code"] == "outcome_unknown");
    if refused.json()["code"] == "storage_full" {
        // The database came back by itself, and something else has no room.
        expect_full(refused);
    } else {
        expect_no_store(refused);
    }
    assert!(place.cluster.log().contains("PANIC"), "it did not give up: {}", place.cluster.log());
    expect_alive(&client);
    std::fs::remove_file(&ballast).unwrap();
    place.cluster.kill();
    place.cluster.start_again();
    wait_until_ready(&client);
    wait_until_done(201, || client.create("/full/b", "after"));
    // By another connection than that.
    wait_until_done(200, || client.reveal(PATH, None));
    stored.check(unknown);
    server.stop();
    AuditLog::verify_in(&place.database);
}
