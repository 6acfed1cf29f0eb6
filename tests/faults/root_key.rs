//! The root key of a server under test: its rotation, by the command and step by step, and what of the store is sealed under which.

use crate::database;
use core::net::SocketAddr;
use serde_json::{Value, json};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::{Entropy, KeyReader, Kms, RootKey, RootKeys, SetupReader};
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{FileAccess, RootKeyFile, RootKeyRing, Unsealing};
use strongroom_store_sql::{OpenOptions, PostgresOptions, PostgresStore, SqliteStore};
use strongroom_tests::{Client, Launch, wait_for};

/// Where the root key of a server is, and its store.
#[derive(Clone)]
pub(crate) struct Site {
    data: PathBuf,
    /// In the data directory, when there is none.
    database: Option<String>,
}

/// How much of a store is sealed under the newest root key of the file, and how much is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed {
    /// Whether the newest one is the store's.
    pub(crate) is_current: bool,
    pub(crate) under_newest: usize,
    pub(crate) under_others: usize,
}

impl Sealed {
    /// Whether a rotation has begun and not come to its end.
    pub(crate) const fn is_inside_rotation(&self) -> bool {
        self.is_current && self.under_others > 0
    }
}

impl Site {
    pub(crate) fn sqlite(data: &Path) -> Self {
        Self { data: data.to_owned(), database: None }
    }

    pub(crate) fn postgres(data: &Path, url: &str) -> Self {
        Self { data: data.to_owned(), database: Some(url.to_owned()) }
    }

    fn file(&self) -> PathBuf {
        self.data.join("root.key")
    }

    /// Whether the file has more keys than one: a rotation was begun, or prepared.
    pub(crate) fn has_several(&self) -> bool {
        std::fs::read_to_string(self.file()).expect("a root key file").lines().count() > 1
    }

    /// Asks `rootkey rotate` for a rotation, or for the end of one, in steps of one key; gives how many keys were sealed anew, or how it
    /// failed, as it does when the server goes.
    pub(crate) fn rotate(&self, address: SocketAddr) -> Result<u64, String> {
        let launch = Launch::root_key(address, &self.data, &["rotate", "--at-once", "1"]);
        let launch = match &self.database {
            None => launch,
            Some(url) => {
                if !self.has_several() {
                    self.prepare(address).map_err(|error| error.to_string())?;
                }
                launch.variable("STRONGROOM_DATABASE", url)
            }
        };
        let ended = launch.run();
        if ended.code != Some(0) {
            return Err(ended.stderr);
        }
        if self.database.is_some() {
            self.drop_old_lines();
        }
        let text = ended.stderr.lines().find_map(|line| line.strip_prefix("Sealed ")?.split_once(" keys anew; "));
        Ok(text.and_then(|(number, _)| number.parse().ok()).expect("it says how many it sealed"))
    }

    /// Gives the server a new key, and waits until it knows it. The next step of a rotation takes it into use.
    pub(crate) fn prepare(&self, address: SocketAddr) -> io::Result<()> {
        let ended = Launch::new(&[&"rootkey", &"add", &"--data", &self.data]).run();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let newest = ended.stdout.trim().to_owned();
        let known = wait_for(Duration::from_secs(30), || match self.ask(address, "GET", "", None) {
            Ok(status) if status["newest"] != newest => None,
            told => Some(told.map(drop)),
        });
        known.expect("the server takes on a root key")
    }

    /// Asks for one step of a rotation, of one key; tells whether more remain.
    pub(crate) fn step(&self, address: SocketAddr) -> io::Result<bool> {
        let step = self.ask(address, "POST", "/rotate", Some(&json!({"limit": 1})))?;
        Ok(step["remaining"].as_bool().expect("it says whether more remain"))
    }

    fn ask(&self, address: SocketAddr, method: &str, what: &str, body: Option<&Value>) -> io::Result<Value> {
        let token = std::fs::read_to_string(self.data.join("operator.token"))?.trim().to_owned();
        let operator =
            Client { address, token: Some(token), organisation: None, region: String::new(), kms_key: String::new() };
        let request = operator.request(method, format!("/v1/system/root-key{what}"));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Ok(request.try_send()?.ok(200))
    }

    /// Where servers share a database, who runs them takes the lines of older keys away.
    fn drop_old_lines(&self) {
        let text = std::fs::read_to_string(self.file()).expect("a root key file");
        let newest = text.lines().last().expect("a line");
        let new = self.data.join("root.key.new");
        std::fs::write(&new, format!("{newest}\n")).expect("written");
        std::fs::set_permissions(&new, Permissions::from_mode(0o600)).expect("one's own file");
        std::fs::rename(new, self.file()).expect("renamed");
    }

    /// Opens everything in the store that is sealed.
    pub(crate) fn sealed(&self) -> Sealed {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            match &self.database {
                None => {
                    let store = SqliteStore::open(OpenOptions::new(database::file(&self.data))).await.expect("opens");
                    self.sealed_in(&store).await
                }
                Some(url) => {
                    let options = PostgresOptions::parse(url).expect("a URL");
                    let store = PostgresStore::open(options).await.expect("opens");
                    let sealed = self.sealed_in(&store).await;
                    store.close().await;
                    sealed
                }
            }
        })
    }

    async fn sealed_in(&self, store: &(impl KeyReader + SetupReader)) -> Sealed {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let file = RootKeyFile::read(&self.file(), FileAccess::Private).expect("a root key file");
        let newest = file.open(&Unsealing::default(), &entropy).await.expect("plain lines").pop().expect("a key");
        let current = store.key_check().await.expect("readable").expect("set up").root_key;
        let is_current = newest.id() == current;
        let ring = Arc::new(RootKeyRing::of(newest));
        let kms = LocalKms::new(Arc::clone(&ring) as _, entropy);
        // What is sealed under another key does not open here.
        let mut opens = Vec::new();
        for key in store.all(None, 10_000).await.expect("readable") {
            for version in &key.versions {
                opens.push(kms.reseal(&key.spec, version).await.is_ok());
            }
        }
        for key in store.instance_keys().await.expect("readable") {
            opens.push(RootKeys::reseal(&*ring, &key).is_ok());
        }
        let under_newest = opens.iter().filter(|opens| **opens).count();
        Sealed { is_current, under_newest, under_others: opens.len() - under_newest }
    }
}
