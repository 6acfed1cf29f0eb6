//! The database's user lacks a right, at the start or while the server runs.

use super::place::{Place, expect_alive, expect_unavailable, wait_until_done};
use std::time::Duration;
use strongroom_test_postgres::Database;
use strongroom_tests::wait_for;

const HINT: &str = "grant it what it needs on the store's tables";

/// A role that may log in and nothing else.
fn role(database: &Database) -> &'static str {
    database.sql("CREATE ROLE app LOGIN");
    "app"
}

#[test]
fn at_the_start() {
    let place = Place::new();
    let url = place.database.url_as(role(&place.database));
    // Nobody may make tables here but the owner.
    let ended = Place::launch(place.data.path(), &url).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("permission denied for schema public"), "{}", ended.stderr);
    assert!(ended.stderr.contains(HINT), "{}", ended.stderr);
    assert_eq!(place.number("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), 0);

    // A store that somebody else set up.
    std::fs::remove_dir_all(place.data.path()).unwrap();
    place.dev().stop();
    let ended = Place::launch(place.data.path(), &url).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("permission denied for table seaql_migrations"), "{}", ended.stderr);
    assert!(ended.stderr.contains(HINT), "{}", ended.stderr);
    place.database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO app; REVOKE SELECT ON key_check FROM app");
    let ended = Place::launch(place.data.path(), &url).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("permission denied for table key_check"), "{}", ended.stderr);
    assert!(ended.stderr.contains(HINT), "{}", ended.stderr);
}

#[test]
fn while_the_server_runs() {
    let place = Place::new();
    place.dev().stop();
    let url = place.database.url_as(role(&place.database));
    place.database.sql(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app",
    );
    let server = Place::launch(place.data.path(), &url).start();
    let client = server.client();
    client.create("/rights/a", "before").ok(201);
    for (right, table, refused_reveal) in [
        ("INSERT", "audit_records", true),
        ("UPDATE", "secrets", false),
        ("SELECT", "secrets", true),
        ("INSERT", "secret_versions", false),
    ] {
        let versions = place.number("SELECT count(*) FROM secret_versions");
        place.database.sql(&format!("REVOKE {right} ON {table} FROM app"));
        expect_unavailable(client.put_value("/rights/a", "meanwhile"));
        if refused_reveal {
            expect_unavailable(client.reveal("/rights/a", None));
        } else {
            client.reveal("/rights/a", None).ok(200);
        }
        expect_alive(&client);
        let said = format!("permission denied for table {table}");
        let told = wait_for(Duration::from_secs(10), || {
            let log = server.stderr();
            (log.contains(&said) && log.contains(HINT)).then_some(())
        });
        assert!(told.is_some(), "{right} on {table} is not told: {}", server.stderr());

        place.database.sql(&format!("GRANT {right} ON {table} TO app"));
        wait_until_done(201, || client.put_value("/rights/a", format!("with {right} on {table}")));
        assert_eq!(place.number("SELECT count(*) FROM secret_versions"), versions + 1, "a refused put was stored");
        client.reveal("/rights/a", None).ok(200);
    }
    server.stop();
}
