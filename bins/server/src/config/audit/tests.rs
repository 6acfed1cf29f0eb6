use super::{AuditConfig, CheckpointsConfig, SinkConfig, SinkKind};
use crate::config::{Config, SecretSource};
use core::time::Duration;
use std::path::{Path, PathBuf};
use strongroom_audit_sinks::{FileOptions, HttpOptions, SyslogOptions};
use strongroom_domain::audit::SinkName;

fn parse(text: &str) -> Result<AuditConfig, Vec<String>> {
    let parsed = Config::parse(&format!("data_dir = \"/x\"\n{text}"), Path::new("/etc"));
    parsed.map(|config| config.audit).map_err(|all| all.iter().map(ToString::to_string).collect())
}

fn sink(name: &str, kind: SinkKind) -> SinkConfig {
    SinkConfig { name: SinkName::new(name).expect("a name"), kind }
}

#[test]
fn everything_can_be_set() {
    let text = r#"
        [audit]
        retention_days = 400
        [[audit.sinks]]
        name = "archive"
        kind = "file"
        path = "log/audit.jsonl"
        rotate_mib = 5
        keep = 3
        [[audit.sinks]]
        name = "siem"
        kind = "syslog"
        address = "tcp://log.internal:601"
        facility = "local3"
        app_name = "rooms"
        timeout_seconds = 3
        [[audit.sinks]]
        name = "hook"
        kind = "webhook"
        url = "https://audit.example.com/hidden"
        secret_file = "hook.secret"
        ca_file = "ca.pem"
        timeout_seconds = 60
        [[audit.sinks]]
        name = "hook-2"
        kind = "webhook"
        url = "http://127.0.0.1:9/x"
        secret_credential = "hook"
        [audit.checkpoints]
        file = "/mnt/elsewhere/checkpoints.jsonl"
        rotate_mib = 1
        keep = 1
        url = "https://anchors.example.com/hidden"
        ca_file = "ca.pem"
        timeout_seconds = 1
    "#;
    let ca = Some(PathBuf::from("/etc/ca.pem"));
    let file = |path: &str, mib: u64, keep| FileOptions { rotate_bytes: mib << 20, keep, ..FileOptions::new(path) };
    let http = |url: &str, seconds| HttpOptions {
        ca_file: ca.clone(),
        timeout: Duration::from_secs(seconds),
        ..HttpOptions::new(url)
    };
    let syslog = SyslogOptions {
        facility: "local3".parse().expect("a facility"),
        app_name: "rooms".to_owned(),
        timeout: Duration::from_secs(3),
        ..SyslogOptions::new("tcp://log.internal:601".parse().expect("an address"))
    };
    let hook = SinkKind::Webhook {
        http: http("https://audit.example.com/hidden", 60),
        secret: SecretSource::File("/etc/hook.secret".into()),
    };
    let plain = SinkKind::Webhook {
        http: HttpOptions::new("http://127.0.0.1:9/x"),
        secret: SecretSource::Credential("hook".to_owned()),
    };
    let expected = AuditConfig {
        retention_days: Some(400),
        sinks: vec![
            sink("archive", SinkKind::File(file("/etc/log/audit.jsonl", 5, 3))),
            sink("siem", SinkKind::Syslog(syslog)),
            sink("hook", hook),
            sink("hook-2", plain),
        ],
        checkpoints: CheckpointsConfig {
            file: Some(file("/mnt/elsewhere/checkpoints.jsonl", 1, 1)),
            http: Some(http("https://anchors.example.com/hidden", 1)),
        },
    };
    assert!(!format!("{expected:?}").contains("hidden"), "the log shows the configuration");
    assert_eq!(parse(text), Ok(expected));
}

#[test]
fn little_is_required() {
    assert_eq!(parse(""), Ok(AuditConfig::default()));
    let file = |text: &str| parse(&format!("[[audit.sinks]]\nname = \"a\"\nkind = \"file\"\n{text}"));
    let expected = sink("a", SinkKind::File(FileOptions::new("/var/a")));
    assert_eq!(file("path = \"/var/a\"").map(|audit| audit.sinks), Ok(vec![expected]));
    let syslog = "[[audit.sinks]]\nname = \"a\"\nkind = \"syslog\"\naddress = \"unix:/dev/log\"";
    let expected = sink("a", SinkKind::Syslog(SyslogOptions::new("unix:/dev/log".parse().expect("an address"))));
    assert_eq!(parse(syslog).map(|audit| audit.sinks), Ok(vec![expected]));
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let told = |text: &str, expected: &[&str]| {
        let found = parse(text).expect_err("wrong");
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}\n{expected}");
        }
    };
    told(
        "[audit]\nretention_days = 0\nretention = 3\nsinks = [3]\n",
        &[
            "line 3, column 18: `audit.retention_days` must be 1 to 36500",
            "line 4, column 1: `audit.retention` is not a known key",
            "line 5, column 10: `audit.sinks[0].kind` is missing",
            "`audit.sinks[0].name` is missing",
            "`audit.sinks[0]` must be a table",
        ],
    );
    told(
        "[[audit.sinks]]\nname = \"A b\"\nkind = \"kafka\"\n[[audit.sinks]]\nname = \"f\"\nkind = \"file\"\naddress = \"x\"\nkeep = 0\n\
         [[audit.sinks]]\nname = \"s\"\nkind = \"syslog\"\naddress = \"log\"\nfacility = \"kern\"\napp_name = \"a b\"\ntimeout_seconds = 61\n",
        &[
            "line 3, column 8: `audit.sinks[0].name` must have 1 to 63",
            "line 4, column 8: `audit.sinks[0].kind` must be \"file\", \"syslog\" or \"webhook\"",
            "line 5, column 1: `audit.sinks[1].path` is missing",
            "line 8, column 1: `audit.sinks[1].address` is not a known key; known here: `name`, `kind`, `path`, `rotate_mib`, `keep`",
            "line 9, column 8: `audit.sinks[1].keep` must be 1 to 10000",
            "line 13, column 11: `audit.sinks[2].address` must be the address of a syslog server",
            "`audit.sinks[2].facility` must be one of",
            "`audit.sinks[2].app_name` must have",
            "`audit.sinks[2].timeout_seconds` must be 1 to 60",
        ],
    );
    told(
        "[[audit.sinks]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"http://audit.example.com/hidden\"\n\
         [[audit.sinks]]\nname = \"a\"\nkind = \"webhook\"\nsecret_file = \"x\"\nsecret_credential = \"y\"\n",
        &[
            "`audit.sinks[0].secret_file` is missing",
            "`audit.sinks[0].url` must begin with https://",
            "line 6, column 1: `audit.sinks[1].url` is missing",
            "line 7, column 8: `audit.sinks[1].name` is the name of another sink too",
            "`audit.sinks[1].secret_credential` goes without `secret_file`",
        ],
    );
    told(
        "[[audit.sinks]]\nname = \"a\"\nkind = \"file\"\npath = \"p\"\n[audit.checkpoints]\nfile = \"/etc/p\"\ntimeout_seconds = 3\n",
        &[
            "`audit.checkpoints.file` is the file of another sink too",
            "`audit.checkpoints.timeout_seconds` goes with `url` only",
        ],
    );
    told(
        "[audit.checkpoints]\nkeep = 3\nurls = \"x\"\n",
        &["`audit.checkpoints.keep` goes with `file` only", "known key"],
    );
}
