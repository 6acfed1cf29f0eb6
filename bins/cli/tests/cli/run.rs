//! run: secrets in the environment of another program.

use crate::support::{Home, Run, text};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;
use strongroom_tests::wait_for;

const PATIENCE: Duration = Duration::from_secs(60);

fn with_secrets() -> Home {
    let home = Home::new();
    home.feed(&["put", "/app/prod/db-password"], "hunter2 \n\"$HOME'");
    home.feed(&["put", "/app/prod/tls", "--kv", "cert=-"], "certificate");
    home.feed(&["put", "/app/prod/deep/er/token"], b"\xff\xfe");
    home.feed(&["put", "/other/key"], "k");
    home
}

/// Keeps everybody from revealing it.
pub(crate) fn deny(home: &Home, path: &str) {
    let policy = json!({"accessPolicy": {"statements": [{"effect": "Deny", "actions": ["getSecretValue"], "principals": ["*"]}]}});
    home.client().put(format!("{}/policy", home.client().secret(path)), &policy).ok(200);
}

/// A service account that may do this to that.
pub(crate) struct Reader<'a> {
    home: &'a Home,
    key: String,
    secret: String,
}

impl<'a> Reader<'a> {
    pub(crate) fn of(home: &'a Home, name: &str, permissions: &str, paths: &str) -> Self {
        home.ok(&["iam", "roles", "create", name]);
        let rule = ["iam", "rules", "create", name, "--resource"];
        home.ok(&[&rule[..], &["secret", "--permission", permissions, "--identity", paths]].concat());
        home.ok(&[&rule[..], &["kms_key", "--permission", "encrypt,decrypt"]].concat());
        home.ok(&["iam", "service-accounts", "create", name]);
        home.ok(&["iam", "bindings", "create", name, "--service-account", name]);
        let made = home.json(&["iam", "credentials", "create", name]);
        let text = |member: &str| made[member].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        Self { home, key: text("accessKey"), secret: text("accessSecret") }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        let run = self.home.command(arguments).without("STRONGROOM_TOKEN");
        run.env("STRONGROOM_ACCESS_KEY", &self.key).env("STRONGROOM_ACCESS_SECRET", &self.secret)
    }
}

#[test]
fn secrets_are_variables_by_their_names() {
    let home = with_secrets();
    let done = home.command(&["run", "--path", "/app/prod", "--", "env", "-0"]).env("KEPT", "yes").run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    let variables: Vec<&[u8]> = done.stdout.split(|byte| *byte == 0).collect();
    for expected in [&b"DB_PASSWORD=hunter2 \n\"$HOME'"[..], b"TLS_CERT=certificate", b"TOKEN=\xff\xfe", b"KEPT=yes"] {
        assert!(variables.contains(&expected), "{}", String::from_utf8_lossy(&done.stdout));
    }
    assert!(!variables.iter().any(|variable| variable.starts_with(b"KEY=")));

    let only =
        ["run", "--no-inherit", "--prefix", "X_", "--path", "/app/prod/deep/", "--path", "/other", "--", "env", "-0"];
    let done = home.command(&only).run();
    let mut variables: Vec<&[u8]> = done.stdout.split(|byte| *byte == 0).filter(|one| !one.is_empty()).collect();
    variables.sort_unstable();
    assert_eq!(variables, [&b"X_KEY=k"[..], b"X_TOKEN=\xff\xfe"], "{done:?}");
}

#[test]
fn names_can_be_chosen() {
    let home = with_secrets();
    let mapped =
        ["run", "--no-inherit", "--path", "/app/prod/tls", "--map", "PATH=/other/key", "--map", "C=/app/prod/tls#cert"];
    let done = home.command(&[&mapped[..], &["--", "env"]].concat()).run();
    let mut lines: Vec<&str> = core::str::from_utf8(&done.stdout).unwrap().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["C=certificate", "PATH=k"], "{done:?}");
    for (map, says) in [
        ("A=/app/prod/tls", "several values"),
        ("A=/app/prod/tls#nope", "has no key nope"),
        ("A=/other/key#x", "has one value"),
    ] {
        let said = home.command(&["run", "--map", map, "--", "env"]).fails(2);
        assert!(said.contains(says) && !said.contains("certificate"), "{said}");
    }
    for wrong in ["=/x", "1A=/x", "A", "A=/x#", "A=/x/", "A-B=/x"] {
        let done = home.command(&["run", "--map", wrong, "--", "env"]).run();
        assert!(done.code == Some(2) && done.stdout.is_empty(), "{wrong} {done:?}");
    }
    home.command(&["run", "--map", "A=/nope", "--", "env"]).fails(3);
}

