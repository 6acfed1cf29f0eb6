use crate::directory::{DirectoryObject, ObjectKind};
use crate::failure::Failure;
use crate::id::{KeyId, OrganisationId, SecretId, UserId};
use crate::kms::{Key, KeySummary, KeyVersionNumber};
use crate::path::{Directory, SecretPath};
use crate::principal::Token;
use crate::root_key::{KeyCheck, SealedInstanceKey};
use crate::scope::Scope;
use crate::secret::{SealedVersion, Secret, WrappedKey};
use crate::tenancy::{Organisation, Region};
use crate::time::Timestamp;
use crate::unit::{Answer, AnswerKey};
use crate::version::{Version, VersionNumber, VersionSelector};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

/// Why a read failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadErrorKind {
    /// The store is out of reach, overloaded or stopping.
    Unavailable,
    /// The store holds what it should not: a damaged row, or one of a newer release.
    Corrupt,
}

/// A read failed.
pub type ReadError = Failure<ReadErrorKind>;

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// A cache may answer. Good enough for a yes that is checked again; never for a no.
    Hint,
    /// The store itself answers.
    Latest,
}

/// What a reveal reads: a secret, and the version asked for when it is active.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedRead {
    /// The secret.
    pub secret: Arc<Secret>,
    /// The version.
    pub version: SealedVersionState,
}

/// What was found of the version that a reveal asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum SealedVersionState {
    /// It is active.
    Active(Arc<SealedVersion>),
    /// It was destroyed.
    Destroyed,
    /// There never was one of that number; or the current one was asked for, and none is active.
    Missing,
}

/// An active version, and what wraps its data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedVersion {
    /// Of which secret.
    pub secret: SecretId,
    /// Whose it is.
    pub scope: Scope,
    /// Where the secret lives.
    pub path: SecretPath,
    /// Which version.
    pub version: VersionNumber,
    /// Its wrapped data key.
    pub wrapped: WrappedKey,
}

/// One entry of a directory, as browsing shows it.
#[derive(Clone, Debug, PartialEq)]
pub enum BrowseEntry {
    /// A child directory with at least one secret below it.
    Directory(Directory),
    /// A secret directly in the directory.
    Secret(Box<Secret>),
}

impl BrowseEntry {
    /// What entries are ordered by, bytewise: a secret's path, or a directory with its trailing slash.
    #[must_use]
    pub fn sort_key(&self) -> &str {
        match self {
            Self::Directory(directory) => directory.as_str(),
            Self::Secret(secret) => secret.path.as_str(),
        }
    }
}

/// Reads secrets. Each method is one snapshot.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait SecretReader: Send + Sync {
    /// The secret at a path.
    ///
    /// - Sees only the given scope.
    async fn find(&self, scope: &Scope, path: &SecretPath) -> Result<Option<Secret>, ReadError>;

    /// The secret at a path and one version's ciphertext, from one snapshot.
    ///
    /// - With [`VersionSelector::Current`] the highest active version.
    /// - Tells a destroyed version from one that never was.
    /// - An adapter without a cache treats both kinds of freshness alike.
    async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        freshness: Freshness,
    ) -> Result<Option<SealedRead>, ReadError>;

    /// At most `limit` versions of a secret after number `after`, by rising number.
    ///
    /// - Includes destroyed ones.
    async fn versions(
        &self,
        secret: SecretId,
        after: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<Version>, ReadError>;

    /// One version's entry in the history; `None` when the secret isn't there, or never had a version of this number. A destroyed one still
    /// has its entry.
    async fn version(&self, secret: SecretId, number: VersionNumber) -> Result<Option<Version>, ReadError>;

    /// The highest active version whose number is lower than `number`; `None` when the secret isn't there, or all of them were destroyed.
    /// `number` itself need not exist.
    async fn active_below(&self, secret: SecretId, number: VersionNumber) -> Result<Option<VersionNumber>, ReadError>;

    /// At most `limit` active versions of a secret, by rising number.
    ///
    /// - Leaves out destroyed ones.
    /// - The cost depends on `limit` and on how many were destroyed below, not on how large the values are.
    async fn oldest_active(&self, secret: SecretId, limit: u32) -> Result<Vec<VersionNumber>, ReadError>;

    /// At most `limit` secrets whose path begins with `prefix`, after path `after`, ordered bytewise by path.
    ///
    /// - `prefix` begins with `/`; it may end inside a segment.
    /// - The cost depends on `limit`, not on how many secrets there are.
    async fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Secret>, ReadError>;

    /// How many secrets are bound to a key, of all scopes; 0 for a key that isn't there.
    async fn count_bound(&self, key: KeyId) -> Result<u64, ReadError>;

    /// How many active versions of secrets bound to a key are wrapped by each of its versions, by rising version; versions that wrap
    /// nothing are left out.
    async fn count_wrapped(&self, key: KeyId) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError>;

    /// At most `limit` active versions of secrets bound to a key, after `after`, by secret and version: which key version wraps each, and
    /// how.
    ///
    /// - With `below` only those that are wrapped by an earlier key version.
    /// - The cost depends on how many there are of this key, not on how many secrets there are.
    async fn wrapped(
        &self,
        key: KeyId,
        below: Option<KeyVersionNumber>,
        after: Option<(SecretId, VersionNumber)>,
        limit: u32,
    ) -> Result<Vec<WrappedVersion>, ReadError>;

    /// At most `limit` entries of a directory whose sort key is after `after`, ordered bytewise by it: child directories and
    /// the secrets that lie directly in it, together.
    ///
    /// - A child directory shows once, however many secrets lie below it.
    /// - The cost depends on `limit`, not on how many secrets lie below.
    async fn browse(
        &self,
        scope: &Scope,
        directory: &Directory,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BrowseEntry>, ReadError>;
}

/// How a caller names a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// By identity.
    Id(KeyId),
    /// By slug: the live key that holds it, else the newest that held it.
    Slug(String),
}

