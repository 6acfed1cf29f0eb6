//! SIGKILL in the middle of puts and reveals, again and again: what was acknowledged is there.

use crate::audit_log::AuditLog;
use crate::database;
use crate::load::{Load, Memory};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use strongroom_domain::audit::Action;
use strongroom_tests::{Server, wait_for};

/// How often, unless the environment says otherwise.
const KILLS: usize = 30;
/// How many clients work at a time.
const CLIENTS: usize = 6;

#[test]
fn kill_9_loses_nothing_that_was_acknowledged() {
    let kills = match std::env::var("STRONGROOM_KILLS") {
        Ok(text) => text.parse().expect("STRONGROOM_KILLS is a number"),
        Err(_) => KILLS,
    };
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::dev(data.path());
    let mut all = Memory::default();
    for kill in 1..=kills {
        let load = Load::start(&server.client(), &format!("/kill/{kill}"), CLIENTS);
        // Sometimes while the first secrets are created, sometimes with thousands of records in the log.
        let moment = usize::try_from(RandomState::new().hash_one(kill) % 400).unwrap();
        wait_for(Duration::from_secs(30), || (load.answers() >= moment || load.is_over()).then_some(()));
        server.kill();
        let memory = load.finish();
        assert!(memory.refusals.is_empty(), "refused: {:?}", memory.refusals);

        server = Server::dev(data.path());
        let checks = memory.check(&server.client());
        let log = AuditLog::verify(data.path());
        let reveals = memory.reveals.iter().chain(&checks).map(|reveal| &reveal.request);
        log.expect_pairs(reveals, [Action::SecretValueRead, Action::KmsDecrypt]);
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
    database::check_integrity(data.path());
    assert!(all.acknowledged() > kills, "too little was under way: {} versions", all.acknowledged());
}
