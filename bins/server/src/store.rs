//! Opens the store: a SQLite file in the data directory, or a PostgreSQL database.

use crate::config::DatabaseConfig;
use crate::database_url::DatabaseUrl;
use crate::failure::{Exit, Failure};
use async_trait::async_trait;
use core::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use strongroom::audit::known_audit_key;
use strongroom_crypto::{Ed25519Verifier, OsEntropy};
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditKeys, AuditLog, AuditReader, AuditSigner, Committer, DirectoryReader, KeyReader,
    Leases, RootKey, SecretReader, SetupReader, TenancyReader, TokenReader,
};
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};
use strongroom_domain::unit::{Change, Expect, Unit};
use strongroom_root_key::{InstanceKeyError, InstanceKeys};
use strongroom_store_sql::{
    OpenError, OpenOptions, PostgresOptions, PostgresStore, PostgresWriter, SqliteStore, SqliteWriter, peek_key_check,
    peek_postgres_key_check,
};
use strongroom_system::SystemIds;

/// Everything that a server reads.
pub(crate) trait Reads:
    SecretReader + KeyReader + TenancyReader + DirectoryReader + TokenReader + AnswerReader + SetupReader + AuditReader
{
}

impl<T> Reads for T where
    T: SecretReader
        + KeyReader
        + TenancyReader
        + DirectoryReader
        + TokenReader
        + AnswerReader
        + SetupReader
        + AuditReader
{
}

/// Everything that it writes.
#[async_trait]
pub(crate) trait Writes: Committer + AccessLog + AuditLog {
    /// Writes what is queued, and ends.
    async fn close(&self);
}

#[async_trait]
impl Writes for SqliteWriter {
    async fn close(&self) {
        Self::close(self).await;
    }
}

#[async_trait]
impl Writes for PostgresWriter {
    async fn close(&self) {
        Self::close(self).await;
    }
}

/// Where a store is.
pub(crate) enum Location {
    /// In this file.
    Sqlite(PathBuf),
    /// In this database.
    Postgres(Box<PostgresOptions>),
}

impl Location {
    /// The database that was named, else the configuration's, else the file.
    pub(crate) fn find(named: Option<&DatabaseUrl>, config: &DatabaseConfig, file: PathBuf) -> Result<Self, Failure> {
        let Some(url) = named.or(config.url.as_ref()) else { return Ok(Self::Sqlite(file)) };
        let mut options = PostgresOptions::parse(url.expose()).map_err(|error| {
            Failure::new(Exit::Configuration, "the database is refused; nothing was written").because(error)
        })?;
        options.lanes = config.lanes.unwrap_or(options.lanes);
        options.hot_readers = config.hot_connections.unwrap_or(options.hot_readers);
        options.readers = config.connections.unwrap_or(options.readers);
        options.statement_timeout = config.statement_timeout.unwrap_or(options.statement_timeout);
        options.lock_timeout = config.lock_timeout.unwrap_or(options.lock_timeout);
        options.allow_unsafe_durability = config.allow_unsafe_durability;
        options.allow_plaintext = config.allow_plaintext;
        Ok(Self::Postgres(Box::new(options)))
    }

    /// The check of the root key that a store was set up with; `None` where there is no store, or one whose set-up was cut short.
    /// Writes nothing.
    pub(crate) async fn inspect(&self) -> Result<Option<KeyCheck>, Failure> {
        match self {
            Self::Sqlite(file) => peek_key_check(file).map_err(refusal),
            Self::Postgres(options) => peek_postgres_key_check(options).await.map_err(refusal),
        }
    }

    /// Opens a store that was set up, after its root key was verified; brings an older schema up to date, and adds the instance keys
    /// that it was set up without.
    pub(crate) async fn open(&self, ring: Arc<dyn RootKey>) -> Result<OpenStore, Failure> {
        let root_key = &*ring;
        let opened = self.reader(false).await?;
        let stored = stored_keys(&opened).await?;
        let lacking = InstanceKeys::missing(root_key, &OsEntropy, &stored).map_err(unopened)?;
        let keys = InstanceKeys::open(root_key, &stored).map_err(unopened)?;
        let mut store = opened.with_writer(keys, Arc::clone(&ring)).await?;
        if !lacking.is_empty() {
            let changes = lacking.into_iter().map(Change::InsertInstanceKey).collect();
            let expect = vec![Expect::RootKey(root_key.id())];
            let added = store.writer.commit(Unit { expect, changes, records: Vec::new() }).await;
            let stored = read_keys(store.reader.as_ref()).await?;
            // Another node may have been faster.
            if let Err(error) = added
                && !InstanceKeys::missing(root_key, &OsEntropy, &stored).map_err(unopened)?.is_empty()
            {
                return Err(Failure::runtime("the instance keys cannot be stored").because(error));
            }
            store.keys = InstanceKeys::open(root_key, &stored).map_err(unopened)?;
        }
        Ok(store)
    }

