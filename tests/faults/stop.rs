//! SIGTERM under load: what was answered is there, and the server ends well.

use crate::audit_log::AuditLog;
use crate::database;
use crate::load::Load;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use strongroom_tests::{Server, wait_for};

/// How long running requests may take, unless it is configured otherwise.
const GRACE: Duration = Duration::from_secs(30);

#[test]
fn sigterm_under_load_ends_in_order() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::dev(data.path());
    let load = Load::start(&server.client(), "/stop", 6);
    wait_for(Duration::from_secs(30), || (load.answers() >= 200 || load.is_over()).then_some(()));
    assert!(load.answers() >= 200, "the load came to nothing: {:?}", load.finish().refusals);

    let asked = Instant::now();
    server.signal(Signal::TERM);
    let ended = server.wait();
    assert!(asked.elapsed() < GRACE, "it took {:?}", asked.elapsed());
    assert_eq!(ended.code, Some(0), "it stopped badly: {ended:?}");
    let memory = load.finish();
    assert!(memory.refusals.is_empty(), "a request that was taken was refused: {:?}", memory.refusals);

    let server = Server::dev(data.path());
    let checks = memory.check(&server.client());
    memory.expect_records(&AuditLog::verify(data.path()), &checks);
    server.stop();
    database::check_integrity(data.path());
}
