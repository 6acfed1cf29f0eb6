//! What `strongroomd audit` says when it can't do what it was asked.

use crate::audit_verify::{audit, done, first_key};
use crate::{Stage, Table};
use std::ffi::OsStr;
use std::path::Path;
use strongroom_tests::{Ended, Launch};

fn run(arguments: &[&dyn AsRef<OsStr>]) -> Ended {
    Launch::new(&[&[&"audit" as &dyn AsRef<OsStr>], arguments].concat()).run()
}

#[track_caller]
fn failed(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not said: {ended:?}");
    }
    assert!(!ended.stderr.contains("panicked") && !ended.stderr.contains("tc_"), "{ended:?}");
}

fn text_file(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

#[test]
fn what_went_wrong_is_said() {
    let stage = Stage::new();
    let folder = stage.folder.path();
    let file = |name: &str, text: &str| text_file(folder, name, text);
    let address = format!("http://{}", stage.server.address());
    let (nobody, data) = ("http://127.0.0.1:1", stage.data());
    let owners = stage.client.token.clone().expect("a token");
    let (wrong, owners) = (file("wrong", "tc_op_0000000000000000000000000000"), file("owners", &owners));
    let commands: [&[&str]; 6] =
        [&["verify"], &["export"], &["checkpoint"], &["status"], &["key", "list"], &["key", "rotate"]];
    let mut table = Table::default();
    for command in commands {
        let command: Vec<&dyn AsRef<OsStr>> = command.iter().map(|word| word as &dyn AsRef<OsStr>).collect();
        let name = command.iter().map(|word| word.as_ref().display().to_string()).collect::<Vec<_>>().join(" ");
        // Of a verification, 1 would say that something was found.
        let code = if name == "verify" { 69 } else { 1 };
        let with = |more: &[&dyn AsRef<OsStr>]| run(&[command.as_slice(), more].concat());
        table.row(format!("{name}: no server"), || {
            let ended = with(&[&"--addr", &nobody, &"--data", &data]);
            failed(&ended, code, &["no server answers at 127.0.0.1:1", "because"]);
        });
        table.row(format!("{name}: a token that nobody has"), || {
            failed(&with(&[&"--addr", &address, &"--token-file", &wrong]), code, &["token", &wrong]);
        });
        table.row(format!("{name}: an owner's token"), || {
            failed(&with(&[&"--addr", &address, &"--token-file", &owners]), code, &["operator"]);
        });
        table.row(format!("{name}: no token"), || {
            failed(&with(&[&"--addr", &address, &"--token-file", &"/nowhere/token"]), code, &["/nowhere/token"]);
        });
        table.row(format!("{name}: another machine"), || {
            failed(&with(&[&"--addr", &"http://10.0.0.1:8200", &"--data", &data]), 2, &["not on this machine"]);
        });
    }
    files(&stage, &mut table);
    table.finish();
}

fn files(stage: &Stage, table: &mut Table) {
    let folder = stage.folder.path();
    let file = |name: &str, text: &str| text_file(folder, name, text);
    let key = first_key(stage);
    let export = folder.join("export").display().to_string();
    done(audit(stage, &["export", "--to", &export]));
    let exported = std::fs::read_to_string(&export).expect("readable");
    table.row("an export is not overwritten", || {
        failed(&audit(stage, &["export", "--to", &export]), 1, &[&export]);
        assert_eq!(std::fs::read_to_string(&export).expect("readable"), exported);
    });
    table.row("an export where there is no directory", || {
        failed(&audit(stage, &["export", "--to", "/nowhere/export"]), 1, &["/nowhere/export"]);
    });
    let key = format!("--key={key}");
    let offline = |of: &dyn AsRef<OsStr>, more: &[&dyn AsRef<OsStr>]| run(&[&[&"verify", of, &key], more].concat());
    table.row("no export", || {
        failed(&offline(&"/nowhere/export", &[]), 69, &["/nowhere/export", "cannot be read"]);
        failed(&offline(&folder, &[]), 69, &["cannot be read"]);
        for text in ["", "\n", "hello\n", "{}\n", r#"{"type":"end","records":0}"#] {
            let bad = file("bad", text);
            failed(&offline(&bad, &[]), 69, &[&bad]);
        }
        let newer = file("newer", &exported.replacen(r#""format":1"#, r#""format":2"#, 1));
        failed(&offline(&newer, &[]), 69, &["format 2", "format 1"]);
        let broken = file("broken", &exported.replacen("\n{", "\n{nonsense", 1));
        failed(&offline(&broken, &[]), 69, &[&broken, "line 2"]);
    });
    table.row("no key", || {
        let key = |text: &str| run(&[&"verify", &export, &format!("--key={text}")]);
        failed(&key("AAAA"), 2, &["neither a public key in base64 nor a file"]);
        failed(&key("/nowhere/key"), 2, &["neither a public key in base64 nor a file"]);
        failed(&key(&file("key", "AAAA\n")), 2, &["32 bytes in base64"]);
        failed(&run(&[&"verify", &export]), 2, &["--key"]);
    });
    table.row("no anchor", || {
        let anchored = |anchor: &str| audit(stage, &["verify", "--anchor", anchor]);
        failed(&anchored("/nowhere/anchor"), 69, &["/nowhere/anchor"]);
        let bad = file("anchor", "hello\n");
        failed(&anchored(&bad), 69, &[&bad, "holds no checkpoint"]);
        failed(&offline(&export, &[&"--anchor", &bad]), 69, &[&bad, "holds no checkpoint"]);
    });
    table.row("no state", || {
        let bad = file("state", "hello\n");
        failed(&audit(stage, &["verify", "--state", &bad]), 69, &[&bad, "how far"]);
        let foreign = file("foreign", r#"{"cursor":"made-up"}"#);
        failed(&audit(stage, &["verify", "--state", &foreign]), 69, &["cursor"]);
    });
}