    /// Makes the schema in an empty store, and opens it.
    pub(crate) async fn create(&self, keys: InstanceKeys, root_key: Arc<dyn RootKey>) -> Result<OpenStore, Failure> {
        self.reader(true).await?.with_writer(keys, root_key).await
    }

    async fn reader(&self, create: bool) -> Result<Opened, Failure> {
        match self {
            Self::Sqlite(file) => {
                let options = OpenOptions { create, ..OpenOptions::new(file) };
                Ok(Opened::Sqlite(Arc::new(SqliteStore::open(options).await.map_err(refusal)?)))
            }
            Self::Postgres(options) => {
                let mut options = PostgresOptions::clone(options);
                options.create = create;
                Ok(Opened::Postgres(Arc::new(PostgresStore::open(options).await.map_err(refusal)?)))
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            Self::Postgres(options) => write!(f, "{}", options.name()),
        }
    }
}

/// A store that can be read.
enum Opened {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Opened {
    fn reads(&self) -> Arc<dyn Reads> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn Reads>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Reads>,
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// Which of the keys of the audit log signs is settled by its checkpoints, before anything is written.
    async fn with_writer(self, keys: InstanceKeys, root_key: Arc<dyn RootKey>) -> Result<OpenStore, Failure> {
        let reader = self.reads();
        let audit_keys = Arc::new(keys.audit_keys(root_key, Arc::new(OsEntropy), None).map_err(unopened)?);
        let stored = keys.audit_signing();
        let known = known_audit_key(&*reader, &*audit_keys, &Ed25519Verifier, stored).await;
        let known = known.map_err(|error| Failure::runtime("the audit log cannot be read").because(error))?;
        if let Some(number) = known.damaged {
            tracing::error!(
                number,
                "the last checkpoint of the audit log is not what was signed; the log is signed with the key that is known without it, and \
                 has no more checkpoints until that is mended: verify the log"
            );
        }
        audit_keys.adopt(stored, known.newest.unwrap_or_default()).map_err(|error| {
            Failure::new(Exit::RootKey, "the key that signs the audit log cannot be opened; nothing was written")
                .because(error)
        })?;
        let signer: Arc<dyn AuditSigner> = audit_keys.clone();
        let ids = Arc::new(SystemIds);
        let (writer, leases): (Arc<dyn Writes>, Arc<dyn Leases>) = match &self {
            Self::Sqlite(store) => {
                let writer = Arc::new(store.writer(signer, ids).map_err(refusal)?);
                (writer.clone(), writer)
            }
            Self::Postgres(store) => {
                (Arc::new(store.writer(signer, ids).await.map_err(refusal)?), Arc::clone(store) as Arc<dyn Leases>)
            }
        };
        Ok(OpenStore { reader, writer, leases, keys, audit_keys, kind: self.kind() })
    }
}

/// A store that is set up, and opened under its root key.
pub(crate) struct OpenStore {
    pub(crate) reader: Arc<dyn Reads>,
    pub(crate) writer: Arc<dyn Writes>,
    pub(crate) leases: Arc<dyn Leases>,
    pub(crate) keys: InstanceKeys,
    /// With which the writer signs.
    pub(crate) audit_keys: Arc<dyn AuditKeys>,
    /// What it is made with, for the log.
    pub(crate) kind: &'static str,
}

async fn stored_keys(opened: &Opened) -> Result<Vec<SealedInstanceKey>, Failure> {
    read_keys(opened.reads().as_ref()).await
}

async fn read_keys(store: &dyn Reads) -> Result<Vec<SealedInstanceKey>, Failure> {
    let keys = store.instance_keys().await;
    keys.map_err(|error| Failure::runtime("the instance keys cannot be read").because(error))
}

fn unopened(error: InstanceKeyError) -> Failure {
    Failure::new(Exit::RootKey, "the instance keys cannot be opened; nothing was written").because(error)
}

/// Why a store doesn't open, for the operator.
fn refusal(error: OpenError) -> Failure {
    let exit = match error {
        OpenError::Absent(_) | OpenError::NotAStore(_) | OpenError::Newer { .. } | OpenError::Unfit(_) => {
            Exit::Configuration
        }
        // What may be otherwise in a moment is worth another start.
        OpenError::Corrupt(_)
        | OpenError::WriterExists
        | OpenError::Database(_)
        | OpenError::ReadOnly
        | OpenError::Unreachable { .. } => Exit::Runtime,
    };
    Failure::new(exit, "the store cannot be opened").because(error)
}

#[cfg(test)]
mod tests;
