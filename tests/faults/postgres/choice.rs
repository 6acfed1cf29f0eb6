//! Which database a server takes: that of the argument, of the environment, of the configuration, or a file.

use super::place::Place;
use strongroom_test_postgres::Database;
use strongroom_tests::Launch;

const VARIABLE: &str = "STRONGROOM_DATABASE";

fn tables(database: &Database) -> usize {
    database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").len()
}

#[test]
fn dev_takes_the_argument_before_the_environment() {
    let place = Place::new();
    let (named, other) = (&place.database, place.cluster.database());
    let launch = Place::launch(place.data.path(), other.url());
    let server = launch.argument("--database").argument(named.url()).start();
    server.client().create("/choice/a", "value").ok(201);
    server.stop();
    assert_ne!(tables(named), 0);
    assert_eq!(tables(&other), 0, "the environment won");
    assert!(!place.data.path().join("strongroom.db").exists(), "there is a file too");
}

#[test]
fn serve_takes_the_argument_then_the_environment_then_the_configuration() {
    let place = Place::new();
    let (right, other) = (place.database.url(), place.cluster.database());
    // The configuration names the right one from here on.
    place.serve(right, "").0.stop();
    let config = place.data.path().join("strongroomd.toml");
    let launch = || Launch::serve(&config);
    let refused = |launch: Launch| {
        let ended = launch.run();
        assert_eq!(ended.code, Some(78), "{ended:?}");
        assert!(ended.stderr.contains(other.name()) && ended.stderr.contains("is not set up"), "{ended:?}");
    };
    refused(launch().variable(VARIABLE, other.url()));
    refused(launch().argument("--database").argument(other.url()));
    refused(launch().variable(VARIABLE, right).argument("--database").argument(other.url()));
    launch().variable(VARIABLE, other.url()).argument("--database").argument(right).start().stop();
    launch().variable(VARIABLE, "").start().stop();
    assert_eq!(tables(&other), 0, "something was written");
}

#[test]
fn an_empty_variable_names_no_database() {
    let data = tempfile::tempdir().unwrap();
    Launch::dev(data.path()).variable(VARIABLE, "").start().stop();
    assert!(data.path().join("strongroom.db").exists());
}

/// As of a script whose variable is not set: what it should have been is not known.
#[test]
fn an_empty_argument_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let ended = Launch::dev(data.path()).argument("--database").argument("").run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("database URL"), "{ended:?}");
    assert!(!data.path().join("strongroom.db").exists(), "a file was made instead");
}
