mod audit;

use super::hot::HotReads;
use super::lease::LeaseClock;
use super::writer::SqliteWriter;
use super::{connect, hot};
use crate::accesses::{Accesses, Pending};
use crate::error::OpenError;
use crate::metrics::{Reads, Running};
use crate::migration::Migrator;
use crate::options::OpenOptions;
use crate::read;
use async_trait::async_trait;
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::id::{KeyId, OrganisationId, SecretId, UserId};
use strongroom_domain::kms::{Key, KeySummary, KeyVersionNumber};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::port::{
    AnswerReader, AuditSigner, BrowseEntry, Clock, DirectoryReader, Freshness, IdGenerator, KeyCounts, KeyDue,
    KeyFilter, KeyName, KeyReader, ObjectQuery, ReadError, SealedRead, SecretReader, SetupReader, TenancyReader,
    TokenReader, WrappedVersion,
};
use strongroom_domain::principal::Token;
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Answer, AnswerKey};
use strongroom_domain::version::{Version, VersionNumber, VersionSelector};

/// A store in one SQLite file: everything that is read, and, once, its [`writer`](Self::writer).
pub struct SqliteStore {
    options: OpenOptions,
    hot: HotReads,
    orm: DatabaseConnection,
    orm_reads: Reads,
    accesses: Arc<Accesses>,
    has_writer: AtomicBool,
    lease_clock: LeaseClock,
}

impl SqliteStore {
    /// Opens a store; gives an empty file the schema, and an older store the newest one.
    ///
    /// # Errors
    /// [`OpenError`]. A file that isn't a store, or is one of a newer release, is left as it is.
    pub async fn open(options: OpenOptions) -> Result<Self, OpenError> {
        connect::check_file(&options)?;
        // The first connection makes the file a WAL database, which it stays.
        drop(connect::writer(&options)?);
        let schema = connect::orm(&options, true).await?;
        Migrator::up(&schema, None).await?;
        schema.close().await?;
        Ok(Self {
            hot: HotReads::open(&options)?,
            orm: connect::orm(&options, false).await?,
            orm_reads: Reads::new("cold"),
            accesses: Arc::new(Accesses::default()),
            has_writer: AtomicBool::new(false),
            lease_clock: LeaseClock::default(),
            options,
        })
    }

    /// The same, but leases go by this clock and not by SQLite's, which is the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { lease_clock: LeaseClock(Some(clock)), ..self }
    }

    /// Starts the lane. A store has one writer in its life, and a file one store that has a writer.
    ///
    /// # Errors
    /// [`OpenError::WriterExists`], [`OpenError::Database`].
    pub fn writer(&self, signer: Arc<dyn AuditSigner>, ids: Arc<dyn IdGenerator>) -> Result<SqliteWriter, OpenError> {
        if self.has_writer.swap(true, Ordering::Relaxed) {
            return Err(OpenError::WriterExists);
        }
        SqliteWriter::start(&self.options, Arc::clone(&self.accesses), signer, ids, self.lease_clock.clone())
    }

    /// The ORM's connections, for one read.
    fn orm(&self) -> Orm<'_> {
        Orm { connections: &self.orm, _running: self.orm_reads.begin() }
    }

    /// Reads what shows last accesses, and lays over it those that the table may not have.
    async fn with_accesses<T>(
        &self,
        read: impl Future<Output = Result<T, ReadError>>,
        overlay: impl FnOnce(&mut T, &Pending),
    ) -> Result<T, ReadError> {
        let reading = self.accesses.reading();
        let mut found = read.await?;
        reading.overlay(|pending| overlay(&mut found, pending));
        Ok(found)
    }
}

/// The ORM's connections, while a read uses or waits for one of them.
struct Orm<'a> {
    connections: &'a DatabaseConnection,
    _running: Running,
}

impl Deref for Orm<'_> {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        self.connections
    }
}

#[async_trait]
impl SecretReader for SqliteStore {
    async fn find(&self, scope: &Scope, path: &SecretPath) -> Result<Option<Secret>, ReadError> {
        self.hot.reading(
            &self.accesses,
            |connection| hot::secret::find(connection, scope, path),
            |found, pending| {
                found.iter_mut().for_each(|secret| pending.lay_over_secret(secret));
            },
        )
    }

