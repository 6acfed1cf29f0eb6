//! Nodes over one real store: engines as a server puts them together, but with a clock that the test moves.

use async_trait::async_trait;
use core::pin::Pin;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::CreateInput;
use strongroom::setup::{FirstTokens, SetUp, set_up};
use strongroom::{Engine, Limits, Needs, Ports, Service, Session, Target};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_domain::audit::{Action, AuditRecord, RequestInfo};
use strongroom_domain::id::{CredentialId, RequestId, UserId};
use strongroom_domain::kms::{Key, Rotation};
use strongroom_domain::path::SecretPath;
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditLog, AuditReader, AuthenticateError, Authenticated, Authenticator, CommitError,
    Committer, Credential, DirectoryReader, Freshness, IdGenerator, KeyReader, Kms, Leases, NewToken, SecretReader,
    SetupReader, TenancyReader,
};
use strongroom_domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_domain::value::{SecretBytes, SecretValue};
use strongroom_domain::version::VersionSelector;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::{InstanceKeys, RootKeyRing, SoftwareRootKey, key_check};
use strongroom_store_sql::{OpenOptions, PostgresOptions, PostgresStore, PostgresWriter, SqliteStore, SqliteWriter};
use strongroom_test_postgres::Database;
use strongroom_testkit::{FixedSigner, ManualClock, SequentialIds};
use tempfile::TempDir;

pub(crate) const START: Timestamp = Timestamp::from_micros(1_000_000_000);
const REGION: &str = "nl-01";
const TARGET: Target<'static> = Target { action: Action::KmsRead, resource: None };

/// Where the store is, and the time that its leases go by.
pub(crate) enum Place {
    /// Its leases go by a clock of their own, as by SQLite's.
    Sqlite(TempDir, Arc<ManualClock>),
    Postgres(Database),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"), Arc::new(ManualClock::new(START)))
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(strongroom_test_postgres::database())
    }

    /// Lets the leases that are held end now.
    pub(crate) fn end_leases(&self) {
        match self {
            Self::Sqlite(_, clock) => clock.advance(core::time::Duration::from_secs(60 * 60)),
            // Nobody moves the clock of the server; so their ends are moved.
            Self::Postgres(database) => {
                let _ = database.sql("UPDATE leases SET expires_at = 0");
            }
        }
    }
}

enum Writer {
    Sqlite(Arc<SqliteWriter>),
    Postgres(Arc<PostgresWriter>, Arc<PostgresStore>),
}

/// Believes a token that is the identity of a user.
struct Honest;

#[async_trait]
impl Authenticator for Honest {
    async fn authenticate(&self, credential: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let Credential::Token(token) = credential else { return Err(AuthenticateError::Refused) };
        let text = core::str::from_utf8(token.expose()).map_err(|_| AuthenticateError::Refused)?;
        let user: UserId = text.parse().map_err(|_| AuthenticateError::Refused)?;
        let credential = CredentialId::new(user.uuid());
        let caller = Caller::new(Principal::User(user), credential, CredentialScopes::ALL, Reach::Memberships);
        Ok(Authenticated::Caller(Arc::new(caller)))
    }

    fn forget(&self, _: &Token) {}
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way to the store on which a node may stand still just before a key gets another version or is removed.
struct Halting {
    store: Arc<dyn Committer>,
    /// What happens meanwhile, once.
    meanwhile: Mutex<Option<Task>>,
}

#[async_trait]
impl Committer for Halting {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        if matches!(unit.changes[..], [Change::AppendKeyVersion { .. } | Change::DeleteKey { .. }]) {
            let meanwhile = self.meanwhile.lock().expect("unpoisoned").take();
            if let Some(meanwhile) = meanwhile {
                meanwhile.await;
            }
        }
        self.store.commit(unit).await
    }
}

trait Reads: SecretReader + KeyReader + TenancyReader + DirectoryReader + AnswerReader + SetupReader + AuditReader {}

impl<T> Reads for T where
    T: SecretReader + KeyReader + TenancyReader + DirectoryReader + AnswerReader + SetupReader + AuditReader
{
}

trait Writes: Committer + AccessLog + AuditLog {}

impl<T: Committer + AccessLog + AuditLog> Writes for T {}

/// A node: an engine and its own connections to the store.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    committer: Arc<Halting>,
    pub(crate) leases: Arc<dyn Leases>,
    ids: Arc<SequentialIds>,
    reader: Arc<dyn Reads>,
    writer: Writer,
}

