//! The engine on SQLite, under a root key in a file.

use crate::Failure;
use core::time::Duration;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use strongroom::Limits;
use strongroom::domain::id::OrganisationId;
use strongroom::domain::port::{Authenticator, Entropy};
use strongroom::embed::{Embedded, Environment, StorePorts};
use strongroom_crypto::{Aes256GcmCipher, OsEntropy};
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{FileAccess, RootKeyFile, RootKeyRing, StoreKeys, Unsealing};
use strongroom_store_sql::{OpenOptions, SqliteStore, SqliteWriter};
use strongroom_system::{SystemClock, SystemIds};

/// How often the engine keeps its house: what was only counted is written, and what has expired is forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(10);

/// An engine over files of its own, which are there again at the next start.
pub struct Site {
    /// The engine, and the sessions of the program itself.
    pub room: Embedded,
    writer: Arc<SqliteWriter>,
    /// One process at a time may have the files.
    _lock: File,
}

impl Site {
    /// Opens the engine over the files in this folder: `root.key`, `strongroom.db` and `lock`, which are made when there are none yet.
    ///
    /// Keep a copy of `root.key`, in another place than those of the database: without it nothing can be revealed any more.
    ///
    /// # Errors
    /// When a file can't be read or made, another process has them, or the root key is another than that of the database.
    pub async fn open<A>(folder: &Path, authenticator: A) -> Result<Self, Failure>
    where
        A: FnOnce(OrganisationId) -> Arc<dyn Authenticator>,
    {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock()?;

        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let (database, key_file) = (folder.join("strongroom.db"), folder.join("root.key"));
        // A root key is made for a new store only: a store whose key was lost needs that one.
        if !database.exists() && !key_file.exists() {
            RootKeyFile::create(&key_file, Arc::clone(&entropy)).await?;
        }
        let key_file = RootKeyFile::read(&key_file, FileAccess::Private)?;
        let root_keys = key_file.open(&Unsealing::default(), &entropy).await?;
        let root_key = Arc::new(RootKeyRing::new(root_keys).ok_or("there is no root key")?);

        let store = Arc::new(SqliteStore::open(OpenOptions { create: true, ..OpenOptions::new(database) }).await?);
        let mut keys = StoreKeys::open(&*store, &root_key, Arc::clone(&entropy)).await?;
        let writer = Arc::new(store.writer(keys.audit(), Arc::new(SystemIds))?);
        keys.store(&*writer).await?;

        let environment = Environment {
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: keys.instance().answer_digest(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            entropy: Arc::clone(&entropy),
        };
        let ports = StorePorts { reader: store, writer: Arc::clone(&writer) as _, leases: Arc::clone(&writer) as _ };
        let kms = Arc::new(LocalKms::new(root_key, entropy));
        let room = Embedded::start_behind(authenticator, ports, kms, environment, Limits::default()).await?;
        Ok(Self { room, writer, _lock: lock })
    }

    /// Keeps the engine's house for as long as it is waited for; it never ends by itself.
    pub async fn keep_house(&self) {
        loop {
            // What could not be done now is done the next time; a program with a log would say so there.
            let _ = self.room.engine().housekeeping().await;
            tokio::time::sleep(HOUSEKEEPING).await;
        }
    }

    /// Writes what is queued, and closes the files. Later calls of the engine fail.
    pub async fn close(&self) {
        self.writer.close().await;
    }
}
