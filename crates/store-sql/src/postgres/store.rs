mod audit;

use super::hot::HotReads;
use super::lease::PostgresLeases;
use super::options::PostgresOptions;
use super::writer::PostgresWriter;
use super::{connect, failure, hot, schema};
use crate::accesses::{Accesses, Pending};
use crate::error::{OpenError, is_lost};
use crate::metrics::Reads;
use crate::read;
use async_trait::async_trait;
use sea_orm::DatabaseConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::id::{KeyId, OrganisationId, SecretId, UserId};
use strongroom_domain::kms::{Key, KeySummary, KeyVersionNumber};
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::port::{
    AnswerReader, AuditSigner, BrowseEntry, DirectoryReader, Freshness, IdGenerator, KeyCounts, KeyDue, KeyFilter,
    KeyName, KeyReader, LeaseError, Leases, ObjectQuery, ReadError, SealedRead, SecretReader, SetupReader,
    TenancyReader, TokenReader, WrappedVersion,
};
use strongroom_domain::principal::Token;
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Answer, AnswerKey};
use strongroom_domain::version::{Version, VersionNumber, VersionSelector};
use tokio::time::timeout;
use uuid::Uuid;

/// How much longer than for a connection and a statement a read waits. A server that is gone tells of no timeout.
const GRACE: Duration = Duration::from_secs(1);

/// A store in a PostgreSQL database: everything that is read, and, once, its [`writer`](Self::writer).
///
/// Several may share a database, on one machine or several.
pub struct PostgresStore {
    options: PostgresOptions,
    hot: HotReads,
    orm: DatabaseConnection,
    orm_reads: Reads,
    accesses: Arc<Accesses>,
    has_writer: AtomicBool,
    leases: PostgresLeases,
}

