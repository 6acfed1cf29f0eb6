//! Parts of a store written outside of Strongroom's repository, proven by the testkit's contract suites.
//!
//! - [`ChangeFeed`] is a writer: it tells of the changes of any other, so that a program hears at once which secrets to read anew.
//! - [`DirectoryCopy`] is a reader with the writer that it needs: it answers from data of its own who may do what.
//!
//! The engine takes each port by itself (`strongroom::Ports`), so that a store may be of several makers. The macro `store_contract!` makes
//! a test of every case of every port, over a store that is made anew for each. It takes nothing else.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod change_feed;
mod directory_copy;

use async_trait::async_trait;
use change_feed::ChangeFeed;
use directory_copy::DirectoryCopy;
use std::sync::Arc;
use strongroom::Limits;
use strongroom::ValueInput;
use strongroom::domain::directory::{DirectoryObject, ObjectKind};
use strongroom::domain::id::StreamId;
use strongroom::domain::path::SecretPath;
use strongroom::domain::port::{
    CommitErrorKind, Committer, DirectoryReader, ObjectQuery, ObjectSelector, ReadErrorKind, SecretReader,
    TenancyReader,
};
use strongroom::domain::unit::Change;
use strongroom::domain::value::{SecretBytes, SecretValue};
use strongroom::embed::{Embedded, Environment, StorePorts};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::{CreateInput, PutInput};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_kms_memory::MemoryKms;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::contract::{Remains, Store};
use strongroom_testkit::{Faulty, FixedSigner, ManualClock, SequentialIds, When, build, model, store_contract, units};
use tokio::sync::broadcast::error::TryRecvError;
use uuid::Uuid;

/// Where the contract looks for what was erased: past the feed, in the store itself.
struct Inside(Arc<MemoryStore>);

#[async_trait]
impl Remains for Inside {
    async fn at_once(&self, bytes: &[u8]) -> bool {
        self.0.holds(bytes).expect("readable")
    }
}

/// The store behind the parts, and all ports over it.
fn behind() -> (Arc<MemoryStore>, Store) {
    let clock = Arc::new(ManualClock::jumping(build::at(0)));
    let inner = MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid())).with_clock(clock.clone());
    let inner = Arc::new(inner);
    let ports = Store { clock, ..Store::of(Arc::clone(&inner), FixedSigner::verify) };
    (Arc::clone(&inner), ports.searched_by(Inside(inner)))
}

fn with_feed() -> Store {
    let (inner, ports) = behind();
    let feed = Arc::new(ChangeFeed::before(inner));
    Store { committer: feed.clone(), access: feed.clone(), audit_log: feed, ..ports }
}

store_contract!(change_feed_before_memory, async { with_feed() });

async fn with_copy() -> Store {
    let (inner, ports) = behind();
    let copy = Arc::new(DirectoryCopy::before(inner).await.expect("readable"));
    Store { committer: copy.clone(), tenancy: copy.clone(), directory: copy, ..ports }
}

store_contract!(directory_copy_before_memory, async { with_copy().await });

#[test]
fn leases_have_one_holder_at_a_time() {
    model::check_leases(|| async { with_feed() });
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(build::uuid())))
}

#[tokio::test]
async fn what_is_applied_is_told_and_what_is_refused_is_not() {
    let feed = ChangeFeed::before(memory());
    let mut changes = feed.subscribe();
    let secret = build::secret(build::scope(), "/a");
    feed.commit(units::insert(&secret)).await.expect("applied");
    assert_eq!(changes.try_recv(), Ok(secret.id));
    // The path is taken.
    feed.commit(units::insert(&build::secret(secret.scope, "/a"))).await.expect_err("refused");
    assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
}

/// A commit whose outcome nobody knows may have changed something.
#[tokio::test]
async fn a_change_whose_answer_was_lost_is_told() {
    let faulty = Arc::new(Faulty::new(memory()));
    let feed = ChangeFeed::before(Arc::clone(&faulty));
    let mut changes = feed.subscribe();
    let secret = build::secret(build::scope(), "/a");
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    feed.commit(units::insert(&secret)).await.expect_err("the answer is lost");
    assert_eq!(changes.try_recv(), Ok(secret.id));
}

/// By the time that it is told, it can be read; also when whoever asked for it is gone.
#[tokio::test]
async fn a_change_is_told_when_its_caller_stopped_waiting() {
    let inner = memory();
    let feed = ChangeFeed::before(Arc::clone(&inner));
    let mut changes = feed.subscribe();
    let secret = build::secret(build::scope(), "/a");
    let mut commit = Box::pin(feed.commit(units::insert(&secret)));
    assert!(ask_once(&mut commit).await.is_none(), "it has only begun");
    drop(commit);
    assert_eq!(changes.recv().await, Ok(secret.id));
    let found = SecretReader::find(&*inner, &secret.scope, &secret.path).await.expect("readable");
    assert_eq!(found.map(|found| found.id), Some(secret.id));
}

