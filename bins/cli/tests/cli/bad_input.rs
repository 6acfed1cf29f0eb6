//! What goes wrong around a command: no server, bad credentials, a full disk, a closed pipe, a signal.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::support::{Home, Run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;
use strongroom_tests::wait_for;

/// Every command that speaks to a server, with what it needs.
const COMMANDS: [&str; 104] = [
    "status",
    "get /x",
    "put /x",
    "put /x --create",
    "ls",
    "ls -r",
    "tree",
    "describe /x",
    "history /x",
    "diff /x",
    "rotate /x",
    "rotate /x --key a",
    "destroy /x 1 --yes",
    "delete /x --yes",
    "delete /x --yes --recursive",
    "patch /x --label a=b",
    "cp /x /y",
    "mv /x /y --yes",
    "export /x",
    "import -",
    "run --path /x -- true",
    "regions",
    "policy get /x",
    "policy set /x",
    "policy clear /x --yes",
    "policy test /x",
    "explain --operation secret.value.read --path /x",
    "kms ls",
    "kms get k",
    "kms create k",
    "kms import k --type hmac",
    "kms rotate k",
    "kms rotation k --off",
    "kms rewrap k",
    "kms inventory k",
    "kms retire k",
    "kms disable k",
    "kms enable k",
    "kms delete k --yes",
    "kms cancel-deletion k",
    "kms public-key k",
    "kms export k",
    "kms wrapping-key",
    "kms encrypt k",
    "kms decrypt k",
    "kms sign k",
    "kms verify k signature",
    "kms hmac k",
    "kms verify-hmac k hmac",
    "kms summary",
    "iam roles ls",
    "iam roles get r",
    "iam roles create r",
    "iam roles delete r --yes",
    "iam rules ls r",
    "iam rules create r --resource secret --permission read",
    "iam rules delete r rule --yes",
    "iam bindings ls r",
    "iam bindings create r --service-account a",
    "iam bindings delete r binding --yes",
    "iam teams ls",
    "iam teams get t",
    "iam teams create t",
    "iam teams update t --rename u",
    "iam teams delete t --yes",
    "iam members ls t",
    "iam members create t user",
    "iam members delete t user --yes",
    "iam memberships ls",
    "iam memberships create user",
    "iam memberships update membership --role MEMBER",
    "iam memberships delete membership --yes",
    "iam users ls",
    "iam users get user",
    "iam users create name",
    "iam service-accounts ls",
    "iam service-accounts get a",
    "iam service-accounts create a",
    "iam service-accounts update a --rename b",
    "iam service-accounts delete a --yes",
    "iam credentials ls a",
    "iam credentials create a",
    "iam credentials delete a credential --yes",
    "iam tokens ls",
    "iam tokens create t",
    "iam tokens delete token --yes",
    "iam providers ls",
    "iam providers get p",
    "iam providers create p --issuer https://ci.example",
    "iam providers update p --rename q",
    "iam providers delete p --yes",
    "iam federated-identities ls",
    "iam federated-identities get f",
    "iam federated-identities create f --service-account a --provider p --subject s --audience x",
    "iam federated-identities update f --rename g",
    "iam federated-identities delete f --yes",
    "iam projects ls",
    "iam projects get p",
    "iam projects create p",
    "iam projects update p --rename q",
    "iam projects delete p --yes",
    "audit ls",
    "audit tail",
    "audit export",
];

/// Those that speak to none, or that other tests look at.
const OTHERS: [&str; 5] = ["login", "logout", "completion", "man", "audit verify"];

/// What is read where something is read.
fn input(command: &str) -> &'static str {
    if command.starts_with("import") { r#"{"/x":"v"}"# } else { r#"{"conditions":[]}"# }
}

/// Does so with every command, several at a time: most of the time they wait.
fn with_each(check: impl Fn(&str, &[&str]) + Sync) {
    std::thread::scope(|scope| {
        for part in COMMANDS.chunks(COMMANDS.len().div_ceil(8)) {
            let check = &check;
            scope.spawn(move || {
                for command in part {
                    check(command, &command.split(' ').collect::<Vec<_>>());
                }
            });
        }
    });
}

/// It must fail so, and print nothing but what is set; gives what it said.
fn fails(run: Run, code: i32, command: &str) -> String {
    let done = run.input(input(command)).run();
    assert_eq!(done.code, Some(code), "{command}: {done:?}");
    assert!(done.stdout.is_empty() || command == "status", "{command}: {done:?}");
    assert!(done.stderr.contains("next:") || done.stderr.contains("\"hint\":"), "{command}: {done:?}");
    assert!(!done.stderr.contains("canary"), "{command}: {done:?}");
    done.stderr
}

