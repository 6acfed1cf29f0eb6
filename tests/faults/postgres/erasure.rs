//! Destroy and delete erase at once what SQL shows, and a VACUUM within a minute what pages still hold.

use super::place::Place;
use super::session::Session;
use std::fmt::Write as _;
use std::time::Duration;
use strongroom_tests::{Client, Server, wait_for};

/// How long the rows of before may still be in their pages.
const LIMIT: Duration = Duration::from_secs(60);

/// The sizes of the values: inside a row, and beside it.
const SIZES: [usize; 2] = [40, 5_000];

/// Wrapped key and ciphertext of a version, in hexadecimal; the empty text for NULL.
fn material(place: &Place, path: &str, version: u64) -> [String; 2] {
    let rows = place.database.sql(&format!(
        "SELECT encode(wrapped, 'hex'), encode(payload, 'hex') FROM secret_versions JOIN secrets ON id = secret
         WHERE path = '{path}' AND number = {version}"
    ));
    rows[0].clone().try_into().unwrap()
}

/// How many rows there are in the pages of the versions and of what lies beside them, dead ones too, that hold a part of one of these.
fn rows_with(place: &Place, erased: &[String]) -> u64 {
    let mut any = String::new();
    for hex in erased {
        // From the middle of each, where it can't be cut off.
        let middle = &hex[hex.len() / 4 * 2..][..16];
        let _ = write!(any, " OR position('\\x{middle}'::bytea IN t_data) > 0");
    }
    place.number(&format!(
        "SELECT count(*) FROM pg_class c
         CROSS JOIN LATERAL generate_series(0, pg_relation_size(c.oid) / 8192 - 1) AS page
         CROSS JOIN LATERAL heap_page_items(get_raw_page(c.oid::regclass::text, page::int))
         WHERE c.oid IN (SELECT unnest(ARRAY[oid, reltoastrelid]) FROM pg_class WHERE oid = 'secret_versions'::regclass)
           AND (false{any})"
    ))
}

/// A server that has vacuumed after its start, once at once and once with patience, so that what comes is for the sake of an erase.
fn start(place: &Place) -> (Server, Client) {
    place.database.sql("CREATE EXTENSION pageinspect");
    let server = place.dev();
    assert!(wait_for(LIMIT, || (vacuums(place) > 1).then_some(())).is_some(), "no vacuum after the start");
    let client = server.client();
    (server, client)
}

/// Autovacuum leaves a table with so few rows alone.
fn vacuums(place: &Place) -> u64 {
    place.number("SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'secret_versions'")
}

fn expect_gone(place: &Place, erased: &[String]) {
    let gone = wait_for(LIMIT, || (rows_with(place, erased) == 0).then_some(()));
    assert!(gone.is_some(), "after {LIMIT:?} {} rows hold what was erased", rows_with(place, erased));
}

#[test]
fn destroyed_and_deleted_rows_are_vacuumed() {
    let place = Place::new();
    let (server, client) = start(&place);
    let before = vacuums(&place);
    let mut erased = Vec::new();
    for size in SIZES {
        let path = format!("/erase/{size}");
        client.create(&path, vec![1; size]).ok(201);
        for version in 2..=3 {
            client.put_value(&path, vec![version; size]).ok(201);
        }
        let kept = material(&place, &path, 3);
        let destroyed = material(&place, &path, 2);
        for hex in &destroyed {
            assert!(rows_with(&place, std::slice::from_ref(hex)) > 0, "it can't be found while it is there");
        }
        client.destroy(&path, 2).empty();
        assert_eq!(material(&place, &path, 2), ["", ""]);
        assert_eq!(material(&place, &path, 3), kept, "another version was touched");
        client.reveal(&path, Some(2)).error(404, "version_destroyed");
        erased.extend(destroyed);

        let path = format!("/erase/deleted-{size}");
        client.create(&path, vec![4; size]).ok(201);
        let deleted = material(&place, &path, 1);
        client.delete(client.secret(&path)).empty();
        assert_eq!(place.number(&format!("SELECT count(*) FROM secrets WHERE path = '{path}'")), 0);
        erased.extend(deleted);
    }
    assert_eq!(place.number("SELECT count(*) FROM secret_versions"), 2 * 3, "rows of a deleted secret");
    expect_gone(&place, &erased);
    assert!(vacuums(&place) > before);
    for size in SIZES {
        client.reveal(&format!("/erase/{size}"), Some(3)).ok(200);
    }
    server.stop();
}

/// A VACUUM leaves what a transaction can still see; another one comes.
#[test]
fn what_was_still_in_use_is_vacuumed_later() {
    let place = Place::new();
    let (server, client) = start(&place);
    client.create("/erase/used", "in use").ok(201);
    let erased = material(&place, "/erase/used", 1);
    let mut other = Session::open(place.database.url());
    other.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    other.run("SELECT FROM secrets");
    let before = vacuums(&place);
    client.delete(client.secret("/erase/used")).empty();
    assert!(wait_for(LIMIT, || (vacuums(&place) > before).then_some(())).is_some(), "no vacuum after the erase");
    assert!(rows_with(&place, &erased) > 0, "the other session did not keep it");
    drop(other);
    expect_gone(&place, &erased);
    server.stop();
}

/// PostgreSQL only warns whoever may not vacuum, so the server has to say it.
#[test]
fn a_user_who_may_not_vacuum_is_told() {
    let place = Place::new();
    place.dev().stop();
    let before = vacuums(&place);
    place.database.sql(
        "CREATE ROLE app LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app",
    );
    let server = Place::launch(place.data.path(), &place.database.url_as("app")).start();
    let told = wait_for(LIMIT, || server.stderr().contains("may not vacuum secret_versions").then_some(()));
    assert!(told.is_some(), "{}", server.stderr());
    assert_eq!(vacuums(&place), before);
    server.stop();
}
