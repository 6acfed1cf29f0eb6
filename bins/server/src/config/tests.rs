mod iam;

use super::{
    AuditConfig, Config, DatabaseConfig, DatabaseUrl, IamConfig, LimitsConfig, Listen, LogConfig, LogFormat,
    LoginConfig, RegionKms, RootKeyConfig, RootKeySource, SecretSource, TransitConfig, loopback_address,
};
use crate::failure::Exit;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use strongroom_kms_transit::TransitOptions;

const EXAMPLE: &str = include_str!("../../../../docs/strongroomd.example.toml");

fn problems(text: &str) -> Vec<String> {
    let problems = Config::parse(text, Path::new("/etc")).expect_err("the text is wrong");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_shows_the_defaults() {
    let config = Config::parse(EXAMPLE, Path::new("/etc")).expect("the example is right");
    let expected = Config {
        root_key: RootKeyConfig {
            source: RootKeySource::File(Some(PathBuf::from("/etc/strongroom/root.key"))),
            ..RootKeyConfig::default()
        },
        regions: BTreeMap::from([("nl-01".to_owned(), RegionKms::Local)]),
        organisation: Some("default".to_owned()),
        ..Config::over(PathBuf::from("/var/lib/strongroom"))
    };
    assert_eq!(config, expected);
}

#[test]
fn everything_can_be_set() {
    let text = r#"
        data_dir = "data"
        [root_key]
        provider = "file"
        path = "keys/root.key"
        passphrase_file = "keys/passphrase"
        [root_key.transit]
        address = "https://bao.example.com:8200"
        token_file = "keys/token"
        mount = "team/transit"
        key = "strongroom"
        ca_file = "keys/ca.pem"
        [database]
        url = "postgresql://strongroom:hidden@db/strongroom"
        lanes = 3
        hot_connections = 9
        connections = 5
        statement_timeout_seconds = 20
        lock_timeout_seconds = 2
        allow_unsafe_durability = true
        allow_plaintext = true
        [listen]
        address = "[::1]:0"
        max_connections = 7
        trusted_proxies = ["10.0.0.0/8", "::1"]
        shutdown_grace_seconds = 0
        [limits]
        value_bytes = 1_024
        active_versions = 2
        keep_active_versions = 1
        cache_bytes = 0
        requests_in_flight = 9
        requests_per_second = 1_000_000
        bulk_bytes_in_flight = 16_777_216
        [iam]
        check_key_permission = false
        public_url = "https://secrets.example.com"
        private_issuers = true
        [iam.logins.staff]
        issuer = "https://login.example.com/"
        audience = "strongroom"
        [iam.logins.partners]
        issuer = "https://partners.example.com/realms/x"
        audience = "strongroom"
        jwks_uri = "https://partners.example.com/keys?v=2"
        [compatibility]
        plain_values = true
        [regions]
        nl-01 = { kms = "none" }
        de-01 = {}
        [regions.fr-01]
        kms = "transit"
        [regions.fr-01.transit]
        address = "https://bao.internal:8200"
        token_file = "keys/region-token"
        mount = "team/transit"
        key_prefix = "rooms_"
        namespace = "teams/security"
        ca_file = "keys/region-ca.pem"
        proxy = "http://proxy.internal:3128"
        timeout_seconds = 9
        [init]
        organisation = "Ünïted"
        [log]
        level = "trace"
        format = "json"
        [metrics]
        listen = "[::1]:9090"
    "#;
    let transit = TransitOptions {
        mount: "team/transit".to_owned(),
        key_prefix: "rooms_".to_owned(),
        namespace: Some("teams/security".to_owned()),
        ca_file: Some(PathBuf::from("/etc/keys/region-ca.pem")),
        proxy: Some("http://proxy.internal:3128".to_owned()),
        timeout: Duration::from_secs(9),
        ..TransitOptions::new("https://bao.internal:8200", "/etc/keys/region-token")
    };
    let expected = Config {
        data_dir: PathBuf::from("/etc/data"),
        database: DatabaseConfig {
            url: Some(DatabaseUrl::new("postgresql://strongroom:hidden@db/strongroom")),
            lanes: Some(3),
            hot_connections: Some(9),
            connections: Some(5),
            statement_timeout: Some(Duration::from_secs(20)),
            lock_timeout: Some(Duration::from_secs(2)),
            allow_unsafe_durability: true,
            allow_plaintext: true,
        },
        root_key: RootKeyConfig {
            source: RootKeySource::File(Some(PathBuf::from("/etc/keys/root.key"))),
            passphrase: Some(SecretSource::File(PathBuf::from("/etc/keys/passphrase"))),
            transit: Some(TransitConfig {
                address: "https://bao.example.com:8200".to_owned(),
                token: SecretSource::File(PathBuf::from("/etc/keys/token")),
                mount: "team/transit".to_owned(),
                key: "strongroom".to_owned(),
                ca_file: Some(PathBuf::from("/etc/keys/ca.pem")),
            }),
        },
        listen: Listen {
            address: "[::1]:0".parse().expect("an address"),
            max_connections: 7,
            trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")],
            shutdown_grace: Duration::ZERO,
        },
        limits: LimitsConfig {
            value_bytes: 1_024,
            active_versions: 2,
            keep_active_versions: Some(1),
            cache_bytes: 0,
            requests_in_flight: 9,
            requests_per_second: 1_000_000,
            bulk_bytes_in_flight: 16_777_216,
        },
        iam: IamConfig {
            check_key_permission: false,
            public_url: Some("https://secrets.example.com".to_owned()),
            private_issuers: true,
            logins: vec![
                LoginConfig {
                    issuer: "https://partners.example.com/realms/x".to_owned(),
                    audience: "strongroom".to_owned(),
                    jwks_uri: Some("https://partners.example.com/keys?v=2".to_owned()),
                },
                LoginConfig {
                    issuer: "https://login.example.com/".to_owned(),
                    audience: "strongroom".to_owned(),
                    jwks_uri: None,
                },
            ],
        },
        plain_values: true,
        regions: BTreeMap::from([
            ("nl-01".to_owned(), RegionKms::None),
            ("de-01".to_owned(), RegionKms::Local),
            ("fr-01".to_owned(), RegionKms::Transit(transit)),
        ]),
        organisation: Some("Ünïted".to_owned()),
        log: LogConfig { level: "trace".to_owned(), format: LogFormat::Json },
        audit: AuditConfig::default(),
        metrics: Some("[::1]:9090".parse().expect("an address")),
    };
    assert!(!format!("{expected:?}").contains("hidden"), "the log shows the configuration");
    assert_eq!(Config::parse(text, Path::new("/etc")), Ok(expected));
}

#[test]
fn what_is_wrong_with_a_database_is_told_without_its_password() {
    let text = "data_dir = \"x\"\n[database]\nurl = \"mysql://u:hidden@db/x\"\nlanes = 17\nlock_timeout_seconds = 0\n";
    let problems: Vec<_> =
        Config::parse(text, Path::new("")).expect_err("wrong").iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("line 3, column 7: `database.url` must be the URL of a PostgreSQL database"));
    assert!(problems[1].starts_with("line 4, column 9: `database.lanes` must be 1 to 16"));
    assert!(problems.iter().all(|problem| !problem.contains("hidden")), "{problems:?}");
}