/// The commands of which there is no line among these, as their manual pages call them.
pub(crate) fn left_out(lines: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    Run::new(&["man", "--dir", pages.to_str().unwrap()], folder.path()).ok();
    // Those that are no more than a name for others list them.
    let is_command =
        |page: &std::fs::DirEntry| !std::fs::read_to_string(page.path()).unwrap().contains(".SH SUBCOMMANDS");
    let pages = std::fs::read_dir(pages).unwrap().map(Result::unwrap).filter(is_command);
    let names = pages.map(|page| page.file_name().into_string().unwrap());
    let names: Vec<String> =
        names.filter_map(|page| page.strip_prefix("strongroom-")?.strip_suffix(".1").map(str::to_owned)).collect();
    assert!(names.len() > 80, "{names:?}");
    // A line is the longest command's with which it begins.
    let command = |line: &&str| {
        let words = line.split(' ').collect::<Vec<_>>().join("-") + "-";
        names.iter().filter(|name| words.starts_with(&format!("{name}-"))).max_by_key(|name| name.len())
    };
    let have_a_line: Vec<&String> = lines.iter().filter_map(command).collect();
    names.iter().filter(|name| !have_a_line.contains(name)).cloned().collect()
}

#[test]
fn no_command_is_left_out() {
    let lines: Vec<&str> = COMMANDS.into_iter().chain(OTHERS).collect();
    assert_eq!(left_out(&lines), Vec::<String>::new());
}

fn error_of(run: Run) -> (Option<i32>, Value) {
    let done = run.run();
    assert!(done.stdout.is_empty(), "{done:?}");
    let error: Value = serde_json::from_str(&done.stderr).unwrap_or_else(|error| panic!("{error}: {done:?}"));
    (done.code, error["error"].clone())
}

#[test]
fn without_a_server_every_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    with_each(|command, arguments| {
        let run = |more: &[&str]| {
            Run::new(&[&["--timeout", "2s"], more, arguments].concat(), folder.path())
                .env("STRONGROOM_ADDR", format!("http://127.0.0.1:{port}"))
                .env("STRONGROOM_TOKEN", "canary")
                .env("STRONGROOM_REGION", "nl-01")
        };
        fails(run(&[]), 6, command);
        let said = fails(run(&["--json"]), 6, command);
        let error: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{command}: {error}: {said}"));
        assert_eq!(error["error"]["exit"], 6, "{command}: {error}");
        assert!(error["error"]["hint"].is_string(), "{command}: {error}");
    });
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let run = Run::new(&["ls", "--timeout", "300ms"], folder.path())
        .env("STRONGROOM_ADDR", format!("http://{}", listener.local_addr().unwrap()))
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01");
    let said = run.fails(6);
    assert!(said.contains("--timeout"), "{said}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a real server looks at the real clock")]
fn wrong_and_expired_tokens_are_told() {
    let home = Home::new();
    home.feed(&["put", "/x"], "v");
    let all_fail = |token: &str| {
        with_each(|command, arguments| {
            let said = fails(home.command(arguments).env("STRONGROOM_TOKEN", token), 4, command);
            assert!(said.contains("have expired") && said.contains("strongroom login"), "{command}: {said}");
            assert!(!said.contains(token), "{command}: {said}");
        });
    };
    all_fail("canary-wrong");
    let client = home.client();
    let soon = time::OffsetDateTime::from(std::time::SystemTime::now()) + Duration::from_secs(2);
    let soon = soon.format(&time::format_description::well_known::Rfc3339).unwrap();
    let body = json!({"name": "short", "scopes": ["api:read", "api:write"], "expiresAt": soon});
    let made = client.post("/v1/me/personal-access-tokens", &body).ok(201);
    let token = made["token"].as_str().unwrap();
    let expired = wait_for(Duration::from_secs(30), || {
        let done = home.command(&["get", "/x"]).env("STRONGROOM_TOKEN", token).run();
        (done.code == Some(4)).then_some(done)
    });
    let done = expired.expect("the token expires");
    assert!(done.stderr.contains("have expired") && !done.stderr.contains(token), "{done:?}");
    all_fail(token);
    assert_eq!(home.value("/x"), b"v");
}

#[test]
fn without_a_server_nobody_logs_in() {
    let home = Home::new();
    let said =
        home.command(&["login", "--address", "http://127.0.0.1:1", "--token-stdin"]).input("tc_pat_canary").fails(6);
    assert!(said.contains("127.0.0.1:1") && !said.contains("canary"), "{said}");
}