/// What outlives the nodes.
pub(crate) struct Site {
    pub(crate) place: Arc<Place>,
    pub(crate) clock: Arc<ManualClock>,
    owner: Mutex<Option<(UserId, String)>>,
    started: AtomicU64,
}

fn root_key() -> RootKeyRing {
    let key = SoftwareRootKey::from_bytes(&[7; 32], Arc::new(OsEntropy)).expect("a key");
    RootKeyRing::of(key)
}

impl Site {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place: Arc::new(place),
            clock: Arc::new(ManualClock::new(START)),
            owner: Mutex::default(),
            started: AtomicU64::new(0),
        }
    }

    /// Starts a node, with everything of its own but what is stored; the first one sets the store up.
    pub(crate) async fn node(&self) -> Node {
        self.nodes(1).await.remove(0)
    }

    /// Starts so many nodes. Those over SQLite share its one writer; all else is each one's own.
    pub(crate) async fn nodes(&self, count: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        match &*self.place {
            Place::Sqlite(folder, leases) => {
                let store = SqliteStore::open(OpenOptions::new(folder.path().join("strongroom.db")).create())
                    .await
                    .expect("opens");
                let store = Arc::new(store.with_clock(Arc::clone(leases) as _));
                let (_, writers_ids) = self.ids();
                let writer = Arc::new(store.writer(Arc::new(FixedSigner), writers_ids).expect("starts"));
                for _ in 0..count {
                    let ((ids, _), store, writer) = (self.ids(), Arc::clone(&store), Arc::clone(&writer));
                    let kept = Writer::Sqlite(Arc::clone(&writer));
                    nodes.push(self.started(ids, store, Arc::clone(&writer), writer, kept).await);
                }
            }
            Place::Postgres(database) => {
                for _ in 0..count {
                    let mut options = PostgresOptions::parse(database.url()).expect("a URL").create();
                    (options.lanes, options.hot_readers, options.readers) = (2, 2, 2);
                    let store = Arc::new(PostgresStore::open(options).await.expect("opens"));
                    let (ids, writers_ids) = self.ids();
                    let writer = Arc::new(store.writer(Arc::new(FixedSigner), writers_ids).await.expect("starts"));
                    let kept = Writer::Postgres(Arc::clone(&writer), Arc::clone(&store));
                    nodes.push(self.started(ids, Arc::clone(&store), writer, store, kept).await);
                }
            }
        }
        nodes
    }

    /// Identifiers for an engine, and for a writer: no two starts make the same ones.
    fn ids(&self) -> (Arc<SequentialIds>, Arc<SequentialIds>) {
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        (Arc::new(SequentialIds::of_node(number)), Arc::new(SequentialIds::of_node(number << 32)))
    }

    async fn started(
        &self,
        ids: Arc<SequentialIds>,
        store: Arc<impl Reads + 'static>,
        writes: Arc<impl Writes + 'static>,
        leases: Arc<dyn Leases>,
        writer: Writer,
    ) -> Node {
        let ring = Arc::new(root_key());
        let known = self.owner.lock().expect("unpoisoned").is_some();
        if !known {
            let (_, instance_keys) = InstanceKeys::generate(&*ring, &OsEntropy).expect("generates");
            let what = SetUp {
                key_check: key_check(&*ring).expect("seals"),
                instance_keys,
                organisation: "House".to_owned(),
                regions: vec![REGION.to_owned()],
            };
            let token = |digest| NewToken { token: bytes(b"unused"), digest: [digest; 32], digest_key_version: 1 };
            let tokens = FirstTokens { owner: token(1), operator: token(2) };
            let made = set_up(&*writes, &*ids, START, what, &tokens).await.expect("an empty store");
            *self.owner.lock().expect("unpoisoned") = Some((made.owner, made.organisation.id.to_string()));
        }
        ring.adopt(&store.key_check().await.expect("readable").expect("set up")).expect("the store's root key");
        let region = store.regions().await.expect("readable")[0].id;
        let kms: Arc<dyn Kms> = Arc::new(LocalKms::new(Arc::clone(&ring) as _, Arc::new(OsEntropy)));
        let committer = Arc::new(Halting { store: Arc::clone(&writes) as _, meanwhile: Mutex::default() });
        let ports = Ports {
            authenticator: Arc::new(Honest),
            secrets: Arc::clone(&store) as _,
            keys: Arc::clone(&store) as _,
            tenancy: Arc::clone(&store) as _,
            directory: Arc::clone(&store) as _,
            setup: Arc::clone(&store) as _,
            credentials: None,
            answers: Arc::clone(&store) as _,
            committer: Arc::clone(&committer) as _,
            access_log: Arc::clone(&writes) as _,
            audit_log: writes,
            audit: Arc::clone(&store) as _,
            leases: Arc::clone(&leases),
            kms: HashMap::from([(region, kms)]),
            import_keys: None,
            audit_keys: None,
            root_keys: Some(ring),
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&bytes(&[7; 32]), 1)),
            clock: Arc::clone(&self.clock) as _,
            ids: Arc::clone(&ids) as _,
            entropy: Arc::new(OsEntropy),
        };
        Node { engine: Engine::new(ports, Limits::default()), committer, leases, ids, reader: store, writer }
    }

    pub(crate) async fn session(&self, node: &Node, service: Service) -> Session {
        let (owner, organisation) = self.owner.lock().expect("unpoisoned").clone().expect("set up");
        let request = Arc::new(RequestInfo::embedded(RequestId::new(node.ids.next())));
        let credential = Credential::Token(bytes(owner.to_string().as_bytes()));
        let call = node.engine.authenticate(Some(&credential), request).await.expect("known");
        let session = node.engine.enter_organisation(call, Some(&organisation), Needs::Write, TARGET).await;
        node.engine.enter(session.expect("a member"), service, REGION, None, TARGET).await.expect("there")
    }

    /// Makes a key that is rotated every so many days.
    pub(crate) async fn create_key(&self, node: &Node, name: &str, every: Option<u32>) -> Arc<Key> {
        let session = self.session(node, Service::Kms).await;
        let rotation = Rotation { enabled: every.is_some(), period_days: every };
        let input = CreateKeyInput { rotation, ..CreateKeyInput::named(name) };
        node.engine.create_key(&session).await.expect("allowed").run(input).await.expect("created")
    }

    pub(crate) async fn delete_key(&self, node: &Node, key: &Key) {
        let session = self.session(node, Service::Kms).await;
        let delete = node.engine.delete_key(&session, &key.slug).await.expect("allowed");
        delete.run().await.map(drop).expect("deleted");
    }

    pub(crate) async fn create_secret(&self, node: &Node, at: &str, key: &Key) {
        let session = self.session(node, Service::Secrets).await;
        let input = CreateInput::string(key, bytes(at.as_bytes()));
        node.engine
            .create(&session, path(at))
            .await
            .expect("allowed")
            .run(input, None)
            .await
            .map(drop)
            .expect("created");
    }

    /// Makes sure that a secret reveals what was put into it.
    pub(crate) async fn expect_secret(&self, node: &Node, at: &str) {
        let session = self.session(node, Service::Secrets).await;
        let reveal = node.engine.reveal(&session, path(at)).await.expect("allowed");
        let revealed = reveal.run(VersionSelector::Current).await.expect("reveals");
        let SecretValue::String(value) = revealed.value else { panic!("a string was stored") };
        assert_eq!(value.expose(), at.as_bytes());
    }
}

