//! No connection is left: the database has none for the server, or the server's own are all in use.

use super::place::{Place, expect_alive, expect_unavailable, is_ready, wait_until_done, wait_until_ready};
use super::session::Session;
use std::thread::ScopedJoinHandle;
use std::time::Duration;
use strongroom_test_postgres::Cluster;
use strongroom_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn a_database_without_a_connection_to_spare() {
    // Three of these are kept for superusers.
    let place = Place::over(Cluster::builder().in_memory().set("max_connections", "12"));
    place.database.sql(&format!(
        "CREATE ROLE app LOGIN; CREATE ROLE others LOGIN; ALTER DATABASE {} OWNER TO app",
        place.database.name()
    ));
    let server = Place::launch(place.data.path(), &place.database.url_as("app")).start();
    let client = server.client();
    client.create("/connections/a", "before").ok(201);

    // Others take every place that comes free.
    let others = place.database.url_as("others");
    let mut sessions = Vec::new();
    let full = wait_for(PATIENCE, || {
        place.database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
        sessions.extend(Session::try_open(&others));
        (sessions.len() >= 9).then_some(())
    });
    assert!(full.is_some(), "others have {} connections only", sessions.len());
    assert!(!is_ready(&client));
    expect_unavailable(client.reveal("/connections/a", None));
    expect_unavailable(client.put_value("/connections/a", "meanwhile"));
    expect_unavailable(client.get(format!("{}?path=/connections/", client.secrets())));
    let log = server.stderr();
    assert!(log.contains("raise its max_connections"), "the log does not say what to do: {log}");

    let second = tempfile::tempdir().unwrap();
    let ended = Place::launch(second.path(), &place.database.url_as("app")).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("raise its max_connections"), "it does not say what to do: {}", ended.stderr);

    drop(sessions);
    wait_until_ready(&client);
    wait_until_done(201, || client.put_value("/connections/a", "after"));
    assert_eq!(client.reveal("/connections/a", None).ok(200)["version"], 2);
    server.stop();
}

#[test]
fn a_server_whose_readers_are_all_held() {
    let place = Place::new();
    let url = place.database.url();
    let (server, client) = place
        .serve(url, "hot_connections = 1\nconnections = 1\nlock_timeout_seconds = 60\nstatement_timeout_seconds = 60");
    client.create("/connections/a", "value").ok(201);
    let list = || client.get(format!("{}?path=/connections/", client.secrets()));
    list().ok(200);
    let mut other = Session::open(url);
    other.run("BEGIN");
    other.run("LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE");
    std::thread::scope(|scope| {
        let slow = [scope.spawn(|| client.describe("/connections/a")), scope.spawn(list)];
        place.wait_for_waiting(2);
        // Their connections are held for longer than other reads wait for one.
        let refused = [scope.spawn(|| client.describe("/connections/a")), scope.spawn(list)];
        for refused in refused {
            expect_unavailable(refused.join().unwrap());
        }
        assert!(!slow.iter().any(ScopedJoinHandle::is_finished), "they were not held");
        expect_alive(&client);
        let told = server.stderr().matches("raise the number of readers").count();
        assert!(told >= 2, "the log does not say what to do: {}", server.stderr());
        drop(other);
        for slow in slow {
            slow.join().unwrap().ok(200);
        }
    });
    assert!(is_ready(&client));
    client.describe("/connections/a").ok(200);
    list().ok(200);
    client.put_value("/connections/a", "after").ok(201);
    server.stop();
}
