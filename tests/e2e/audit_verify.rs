//! `strongroomd audit`: verifying the log of a running server, and an export of it without one.

use crate::Stage;
use crate::audit_tampered::sql;
use core::time::Duration;
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use strongroom_domain::audit::Checkpoint;
use strongroom_tests::{Ended, Launch, unbase64, wait_for};

pub(crate) fn audit(stage: &Stage, arguments: &[&str]) -> Ended {
    command(stage, arguments).run()
}

fn command(stage: &Stage, arguments: &[&str]) -> Launch {
    let mut all: Vec<String> = vec!["audit".to_owned()];
    all.extend(arguments.iter().map(|&argument| argument.to_owned()));
    all.extend(["--addr".to_owned(), format!("http://{}", stage.server.address())]);
    all.extend(["--data".to_owned(), stage.data().display().to_string()]);
    let all: Vec<&dyn AsRef<std::ffi::OsStr>> = all.iter().map(|it| it as &dyn AsRef<std::ffi::OsStr>).collect();
    Launch::new(&all)
}

pub(crate) fn offline(file: &Path, key: &str, more: &[&str]) -> Ended {
    let file = file.display().to_string();
    let mut all: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"audit", &"verify"];
    all.extend([&file as &dyn AsRef<std::ffi::OsStr>, &"--json"]);
    let key = format!("--key={key}");
    all.push(&key);
    all.extend(more.iter().map(|it| it as &dyn AsRef<std::ffi::OsStr>));
    Launch::new(&all).run()
}

#[track_caller]
pub(crate) fn done(ended: Ended) -> String {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout
}

/// The kinds that were found; the exit code says whether there are any.
#[track_caller]
pub(crate) fn kinds(ended: &Ended) -> Vec<String> {
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(ended.code, Some(i32::from(!findings.is_empty())), "{ended:?}");
    for finding in findings {
        assert!(finding["message"].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
        assert!(finding["advice"].as_str().is_some_and(|text| !text.is_empty()), "{finding}");
    }
    findings.iter().map(|finding| finding["kind"].as_str().expect("a kind").to_owned()).collect()
}

pub(crate) fn first_key(stage: &Stage) -> String {
    let keys: Value = serde_json::from_str(&done(audit(stage, &["key", "list", "--json"]))).expect("JSON");
    keys[0]["publicKey"].as_str().expect("a key").to_owned()
}

pub(crate) fn settled(stage: &Stage) {
    let rests = || {
        let status: Value = serde_json::from_str(&done(audit(stage, &["status", "--json"]))).expect("JSON");
        // Asking leaves a record too.
        (status["withoutCheckpoint"].as_u64() <= Some(2) && status["lastCheckpoint"].is_object()).then_some(())
    };
    assert!(wait_for(Duration::from_secs(20), rests).is_some(), "checkpoints come");
}

#[test]
fn a_log_is_verified_on_the_server_and_elsewhere() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..20 {
        let _ = stage.client.create(&format!("/app/{n}"), "value").ok(201);
        let _ = stage.client.reveal(&format!("/app/{n}"), None).ok(200);
    }
    settled(&stage);
    let anchor = folder.path().join("anchor");
    std::fs::write(&anchor, done(audit(&stage, &["checkpoint"]))).expect("written");
    let rotated = done(audit(&stage, &["key", "rotate"]));
    assert!(rotated.starts_with("2 "), "{rotated}");
    let signs = || {
        let _ = stage.client.reveal("/app/0", None).ok(200);
        let keys: Value = serde_json::from_str(&done(audit(&stage, &["key", "list", "--json"]))).expect("JSON");
        (keys[1]["state"] == "signing").then_some(())
    };
    assert!(wait_for(Duration::from_secs(20), signs).is_some(), "the new key is made known");
    for n in 0..20 {
        let _ = stage.client.reveal(&format!("/app/{n}"), None).ok(200);
    }
    settled(&stage);

    let anchored = ["verify", "--json", "--anchor", &anchor.display().to_string(), "--at-once", "50"];
    assert_eq!(kinds(&audit(&stage, &anchored)), [""; 0]);
    let plain = audit(&stage, &["verify"]);
    assert!(plain.stdout.starts_with("verified: "), "{plain:?}");
    assert!(plain.stdout.contains("not proven: that the end of the log was not cut off"), "{plain:?}");
    assert!(plain.stderr.contains("index: "), "lines where there is no terminal: {plain:?}");
    assert!(!plain.stdout.contains(" 0 records"), "{plain:?}");
    let state = folder.path().join("state").display().to_string();
    assert_eq!(kinds(&audit(&stage, &["verify", "--json", "--state", &state])), [""; 0]);
    assert!(!Path::new(&state).exists(), "gone at the end");

    let file = folder.path().join("export");
    done(audit(&stage, &["export", "--to", &file.display().to_string()]));
    let key = first_key(&stage);
    assert_eq!(kinds(&offline(&file, &key, &["--anchor", &anchor.display().to_string()])), [""; 0]);
    tampered_exports(&file, &key);
}