#[test]
fn an_interrupt_ends_at_once_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    for (signal, code) in [(Signal::INT, 130), (Signal::QUIT, 131), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let out = folder.path().join("out");
        let run = Run::new(&["get", "/x", "--file", out.to_str().unwrap()], folder.path())
            .env("STRONGROOM_ADDR", format!("http://{}", listener.local_addr().unwrap()))
            .env("STRONGROOM_TOKEN", "t")
            .env("STRONGROOM_REGION", "nl-01");
        let child = run.start();
        // It waits for an answer now.
        let accepted = wait_for(Duration::from_secs(30), || listener.accept().ok());
        let (mut connection, _) = accepted.expect("the command connects");
        connection.set_nonblocking(false).unwrap();
        assert!(connection.read(&mut [0; 16]).unwrap() > 0);
        kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn what_is_no_strongroom_server_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let run = |address: &str| {
        Run::new(&["ls"], folder.path())
            .env("STRONGROOM_ADDR", address)
            .env("STRONGROOM_TOKEN", "t")
            .env("STRONGROOM_REGION", "nl-01")
    };
    for address in ["nonsense", "ftp://x", "http://user:pw@127.0.0.1"] {
        run(address).fails(2);
    }
    let said = run("http://strongroom.example").fails(2);
    assert!(said.contains("--allow-plain-http"), "{said}");
    run("https://127.0.0.1:1").fails(6);
}

#[test]
fn a_wrong_command_line_is_told_in_the_form_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["get"][..], &["nope"], &["get", "/a", "--nope"], &["put", "/a", "--stdin", "--generate"]] {
        let done = Run::new(arguments, folder.path()).run();
        assert!(done.code == Some(2) && done.stdout.is_empty() && done.stderr.contains("--help"), "{done:?}");
        let (code, error) = error_of(Run::new(&[arguments, &["--json"]].concat(), folder.path()));
        assert!(code == Some(2) && error["hint"].as_str().unwrap().contains("--help"), "{error}");
    }
    let help = Run::new(&["--help"], folder.path()).ok();
    let codes: Vec<&str> = help.split_once("Exit codes:").unwrap().1.split_whitespace().collect();
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "126", "127", "128+N", "130", "141"] {
        assert!(codes.contains(&code), "{code} in {codes:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(Run::new(&["--help"], folder.path()).stdout(writer).run().code, Some(141));
}

#[test]
fn a_token_in_the_place_of_a_command_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["tc_pat_canary"][..],
        &["tc_pat_canary", "ls"],
        &["--region", "nl-01", "tc_pat_canary"],
        &["--tc_pat_canary"],
        &["canarycanarycanarycanary"],
        &["audit", "tc_pat_canary"],
        &["help", "tc_pat_canary"],
        &["kms", "tc_pat_canary"],
    ] {
        for more in [&[][..], &["--json"]] {
            let done = Run::new(&[arguments, more].concat(), folder.path()).run();
            assert!(done.code == Some(2) && done.stdout.is_empty(), "{arguments:?} {done:?}");
            assert!(!done.stderr.contains("canary") && done.stderr.contains("--help"), "{arguments:?} {done:?}");
        }
    }
    let done = Run::new(&["lss"], folder.path()).run();
    assert!(done.code == Some(2) && done.stderr.contains("lss"), "{done:?}");
}

#[test]
fn a_process_that_may_open_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = Run::new(&["ls"], folder.path()).without_files().fails(1);
    assert!(said.contains("runtime cannot be started") && said.contains("ulimit -a"), "{said}");
}

#[test]
fn paths_are_checked_before_a_server_is_asked() {
    let home = Home::new();
    for path in ["/a//b", "/a/../b", "/a b", "/ä", "/a\u{1b}[2J", "/"] {
        let done = home.bare(&["get", path]).run();
        assert!(done.code == Some(2) && !done.stderr.contains('\u{1b}'), "{done:?}");
    }
}

#[test]
fn input_that_is_too_large_is_not_sent() {
    let home = Home::new();
    let said = home.command(&["put", "/x"]).input(vec![0; 3 * 1024 * 1024]).fails(2);
    assert!(said.contains("2 MiB"), "{said}");
    let said = home.command(&["put", "/x"]).input(vec![0; 70_000]).fails(1);
    assert!(said.contains("65536") || said.contains("64 KiB") || said.contains("65,536"), "{said}");
    let endless = File::open("/dev/zero").unwrap();
    drop(endless);
    home.command(&["put", "/x", "--file", "/dev/zero"]).fails(2);
    home.command(&["put", "/x", "--file", "/"]).fails(2);
}

#[test]
fn a_server_that_hangs_up_is_asked_a_few_times_only() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            drop(connection);
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    });
    Run::new(&["ls"], folder.path())
        .env("STRONGROOM_ADDR", address)
        .env("STRONGROOM_TOKEN", "t")
        .env("STRONGROOM_REGION", "nl-01")
        .fails(6);
    let all =
        wait_for(Duration::from_secs(10), || (asked.load(std::sync::atomic::Ordering::SeqCst) >= 4).then_some(()));
    assert!(all.is_some() && asked.load(std::sync::atomic::Ordering::SeqCst) == 4, "{asked:?}");
}
