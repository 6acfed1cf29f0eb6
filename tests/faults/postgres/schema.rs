//! A database with another schema than this release's, and one whose set-up was cut short.

use super::place::Place;
use strongroom_tests::{Ended, Launch};

/// What is in the database, as far as a start could change it.
fn content(place: &Place) -> Vec<Vec<String>> {
    place.database.sql(
        "SELECT table_name, column_name, data_type FROM information_schema.columns
         WHERE table_schema = 'public' ORDER BY 1, 2",
    )
}

fn refused(place: &Place, said: &str) {
    let before = content(place);
    let ended: Ended = Place::launch(place.data.path(), place.database.url()).run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    assert_eq!(content(place), before, "it was changed");
}

#[test]
fn a_newer_schema_is_refused_and_named() {
    let place = Place::new();
    place.dev().stop();
    place.database.sql("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0099_from_the_future', 0)");
    refused(&place, "newer release (m0099_from_the_future)");
    place.database.sql("DELETE FROM seaql_migrations WHERE version = 'm0099_from_the_future'");
    place.dev().stop();
}

#[test]
fn what_is_no_store_is_refused() {
    let place = Place::new();
    place.database.sql("CREATE TABLE customers (id bigint)");
    refused(&place, "is not a Strongroom store");
    // Tables of which nothing says that they are a store's.
    place.database.sql("CREATE TABLE seaql_migrations (version text PRIMARY KEY, applied_at bigint NOT NULL)");
    refused(&place, "is not a Strongroom store");
    place.database.sql("INSERT INTO seaql_migrations VALUES ('m0001_of_something_else', 0)");
    refused(&place, "is not a Strongroom store");
}

/// The steps of a schema are transactions; between them, and before what a store begins with, a start may have ended.
#[test]
fn a_first_start_that_was_cut_short_is_finished() {
    let place = Place::new();
    // As `sea-orm-migration` makes it, before the first step.
    place
        .database
        .sql("CREATE TABLE seaql_migrations (version varchar NOT NULL PRIMARY KEY, applied_at bigint NOT NULL)");
    let server = place.dev();
    server.client().create("/schema/a", "value").ok(201);
    server.stop();

    // A schema without a store's beginning.
    let tables = place
        .database
        .sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'seaql_migrations'");
    let tables: Vec<&str> = tables.iter().map(|row| row[0].as_str()).collect();
    place.database.sql(&format!("TRUNCATE {}", tables.join(", ")));
    std::fs::remove_file(place.data.path().join("dev.env")).unwrap();
    let server = place.dev();
    server.client().create("/schema/a", "value").ok(201);
    server.stop();
}

#[test]
fn a_first_start_that_was_killed_is_finished() {
    let mut unfinished = 0;
    let place = Place::new();
    for moment in 0..12 {
        let database = place.cluster.database();
        let data = tempfile::tempdir().unwrap();
        let limit = format!("0.{:03}", 20 + 15 * moment);
        let launch: Launch = Place::launch(data.path(), database.url());
        let killed = launch.under(&[&"timeout", &"--signal=KILL", &limit]).run();
        assert_ne!(killed.code, Some(0), "{killed:?}");
        let rows = database.try_sql("SELECT count(*) FROM key_check").unwrap_or_default();
        unfinished += usize::from(rows.is_empty() || rows[0][0] == "0");
        let server = Place::launch(data.path(), database.url()).start();
        server.client().create("/schema/a", "value").ok(201);
        server.stop();
    }
    println!("{unfinished} starts were cut short");
    assert!(unfinished > 0, "every start was finished before it was killed");
}
