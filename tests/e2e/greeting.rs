//! What `dev` says and leaves behind, and who may start it.

use crate::{Stage, Table, terminal};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use strongroom_tests::{DevEnv, Launch, Server, base64, strongroomd};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// What these lines print, where all of them succeed.
#[track_caller]
fn typed(script: &str, home: &Path) -> String {
    let programs = strongroomd();
    let run = terminal(script, home, programs.parent().expect("a folder")).output();
    let run = run.expect("bash and curl are installed");
    let out = String::from_utf8(run.stdout).expect("text");
    assert!(run.status.success(), "{script}\n{out}\n{}", String::from_utf8_lossy(&run.stderr));
    out
}

#[test]
fn its_lines_for_the_command_line_work() {
    let stage = Stage::new();
    let greeting = stage.server.stdout();
    let lines = greeting.lines().filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let lines: Vec<_> = lines.collect();
    let calls = lines.iter().filter(|line| line.contains("strongroom ")).count();
    assert!(lines[0].starts_with(". ") && calls == 3, "{greeting}");
    let client = strongroomd().with_file_name("strongroom");
    assert!(client.is_file(), "{} is missing: build it with cargo build -p strongroom-cli", client.display());
    let out = typed(&lines.join("\n"), stage.folder.path());
    // The value as it is, and then how long its variable is.
    assert!(out.ends_with("first5\n"), "{out}");
}

#[test]
fn its_lines_for_curl_work() {
    let stage = Stage::new();
    let greeting = stage.server.stdout();
    assert!(!greeting.contains(&stage.server.dev_env().token), "the greeting shows the token");
    assert!(greeting.contains(&stage.server.address().to_string()), "{greeting}");
    let lines: Vec<_> = greeting.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let calls = lines.iter().filter(|line| line.starts_with("curl ")).count();
    assert!(calls >= 4, "{greeting}");
    // The lines as they stand; only, a refusal ends the script.
    let script =
        format!("curl() {{ command curl --fail-with-body --noproxy '*' \"$@\"; echo; }}\n{}", lines.join("\n"));
    let out = typed(&script, Path::new("/"));
    let answers: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(answers.len(), calls, "{out}");
    assert!(answers.iter().all(|answer| answer.get("code").is_none()), "{out}");
    assert!(answers.iter().any(|answer| answer.get("secretString").is_some()), "one of the lines reveals: {out}");
}

#[test]
fn the_environment_file() {
    let stage = Stage::new();
    let data = stage.data();
    let file = data.join("dev.env");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).expect("a directory") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path) & 0o077, 0, "{} can be read by others", path.display());
    }
    let token = std::fs::read_to_string(data.join("operator.token")).expect("the operator's token");
    assert!(token.starts_with("tc_op_"), "another form of token");
    assert!(!stage.server.stdout().contains(&token), "the greeting shows the operator's token");
    let content = std::fs::read_to_string(&file).expect("readable");
    assert!(!content.contains(&token), "dev.env is for a user");
    let mut names: Vec<_> =
        content.lines().filter_map(|line| line.strip_prefix("export ")?.split('=').next()).collect();
    names.sort_unstable();
    let expected =
        ["STRONGROOM_ADDR", "STRONGROOM_KMS_KEY", "STRONGROOM_ORGANISATION", "STRONGROOM_REGION", "STRONGROOM_TOKEN"];
    assert_eq!(names, expected);
    let env = stage.server.dev_env();
    assert_eq!(env.address, format!("http://{}", stage.server.address()));
    assert_eq!((env.organisation.as_str(), env.region.as_str()), ("dev", "nl-01"));
    assert!(env.token.starts_with("tc_pat_"), "another form of token");

    let script = "source \"$0\"; curl -fsS --noproxy '*' -H \"Authorization: Token $STRONGROOM_TOKEN\" \
        -H \"X-Organisation-Identity: $STRONGROOM_ORGANISATION\" \
        \"$STRONGROOM_ADDR/v1/kms/$STRONGROOM_REGION/keys/$STRONGROOM_KMS_KEY\"";
    let run = Command::new("bash").args(["-euc", script]).arg(&file).output().expect("bash and curl are installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let key: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!((&key["name"], &key["status"]), (&json!("dev-key"), &json!("active")));
}

#[test]
fn a_second_start_finds_everything_again() {
    let stage = Stage::new();
    let first = stage.server.dev_env().clone();
    let made = stage.client.create("/app/x", "kept").ok(201);
    let _ = stage.client.put_value("/app/x", "kept too").ok(201);
    let stage = stage.restart();
    let second = stage.server.dev_env().clone();
    assert_eq!(second, DevEnv { address: second.address.clone(), ..first });
    let client = &stage.client;
    let found = client.describe("/app/x").ok(200);
    assert_eq!((&found["createdAt"], &found["currentVersion"]), (&made["createdAt"], &json!(2)));
    assert_eq!(client.reveal("/app/x", Some(1)).ok(200)["secretString"], base64("kept"));
    assert_eq!(client.put_value("/app/x", "more").ok(201)["version"], 3);
    let keys = client.get(client.keys()).ok(200);
    assert_eq!(keys.as_array().map(Vec::len), Some(1), "no second key is made: {keys}");
    let killed = stage.server.kill();
    assert_eq!(killed.code, None);
    let server = Server::dev(&stage.folder.path().join("data"));
    assert_eq!(server.client().reveal("/app/x", None).ok(200)["secretString"], base64("more"));
}

#[test]
fn it_listens_on_loopback_only() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let data = folder.path().join("data");
    let mut table = Table::default();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8200", "10.0.0.1:0", "[::ffff:10.0.0.1]:0"] {
        table.row(address, || {
            let ended = Launch::new(&[&"dev", &"--data", &data, &"--listen", &address]).run();
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(ended.stderr.contains("loopback"), "{ended:?}");
            assert!(!data.exists(), "something was written");
        });
    }
    table.finish();
}

#[test]
fn a_second_process_is_refused_by_name_of_the_first() {
    let stage = Stage::new();
    let _ = stage.client.create("/app/x", "one").ok(201);
    let before = std::fs::read(stage.data().join("dev.env")).expect("readable");
    let ended = Launch::dev(&stage.data()).run();
    assert_eq!(ended.code, Some(75), "{ended:?}");
    assert!(ended.stderr.contains(&format!("pid {}", stage.server.pid())), "{ended:?}");
    assert_eq!(std::fs::read(stage.data().join("dev.env")).expect("readable"), before);
    assert_eq!(stage.client.put_value("/app/x", "two").ok(201)["version"], 2, "the first is not disturbed");
    stage.server.stop();
    let server = Server::dev(&stage.folder.path().join("data"));
    assert_eq!(server.client().describe("/app/x").ok(200)["currentVersion"], 2);
}

#[test]
fn its_defaults() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Launch::new(&[&"dev", &"--listen", &"127.0.0.1:0"]).folder(folder.path()).start();
    let env = DevEnv::read(&folder.path().join("strongroom-data")).expect("dev.env in ./strongroom-data");
    assert_eq!(env.address, format!("http://{}", server.address()));
    server.stop();
}
