mod kms;
mod through;

use async_trait::async_trait;
use core::fmt::Debug;
use core::pin::Pin;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::failure::Failure;
use strongroom_domain::id::{KeyId, SecretId};
use strongroom_domain::kms::{Key, KeySummary, KeyVersionNumber};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::port::{
    Access, AccessError, AccessErrorKind, AccessLog, AuditLog, BrowseEntry, CommitError, CommitErrorKind, Committer,
    DirectoryReader, Freshness, KeyCounts, KeyDue, KeyFilter, KeyName, KeyReader, ObjectQuery, ReadError,
    ReadErrorKind, SealedRead, SecretReader, WrappedVersion,
};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::Unit;
use strongroom_domain::version::{Version, VersionNumber, VersionSelector};

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the store is asked: nothing happens.
    Before,
    /// After the store did it: what a lost answer looks like (`OutcomeUnknown`).
    After,
}

/// The failures to come at one port, first in, first out; a call without one goes through.
#[derive(Debug)]
pub struct Faults<K> {
    queue: Mutex<VecDeque<(When, K)>>,
}

impl<K> Default for Faults<K> {
    fn default() -> Self {
        Self { queue: Mutex::default() }
    }
}

impl<K: Debug> Faults<K> {
    /// Makes one more call fail, after those that are to fail already.
    pub fn fail(&self, when: When, kind: K) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back((when, kind));
    }

    /// How many failures are still to come.
    pub fn left(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn around<T>(&self, call: impl Future<Output = Result<T, Failure<K>>> + Send) -> Result<T, Failure<K>> {
        let fault = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some((when, kind)) = fault else { return call.await };
        if when == When::After {
            call.await?;
        }
        Err(Failure::new(kind, "told to fail"))
    }
}

pub use kms::FaultyKms;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What others do between two calls, first in, first out.
#[derive(Default)]
pub struct Meanwhile {
    queue: Mutex<VecDeque<Task>>,
}

impl Meanwhile {
    /// Has `task` run to its end at one more call.
    pub fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(Box::pin(task));
    }

    /// How many are still to come.
    pub fn left(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn pass(&self) {
        let next = self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        if let Some(task) = next {
            task.await;
        }
    }
}

/// A store that fails on demand. Without a fault waiting it is the store inside.
///
/// ```
/// use std::sync::Arc;
/// use strongroom_domain::port::{CommitErrorKind, Committer};
/// use strongroom_testkit::{Faulty, When};
///
/// # fn example<S: Committer>(store: Arc<S>) {
/// let store = Faulty::new(store);
/// store.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
/// # }
/// ```
pub struct Faulty<S: ?Sized> {
    pub(crate) inner: Arc<S>,
    /// Failures of [`Committer::commit`], and the kind that each has.
    pub commits: Faults<CommitErrorKind>,
    /// Failures of [`AccessLog::record`].
    pub accesses: Faults<AccessErrorKind>,
    /// Failures of [`AuditLog::enqueue`].
    pub records: Faults<CommitErrorKind>,
    /// Failures of [`SecretReader`]: each is used up by the next call of any of its methods.
    pub reads: Faults<ReadErrorKind>,
    /// Failures of [`DirectoryReader::objects`].
    pub directory: Faults<ReadErrorKind>,
    /// Failures of [`KeyReader`]: each is used up by the next call of any of its methods.
    pub keys: Faults<ReadErrorKind>,
    /// What others do before a unit is applied, such as overtake it.
    pub before_commits: Meanwhile,
    /// What others do before a read of versions, such as a change of their secret.
    pub before_versions: Meanwhile,
    /// What others do after a read of an answer, such as forget it.
    pub after_answers: Meanwhile,
}

impl<S: ?Sized> Faulty<S> {
    /// Stands before `inner`, with no failure to come.
    #[must_use]
    pub fn new(inner: Arc<S>) -> Self {
        Self {
            inner,
            commits: Faults::default(),
            accesses: Faults::default(),
            records: Faults::default(),
            reads: Faults::default(),
            directory: Faults::default(),
            keys: Faults::default(),
            before_commits: Meanwhile::default(),
            before_versions: Meanwhile::default(),
            after_answers: Meanwhile::default(),
        }
    }
}