#[test]
fn no_more_versions_are_kept_than_there_may_be() {
    let limits = |text: &str| {
        let text = format!("data_dir = \"x\"\n[limits]\n{text}");
        Config::parse(&text, Path::new("")).map(|config| config.limits.keep_active_versions)
    };
    assert_eq!(limits(""), Ok(None));
    assert_eq!(limits("keep_active_versions = 1000"), Ok(Some(1_000)));
    assert_eq!(limits("active_versions = 5\nkeep_active_versions = 5"), Ok(Some(5)));
    for (text, most) in [
        ("keep_active_versions = 0", 1_000),
        ("keep_active_versions = 1001", 1_000),
        ("active_versions = 5\nkeep_active_versions = 6", 5),
    ] {
        let problems = limits(text).expect_err("wrong");
        let wanted = format!("`limits.keep_active_versions` must be 1 to {most}");
        assert!(problems.len() == 1 && problems[0].to_string().contains(&wanted), "{problems:?}");
    }
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let text = r#"dat_dir = "/x"
root_key_file = 7
[listen]
address = "0.0.0.0:8200"
max_connections = 0
trusted_proxies = ["10.0.0.1/8", "everyone", 3]
tls = true
[limits]
value_bytes = 1023
active_versions = -1
cache_bytes = "64M"
requests_in_flight = 0
requests_per_second = 1_000_001
bulk_bytes_in_flight = 16_777_215
[compatibility]
plain_values = "yes"
[regions.NL]
kms = "cloud"
keys = []
[init]
organisation = " "
[log]
level = "loud"
format = "xml"
[extra]
"#;
    let expected = [
        "line 1, column 1: `dat_dir` is not a known key",
        "line 1, column 1: `data_dir` is missing",
        "line 2, column 17: `root_key_file` must be a string, not integer",
        "line 4, column 11: `listen.address` is not a loopback address: 0.0.0.0:8200",
        "line 5, column 19: `listen.max_connections` must be 1 to 100000",
        "line 6, column 20: `listen.trusted_proxies[0]` has bits beyond its prefix; 10.0.0.0/8 is meant",
        "line 6, column 34: `listen.trusted_proxies[1]` must be an address or a CIDR block",
        "line 6, column 46: `listen.trusted_proxies[2]` must be a string, not integer",
        "line 7, column 1: `listen.tls` is not a known key; known here: `address`",
        "line 9, column 15: `limits.value_bytes` must be 1024 to 1048576",
        "line 10, column 19: `limits.active_versions` must be 1 to 100000",
        "line 11, column 15: `limits.cache_bytes` must be a whole number, not string",
        "line 12, column 22: `limits.requests_in_flight` must be 1 to 100000",
        "line 13, column 23: `limits.requests_per_second` must be 0 to 1000000",
        "line 14, column 24: `limits.bulk_bytes_in_flight` must be 16777216 to 1099511627776",
        "line 16, column 16: `compatibility.plain_values` must be true or false, not string",
        "line 17, column 10: region `NL` must have 1 to 63 characters",
        "line 18, column 7: `regions.NL.kms` must be \"local\", \"transit\" or \"none\"",
        "line 19, column 1: `regions.NL.keys` is not a known key; known here: `kms`, `transit`",
        "line 21, column 16: `init.organisation` must not be empty",
        "line 23, column 9: `log.level` must be one of",
        "line 24, column 10: `log.format` must be \"text\" or \"json\"",
        "line 25, column 2: `extra` is not a known key",
    ];
    let found = problems(text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn what_is_wrong_with_the_kms_of_a_region_is_told_with_its_place() {
    let text = r#"data_dir = "/x"
[regions.a]
kms = "transit"
[regions.b.transit]
address = "https://bao"
[regions.c]
kms = "transit"
[regions.c.transit]
address = "http://10.0.0.1:8200"
mount = "/transit"
key_prefix = ""
timeout_seconds = 0
key = "x"
[regions.d]
kms = 1
"#;
    let expected = [
        "line 3, column 7: `regions.a.kms` is \"transit\", which needs a section with `address` and `token_file`",
        "line 4, column 1: `regions.b.transit` is only for `kms = \"transit\"`",
        "line 8, column 1: `regions.c.transit.token_file` is missing",
        "line 9, column 11: `regions.c.transit.address` must begin with https://",
        "line 10, column 9: `regions.c.transit.mount` must be the path of a Transit engine",
        "line 11, column 14: `regions.c.transit.key_prefix` must have 1 to 64 characters",
        "line 12, column 19: `regions.c.transit.timeout_seconds` must be 1 to 60",
        "line 13, column 1: `regions.c.transit.key` is not a known key; known here: `address`, `token_file`",
        "line 15, column 7: `regions.d.kms` must be a string, not integer",
    ];
    let found = problems(text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn syntax_errors_are_told_with_the_rest() {
    let found = problems("data_dir = \"/x\"\n[limits]\nvalue_bytes = = 3\nactive_versions = 0\n[log]\nlevel = \"lo\n");
    assert!(found.iter().any(|problem| problem.starts_with("line 3, column 1")), "{found:#?}");
    assert!(
        found.iter().any(|problem| problem.starts_with("line 4, column 19: `limits.active_versions`")),
        "{found:#?}"
    );
    assert!(found.iter().any(|problem| problem.starts_with("line 6, column")), "{found:#?}");
}

#[test]
fn metrics_have_a_loopback_address_of_their_own() {
    let told = |listen: &str| problems(&format!("data_dir = \"/x\"\n[metrics]\nlisten = \"{listen}\"\n"));
    for (listen, rule) in [
        ("0.0.0.0:9090", "is not a loopback address"),
        ("localhost", "must be an address and a port"),
        ("127.0.0.1:8200", "must be another address than `listen.address`"),
    ] {
        let found = told(listen);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with(&format!("line 3, column 10: `metrics.listen` {rule}")), "{found:#?}");
    }
    let found = problems("data_dir = \"/x\"\n[metrics]\naddress = \"127.0.0.1:9090\"\n");
    assert!(found[0].contains("`metrics.address` is not a known key; known here: `listen`"), "{found:#?}");
}

#[test]
fn a_doubled_key_is_refused() {
    let found = problems("data_dir = \"/x\"\ndata_dir = \"/y\"\n");
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("line 2, column 1"), "{found:#?}");
}

#[test]
fn columns_count_characters() {
    let found = problems("data_dir = \"/x\"\ninit = { organisation = \"ÄÖÜ\", ß = 1 }\n");
    assert!(found.iter().any(|problem| problem.starts_with("line 2, column 32:")), "{found:#?}");
}

#[test]
fn only_loopback_is_taken() {
    for good in ["127.0.0.1:8200", "127.8.8.8:1", "[::1]:0", "[::ffff:127.0.0.1]:80"] {
        assert!(loopback_address(good).is_ok(), "{good}");
    }
    for bad in ["0.0.0.0:8200", "[::]:8200", "10.0.0.1:8200", "[::ffff:10.0.0.1]:80", "localhost:8200", "127.0.0.1", ""]
    {
        assert!(loopback_address(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_file_that_is_no_configuration_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("strongroomd.toml");
    let failure = Config::read(&file).expect_err("there is no file");
    assert_eq!(failure.exit(), Exit::Configuration);
    assert!(failure.to_string().contains("cannot be read"), "{failure}");
    std::fs::write(&file, b"data_dir = \"/x\"\n# \xff\n").expect("written");
    assert!(Config::read(&file).expect_err("not UTF-8").to_string().contains("not UTF-8 in line 2"));
    std::fs::write(&file, "a = 1\nb = 2\n").expect("written");
    let text = Config::read(&file).expect_err("unknown keys").to_string();
    assert!(text.contains("has 3 problems:\n  line 1, column 1: "), "{text}");
    std::fs::write(&file, "data_dir = \"data\"\n").expect("written");
    assert_eq!(Config::read(&file).expect("right").data_dir, dir.path().join("data"));
}