/// Which keys to list; what is `None` selects nothing out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// With this identity.
    pub id: Option<KeyId>,
    /// With exactly this name.
    pub name: Option<String>,
    /// With exactly this slug.
    pub slug: Option<String>,
}

/// How many keys of one scope are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyCounts {
    /// Active ones.
    pub active: u64,
    /// Disabled ones.
    pub disabled: u64,
    /// Ones pending deletion whose date is to come.
    pub pending_deletion: u64,
    /// Ones past that date, as if they were not there; they go with the next purge.
    pub purge_due: u64,
}

/// What can be due for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyDue {
    /// A rotation by itself.
    Rotation,
    /// The purge after its deletion.
    Purge,
}

/// Reads KMS keys. Each method is one snapshot.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait KeyReader: Send + Sync {
    /// The key of this id, whatever its scope: callers check it.
    ///
    /// - An adapter without a cache treats both kinds of freshness alike.
    async fn get(&self, id: KeyId, freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError>;

    /// The key of this name in a scope.
    ///
    /// - Sees only the given scope.
    /// - By slug finds the live key before one pending deletion.
    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError>;

    /// The keys of a scope: active and disabled ones first, then those pending deletion, each newest first.
    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError>;

    /// What secrets show of these keys; keys that aren't there are left out.
    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError>;

    /// How many keys a scope has at `at`, by state.
    ///
    /// - Reads no key: the cost is that of counting the scope's.
    async fn counts(&self, scope: &Scope, at: Timestamp) -> Result<KeyCounts, ReadError>;

    /// At most `limit` keys of any scope for which something is due at `at`, the longest due first.
    ///
    /// - A rotation is due as [`Key::rotation_due_at`] says.
    /// - A purge is due from the date on that [`KeyStatus::PendingDeletion`](crate::kms::KeyStatus::PendingDeletion) names.
    /// - The cost depends on how many are due, not on how many keys there are.
    async fn due(&self, what: KeyDue, at: Timestamp, limit: u32) -> Result<Vec<Key>, ReadError>;

    /// At most `limit` keys of all scopes after `after`, by id.
    async fn all(&self, after: Option<KeyId>, limit: u32) -> Result<Vec<Key>, ReadError>;
}

/// Reads organisations and regions.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait TenancyReader: Send + Sync {
    /// The organisation of this identity or slug; an identity wins over an equal slug.
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError>;

    /// The organisation of this id; `None` when there is none.
    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError>;

    /// All organisations, ordered by slug.
    async fn organisations(&self) -> Result<Vec<Organisation>, ReadError>;

    /// All regions, ordered by slug.
    async fn regions(&self) -> Result<Vec<Region>, ReadError>;
}

/// Which objects of the directory are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectQuery {
    /// Of which kind.
    pub kind: ObjectKind,
    /// Of which organisation; `None` for users, and for objects of all organisations.
    pub organisation: Option<OrganisationId>,
    /// Which of them.
    pub which: ObjectSelector,
}

/// How objects of the directory are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectSelector {
    /// All of them.
    All,
    /// Those of these identities.
    Ids(Vec<Uuid>),
    /// Those with this [handle](crate::directory::DirectoryObject::handle).
    Handle(String),
    /// Those with this [parent](crate::directory::DirectoryObject::parent).
    PartsOf(Uuid),
    /// Those about one of these [subjects](crate::directory::DirectoryObject::subject).
    About(Vec<Uuid>),
}

/// Reads the directory. Each method is one snapshot.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait DirectoryReader: Send + Sync {
    /// The objects that a query asks for, in the order of their identities.
    ///
    /// - Sees only the kind that is asked for.
    /// - Sees only the given organisation, when one is given.
    /// - The cost depends on how many objects answer the query, not on how many there are.
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError>;
}

/// Reads tokens.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait TokenReader: Send + Sync {
    /// The token with exactly this digest (HMAC-SHA-256, 32 bytes), whether it has ended or not; `None` when there is none.
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError>;

    /// The tokens of a user in every organisation and in none, ended ones too, in the order of their identities.
    async fn of_user(&self, user: UserId) -> Result<Vec<Token>, ReadError>;
}

/// Reads remembered answers.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait AnswerReader: Send + Sync {
    /// The answer to the request of this key, expired or not.
    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, ReadError>;
}

/// Reads what a store was set up with.
///
/// # Errors
/// Of every method, and no others: [`ReadErrorKind::Unavailable`] when the store can't be asked now, [`ReadErrorKind::Corrupt`] when something
/// that belongs into the answer can't be read. What isn't there is no error.
#[async_trait]
pub trait SetupReader: Send + Sync {
    /// The check of its root key; `None` for a store that was never set up.
    async fn key_check(&self) -> Result<Option<KeyCheck>, ReadError>;

    /// Its instance keys, by purpose and, within one, by rising version; none for a store that was never set up.
    ///
    /// - A row that can be no key, since its purpose is unknown or its version is none from 1 on, comes as an
    ///   [`AuditSigning`](crate::root_key::InstanceKeyPurpose::AuditSigning) key of version 0 without a public key, with its sealed bytes:
    ///   somebody slipped it in, and it must keep nobody from the others. No key has version 0, and there may be several of these.
    /// - A public key that can be none is left out.
    async fn instance_keys(&self) -> Result<Vec<SealedInstanceKey>, ReadError>;
}
