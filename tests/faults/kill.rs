//! SIGKILL in the middle of puts and reveals, again and again: what was acknowledged is there.

use crate::audit_log::AuditLog;
use crate::database;
use crate::load::{Load, Memory};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use strongroom_tests::{Server, wait_for};

/// How often, unless the environment says otherwise.
const KILLS: usize = 30;
/// How many clients work at a time.
const CLIENTS: usize = 6;
/// Before how many answers each kill comes.
const ANSWERS: u64 = 400;

/// How often a test kills: as the environment says, else so often.
pub(crate) fn times(usually: usize) -> usize {
    match std::env::var("STRONGROOM_KILLS") {
        Ok(text) => text.parse().expect("STRONGROOM_KILLS is a number"),
        Err(_) => usually,
    }
}

/// Kills the server that `start` starts in the middle of the work of so many clients, starts it again, and makes sure that everything
/// is there that it acknowledged; again and again. `verify` reads the audit log.
pub(crate) fn kill_again_and_again(
    start: impl Fn() -> Server,
    verify: impl Fn() -> AuditLog,
    clients: usize,
    answers: u64,
) {
    let kills = times(KILLS);
    let mut server = start();
    let mut all = Memory::default();
    for kill in 1..=kills {
        let load = Load::start(&server.client(), &format!("/kill/{kill}"), clients);
        // Sometimes while the first secrets are created, sometimes with thousands of records in the log.
        let moment = usize::try_from(RandomState::new().hash_one(kill) % answers).unwrap();
        wait_for(Duration::from_secs(30), || (load.answers() >= moment || load.is_over()).then_some(()));
        server.kill();
        let memory = load.finish();
        assert!(memory.refusals.is_empty(), "refused: {:?}", memory.refusals);

        server = start();
        let checks = memory.check(&server.client());
        let log = verify();
        memory.expect_records(&log, &checks);
        println!(
            "kill {kill} after {moment}: {} versions and {} reveals acknowledged, {} records in the log",
            memory.acknowledged(),
            memory.reveals.len(),
            log.len()
        );
        all.merge(memory);
    }
    // Nor did a later start lose what an earlier one had.
    all.check(&server.client());
    server.stop();
    assert!(all.acknowledged() > kills, "too little was under way: {} versions", all.acknowledged());
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    kill_again_and_again(|| Server::dev(data.path()), || AuditLog::verify(data.path()), CLIENTS, ANSWERS);
    database::check_integrity(data.path());
}