/// What a verification says at its begin.
const BEGIN: &str = "streams: 0 of ";

/// Begins to verify one by one, and kills the command when it has found one thing; gives what it found. `None`: it was too fast.
fn killed(stage: &Stage, arguments: &[&str], state: &Path) -> Option<Value> {
    let kept = || serde_json::from_slice::<Value>(&std::fs::read(state).ok()?).ok();
    let begun = command(stage, arguments).begin();
    let one = || kept().filter(|kept| kept["report"]["findings"].as_array().is_some_and(|found| found.len() == 1));
    let has_found = wait_for(Duration::from_secs(20), one);
    begun.signal(Signal::KILL);
    let ended = begun.wait(Duration::from_secs(20));
    let kept = has_found.and_then(|_| one());
    kept.filter(|kept| ended.code.is_none() && kept["cursor"].is_string())
        .map(|kept| kept["report"]["findings"].clone())
}

/// Also where the server was started anew meanwhile: what was found before is told at the end, once.
#[test]
fn a_verification_that_was_killed_is_gone_on_with() {
    let mut stage = Stage::new();
    let _ = stage.client.create("/app/x", "value").ok(201);
    for _ in 0..200 {
        let _ = stage.client.reveal("/app/x", None).ok(200);
    }
    settled(&stage);
    let anchor = stage.folder.path().join("anchor");
    std::fs::write(&anchor, done(audit(&stage, &["checkpoint"]))).expect("written");
    stage.server.stop();
    let data = stage.folder.path().join("data");
    let reveals = "SELECT position FROM audit_records WHERE action = 'secret.value.read' ORDER BY position";
    let reveals = sql(&data, reveals);
    for position in [&reveals[0][0], &reveals[reveals.len() - 1][0]] {
        let _ = sql(&data, &format!("UPDATE audit_records SET status = 403 WHERE position = {position}"));
    }
    stage = Stage::over(stage.folder);
    let anchor = anchor.display().to_string();
    let through = audit(&stage, &["verify", "--json", "--anchor", &anchor, "--at-once", "1"]);
    assert_eq!(kinds(&through), ["column_differs"; 2]);
    assert!(through.stderr.contains(BEGIN), "{through:?}");
    let findings = |ended: &Ended| -> Value {
        let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        report["findings"].clone()
    };

    let file = stage.folder.path().join("state");
    let state = file.display().to_string();
    let arguments = ["verify", "--json", "--anchor", &anchor, "--state", &state, "--at-once", "1"];
    let found = wait_for(Duration::from_secs(120), || {
        let _ = std::fs::remove_file(&file);
        killed(&stage, &arguments, &file)
    });
    assert_eq!(found.expect("it is killed between the two")[0], findings(&through)[0]);
    let kept = std::fs::read(&file).expect("kept");
    for is_anew in [false, true] {
        if is_anew {
            std::fs::write(&file, &kept).expect("written");
            stage = stage.restart();
        }
        let ended = audit(&stage, &arguments);
        assert_eq!(kinds(&ended), ["column_differs"; 2], "{ended:?}");
        assert_eq!(findings(&ended), findings(&through));
        assert!(!ended.stderr.contains(BEGIN) && !ended.stderr.contains("anew"), "it goes on: {ended:?}");
        let records = |ended: &Ended| serde_json::from_str::<Value>(&ended.stdout).expect("JSON")["records"].as_u64();
        assert!(records(&ended) >= records(&through), "{ended:?}");
        assert!(!file.exists(), "gone at the end");
    }
    // With another anchor it begins anew.
    std::fs::write(&file, &kept).expect("written");
    let other = stage.folder.path().join("other").display().to_string();
    std::fs::write(&other, done(audit(&stage, &["checkpoint"]))).expect("written");
    let ended = audit(&stage, &["verify", "--json", "--anchor", &other, "--state", &state, "--at-once", "1"]);
    assert!(ended.stderr.contains("begins anew") && ended.stderr.contains(BEGIN), "{ended:?}");
    assert_eq!(findings(&ended), findings(&through));
}