/// The objects of the directory that are teams.
async fn teams(reader: &impl DirectoryReader) -> Result<Vec<DirectoryObject>, ReadErrorKind> {
    let query = ObjectQuery { kind: ObjectKind::Team, organisation: None, which: ObjectSelector::All };
    reader.objects(&query).await.map_err(|error| *error.kind())
}

/// What was stored before there was a copy, and what came afterwards; the store is not asked for it.
#[tokio::test]
async fn the_copy_answers_by_itself() {
    let faulty = Arc::new(Faulty::new(memory()));
    let organisation = build::organisation("o");
    let [old, new] = ["old", "new"].map(|slug| DirectoryObject::from(build::team(organisation.id, slug)));
    faulty.commit(units::of(vec![Change::InsertOrganisation(organisation.clone())])).await.expect("applied");
    let (unit, organisation) = units::revise(&organisation, vec![units::put(old.clone())]);
    faulty.commit(unit).await.expect("applied");
    let copy = DirectoryCopy::before(Arc::clone(&faulty)).await.expect("readable");
    let (unit, organisation) = units::revise(&organisation, vec![units::put(new.clone()), units::remove(&old)]);
    copy.commit(unit).await.expect("applied");

    faulty.directory.fail(When::Before, ReadErrorKind::Unavailable);
    assert_eq!(teams(&copy).await, Ok(vec![new]));
    assert_eq!(copy.organisation("o").await.expect("readable"), Some(organisation));
    assert_eq!(faulty.directory.left(), 1, "nobody asked");
}

/// A commit whose outcome nobody knows ends the copy: from then on the store answers.
#[tokio::test]
async fn a_copy_that_may_be_wrong_is_not_used() {
    let faulty = Arc::new(Faulty::new(memory()));
    let copy = DirectoryCopy::before(Arc::clone(&faulty)).await.expect("readable");
    let organisation = build::organisation("o");
    let team = DirectoryObject::from(build::team(organisation.id, "t"));
    copy.commit(units::of(vec![Change::InsertOrganisation(organisation.clone())])).await.expect("applied");
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    let (unit, _) = units::revise(&organisation, vec![units::put(team.clone())]);
    copy.commit(unit).await.expect_err("the answer is lost");
    assert_eq!(teams(&copy).await, Ok(vec![team]));
    faulty.directory.fail(When::Before, ReadErrorKind::Unavailable);
    assert_eq!(teams(&copy).await, Err(ReadErrorKind::Unavailable));
}

/// Asks a future once.
async fn ask_once<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    core::future::poll_fn(|context| {
        core::task::Poll::Ready(match core::pin::Pin::new(&mut *future).poll(context) {
            core::task::Poll::Ready(value) => Some(value),
            core::task::Poll::Pending => None,
        })
    })
    .await
}

/// The engine takes it as it takes any other.
#[tokio::test]
async fn the_engine_over_it_tells_of_puts() {
    let entropy = Arc::new(OsEntropy);
    let inner = memory();
    let feed = Arc::new(ChangeFeed::before(Arc::clone(&inner)));
    let mut changes = feed.subscribe();
    let environment = Environment {
        cipher: Arc::new(Aes256GcmCipher),
        answer_digest: Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[7; 32]), 1)),
        clock: Arc::new(ManualClock::new(build::at(0))),
        ids: Arc::new(SequentialIds::new()),
        entropy: entropy.clone(),
    };
    let ports = StorePorts { reader: inner.clone(), writer: feed, leases: inner };
    let room = Embedded::start(ports, Arc::new(MemoryKms::new(entropy)), environment, Limits::default()).await;
    let room = room.expect("starts");
    let (engine, session, path) = (room.engine(), room.session(), "/a".parse::<SecretPath>().expect("a path"));
    let key = engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named("app")).await;
    let input = CreateInput::string(&key.expect("creates"), SecretBytes::copy_of(b"1"));
    engine.create(&session, path.clone()).await.expect("allowed").run(input, None).await.expect("creates");
    let created = changes.try_recv().expect("it is told");
    assert_ne!(created.uuid(), Uuid::nil());

    let value = ValueInput::Value(SecretValue::String(SecretBytes::copy_of(b"2")));
    let put = engine.put(&session, path).await.expect("allowed");
    put.run(PutInput { value, expected: None }, None).await.expect("puts");
    assert_eq!(changes.try_recv(), Ok(created));
    assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
}
