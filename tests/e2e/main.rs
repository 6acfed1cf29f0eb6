//! The real binary, over a real socket: the tour, and everything that callers can do wrong.
#![expect(clippy::expect_used, reason = "helpers of tests")]

mod access_tour;
mod audit_errors;
mod audit_forged;
mod audit_nodes;
mod audit_read;
mod audit_tampered;
mod audit_verify;
mod bodies;
mod browse;
mod check_and_set;
mod concurrency;
mod configuration;
mod credentials;
mod greeting;
mod hardening;
mod hostile_records;
mod idempotency;
mod init;
mod keys_of_secrets;
mod kms;
mod max_active_versions;
mod metadata;
mod metrics;
mod openapi;
mod operator;
mod order_of_checks;
mod paths;
mod policies;
mod policy_forms;
mod readme;
mod recover;
mod regions;
mod reveal_many;
mod rewrap;
mod root_key;
mod rootkey;
mod routes;
mod stopping;
mod sub_resources;
mod timing;
mod tour;
mod transit;
mod values;
mod versions;

use core::any::Any;
use core::cell::RefCell;
use core::fmt::Display;
use core::panic::{AssertUnwindSafe, Location};
use serde_json::Value;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use strongroom_domain::audit::AuditRecord;
use strongroom_tests::{Client, Launch, Server, database_of, unbase64};
use tempfile::TempDir;

/// A development server with a directory and a client of its own.
struct Stage {
    // Dropped in this order: the server ends before its directory goes.
    server: Server,
    client: Client,
    folder: TempDir,
}

impl Stage {
    fn new() -> Self {
        Self::over(tempfile::tempdir().expect("a temporary directory"))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A server over the directory of one that was stopped.
    fn over(folder: TempDir) -> Self {
        let server = Server::dev(&folder.path().join("data"));
        let client = server.client();
        Self { server, client, folder }
    }

    /// Stops the server and starts it again over the same directory.
    fn restart(self) -> Self {
        self.server.stop();
        Self::over(self.folder)
    }
}

/// A shell in which somebody types these lines, with these programs and nothing of this process's surroundings that they heed; a line that fails is the last.
fn terminal(script: &str, home: &Path, programs: &Path) -> Command {
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", script]);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("STRONGROOM") || text.starts_with("THALASSA") {
            shell.env_remove(&name);
        }
    }
    let path = std::env::var("PATH").expect("a PATH");
    shell.env("PATH", format!("{}:{path}", programs.display()));
    shell.env("HOME", home).env("XDG_CONFIG_HOME", home.join("config"));
    shell
}

/// A server that `init` set up with a configuration of its own.
struct Served {
    server: Server,
    client: Client,
    folder: TempDir,
}

impl Served {
    /// `settings` goes into the file as it stands. The client's key is one of the first region.
    fn new(region: &str, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let config = write_config(folder.path(), settings);
        let token = init(&config);
        let server = Launch::serve(&config).start();
        let mut client = Client {
            address: server.address(),
            token: Some(token),
            organisation: None,
            region: region.to_owned(),
            kms_key: String::new(),
        };
        let key = client.post(client.keys(), &serde_json::json!({"name": "key"})).ok(201);
        client.kms_key = text(&key, "identity");
        Self { server, client, folder }
    }

    /// Stops the server and starts it again with other settings.
    fn with_settings(mut self, settings: &str) -> Self {
        self.server.stop();
        self.server = Launch::serve(&write_config(self.folder.path(), settings)).start();
        self.client.address = self.server.address();
        self
    }
}

/// Writes a configuration over `FOLDER/data`, on a free port.
fn write_config(folder: &Path, settings: &str) -> PathBuf {
    let config = folder.join("strongroomd.toml");
    let text = format!("data_dir = \"data\"\n[listen]\naddress = \"127.0.0.1:0\"\n{settings}\n");
    std::fs::write(&config, text).expect("a file in a temporary directory");
    config
}

