//! A cluster of a test's own: it starts, stops, is killed and starts again, and nothing of it stays.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use strongroom_test_postgres::{Cluster, Database, Error, Mode};

/// One row of one column.
fn one(database: &Database, sql: &str) -> String {
    let rows = database.sql(sql);
    assert_eq!((rows.len(), rows[0].len()), (1, 1), "{sql}: {rows:?}");
    rows[0][0].clone()
}

fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim().starts_with('Z'))
}

#[test]
fn a_cluster_is_durable_and_takes_settings() {
    let cluster = Cluster::builder().set("max_connections", "20").set("cluster_name", "it's").start();
    let database = cluster.database();
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("max_connections", "20"),
        ("cluster_name", "it's"),
    ] {
        assert_eq!(one(&database, &format!("SHOW {setting}")), expected, "{setting}");
    }
    assert_eq!(one(&database, "SHOW server_encoding"), "UTF8");
    let order = database.sql("SELECT t FROM (VALUES ('B'), ('a')) v (t) ORDER BY t");
    assert_eq!(order, [["a"], ["B"]], "the default order is a language's");
    assert_eq!(database.sql("SELECT t FROM (VALUES ('B'), ('a')) v (t) ORDER BY t COLLATE \"C\""), [["B"], ["a"]]);
}

#[test]
fn socket_and_tcp_lead_to_the_same_database() {
    let cluster = Cluster::start();
    let database = cluster.database();
    assert_eq!(database.url(), cluster.socket_url(database.name()));
    assert_eq!(database.tcp_url(), cluster.tcp_url(database.name()));
    database.sql("CREATE ROLE reader LOGIN");
    for (url, expected) in [
        (database.url().to_owned(), [database.name(), "postgres", ""]),
        (database.tcp_url(), [database.name(), "postgres", "127.0.0.1"]),
        (database.url_as("reader"), [database.name(), "reader", ""]),
    ] {
        let sql = "SELECT current_database(), current_user, host(inet_client_addr())";
        assert_eq!(query(&url, sql).unwrap(), expected.join("|"), "{url}");
    }
}

/// What the `psql` of the PATH answers, or says on failure.
fn query(url: &str, sql: &str) -> Result<String, String> {
    let output = Command::new("psql").args(["-XAtw", "-c", sql, url]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn a_cluster_stops_and_starts_again_with_its_data() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.sql("CREATE TABLE t (a int)");
    for (mode, recovers) in [(Mode::Fast, false), (Mode::Immediate, true)] {
        database.sql("INSERT INTO t VALUES (1)");
        let (pid, log) = (cluster.pid(), cluster.log().len());
        cluster.stop(mode);
        assert!(!is_running(pid));
        assert!(matches!(database.try_sql("SELECT 1"), Err(Error::Program { program: "psql", .. })));
        cluster.set("max_connections", "30");
        cluster.start_again();
        assert_ne!(cluster.pid(), pid);
        let log = &cluster.log()[log..];
        assert_eq!(log.contains("automatic recovery in progress"), recovers, "{mode:?}: {log}");
    }
    assert_eq!(one(&database, "SELECT count(*) FROM t"), "2");
    assert_eq!(one(&database, "SHOW max_connections"), "30");
}

#[test]
fn a_killed_cluster_leaves_no_process_and_recovers() {
    let cluster = Cluster::start();
    let database = cluster.database();
    database.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    // A session that is busy when it is killed.
    let mut session = Command::new("psql")
        .args(["-X", "-c", "SELECT pg_sleep(600)", database.url()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let busy = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let mut processes = Vec::new();
    for _ in 0..1000 {
        processes = database.sql(busy);
        if !processes.is_empty() {
            break;
        }
    }
    let backend: u32 = processes[0][0].parse().unwrap();
    let pid = cluster.pid();
    cluster.kill();
    assert!(!is_running(pid) && !is_running(backend));
    assert!(!session.wait().unwrap().success());
    cluster.start_again();
    assert_eq!(one(&database, "SELECT count(*) FROM t"), "1");
}

#[test]
fn over_tcp_a_cluster_with_tls_takes_nothing_else() {
    let cluster = Cluster::builder().tls().start();
    let database = cluster.database();
    let ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(query(&cluster.tls_url(database.name()), ssl).unwrap(), "t");
    let plain = query(&format!("{}?sslmode=disable", database.tcp_url()), ssl).unwrap_err();
    assert!(plain.contains("no encryption"), "{plain}");
    // Another authority does not do.
    let other = Cluster::builder().tls().start();
    let wrong = format!("{}?sslmode=verify-full&sslrootcert={}", database.tcp_url(), other.authority().display());
    let wrong = query(&wrong, ssl).unwrap_err();
    assert!(wrong.contains("SSL error"), "{wrong}");
}

#[test]
fn the_data_lie_where_they_are_wanted_and_are_removed() {
    let disk = tempfile::Builder::new().permissions(Permissions::from_mode(0o711)).tempdir().unwrap();
    let data = disk.path().join("data");
    let cluster = Cluster::builder().data(&data).initdb_argument("--wal-segsize=1").start();
    assert_eq!(cluster.data(), data);
    assert_eq!(
        cluster.sql("postgres", "SHOW data_directory; SHOW wal_segment_size"),
        [[data.to_str().unwrap()], ["1MB"]]
    );
    let (pid, folder) = (cluster.pid(), cluster.authority().parent().unwrap().to_owned());
    drop(cluster);
    assert!(!is_running(pid) && !data.exists() && !folder.exists());
}

#[test]
fn a_setting_that_the_server_refuses_is_told() {
    let error = Cluster::builder().set("max_connections", "many").try_start().unwrap_err();
    assert!(matches!(&error, Error::NotStarted { log } if log.contains("max_connections")), "{error}");
    let error = Cluster::builder().initdb_argument("--no-such-option").try_start().unwrap_err();
    assert!(matches!(&error, Error::Program { program: "initdb", .. }), "{error}");
}

#[test]
fn statements_end_at_the_first_that_fails() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let error = database.try_sql("CREATE TABLE t (a text); SELECT 1 / 0; DROP TABLE t").unwrap_err();
    assert!(error.to_string().contains("division by zero"), "{error}");
    assert_eq!(database.sql("INSERT INTO t VALUES (NULL), (E'a\nb') RETURNING a, 1"), [["", "1"], ["a\nb", "1"]]);
    assert_eq!(database.sql("SELECT 1 WHERE false; SELECT ''; SELECT 2 WHERE false; SELECT 3"), [[""], ["3"]]);
    assert!(Path::new(cluster.data()).join("PG_VERSION").is_file());
}
