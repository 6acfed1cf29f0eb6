//! Words for shells, and manual pages.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::support::{Home, PROGRAM, Run, text};
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Duration;
use strongroom_tests::wait_for;

/// Asks for words as bash does, for the last of these.
fn asked(run: impl Fn(&[&str]) -> Run, words: &[&str]) -> Run {
    run(&[&["--", "strongroom"], words].concat())
        .env("_STRONGROOM_COMPLETE", "bash")
        .env("_CLAP_IFS", "\n")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
}

/// The same for the word at this place, with others behind it.
fn asked_at(run: Run, place: usize) -> Run {
    run.env("_CLAP_COMPLETE_INDEX", place.to_string())
}

fn words(home: &Home, typed: &[&str]) -> Vec<String> {
    let done = asked(|words| home.command(words), typed).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).filter(|word| !word.starts_with("--")).collect()
}

#[test]
fn paths_keys_and_regions_come_from_the_server() {
    let home = Home::new();
    for path in ["/app/prod/db", "/app/prod/tls", "/app/staging/db", "/other"] {
        home.client().create(path, "canary").ok(201);
    }
    home.ok(&["kms", "create", "orders"]);
    assert_eq!(words(&home, &["get", "/"]), ["/app/", "/other"]);
    assert_eq!(words(&home, &["get", "/app/p"]), ["/app/prod/"]);
    assert_eq!(words(&home, &["get", "/app/prod/"]), ["/app/prod/db", "/app/prod/tls"]);
    assert_eq!(words(&home, &["get", "app/prod/d"]), ["app/prod/db"]);
    assert_eq!(words(&home, &["policy", "test", "/o"]), ["/other"]);
    assert_eq!(words(&home, &["cp", "/other", "/app/s"]), ["/app/staging/"]);
    assert_eq!(words(&home, &["get", "/nothing/"]), [""; 0]);
    assert_eq!(words(&home, &["get", "/a/../"]), [""; 0]);
    assert_eq!(words(&home, &["kms", "rotate", "o"]), ["orders"]);
    assert_eq!(words(&home, &["put", "/x", "--kms-key", "d"]), ["dev-key"]);
    assert_eq!(words(&home, &["ls", "--region", ""]), [home.server.dev_env().region.as_str()]);
    assert_eq!(words(&home, &["kms", "cancel"]), ["cancel-deletion"]);
    // Flags that were typed count: another server, where nobody is.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(words(&home, &["--address", &format!("http://127.0.0.1:{port}"), "get", "/"]), [""; 0]);
}

#[test]
fn a_name_behind_many_others_is_offered() {
    let home = Home::new();
    let many = (0..600).map(|number| format!("\"/app/a{number}\": \"v\",")).collect::<String>();
    home.feed(&["import", "-"], format!("{{{many} \"/app/b+\": \"v\", \"/app/z/last\": \"v\", \"/app/zoo\": \"v\"}}"));
    for (typed, wanted) in [
        ("/app/z", &["/app/z/", "/app/zoo"][..]),
        ("app/z", &["app/z/", "app/zoo"]),
        ("/app/zz", &[]),
        ("/app/a599", &["/app/a599"]),
        ("/app/b", &["/app/b+"]),
    ] {
        // A machine that is busy may take longer than the second that a shell gives.
        let offered = wait_for(Duration::from_secs(60), || {
            Some(words(&home, &["get", typed])).filter(|offered| !offered.is_empty() || wanted.is_empty())
        });
        assert_eq!(
            offered.as_deref(),
            Some(wanted).map(|all| all.iter().map(|&word| word.to_owned()).collect::<Vec<_>>()).as_deref()
        );
    }
    assert!(words(&home, &["get", "/app/"]).len() <= 500);
}

#[test]
fn flags_of_the_command_that_is_run_are_not_taken() {
    let home = Home::new();
    home.client().create("/app/db", "canary").ok(201);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let address = format!("http://{}", other.local_addr().unwrap());
    for flags in [&["--address", &address][..], &[&format!("--address={address}")], &["--profile", "nobody"]] {
        let line = [&["run", "--path", "/app/", "--", "aws", "--allow-plain-http"], flags].concat();
        let done = asked_at(asked(|words| home.command(words), &line), 3).run();
        assert_eq!(String::from_utf8(done.stdout).unwrap(), "/app/db", "{flags:?} {}", done.stderr);
    }
    assert!(other.accept().is_err(), "the other server was asked");
}

