//! SIGKILL right after reveals were acknowledged, before a checkpoint told of them: the log is sound, and checkpoints go on.

use crate::audit_site::Site;
use crate::load::Load;
use std::time::Duration;
use strongroom_test_postgres::Database;
use strongroom_tests::wait_for;

/// How often. After the last one the lease to write checkpoints runs out by itself.
const KILLS: usize = 3;
const CLIENTS: usize = 4;
const ANSWERS: usize = 60;
/// Longer than the lease of the server that was killed stands.
const GOES_ON: Duration = Duration::from_secs(40);

#[test]
fn kill_9_between_a_commit_and_its_checkpoint() {
    killed_before_checkpoints(None);
}

#[test]
fn kill_9_between_a_commit_and_its_checkpoint_on_postgres() {
    killed_before_checkpoints(Some(strongroom_test_postgres::database()));
}

fn killed_before_checkpoints(database: Option<Database>) {
    let folder = tempfile::tempdir().unwrap();
    let published = folder.path().join("checkpoints.jsonl");
    let site = Site::new(database, &format!("[audit.checkpoints]\nfile = \"{}\"", published.display()));
    let mut server = site.start();
    let mut last = 0;
    for kill in 1..=KILLS {
        let goes_on = wait_for(GOES_ON, || {
            let number = site.status(&server)["lastCheckpoint"]["number"].as_u64()?;
            (number > last).then_some(number)
        });
        let number = goes_on.expect("checkpoints go on");
        let kept = wait_for(GOES_ON, || std::fs::read_to_string(&published).ok().filter(|text| text.contains('\n')));
        assert!(kept.is_some(), "none is published");
        site.verify(&server, Some(&published));
        let load = Load::start(&site.client(&server), &format!("/kill/{kill}"), CLIENTS);
        let moment = wait_for(Duration::from_secs(30), || (load.answers() >= ANSWERS || load.is_over()).then_some(()));
        server.kill();
        let memory = load.finish();
        assert!(moment.is_some() && memory.refusals.is_empty(), "{:?}", memory.refusals);
        if kill < KILLS {
            site.end_leases();
        }
        server = site.start();
        // What was acknowledged and no checkpoint tells of yet is there and signed.
        let unchecked = site.status(&server)["withoutCheckpoint"].as_u64().unwrap();
        site.verify(&server, Some(&published));
        let checks = memory.check(&site.client(&server));
        memory.expect_records(&site.log(), &checks);
        println!("kill {kill}: {unchecked} records after checkpoint {number}");
        last = number;
    }
    let goes_on = wait_for(GOES_ON, || {
        let status = site.status(&server);
        let is_through = status["withoutCheckpoint"].as_u64() <= Some(2);
        (is_through && status["lastCheckpoint"]["number"].as_u64() > Some(last)).then_some(())
    });
    assert!(goes_on.is_some(), "checkpoints go on: {}", site.status(&server));
    // The file lacks none, and each is an anchor.
    server.stop();
    let text = std::fs::read_to_string(&published).unwrap();
    let numbers: Vec<u64> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["number"].as_u64().unwrap())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[1] <= pair[0] + 1), "one was not published: {numbers:?}");
    let server = site.start();
    site.verify(&server, Some(&published));
    server.stop();
}