#[test]
fn two_secrets_never_share_a_name() {
    let home = Home::new();
    home.feed(&["put", "/a/x-y"], "1");
    home.feed(&["put", "/a/sub/x_y"], "2");
    let said = home.command(&["run", "--path", "/a", "--", "env"]).fails(2);
    assert!(said.contains("/a/sub/x_y and /a/x-y would both be X_Y"), "{said}");
    let mapped = ["run", "--no-inherit", "--path", "/a", "--map", "OTHER=/a/x-y", "--", "env"];
    let shown = home.ok(&mapped);
    assert!(shown.contains("X_Y=2\n") && shown.contains("OTHER=1\n") && shown.lines().count() == 2, "{shown}");
}

#[test]
fn what_steers_programs_needs_to_be_meant() {
    let home = Home::new();
    for name in ["ld-preload", "path", "PythonPath", "node_options"] {
        home.feed(&["put", &format!("/evil/{name}/{name}")], "/tmp/evil.so");
        let said = home.command(&["run", "--path", &format!("/evil/{name}"), "--", "env"]).fails(2);
        assert!(said.contains("--map") && !said.contains("/tmp/evil.so"), "{said}");
    }
    assert!(
        home.ok(&["run", "--path", "/evil/path", "--prefix", "APP_", "--", "env"]).contains("APP_PATH=/tmp/evil.so\n")
    );
}

#[test]
fn a_value_that_no_environment_holds_is_refused_by_name() {
    let home = Home::new();
    home.feed(&["put", "/a/nul"], b"canary\0x");
    let said = home.command(&["run", "--path", "/a", "--", "env"]).fails(2);
    assert!(said.contains("/a/nul") && said.contains("NUL") && !said.contains("canary"), "{said}");
}

#[test]
fn what_is_denied_keeps_the_command_from_being_run() {
    let home = with_secrets();
    deny(&home, "/app/prod/tls");
    let mark = home.path("mark");
    let said = home.command(&["run", "--path", "/app/prod", "--", "touch", text(&mark)]).fails(4);
    assert!(said.contains("/app/prod/tls") && said.contains("nothing was run") && !mark.exists(), "{said}");
    let done = home.command(&["run", "--path", "/app/prod", "--allow-missing", "--", "env"]).run();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.stderr.contains("/app/prod/tls") && !done.stdout.windows(9).any(|part| part == b"TLS_CERT="),
        "{done:?}"
    );
    let said = home.command(&["run", "--path", "/nothing", "--", "touch", text(&mark)]).fails(3);
    assert!(said.contains("/nothing") && !mark.exists(), "{said}");
    let done = home.command(&["run", "--path", "/other", "--map", "A=/nope", "--allow-missing", "--", "env"]).run();
    assert!(done.code == Some(0) && done.stderr.contains("/nope"), "{done:?}");
}

#[test]
fn more_than_a_hundred_secrets_come_in_several_calls() {
    let home = Home::new();
    let all: serde_json::Map<String, serde_json::Value> =
        (0..230).map(|number| (format!("/many/s{number:03}"), json!(format!("v{number}")))).collect();
    home.feed(&["import", "-", "--format", "json"], json!(all).to_string());
    let shown = home.ok(&["run", "--no-inherit", "--path", "/many", "--", "env"]);
    assert_eq!(shown.lines().count(), 230);
    assert!(shown.contains("S229=v229\n"));
}

#[test]
fn exit_codes_are_those_of_the_command() {
    let home = with_secrets();
    let code = |line: &[&str]| {
        let done = home.command(&[&["run", "--path", "/other", "--"], line].concat()).run();
        (done.code, done.stderr)
    };
    assert_eq!(code(&["sh", "-c", "exit 42"]), (Some(42), String::new()));
    let (missing, said) = code(&["no-such-command"]);
    assert!(missing == Some(127) && said.contains("no-such-command"), "{said}");
    assert_eq!(code(&["/no/such/command"]).0, Some(127));
    let script = home.path("script");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    let (refused, said) = code(&[text(&script)]);
    assert!(refused == Some(126) && said.contains("nothing was revealed"), "{said}");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(code(&[text(&script)]).0, Some(127));
    assert_eq!(code(&[text(&home.folder.path())]).0, Some(126));
    // A script without a first line of its own is run by the shell.
    std::fs::write(&script, "exit $((${#KEY} + 6))\n").unwrap();
    assert_eq!(code(&[text(&script)]).0, Some(7));
    assert_eq!(home.command(&["run", "--path", "/other"]).run().code, Some(2));
}

