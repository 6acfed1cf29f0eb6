//! A server that `init` set up, with a configuration of its own, in whatever database; and its audit log, read beside it.

use crate::audit_log::{AuditLog, Stored};
use crate::{database, postgres};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use strongroom_domain::lease::LeaseName;
use strongroom_test_postgres::Database;
use strongroom_tests::{Client, Ended, Launch, Server};
use tempfile::TempDir;

/// Where a server keeps everything.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
    /// In the data directory, when there is none.
    database: Option<Database>,
    config: PathBuf,
    token: String,
}

impl Site {
    /// `settings` goes into the configuration as it stands.
    pub(crate) fn new(database: Option<Database>, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = write_config(folder.path(), database.as_ref(), settings);
        let ended = Launch::init(&config).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let token = ended.stdout.split_whitespace().find(|word| word.starts_with("tc_pat_"));
        let token = token.unwrap_or_else(|| panic!("no token: {ended:?}")).to_owned();
        Self { folder, database, config, token }
    }

    /// Another server over the same database, with a data directory of its own in this folder.
    pub(crate) fn start_beside(&self, folder: &Path, settings: &str) -> Server {
        let data = folder.join("data");
        std::fs::create_dir_all(&data).expect("made");
        std::fs::copy(self.data().join("root.key"), data.join("root.key")).expect("copied");
        Launch::serve(&write_config(folder, self.database.as_ref(), settings)).start()
    }

    /// The URL of the database, unless it is in the data directory.
    pub(crate) fn url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn start(&self) -> Server {
        Launch::serve(&self.config).start()
    }

    /// The owner, with a key.
    pub(crate) fn client(&self, server: &Server) -> Client {
        let mut client = Client {
            address: server.address(),
            token: Some(self.token.clone()),
            organisation: None,
            region: "nl-01".to_owned(),
            kms_key: String::new(),
        };
        let keys = client.get(client.keys()).ok(200);
        let key = match keys.as_array().and_then(|keys| keys.first()) {
            Some(key) => key.clone(),
            None => client.post(client.keys(), &json!({"name": "key"})).ok(201),
        };
        client.kms_key = key["identity"].as_str().expect("an identity").to_owned();
        client
    }

    /// `strongroomd audit`, on the running server.
    pub(crate) fn audit(&self, server: &Server, arguments: &[&str]) -> Ended {
        let launch = arguments.iter().fold(Launch::new(&[&"audit"]), Launch::argument);
        launch
            .argument("--addr")
            .argument(format!("http://{}", server.address()))
            .argument("--data")
            .argument(self.data())
            .run()
    }

    pub(crate) fn status(&self, server: &Server) -> Value {
        let ended = self.audit(server, &["status", "--json"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str(&ended.stdout).expect("JSON")
    }

    /// Makes sure that the server finds nothing wrong with its log; with a checkpoint that was kept, that nothing is missing either.
    pub(crate) fn verify(&self, server: &Server, anchor: Option<&Path>) {
        let anchor = anchor.map(|anchor| anchor.display().to_string());
        let mut arguments = vec!["verify", "--json"];
        arguments.extend(anchor.iter().flat_map(|anchor| ["--anchor", anchor]));
        let ended = self.audit(server, &arguments);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!(report["sound"], true, "{report}");
    }

    /// The whole log as it is stored.
    pub(crate) fn stored(&self) -> Stored {
        match &self.database {
            Some(database) => postgres::audit_log(database),
            None => database::audit_log(&self.data()),
        }
    }

    /// The log, its chain and its signatures checked from outside.
    pub(crate) fn log(&self) -> AuditLog {
        match &self.database {
            Some(database) => AuditLog::verify_in(database),
            None => AuditLog::verify(&self.data()),
        }
    }

    /// Lets the leases of a server that was killed run out, which takes minutes by themselves.
    pub(crate) fn end_leases(&self) {
        self.end("");
    }

    /// Only this one: others are those of a server that runs.
    pub(crate) fn end_lease(&self, name: LeaseName) {
        self.end(&format!(" WHERE name = '{}'", name.as_str()));
    }

    fn end(&self, which: &str) {
        let sql = format!("UPDATE leases SET expires_at = 0{which}");
        match &self.database {
            Some(database) => drop(database.sql(&sql)),
            None => {
                let database = rusqlite::Connection::open(database::file(&self.data())).expect("a database");
                let ended = database.execute(&sql, []).expect("a statement");
                assert!(ended > 0, "nobody held a lease");
            }
        }
    }
}

fn write_config(folder: &Path, database: Option<&Database>, settings: &str) -> PathBuf {
    let config = folder.join("strongroomd.toml");
    let place = database.map_or_else(String::new, |it| format!("[database]\nurl = \"{}\"\n", it.url()));
    let text = format!("data_dir = \"data\"\n[listen]\naddress = \"127.0.0.1:0\"\n{place}{settings}\n");
    std::fs::write(&config, text).expect("written");
    config
}