impl Node {
    /// Lets it stand still just before its next rotation or purge is stored, while this happens.
    pub(crate) fn halt(&self, meanwhile: impl Future<Output = ()> + Send + 'static) {
        *self.committer.meanwhile.lock().expect("unpoisoned") = Some(Box::pin(meanwhile));
    }

    /// A key as it is stored; `None` once it is purged.
    pub(crate) async fn key(&self, key: &Key) -> Option<Arc<Key>> {
        self.reader.get(key.spec.id, Freshness::Latest).await.expect("readable")
    }

    /// What the log says of this action.
    pub(crate) async fn records(&self, action: Action) -> Vec<AuditRecord> {
        let mut found = Vec::new();
        for stream in self.reader.streams().await.expect("readable") {
            let mut after = 0;
            loop {
                let page = self.reader.records(stream, after, 1_000).await.expect("readable");
                let Some(last) = page.last() else { break };
                after = last.sequence;
                found.extend(page.into_iter().map(|chained| chained.record).filter(|record| record.action == action));
            }
        }
        found
    }

    /// Ends it as a stop does.
    pub(crate) async fn stop(&self) {
        match &self.writer {
            Writer::Sqlite(writer) => writer.close().await,
            Writer::Postgres(writer, store) => {
                writer.close().await;
                store.close().await;
            }
        }
    }
}

pub(crate) fn bytes(bytes: &[u8]) -> SecretBytes {
    SecretBytes::copy_of(bytes)
}

pub(crate) fn path(text: &str) -> SecretPath {
    text.parse().expect("a path")
}