#[test]
fn an_environment_that_is_too_large_is_told() {
    let home = Home::new();
    for number in 0..40 {
        home.feed(&["put", &format!("/large/s{number}")], vec![b'x'; 65_536]);
    }
    let done = home.command(&["run", "--path", "/large", "--", "true"]).run();
    // Linux takes a quarter of the stack's limit, with 6 MiB at the most, and 128 KiB for one variable.
    assert!(matches!(done.code, Some(126)) && done.stderr.contains("too large"), "{:?} {}", done.code, done.stderr);
}

#[test]
fn the_command_takes_the_place_of_this_one() {
    let home = with_secrets();
    let typist = home
        .command(&["run", "--path", "/other", "--", "sh", "-c", "echo pid $$; echo ready; exec sleep 60"])
        .on_terminal(80);
    typist.sees("ready");
    assert!(typist.shown().contains(&format!("pid {}\r\n", typist.id())), "{}", typist.shown());
    kill_process(Pid::from_raw(i32::try_from(typist.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
    // Ended by the signal itself, not by an exit code for it.
    assert_eq!(typist.ends().0, None);

    let line = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done";
    let typist = home.command(&["run", "--path", "/other", "--", "sh", "-c", line]).on_terminal(80);
    typist.sees("ready").types("\u{3}").sees("caught");
    assert_eq!(typist.ends().0, Some(9));
}

#[test]
fn the_terminal_is_that_of_the_command() {
    let home = with_secrets();
    let line = "test -t 0 && test -t 1 && test -t 2 && stty size && read answer && echo got $answer $KEY";
    let typist = home.command(&["run", "--path", "/other", "--", "sh", "-c", line]).on_terminal(40);
    typist.sees("24 40");
    assert!(typist.echoes());
    let (code, shown) = typist.types("hello\n").ends();
    assert!(code == Some(0) && shown.ends_with("got hello k\n"), "{shown}");
}

#[test]
fn broken_pipes_end_the_command_as_they_should() {
    let home = with_secrets();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let child = home.command(&["run", "--path", "/other", "--", "yes"]).stdout(writer).start();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(Signal::PIPE.as_raw()), "{output:?}");
    let signals = home.ok(&["run", "--path", "/other", "--", "grep", "^Sig[BI]", "/proc/self/status"]);
    for line in signals.lines() {
        let mask = u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap();
        // Above 31 are those that the C library keeps to itself.
        assert_eq!(mask & 0x7fff_ffff, 0, "{signals}");
    }
}

#[test]
fn without_a_server_nothing_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let run = Run::new(&["run", "--path", "/a", "--timeout", "1s", "--", "touch", text(&mark)], folder.path())
        .env("STRONGROOM_ADDR", "http://127.0.0.1:1")
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01");
    run.fails(6);
    assert!(!mark.exists());
}

#[test]
fn the_secret_of_the_directorys_name_comes_along() {
    let home = Home::new();
    home.feed(&["put", "/w"], "1");
    home.feed(&["put", "/w/c"], "2");
    let shown = home.ok(&["run", "--no-inherit", "--path", "/w", "--", "env"]);
    assert!(shown.contains("W=1\n") && shown.contains("C=2\n") && shown.lines().count() == 2, "{shown}");
}

/// With a slash at its end a path is the directory alone, so that nothing is asked for that may not be there, and recorded as missing.
#[test]
fn a_directory_alone_leaves_no_failure_in_the_log() {
    let home = with_secrets();
    home.feed(&["put", "/app/prod"], "own");
    let alone = home.command(&["run", "--path", "/app/prod/", "--no-inherit", "--", "/usr/bin/env"]).run();
    assert_eq!(alone.code, Some(0), "{alone:?}");
    let alone = String::from_utf8_lossy(&alone.stdout);
    assert!(alone.contains("DB_PASSWORD=") && !alone.contains("PROD="), "{alone}");
    home.ok(&["run", "--path", "/other/", "--", "true"]);
    home.ok(&["export", "/other/", "--output", text(&home.path("exported.json"))]);
    // Only this one asks for the secret as well; it is the last that is recorded.
    home.ok(&["run", "--path", "/other", "--", "true"]);
    let failed = wait_for(PATIENCE, || {
        let entries = home.json(&["audit", "ls", "--status", "404", "--action", "secret.value.read"]);
        entries.as_array().filter(|entries| !entries.is_empty()).cloned()
    });
    let failed = failed.expect("it is found");
    assert_eq!((failed.len(), &failed[0]["resourceIdentity"]), (1, &json!("/other")), "{failed:?}");
}

#[test]
fn who_may_reveal_needs_not_be_allowed_to_list() {
    let home = Home::new();
    for path in ["/n/a", "/n/b", "/m", "/m/c"] {
        home.feed(&["put", path], path);
    }
    let reader = Reader::of(&home, "reader", "read,getSecretValue", "/n/a");
    assert_eq!(reader.command(&["run", "--no-inherit", "--path", "/n/a", "--", "env"]).ok(), "A=/n/a\n");
    assert_eq!(reader.command(&["export", "/n/a"]).ok(), "{\n  \"/n/a\": \"/n/a\"\n}\n");
    for path in ["/n", "/n/b", "/nothing"] {
        let said = reader.command(&["run", "--path", path, "--", "env"]).fails(4);
        assert!(said.contains("strongroom explain req-"), "{said}");
    }
    // Of the directory's name nothing may be known: neither that it is there, nor that it isn't.
    let lister = Reader::of(&home, "lister", "list,read,getSecretValue", "/m/*");
    assert_eq!(lister.command(&["run", "--no-inherit", "--path", "/m", "--", "env"]).ok(), "C=/m/c\n");
}

#[test]
fn several_that_are_denied_are_counted_and_explained() {
    let home = with_secrets();
    deny(&home, "/app/prod/tls");
    deny(&home, "/app/prod/deep/er/token");
    home.ok(&["destroy", "/app/prod/db-password", "1", "--yes"]);
    let said = home.command(&["run", "--path", "/app/prod", "--", "env"]).fails(1);
    assert!(said.contains("3 secrets (2 denied, 1 missing) can't be revealed"), "{said}");
    let run = home.command(&["run", "--json", "--path", "/app/prod/tls", "--", "env"]).run();
    let told: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
    let (hint, request) = (told["error"]["hint"].as_str().unwrap(), told["error"]["requestId"].as_str().unwrap());
    assert!(hint.contains("`strongroom explain --operation secret.value.read --path /app/prod/tls`"), "{told}");
    assert!(request.starts_with("req-") && told["error"]["code"] == "access_policy_denied", "{told}");
    assert!(
        home.ok(&["explain", "--operation", "secret.value.read", "--path", "/app/prod/tls"]).contains("/app/prod/tls")
    );
}

#[test]
fn the_command_gets_no_credentials() {
    let home = with_secrets();
    let run = |arguments: &[&str]| {
        let line = [&["run", "--path", "/other"], arguments, &["--", "env"]].concat();
        let run = home.command(&line).env("THALASSA_API_TOKEN", "canary-1").env("THALASSA_CLIENT_SECRET", "canary-2");
        run.env("THALASSA_CLIENT_ID", "canary-3").ok()
    };
    let token = &home.server.dev_env().token;
    let shown = run(&[]);
    assert!(!shown.contains(token) && !shown.contains("canary") && !shown.contains("STRONGROOM_TOKEN"), "{shown}");
    assert!(shown.contains("STRONGROOM_ADDR=") && shown.contains("KEY=k\n"), "{shown}");
    let shown = run(&["--keep-credentials"]);
    assert!(shown.contains(&format!("STRONGROOM_TOKEN={token}\n")) && shown.contains("canary-2"), "{shown}");
    assert!(run(&["--map", "STRONGROOM_TOKEN=/other/key"]).contains("STRONGROOM_TOKEN=k\n"));
    assert_eq!(
        home.command(&["run", "--no-inherit", "--keep-credentials", "--path", "/x", "--", "env"]).run().code,
        Some(2)
    );
}

#[test]
fn a_command_without_its_dashes_is_told_where_they_go() {
    let home = Home::new();
    for line in [&["env"][..], &["env", "-0"], &["env", "a", "b"], &["env", "--x=y"], &["env", "--", "b"]] {
        let done = home.command(&[&["run", "--path", "/n"], line].concat()).run();
        assert!(done.code == Some(2) && done.stderr.contains("put -- in front of the command"), "{line:?} {done:?}");
    }
    for line in [&["--pth", "/n", "--", "env"][..], &["--path", "/n", "-x", "--", "env"]] {
        let done = home.command(&[&["run"], line].concat()).run();
        assert!(done.code == Some(2) && done.stderr.contains("no such flag"), "{line:?} {done:?}");
    }
    assert!(!home.ok(&["run", "--help"]).to_ascii_lowercase().contains("misplaced"));
}