#[test]
fn others_may_not_look_into_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("strongroom");
    std::fs::copy(PROGRAM, &program).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    // As somebody who isn't root, to whom the process would belong.
    let mut command = match rustix::process::getuid().is_root() {
        true => Command::new("setpriv"),
        false => Command::new("env"),
    };
    if rustix::process::getuid().is_root() {
        command.args(["--reuid=65534", "--clear-groups"]);
    }
    command.arg(&program).args(["--", "strongroom", "get", "/app/"]).env_clear();
    command
        .env("_STRONGROOM_COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", "2")
        .env("PATH", std::env::var("PATH").unwrap());
    command.env("STRONGROOM_ADDR", format!("http://{}", listener.local_addr().unwrap()));
    command.env("STRONGROOM_TOKEN", "canary").env("STRONGROOM_REGION", "nl-01").env("HOME", folder.path());
    let mut child = command.spawn().unwrap();
    // From here on it waits for an answer.
    let _asking = wait_for(Duration::from_secs(25), || listener.accept().ok()).expect("it asks");
    let owner = std::fs::metadata(format!("/proc/{}/environ", child.id())).unwrap().uid();
    assert_eq!(owner, 0, "its environment can be read");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_server_that_does_not_answer_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let run = asked(|words| Run::new(words, folder.path()), &["get", "/app/"])
        .env("STRONGROOM_ADDR", address)
        .env("STRONGROOM_TOKEN", "canary");
    let mut child = run.start();
    // Long after the program itself gives up, and long before a command would.
    let status = wait_for(Duration::from_secs(25), || child.try_wait().unwrap());
    let ended = status.expect("it doesn't wait for an answer");
    let output = child.wait_with_output().unwrap();
    assert!(ended.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn whatever_is_wrong_nothing_is_said() {
    let home = Home::new();
    let without = |name: &str| asked(|words| home.command(words), &["get", "/"]).without(name).run();
    let wrong_token = asked(|words| home.command(words), &["get", "/"]).env("STRONGROOM_TOKEN", "wrong").run();
    std::fs::write(home.config(), "not toml [").unwrap();
    let broken = asked(|words| home.bare(words), &["get", "/"]).run();
    for done in [without("STRONGROOM_TOKEN"), without("STRONGROOM_ADDR"), wrong_token, broken] {
        assert!(done.code == Some(0) && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
    }
}

#[test]
fn what_has_no_form_in_json_is_refused() {
    let home = Home::new();
    for arguments in [&["completion", "bash"][..], &["man"]] {
        let said = home.bare(&[arguments, &["--json"]].concat()).run();
        let told: serde_json::Value = serde_json::from_str(&said.stderr).unwrap();
        assert!(
            said.code == Some(2) && said.stdout.is_empty() && told["error"]["hint"] == "leave --json out",
            "{said:?}"
        );
    }
    let pages = home.path("pages");
    let told = home.bare(&["man", "--dir", text(&pages), "--json"]).ok();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["directory"], text(&pages));
}

#[test]
fn shells_understand_the_scripts() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = home.bare(&["completion", shell]).ok();
        assert!(script.contains("_STRONGROOM_COMPLETE"), "{script}");
    }
    let script = home.path("script");
    std::fs::write(&script, home.bare(&["completion", "bash"]).ok()).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
    assert_eq!(home.bare(&["completion", "tcsh"]).run().code, Some(2));
}

#[test]
fn every_command_has_its_page() {
    let home = Home::new();
    let pages = home.path("man/pages");
    home.bare(&["man", "--dir", text(&pages)]).ok();
    for name in ["strongroom", "strongroom-get", "strongroom-kms", "strongroom-kms-rewrap", "strongroom-audit-verify"] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
    }
    assert!(home.bare(&["man"]).ok().contains(".SH SYNOPSIS"));
    home.bare(&["man", "--dir", "/dev/null/x"]).fails(1);
}
