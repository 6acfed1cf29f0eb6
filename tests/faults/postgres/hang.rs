//! The database is there and says nothing: all its processes stand still.

use super::place::{Place, expect_alive, expect_no_store, is_ready, wait_until_done, wait_until_ready};
use crate::audit_log::AuditLog;
use rustix::process::{Pid, Signal, kill_process};

const PATH: &str = "/hang/a";

/// The database's processes that serve connections, stopped until this is dropped.
struct Frozen(Vec<Pid>);

impl Frozen {
    fn new(place: &Place) -> Self {
        let sessions = place.database.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'strongroom'");
        let mut processes: Vec<i32> = sessions.iter().map(|row| row[0].parse().unwrap()).collect();
        assert!(!processes.is_empty(), "the server has no connection");
        // The one that begins new sessions.
        processes.push(place.cluster.pid().try_into().unwrap());
        let processes: Vec<Pid> = processes.into_iter().map(|pid| Pid::from_raw(pid).unwrap()).collect();
        for process in &processes {
            kill_process(*process, Signal::STOP).unwrap();
        }
        Self(processes)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            // A session may have ended.
            let _ = kill_process(*process, Signal::CONT);
        }
    }
}

#[test]
fn a_database_that_says_nothing() {
    let place = Place::new();
    let (server, client) = place.serve(place.database.url(), "statement_timeout_seconds = 1");
    client.create(PATH, "before").ok(201);
    client.reveal(PATH, None).ok(200);
    client.get(format!("{}?path=/hang/", client.secrets())).ok(200);

    let frozen = Frozen::new(&place);
    std::thread::scope(|scope| {
        scope.spawn(|| expect_no_store(client.put_value(PATH, "meanwhile")));
        scope.spawn(|| expect_no_store(client.reveal(PATH, None)));
        scope.spawn(|| expect_no_store(client.describe(PATH)));
        scope.spawn(|| expect_no_store(client.get(format!("{}?path=/hang/", client.secrets()))));
        scope.spawn(|| assert!(!is_ready(&client)));
    });
    expect_alive(&client);
    drop(frozen);

    wait_until_ready(&client);
    let before = client.describe(PATH).ok(200)["currentVersion"].as_u64();
    wait_until_done(201, || client.put_value(PATH, "after"));
    assert_eq!(client.reveal(PATH, None).ok(200)["version"].as_u64(), before.map(|before| before + 1));
    server.stop();
    AuditLog::verify_in(&place.database);
}
