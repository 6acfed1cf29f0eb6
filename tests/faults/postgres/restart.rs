//! The database stops and starts again while clients put and reveal.

use super::place::{Place, expect_no_store, expect_unavailable, is_ready, wait_until_done, wait_until_ready};
use crate::audit_log::AuditLog;
use crate::load::Load;
use std::time::Duration;
use strongroom_test_postgres::{Cluster, Mode};
use strongroom_tests::wait_for;

const CLIENTS: usize = 4;
/// How many answers there are before the database stops, while it is away, and after it came back.
const ANSWERS: usize = 60;
/// How long it may take until there are so many.
const PATIENCE: Duration = Duration::from_secs(60);
/// The timeouts for a connection and a statement, each of which may be tried a second time.
const LIMIT: Duration = Duration::from_secs(30);

fn stopped_and_started(stop: impl Fn(&Cluster)) {
    let place = Place::new();
    let server = place.dev();
    let client = server.client();
    client.create("/restart/a", "before").ok(201);
    let load = Load::start_patient(&client, "/restart", CLIENTS);
    let wait_for_answers = |what: &str, count: &dyn Fn() -> usize| {
        let before = count();
        let enough = wait_for(PATIENCE, || (load.is_over() || count() >= before + ANSWERS).then_some(()));
        assert!(enough.is_some() && !load.is_over(), "{what}: {} answers", count() - before);
    };
    wait_for_answers("before", &|| load.answers());

    stop(&place.cluster);
    wait_for_answers("while it is away", &|| load.refusals());
    assert!(!is_ready(&client));
    expect_unavailable(client.put_value("/restart/a", "meanwhile"));
    expect_unavailable(client.reveal("/restart/a", None));
    expect_unavailable(client.get(format!("{}?path=/restart/", client.secrets())));
    expect_unavailable(client.create("/restart/b", "meanwhile"));

    place.cluster.start_again();
    wait_until_ready(&client);
    wait_for_answers("after", &|| load.answers() - load.refusals());
    let memory = load.finish();
    println!(
        "{} versions and {} reveals acknowledged, {} refused, the slowest answer after {:?}",
        memory.acknowledged(),
        memory.reveals.len(),
        memory.refusals.len(),
        memory.slowest
    );
    assert!(memory.slowest < LIMIT, "an answer took {:?}", memory.slowest);
    memory.refusals.iter().cloned().for_each(expect_no_store);
    // Its lane may have done nothing since, and not know yet that its connection is gone.
    wait_until_done(200, || client.reveal("/restart/a", None));
    let checks = memory.check(&client);
    memory.expect_records(&AuditLog::verify_in(&place.database), &checks);
    assert_eq!(client.reveal("/restart/a", None).ok(200)["version"], 1, "a refused put was stored");
    server.stop();
}

#[test]
fn a_fast_stop() {
    stopped_and_started(|cluster| cluster.stop(Mode::Fast));
}

#[test]
fn an_immediate_stop() {
    stopped_and_started(|cluster| cluster.stop(Mode::Immediate));
}

#[test]
fn a_killed_database() {
    stopped_and_started(Cluster::kill);
}

#[test]
fn a_start_without_the_database() {
    let place = Place::new();
    place.cluster.stop(Mode::Fast);
    let ended = Place::launch(place.data.path(), place.database.url()).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("see whether the server answers"), "it does not say what to do: {}", ended.stderr);
    place.cluster.start_again();
    let ended = Place::launch(place.data.path(), &place.cluster.socket_url("nowhere")).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("no database of that name"), "it does not say what to do: {}", ended.stderr);
    place.dev().stop();
}