fn tampered_exports(file: &Path, key: &str) {
    let text = std::fs::read_to_string(file).expect("readable");
    let lines: Vec<&str> = text.lines().collect();
    let records: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with(r#"{"type":"record""#)).collect();
    let checkpoints: Vec<usize> =
        (0..lines.len()).filter(|at| lines[*at].starts_with(r#"{"type":"checkpoint""#)).collect();
    assert!(records.len() > 80 && checkpoints.len() > 2, "{} {}", records.len(), checkpoints.len());
    let other = file.with_extension("other");
    let found = |lines: &[&str]| {
        std::fs::write(&other, lines.join("\n") + "\n").expect("written");
        kinds(&offline(&other, key, &[]))
    };
    let third = records[3];
    let mut changed = lines.clone();
    let edited = lines[third].replacen(r#""status":"#, r#""status":1"#, 1);
    changed[third] = &edited;
    assert_eq!(found(&changed), ["column_differs"]);
    let mut changed = lines.clone();
    changed.swap(third, third + 1);
    assert_eq!(found(&changed).first().map(String::as_str), Some("record_missing"));
    let mut changed = lines.clone();
    changed.remove(third);
    // The count of the end line doesn't match either.
    assert_eq!(found(&changed), ["record_missing", "export_torn"]);
    let mut changed = lines.clone();
    changed.remove(checkpoints[1]);
    assert!(found(&changed).contains(&"checkpoint_missing".to_owned()));
    assert_eq!(found(&lines[..lines.len() - 1]), ["export_torn"]);
    assert_eq!(found(&lines[..third]), ["export_torn"]);
    checkpoints_that_came_late(&lines, &other, key);
    let foreign = kinds(&offline(file, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &[]));
    assert_eq!(foreign.first().map(String::as_str), Some("key_untrusted"));
    // Cut off within a line.
    std::fs::write(&other, &text[..text.len() / 2]).expect("written");
    assert_eq!(kinds(&offline(&other, key, &[])), ["export_torn"]);
    std::fs::write(&other, "no export\n").expect("written");
    assert_eq!(offline(&other, key, &[]).code, Some(69));
}

/// An export takes newer checkpoints where records were removed meanwhile; they tell of streams that it has had already.
fn checkpoints_that_came_late(lines: &[&str], other: &Path, key: &str) {
    let parsed: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told = |line: &Value| {
        let canonical = unbase64(line["canonical"].as_str().expect("base64"));
        let checkpoint = Checkpoint::from_canonical(&canonical).expect("sound");
        checkpoint.ends.iter().map(|end| end.sequence).max()
    };
    let of_type = |kind: &str| (0..lines.len()).filter(|at| parsed[*at]["type"] == kind).collect::<Vec<_>>();
    let checkpoints = of_type("checkpoint");
    let telling: Vec<usize> = checkpoints.iter().copied().filter(|at| told(&parsed[*at]).is_some()).collect();
    let (early, late) = (telling[telling.len() - 2], telling[telling.len() - 1]);
    let through = told(&parsed[early]).expect("an end");
    assert!(through < told(&parsed[late]).expect("an end"));
    let records: Vec<usize> =
        of_type("record").into_iter().filter(|at| parsed[*at]["sequence"].as_u64() <= Some(through)).collect();
    let mut end = parsed[of_type("end")[0]].clone();
    end["records"] = records.len().into();
    let end = end.to_string();
    let (before, behind): (Vec<usize>, Vec<usize>) = checkpoints.into_iter().partition(|at| *at <= early);
    let order = of_type("header").into_iter().chain(before).chain(records).chain(behind);
    let text: Vec<&str> = order.map(|at| lines[at]).chain([end.as_str()]).collect();
    std::fs::write(other, text.join("\n") + "\n").expect("written");
    let ended = offline(other, key, &[]);
    assert_eq!(kinds(&ended), [""; 0], "{ended:?}");
    assert!(ended.stdout.contains(&format!("does not go on after record {through}")), "{ended:?}");
}

#[test]
fn the_export_of_an_organisation_says_what_it_does_not_prove() {
    let stage = Stage::new();
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..5 {
        let _ = stage.client.create(&format!("/app/{n}"), "value").ok(201);
    }
    settled(&stage);
    let key = first_key(&stage);
    let file = folder.path().join("export");
    let enough = || {
        let text = String::from_utf8_lossy(
            &stage.client.request("GET", "/v1/audit/export").try_send().expect("an answer").body,
        )
        .into_owned();
        (text.lines().count() >= 12).then_some(text)
    };
    let text = wait_for(Duration::from_secs(20), enough).expect("records");
    std::fs::write(&file, &text).expect("written");
    let ended = offline(&file, &key, &[]);
    assert_eq!(kinds(&ended), [""; 0]);
    assert!(ended.stdout.contains("that these are all records of the organisation"), "{ended:?}");
    assert!(!ended.stdout.contains("0 of "), "some are signed: {ended:?}");
    std::fs::write(&file, text.replacen(r#""canonical":"A"#, r#""canonical":"B"#, 1)).expect("written");
    assert_eq!(kinds(&offline(&file, &key, &[])), ["record_changed"]);
    std::fs::write(&file, text.replacen(r#""action":"secret.create""#, r#""action":"secret.delete""#, 1))
        .expect("written");
    assert_eq!(kinds(&offline(&file, &key, &[])), ["column_differs"]);
}

#[test]
fn what_cannot_be_verified_has_another_exit_code_than_findings() {
    let none =
        Launch::new(&[&"audit", &"verify", &"--addr", &"http://127.0.0.1:1", &"--token-file", &"/dev/null"]).run();
    assert_eq!(none.code, Some(69), "{none:?}");
    let without_key = Launch::new(&[&"audit", &"verify", &"export"]).run();
    assert_eq!(without_key.code, Some(2), "{without_key:?}");
}
