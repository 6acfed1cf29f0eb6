//! The cluster that the tests of a run share, with the program around them and without it.
#![expect(clippy::unwrap_used, reason = "test helpers")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use strongroom_test_postgres::{SHARED_CLUSTER, database};

/// The program that puts a cluster around a command.
fn wrapper(command: &[&str]) -> Command {
    let mut wrapper = Command::new(env!("CARGO_BIN_EXE_strongroom-test-postgres"));
    wrapper.env_remove(SHARED_CLUSTER).args(["run", "--"]).args(command);
    wrapper
}

/// The test that runs inside of the wrapper is this one itself.
fn inside(test: &str) -> Command {
    wrapper(&[std::env::current_exe().unwrap().to_str().unwrap(), "--exact", test, "--nocapture"])
}

#[test]
fn two_databases_know_nothing_of_each_other() {
    let [one, two] = [database(), database()];
    assert_ne!(one.name(), two.name());
    one.sql("CREATE TABLE t (a int)");
    assert!(two.try_sql("SELECT * FROM t").is_err());
    two.sql("CREATE TABLE t (a int)");
}

#[test]
fn a_database_ends_with_its_test_though_a_session_is_open() {
    const INSIDE: &str = "STRONGROOM_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_none() {
        let name = "a_database_ends_with_its_test_though_a_session_is_open";
        let output = inside(name).env(INSIDE, "1").output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}");
        return;
    }
    let [stays, ends] = [database(), database()];
    let mut psql = Command::new("psql");
    psql.args(["-XAt", ends.url()]);
    let mut session = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(session.stdin.as_mut().unwrap(), b"SELECT 1;\n").unwrap();
    let mut answer = [0; 1];
    session.stdout.as_mut().unwrap().read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"1");
    let name = ends.name().to_owned();
    let count = || stays.sql(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'"));
    assert_eq!(count(), [["1"]]);
    drop(ends);
    assert_eq!(count(), [["0"]]);
    assert_eq!(stays.sql("SHOW max_connections"), [["200"]]);
    drop(session.stdin.take());
    session.wait().unwrap();
}

#[test]
fn the_exit_code_of_the_command_is_given_on() {
    for (line, code) in [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15)] {
        assert_eq!(wrapper(&["sh", "-c", line]).status().unwrap().code(), Some(code), "{line}");
    }
    let wrong = Command::new(env!("CARGO_BIN_EXE_strongroom-test-postgres")).arg("walk").output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("usage"));
}

/// Killed, it can't clean up; what it started must end all the same.
#[test]
fn nothing_outlives_a_run_that_was_killed() {
    let script = format!("echo ${SHARED_CLUSTER}; echo $$; exec sleep 600");
    let mut run = wrapper(&["sh", "-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.next().unwrap();
    let command = lines.next().unwrap();
    let folder = url.split(['@', ':']).find(|part| part.starts_with("%2F")).unwrap().replace("%2F", "/");
    let postmaster = std::fs::read_to_string(Path::new(&folder).join("data/postmaster.pid")).unwrap();
    let postmaster = postmaster.lines().next().unwrap().to_owned();
    let processes = [command, postmaster];
    assert!(processes.iter().all(|pid| is_running(pid)));

    run.kill().unwrap();
    run.wait().unwrap();

    let gone = || !Path::new(&folder).exists() && !processes.iter().any(|pid| is_running(pid));
    // The wait is another program's: this one has no clock.
    for _ in 0..300 {
        if gone() {
            return;
        }
        Command::new("sleep").arg("0.1").status().unwrap();
    }
    panic!("of {folder} and the processes {processes:?} something is left");
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim().starts_with('Z'))
}