/// Sets up what a configuration says; gives the owner's token.
fn init(config: &Path) -> String {
    let ended = Launch::init(config).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    token_in(&ended.stdout)
}

/// The token that a text tells.
fn token_in(text: &str) -> String {
    let start = text.find("tc_pat_").unwrap_or_else(|| panic!("no token: {text}"));
    let of_token = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text[start..].chars().take_while(of_token).collect()
}

/// Rows of a table: each is checked, whatever becomes of the others.
#[derive(Default)]
struct Table {
    rows: usize,
    failed: Vec<String>,
}

thread_local! {
    /// What went wrong in the row that runs on this thread.
    static ROW: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// In a row, a panic is written down; elsewhere it is shown.
static HOOK: LazyLock<()> = LazyLock::new(|| {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let line = panic.location().map_or(0, Location::line);
        let in_row = ROW.with_borrow_mut(|row| row.replace(format!("{line}: {}", words(panic.payload()))).is_some());
        if !in_row {
            ROW.set(None);
            show(panic);
        }
    }));
});

fn words(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned()
}

impl Table {
    fn row(&mut self, name: impl Display, check: impl FnOnce()) {
        LazyLock::force(&HOOK);
        self.rows += 1;
        ROW.set(Some(String::new()));
        let outcome = catch_unwind(AssertUnwindSafe(check));
        let what = ROW.take().unwrap_or_default();
        if outcome.is_err() {
            self.failed.push(format!("{name}: {what}"));
        }
    }

    #[track_caller]
    fn finish(self) {
        assert!(self.rows > 0, "an empty table");
        let count = self.failed.len();
        assert!(count == 0, "{count} of {} rows failed:\n{}", self.rows, self.failed.join("\n"));
    }
}

/// A member that is a text.
#[track_caller]
fn text(object: &Value, member: &str) -> String {
    object[member].as_str().unwrap_or_else(|| panic!("no text `{member}` in {object}")).to_owned()
}

/// The names of an object's members.
#[track_caller]
fn members(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().map(String::as_str).collect()
}

/// Makes sure of exactly these members.
#[track_caller]
fn has_members(object: &Value, names: &[&str]) {
    assert_eq!(members(object), names.iter().copied().collect::<BTreeSet<_>>(), "{object}");
}

/// The paths of a list of secrets, in order.
#[track_caller]
fn paths(list: &Value) -> Vec<String> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(|secret| text(secret, "path")).collect()
}

/// Makes sure of a time in RFC 3339 and UTC, such as `2027-01-15T08:00:00.5Z`.
#[track_caller]
fn is_time(object: &Value, member: &str) {
    let time = text(object, member);
    let digits = |range: core::ops::Range<usize>| time.get(range).is_some_and(|part| part.parse::<u32>().is_ok());
    let shape = digits(0..4) && digits(5..7) && digits(8..10) && digits(11..13) && digits(14..16) && digits(17..19);
    assert!(shape && time.get(10..11) == Some("T") && time.ends_with('Z'), "`{member}` is no time in UTC: {time}");
}

/// The audit log of a data directory, in any order.
fn records(data: &Path) -> Vec<AuditRecord> {
    let canonical: Vec<Vec<u8>> = match database_of(data) {
        Some(database) => {
            let rows = database.sql("SELECT encode(canonical, 'base64') FROM audit_records");
            rows.iter().map(|row| unbase64(&row[0].replace(['\n', '\r'], ""))).collect()
        }
        None => {
            let database = rusqlite::Connection::open(data.join("strongroom.db")).expect("a database");
            let mut statement = database.prepare("SELECT canonical FROM audit_records").expect("a query");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.collect::<Result<_, _>>().expect("bytes")
        }
    };
    canonical.iter().map(|bytes| AuditRecord::from_canonical(bytes).expect("a record")).collect()
}