    async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        _freshness: Freshness,
    ) -> Result<Option<SealedRead>, ReadError> {
        let found = self.hot.reading(
            &self.accesses,
            |connection| hot::secret::sealed(connection, scope, path, version),
            |found, pending| found.iter_mut().for_each(|(secret, _)| pending.lay_over_secret(secret)),
        )?;
        Ok(found.map(|(secret, version)| SealedRead { secret: Arc::new(secret), version }))
    }

    async fn versions(
        &self,
        secret: SecretId,
        after: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<Version>, ReadError> {
        self.with_accesses(read::secrets::versions(&self.orm(), secret, after, limit), |found, pending| {
            found.iter_mut().for_each(|version| pending.lay_over_version(secret, version));
        })
        .await
    }

    async fn version(&self, secret: SecretId, number: VersionNumber) -> Result<Option<Version>, ReadError> {
        self.with_accesses(read::secrets::version(&self.orm(), secret, number), |found, pending| {
            found.iter_mut().for_each(|version| pending.lay_over_version(secret, version));
        })
        .await
    }

    async fn active_below(&self, secret: SecretId, number: VersionNumber) -> Result<Option<VersionNumber>, ReadError> {
        read::secrets::active_below(&self.orm(), secret, number).await
    }

    async fn oldest_active(&self, secret: SecretId, limit: u32) -> Result<Vec<VersionNumber>, ReadError> {
        read::secrets::oldest_active(&self.orm(), secret, limit).await
    }

    async fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Secret>, ReadError> {
        self.with_accesses(read::secrets::list(&self.orm(), scope, prefix, after, limit), |found, pending| {
            found.iter_mut().for_each(|secret| pending.lay_over_secret(secret));
        })
        .await
    }

    async fn count_bound(&self, key: KeyId) -> Result<u64, ReadError> {
        read::bound::count(&self.orm(), key).await
    }

    async fn count_wrapped(&self, key: KeyId) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError> {
        read::bound::count_wrapped(&self.orm(), key).await
    }

    async fn wrapped(
        &self,
        key: KeyId,
        below: Option<KeyVersionNumber>,
        after: Option<(SecretId, VersionNumber)>,
        limit: u32,
    ) -> Result<Vec<WrappedVersion>, ReadError> {
        read::bound::wrapped(&self.orm(), key, below, after, limit).await
    }

    async fn browse(
        &self,
        scope: &Scope,
        directory: &Directory,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BrowseEntry>, ReadError> {
        self.with_accesses(read::browse::browse(&self.orm(), scope, directory, after, limit), |found, pending| {
            for entry in found {
                if let BrowseEntry::Secret(secret) = entry {
                    pending.lay_over_secret(secret);
                }
            }
        })
        .await
    }
}

#[async_trait]
impl KeyReader for SqliteStore {
    async fn get(&self, id: KeyId, _freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        self.hot.read(|connection| hot::key::get(connection, id)).map(|key| key.map(Arc::new))
    }

    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError> {
        match name {
            KeyName::Id(id) => {
                let key = self.get(*id, Freshness::Latest).await?;
                Ok(key.filter(|key| key.spec.scope == *scope))
            }
            KeyName::Slug(slug) => {
                let filter = KeyFilter { slug: Some(slug.clone()), ..KeyFilter::default() };
                let keys = read::keys::list(&self.orm(), scope, &filter).await?;
                Ok(keys.into_iter().next().map(Arc::new))
            }
        }
    }

    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
        read::keys::list(&self.orm(), scope, filter).await
    }

    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
        read::keys::summaries(&self.orm(), ids).await
    }

    async fn counts(&self, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError> {
        read::keys::counts(&self.orm(), scope, at).await
    }

    async fn due(&self, what: KeyDue, at: Timestamp, limit: u32) -> Result<Vec<Key>, ReadError> {
        read::keys::due(&self.orm(), what, at, limit).await
    }

    async fn all(&self, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError> {
        read::keys::all(&self.orm(), after, limit).await
    }
}

#[async_trait]
impl TokenReader for SqliteStore {
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
        self.hot.read(|connection| hot::token::by_digest(connection, digest))
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Token>, ReadError> {
        read::tokens::of_user(&self.orm(), user).await
    }
}

#[async_trait]
impl DirectoryReader for SqliteStore {
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
        read::directory::objects(&self.orm(), query).await
    }
}

#[async_trait]
impl TenancyReader for SqliteStore {
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError> {
        read::tenancy::organisation(&self.orm(), name).await
    }

    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError> {
        read::tenancy::organisation_by_id(&self.orm(), id).await
    }

    async fn organisations(&self) -> Result<Vec<Organisation>, ReadError> {
        read::tenancy::organisations(&self.orm()).await
    }

    async fn regions(&self) -> Result<Vec<Region>, ReadError> {
        read::tenancy::regions(&self.orm()).await
    }
}

#[async_trait]
impl AnswerReader for SqliteStore {
    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, ReadError> {
        read::answers::answer(&self.orm(), key).await
    }
}

#[async_trait]
impl SetupReader for SqliteStore {
    async fn key_check(&self) -> Result<Option<KeyCheck>, ReadError> {
        read::setup::key_check(&self.orm()).await
    }

    async fn instance_keys(&self) -> Result<Vec<SealedInstanceKey>, ReadError> {
        read::setup::instance_keys(&self.orm()).await
    }
}