impl PostgresStore {
    /// Opens a store; gives an empty database the schema, and an older store the newest one.
    ///
    /// # Errors
    /// [`OpenError`]. A database that isn't a store, or is one of a newer release, is left as it is.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        schema::prepare(&options).await?;
        Ok(Self {
            hot: HotReads::new(&options)?,
            orm: connect::orm(&options, options.readers).await?,
            orm_reads: Reads::new("cold"),
            accesses: Arc::new(Accesses::default()),
            has_writer: AtomicBool::new(false),
            leases: PostgresLeases::new(options.clone()),
            options,
        })
    }

    /// Starts the lanes. A store has one writer in its life; other stores of the same database have their own.
    ///
    /// # Errors
    /// [`OpenError::WriterExists`], [`OpenError::Unfit`], [`OpenError::Unreachable`].
    pub async fn writer(
        &self,
        signer: Arc<dyn AuditSigner>,
        ids: Arc<dyn IdGenerator>,
    ) -> Result<PostgresWriter, OpenError> {
        if self.has_writer.swap(true, Ordering::Relaxed) {
            return Err(OpenError::WriterExists);
        }
        PostgresWriter::start(&self.options, Arc::clone(&self.accesses), signer, ids).await
    }

    /// Ends the connections that read. Later reads answer `Unavailable`.
    pub async fn close(&self) {
        self.hot.close().await;
        // An error means that they are closed.
        let _ = self.orm.close_by_ref().await;
    }

    /// Reads through the ORM, once more when the connection turned out to be dead.
    async fn cold<T, F>(&self, read: impl Fn() -> F) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, ReadError>>,
    {
        let _running = self.orm_reads.begin();
        match self.in_time(read()).await {
            Err(error) if is_lost(&error) => self.in_time(read()).await,
            answered => answered,
        }
    }

    async fn in_time<T>(&self, read: impl Future<Output = Result<T, ReadError>>) -> Result<T, ReadError> {
        let limit = self.options.acquire_timeout.saturating_add(self.options.statement_timeout).saturating_add(GRACE);
        timeout(limit, read).await.unwrap_or_else(|_| Err(failure::unread(connect::timed_out())))
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

#[async_trait]
impl SecretReader for PostgresStore {
    async fn find(&self, scope: &Scope, path: &SecretPath) -> Result<Option<Secret>, ReadError> {
        self.with_accesses(hot::secret::find(&self.hot, scope, path), |found, pending| {
            found.iter_mut().for_each(|secret| pending.lay_over_secret(secret));
        })
        .await
    }

    async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        _freshness: Freshness,
    ) -> Result<Option<SealedRead>, ReadError> {
        let found = self.with_accesses(hot::secret::sealed(&self.hot, scope, path, version), |found, pending| {
            found.iter_mut().for_each(|(secret, _)| pending.lay_over_secret(secret));
        });
        Ok(found.await?.map(|(secret, version)| SealedRead { secret: Arc::new(secret), version }))
    }

    async fn versions(
        &self,
        secret: SecretId,
        after: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<Version>, ReadError> {
        let read = self.cold(|| read::secrets::versions(&self.orm, secret, after, limit));
        self.with_accesses(read, |found, pending| {
            found.iter_mut().for_each(|version| pending.lay_over_version(secret, version));
        })
        .await
    }

    async fn version(&self, secret: SecretId, number: VersionNumber) -> Result<Option<Version>, ReadError> {
        let read = self.cold(|| read::secrets::version(&self.orm, secret, number));
        self.with_accesses(read, |found, pending| {
            found.iter_mut().for_each(|version| pending.lay_over_version(secret, version));
        })
        .await
    }

    async fn active_below(&self, secret: SecretId, number: VersionNumber) -> Result<Option<VersionNumber>, ReadError> {
        self.cold(|| read::secrets::active_below(&self.orm, secret, number)).await
    }

    async fn oldest_active(&self, secret: SecretId, limit: u32) -> Result<Vec<VersionNumber>, ReadError> {
        self.cold(|| read::secrets::oldest_active(&self.orm, secret, limit)).await
    }

    async fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Secret>, ReadError> {
        let read = self.cold(|| read::secrets::list(&self.orm, scope, prefix, after, limit));
        self.with_accesses(read, |found, pending| {
            found.iter_mut().for_each(|secret| pending.lay_over_secret(secret));
        })
        .await
    }

    async fn count_bound(&self, key: KeyId) -> Result<u64, ReadError> {
        self.cold(|| read::bound::count(&self.orm, key)).await
    }

    async fn count_wrapped(&self, key: KeyId) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError> {
        self.cold(|| read::bound::count_wrapped(&self.orm, key)).await
    }

    async fn wrapped(
        &self,
        key: KeyId,
        below: Option<KeyVersionNumber>,
        after: Option<(SecretId, VersionNumber)>,
        limit: u32,
    ) -> Result<Vec<WrappedVersion>, ReadError> {
        self.cold(|| read::bound::wrapped(&self.orm, key, below, after, limit)).await
    }

    async fn browse(
        &self,
        scope: &Scope,
        directory: &Directory,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BrowseEntry>, ReadError> {
        let read = self.cold(|| read::browse::browse(&self.orm, scope, directory, after, limit));
        self.with_accesses(read, |found, pending| {
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
impl KeyReader for PostgresStore {
    async fn get(&self, id: KeyId, _freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        Ok(hot::key::get(&self.hot, id).await?.map(Arc::new))
    }

    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError> {
        match name {
            KeyName::Id(id) => {
                let key = self.get(*id, Freshness::Latest).await?;
                Ok(key.filter(|key| key.spec.scope == *scope))
            }
            KeyName::Slug(slug) => {
                let filter = KeyFilter { slug: Some(slug.clone()), ..KeyFilter::default() };
                let keys = KeyReader::list(self, scope, &filter).await?;
                Ok(keys.into_iter().next().map(Arc::new))
            }
        }
    }

    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
        self.cold(|| read::keys::list(&self.orm, scope, filter)).await
    }

    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
        self.cold(|| read::keys::summaries(&self.orm, ids)).await
    }

    async fn counts(&self, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError> {
        self.cold(|| read::keys::counts(&self.orm, scope, at)).await
    }

    async fn due(&self, what: KeyDue, at: Timestamp, limit: u32) -> Result<Vec<Key>, ReadError> {
        self.cold(|| read::keys::due(&self.orm, what, at, limit)).await
    }

    async fn all(&self, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError> {
        self.cold(|| read::keys::all(&self.orm, after, limit)).await
    }
}

#[async_trait]
impl TokenReader for PostgresStore {
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
        hot::token::by_digest(&self.hot, digest).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Token>, ReadError> {
        self.cold(|| read::tokens::of_user(&self.orm, user)).await
    }
}

#[async_trait]
impl DirectoryReader for PostgresStore {
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
        self.cold(|| read::directory::objects(&self.orm, query)).await
    }
}

#[async_trait]
impl TenancyReader for PostgresStore {
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError> {
        self.cold(|| read::tenancy::organisation(&self.orm, name)).await
    }

    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError> {
        self.cold(|| read::tenancy::organisation_by_id(&self.orm, id)).await
    }

    async fn organisations(&self) -> Result<Vec<Organisation>, ReadError> {
        self.cold(|| read::tenancy::organisations(&self.orm)).await
    }

    async fn regions(&self) -> Result<Vec<Region>, ReadError> {
        self.cold(|| read::tenancy::regions(&self.orm)).await
    }
}

#[async_trait]
impl AnswerReader for PostgresStore {
    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, ReadError> {
        self.cold(|| read::answers::answer(&self.orm, key)).await
    }
}

#[async_trait]
impl SetupReader for PostgresStore {
    async fn key_check(&self) -> Result<Option<KeyCheck>, ReadError> {
        self.cold(|| read::setup::key_check(&self.orm)).await
    }

    async fn instance_keys(&self) -> Result<Vec<SealedInstanceKey>, ReadError> {
        self.cold(|| read::setup::instance_keys(&self.orm)).await
    }
}

#[async_trait]
impl Leases for PostgresStore {
    async fn acquire(&self, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Result<Option<Lease>, LeaseError> {
        self.leases.acquire(name, holder, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: LeaseTtl) -> Result<Renewal, LeaseError> {
        self.leases.renew(lease, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        self.leases.release(lease).await
    }
}
