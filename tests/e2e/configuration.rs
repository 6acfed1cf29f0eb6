//! Configuration files that are wrong, and what the right ones do.

use crate::{init, write_config};
use strongroom_tests::Launch;

#[test]
fn every_problem_at_once_with_its_place() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("bad.toml");
    let text = "data_dir = 5\n\
        surprise = true\n\
        [listen]\n\
        address = \"0.0.0.0:8200\"\n\
        max_connections = 0\n\
        trusted_proxies = [\"127.0.0.1\", \"10.0.0.1/8\"]\n\
        port = 8200\n\
        [limits]\n\
        value_bytes = 1023\n\
        active_versions = \"many\"\n\
        [regions.NL]\n\
        kms = \"cloud\"\n\
        [log]\n\
        level = \"loud\"\n";
    std::fs::write(&config, text).expect("written");
    for command in ["serve", "init"] {
        let ended = Launch::new(&[&command, &"--config", &config]).run();
        assert_eq!(ended.code, Some(78), "{ended:?}");
        let said = &ended.stderr;
        assert!(said.contains("bad.toml"), "{said}");
        let names = [
            "data_dir",
            "surprise",
            "address",
            "max_connections",
            "10.0.0.0/8",
            "port",
            "value_bytes",
            "active_versions",
            "NL",
            "kms",
            "level",
        ];
        for name in names {
            assert!(said.contains(name), "`{name}` is not said: {said}");
        }
        for line in [1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14] {
            let told = said
                .lines()
                .filter(|text| text.contains(&format!("{line}:")) || text.contains(&format!("line {line}")))
                .count();
            assert!(told >= 1, "line {line} is not told: {said}");
        }
    }
    assert!(std::fs::read_dir(folder.path()).expect("a directory").count() == 1, "something was written");
}

#[test]
fn no_toml_and_no_text() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = folder.path().join("bad.toml");
    for (bytes, line) in
        [(&b"data_dir = \"x\"\n[listen\n"[..], "2"), (b"data_dir = \"x\"\n\xff\n", "2"), (b"", "data_dir")]
    {
        std::fs::write(&config, bytes).expect("written");
        let ended = Launch::serve(&config).run();
        assert_eq!(ended.code, Some(78), "{ended:?}");
        assert!(ended.stderr.contains(line), "{ended:?}");
    }
}

#[test]
fn logs_as_text_and_json() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let config = write_config(folder.path(), "[log]\nlevel = \"warn\"\nformat = \"json\"");
    let token = init(&config);
    // The variable wins over the file.
    let server = Launch::serve(&config).log("info").start();
    let ended = server.stop();
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert!(!lines.is_empty(), "nothing is logged");
    for line in lines {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry.is_object(), "{line}");
    }
    assert!(!ended.stderr.contains(&token), "the token is in the log");
}

#[test]
fn an_issuer_whose_keys_cannot_be_fetched_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let login = "[iam.logins.x]\nissuer = \"https://10.0.0.1\"\naudience = \"x\"\n";
    let config = write_config(folder.path(), login);
    let _ = init(&config);
    let ended = Launch::serve(&config).run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("https://10.0.0.1") && ended.stderr.contains("not public"), "{ended:?}");
    let config = write_config(folder.path(), &format!("[iam]\nprivate_issuers = true\n{login}"));
    Launch::serve(&config).start().stop();
}