#[async_trait]
impl<S: Committer + ?Sized> Committer for Faulty<S> {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        self.before_commits.pass().await;
        self.commits.around(self.inner.commit(unit)).await
    }
}

#[async_trait]
impl<S: AccessLog + ?Sized> AccessLog for Faulty<S> {
    async fn record(&self, access: Access) -> Result<(), AccessError> {
        self.accesses.around(self.inner.record(access)).await
    }
}

#[async_trait]
impl<S: AuditLog + ?Sized> AuditLog for Faulty<S> {
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        self.records.around(self.inner.enqueue(record)).await
    }
}

#[async_trait]
impl<S: DirectoryReader + ?Sized> DirectoryReader for Faulty<S> {
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
        self.directory.around(self.inner.objects(query)).await
    }
}

#[async_trait]
impl<S: SecretReader + ?Sized> SecretReader for Faulty<S> {
    async fn find(&self, scope: &Scope, path: &SecretPath) -> Result<Option<Secret>, ReadError> {
        self.reads.around(self.inner.find(scope, path)).await
    }

    async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        freshness: Freshness,
    ) -> Result<Option<SealedRead>, ReadError> {
        self.reads.around(self.inner.sealed(scope, path, version, freshness)).await
    }

    async fn versions(
        &self,
        secret: SecretId,
        after: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<Version>, ReadError> {
        self.before_versions.pass().await;
        self.reads.around(self.inner.versions(secret, after, limit)).await
    }

    async fn version(&self, secret: SecretId, number: VersionNumber) -> Result<Option<Version>, ReadError> {
        self.reads.around(self.inner.version(secret, number)).await
    }

    async fn active_below(&self, secret: SecretId, number: VersionNumber) -> Result<Option<VersionNumber>, ReadError> {
        self.reads.around(self.inner.active_below(secret, number)).await
    }

    async fn oldest_active(&self, secret: SecretId, limit: u32) -> Result<Vec<VersionNumber>, ReadError> {
        self.reads.around(self.inner.oldest_active(secret, limit)).await
    }

    async fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Secret>, ReadError> {
        self.reads.around(self.inner.list(scope, prefix, after, limit)).await
    }

    async fn count_bound(&self, key: KeyId) -> Result<u64, ReadError> {
        self.reads.around(self.inner.count_bound(key)).await
    }

    async fn count_wrapped(&self, key: KeyId) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError> {
        self.reads.around(self.inner.count_wrapped(key)).await
    }

    async fn wrapped(
        &self,
        key: KeyId,
        below: Option<KeyVersionNumber>,
        after: Option<(SecretId, VersionNumber)>,
        limit: u32,
    ) -> Result<Vec<WrappedVersion>, ReadError> {
        self.reads.around(self.inner.wrapped(key, below, after, limit)).await
    }

    async fn browse(
        &self,
        scope: &Scope,
        directory: &Directory,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BrowseEntry>, ReadError> {
        self.reads.around(self.inner.browse(scope, directory, after, limit)).await
    }
}

#[async_trait]
impl<S: KeyReader + ?Sized> KeyReader for Faulty<S> {
    async fn get(&self, id: KeyId, freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        self.keys.around(self.inner.get(id, freshness)).await
    }

    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError> {
        self.keys.around(self.inner.find(scope, name)).await
    }

    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
        self.keys.around(self.inner.list(scope, filter)).await
    }

    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
        self.keys.around(self.inner.summaries(ids)).await
    }

    async fn counts(&self, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError> {
        self.keys.around(self.inner.counts(scope, at)).await
    }

    async fn due(&self, what: KeyDue, at: Timestamp, limit: u32) -> Result<Vec<Key>, ReadError> {
        self.keys.around(self.inner.due(what, at, limit)).await
    }

    async fn all(&self, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError> {
        self.keys.around(self.inner.all(after, limit)).await
    }
}
